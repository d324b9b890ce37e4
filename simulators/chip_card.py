"""A citizen card's chip: commands in, answers out, as strict as real chips are.

Source: ICAO 9303-10 and -11, ISO 7816-4, BSI TR-03110-3 B, identity-documents.md 7. Shares no code with the reader.
"""

import secrets
import time
from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Final, NamedTuple

from simulators.chip_apdu import Apdu, Refused, parse_apdu
from simulators.chip_curves import Rng
from simulators.chip_files import CardData
from simulators.chip_filesystem import FileSystem
from simulators.chip_quirks import CardRemoved, Quirks
from simulators.chip_secure_messaging import ChannelFault
from simulators.chip_security import Security

_SHORT_ANSWER: Final = 256
_DONE: Final = 0x9000
_GET_RESPONSE: Final = 0xC0


class Exchange(NamedTuple):
    """One command in the log: header, data bytes, bytes asked for, status word, and whether it came protected.

    Of a protected command that could be opened, header and lengths are those inside.
    """

    header: bytes
    lc: int
    le: int | None
    sw: int
    protected: bool


class VirtualCard:
    """A chip that holds *data* and behaves as *quirks* say.

    `transmit` answers one command APDU; `reset` activates the chip anew. `apdus` counts commands, `log` says which.
    *rng* gives every random byte of the protocols, *clock*
    seconds.
    """

    def __init__(
        self,
        data: CardData,
        quirks: Quirks = Quirks(),  # noqa: B008 - frozen
        rng: Rng = secrets.token_bytes,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.data = data
        self.quirks = quirks
        self.apdus = 0
        self.log: list[Exchange] = []
        self._clock = clock
        self._security = Security(data, quirks, rng, clock)
        self._gone = False
        self._was_gone = False
        self._protected_commands = 0
        self._activate()

    @property
    def historical_bytes(self) -> bytes:
        """Card capabilities as ATR and ATS carry them (ISO 7816-4 12.1.1)."""
        extended = self.quirks.extended or self.quirks.extended_lie
        return bytes((0x80, 0x73, 0x90 if self.quirks.no_sfi else 0x94, 0x21, 0xC0 if extended else 0x80))

    @property
    def atr(self) -> bytes:
        """The answer to reset that a PC/SC reader makes up for a contactless card."""
        body = bytes((0x80 | len(self.historical_bytes), 0x80, 0x01)) + self.historical_bytes
        return b"\x3b" + body + bytes((reduce(xor, body),))

    @property
    def ats(self) -> bytes:
        """The answer to select of ISO 14443-4 (type A): frames of 256 bytes, all bit rates."""
        body = bytes.fromhex("78778102") + self.historical_bytes
        return bytes((len(body) + 1,)) + body

    @property
    def failures(self) -> int:
        """Wrong passwords since the last right one."""
        return self._security.failures

    @property
    def penalty_s(self) -> int:
        """Seconds that a real chip would let the reader wait now, after wrong passwords."""
        return min((1 << self.failures) - 1, 15)

    @property
    def blocked(self) -> bool:
        """True when every try of `Quirks.try_counter` is used up."""
        return self._security.blocked

    def reset(self) -> None:
        """Activate the chip anew. CardRemoved when it has left the field and does not come back by itself."""
        if self._gone and self.quirks.back_after_ms is None:
            raise CardRemoved
        self.lay_down()

    def lay_down(self) -> None:
        """Someone lays the card down: it is there again, and activated anew."""
        self._gone = False
        self._activate()

    def transmit(self, apdu: bytes) -> bytes:
        """The answer to *apdu*, whatever bytes it is; ends with a status word. CardRemoved when the card is gone."""
        if self.apdus == self.quirks.removal_after and not self._was_gone:
            self._gone = self._was_gone = True
        if self._gone:
            raise CardRemoved(self.quirks.back_after_ms)
        self.apdus += 1
        self._seen: tuple[bytes, int, int | None, bool] = (apdu[:4], 0, None, False)
        try:
            answer = self._execute(parse_apdu(apdu))
        except (Refused, ChannelFault) as error:
            self._end_session()
            answer = error.sw.to_bytes(2, "big")
        header, lc, le, protected = self._seen
        self.log.append(Exchange(header, lc, le, int.from_bytes(answer[-2:], "big"), protected))
        return answer

    def _activate(self) -> None:
        self._files = FileSystem(self.data, self.quirks)
        self._more = b""
        self._end_session()

    def _end_session(self) -> None:
        self._security.end_session()
        self._files.leave_file()

    def _note(self, command: Apdu, protected: bool) -> None:
        self._seen = (command.header, len(command.data), command.le, protected)

    def _execute(self, outer: Apdu) -> bytes:
        self._note(outer, bool(outer.cla & 0x0C))
        if outer.extended and not self.quirks.extended:
            raise Refused(0x6700)
        if outer.cla & 0xE0:
            raise Refused(0x6E00)
        if outer.cla & 0x03:
            raise Refused(0x6881)
        if outer.cla == 0 and outer.ins == _GET_RESPONSE:
            return self._get_response(outer)
        self._more = b""
        if outer.cla & 0x0C == 0x0C:
            return self._execute_protected(outer)
        if outer.cla & 0x0C:
            raise Refused(0x6882)
        if self._security.channel is not None:
            self._end_session()
        try:
            data, sw = self._dispatch(outer, self._most(outer))
        except Refused as refused:
            return refused.sw.to_bytes(2, "big")
        if outer.le is None:
            data = b""
        if outer.le is not None and outer.le < len(data) < _SHORT_ANSWER:
            return bytes((0x6C, len(data)))
        return self._deliver(data + sw.to_bytes(2, "big"), self._most(outer))

    def _execute_protected(self, outer: Apdu) -> bytes:
        channel = self._security.channel
        self._protected_commands += 1
        broken = 0 < self.quirks.sm_breaks_after == self._protected_commands - 1
        if channel is None or broken:
            raise ChannelFault
        if not outer.open_ended:
            raise ChannelFault(0x6700)
        command = channel.open(outer)
        self._note(command, protected=True)
        if self._clock() < self._security.silent_until:
            raise ChannelFault
        try:
            data, sw = self._dispatch(command, channel.room(self._most(outer)))
        except Refused as refused:
            if self.quirks.plain_errors_under_sm:
                raise
            data, sw = b"", refused.sw
        answer = channel.seal(command.ins, data, sw)
        if self._security.next_channel is not None:
            self._security.channel, self._security.next_channel = self._security.next_channel, None
        return self._deliver(answer, self._most(outer))

    def _most(self, outer: Apdu) -> int:
        """Most bytes of an answer's data field."""
        return self.quirks.extended if outer.extended else _SHORT_ANSWER

    def _deliver(self, answer: bytes, most: int) -> bytes:
        """*answer*, or its first *most* bytes and 61xx, the rest being for GET RESPONSE (ISO 7816-4 5.3.4)."""
        if len(answer) - 2 <= most:
            return answer
        self._more = answer[most:]
        return answer[:most] + bytes((0x61, min(len(self._more) - 2, 256) & 0xFF))

    def _get_response(self, outer: Apdu) -> bytes:
        more, self._more = self._more, b""
        if not more or outer.p1p2 or outer.data or outer.le is None:
            raise Refused(0x6985)
        return self._deliver(more, min(outer.le, self._most(outer)))

    def _dispatch(self, command: Apdu, room: int) -> tuple[bytes, int]:
        """The data and status word of a plain or opened *command*; or Refused, or ChannelFault."""
        if command.cla & 0x10 and command.ins != 0x86:
            raise Refused(0x6884)
        granted = self._security.channel is not None
        match command.ins:
            case 0xA4:
                return self._files.select(command, granted), _DONE
            case 0xB0 | 0xB1:
                return self._files.read(command, granted, room)
        return self._security.execute(command, self._files.application), _DONE
