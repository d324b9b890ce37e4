"""A session with one chip: opening it by PACE or BAC, and opening it again when the card has slipped.

Source: ICAO 9303-11 4.2 (order of access protocols), identity-documents.md 7.2 (what Vietnamese cards answer).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from kiosk.emrtd import bac, pace
from kiosk.emrtd.apdu import EXTENDED_LE, SHORT_LE, Channel, Command, PlainChannel
from kiosk.emrtd.errors import (
    AccessDenied,
    ApduError,
    ChannelBroken,
    ChipLost,
    DataError,
    EmrtdError,
    NotAnEmrtd,
    WrongKey,
)
from kiosk.emrtd.files import FileReader, Progress, ReadSize, SizeMemory
from kiosk.emrtd.lds import EMRTD_AID, FILES
from kiosk.emrtd.mrz import MrzKey
from kiosk.emrtd.pace import Password
from kiosk.emrtd.pace_cam import CamProof
from kiosk.emrtd.results import Access
from kiosk.emrtd.security_infos import PaceInfo, pace_infos

MAX_RESUMES: Final = 8
_PAUSE: Final = 0.12
_TRIES: Final = 2
_SHOWS_PASSWORD: Final = bytes.fromhex("0086")  # the last GENERAL AUTHENTICATE of PACE, the one without chaining
_SAFEST_SIZE: Final = 112
_BLAMED_AFTER: Final = 3
_SELECT_APPLICATION: Final = Command(0xA4, 0x04, 0x0C, EMRTD_AID)
_NO_APPLICATION: Final = frozenset({0x6A80, 0x6A81, 0x6A82, 0x6999})
_SELECT_MF: Final = Command(0xA4, 0x00, 0x0C, bytes.fromhex("3F00"))
_AMBIGUOUS: Final = frozenset({0x6982, 0x6985, 0x6987, 0x6988})
"""What a chip answers both to a wrong key and to something else that went wrong."""

Random = Callable[[int], bytes]


class Connection(Protocol):
    """One card in front of a reader."""

    @property
    def card_type(self) -> str:
        """Hex of the answer to reset; the same for all cards of a make."""
        ...

    def transmit(self, apdu: bytes) -> bytes:
        """Carry one command; ChipLost when the card is gone or must be activated anew."""
        ...

    def reset(self) -> None:
        """Activate the chip afresh; waits a bounded time for a card that slipped. ChipLost when none came back."""
        ...


class CardGone(ChipLost):
    """The card did not come back, or another one did: nothing of the read is kept."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """What is known of the document: its CAN, or number, birth and expiry of its MRZ; at least one of them."""

    can: str | None = field(default=None, repr=False)
    mrz: MrzKey | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse a key without anything in it (ValueError)."""
        if self.can is None and self.mrz is None:
            raise ValueError("a CAN or an MRZ is needed")

    @property
    def passwords(self) -> tuple[Password, ...]:
        """What PACE is tried with, in order."""
        can = () if self.can is None else (Password.can(self.can),)
        return can if self.mrz is None else (*can, Password.mrz(self.mrz))


class Session:
    """The chip, opened when it is needed. ``apdus`` counts every command sent."""

    def __init__(
        self,
        connection: Connection,
        key: AccessKey,
        rng: Random,
        memory: SizeMemory | None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """*pause* waits some seconds: a chip may need a moment after PACE."""
        self.apdus = 0
        self.resumes = 0
        self.access = Access.PACE
        self.access_note: str | None = None
        self.card_access: bytes | None = None
        self.cam: CamProof | None = None
        self.card_security: bytes | None = None
        self._connection = connection
        self._key = key
        self._rng = rng
        self._memory = memory
        self._pause = pause
        self._pause_after_pace = 0.0
        self._ways: list[PaceInfo] | None = None
        self._way: Callable[[], Channel] | None = None
        self._tries: Counter[Password] = Counter()
        self._shown = False
        self._lost_at: tuple[tuple[str, int, int] | None, int] = (None, 0)
        self._channel: Channel | None = None
        self._spare: PlainChannel | None = PlainChannel(self._transmit)
        known = memory.get(connection.card_type) if memory else None
        self.reader = FileReader(ReadSize.known(known))
        self._first_sizes: tuple[int, ...] = (EXTENDED_LE, SHORT_LE, _SAFEST_SIZE)
        if known:
            self._first_sizes = (min(known, SHORT_LE), _SAFEST_SIZE)

    def open(self) -> None:
        """Open the chip if it is not open, the way that opened it before. Errors as the access protocols raise them.

        CardGone: it did not come back, or what lies there cannot be opened as the one before could.
        """
        if self._channel is not None:
            return
        if self._way is None:
            self._channel = self._open()
            return
        try:
            self._channel = self._way()
        except (ChipLost, ChannelBroken):
            raise
        except EmrtdError as error:
            raise CardGone(f"another card lies there: {error}") from error

    def close(self) -> None:
        """The channel has ended; the next ``open`` makes a fresh one."""
        self._channel = None

    def forget(self) -> None:
        """Take what comes next for another card, of which nothing is known yet but its key."""
        self.card_access = self.card_security = self.cam = None
        self._ways = self._way = None

    @property
    def channel(self) -> Channel:
        """The protected channel; ChannelBroken when it is not open."""
        if self._channel is None:
            raise ChannelBroken("the chip is not open")
        return self._channel

    def replace(self, channel: Channel) -> None:
        """Go on with *channel*, whose keys Chip Authentication made."""
        self._channel = channel

    def lost(self, error: ChipLost | ChannelBroken, *, reading: tuple[str, int] | None = None) -> None:
        """The channel is gone: the next ``open`` makes a fresh one; raises *error* when that was done often enough.

        *reading*: the file and the offset at which it happened. The size of the read is blamed when the chip itself
        ended the session and the size is new, and for whatever happens three times at one place: there are readers that
        lose the card over a long answer, and twice may be a shaky hand.
        """
        self._channel = self._spare = None
        size = self.reader.size
        here = None if reading is None else (*reading, size.size)
        ended = isinstance(error, ChannelBroken) and (error.sw or 0) >> 8 != 0x6A and not size.proven
        times = self._lost_at[1] + 1 if here == self._lost_at[0] else 1
        self._lost_at = (here, times)
        if here is not None and (ended or times >= _BLAMED_AFTER) and size.step_down():
            return
        self.resumes += 1
        if self.resumes > MAX_RESUMES:
            raise error

    def remember_size(self) -> None:
        """Keep the read size that has worked."""
        if self._memory is not None and self.reader.size.proven:
            self._memory.put(self._connection.card_type, self.reader.size.size)

    # -- opening -----------------------------------------------------------------------------------------------

    def _fresh(self) -> PlainChannel:
        """A chip that has just been activated and knows nothing of what was before."""
        if self._spare is not None:
            plain, self._spare = self._spare, None
            return plain
        try:
            self._connection.reset()
        except ChipLost as error:
            raise CardGone(str(error)) from error
        return PlainChannel(self._transmit)

    def _transmit(self, apdu: bytes) -> bytes:
        self.apdus += 1
        self._shown = self._shown or apdu.startswith(_SHOWS_PASSWORD)
        return self._connection.transmit(apdu)

    def _open(self) -> Channel:
        if self._ways is None:
            self.card_access = self._public_file()
            self._ways = _usable(self.card_access)
        refusal: EmrtdError | None = None
        for info in list(self._ways):
            for password in self._key.passwords:
                if self._tries[password] >= _TRIES:
                    continue
                try:
                    channel = self._by_pace(info, password)
                except NotAnEmrtd:
                    raise
                except (ApduError, DataError) as error:
                    refusal = error
                    if isinstance(error, WrongKey) and error.tries_left is not None and error.tries_left <= 1:
                        raise
                else:
                    self._way = partial(self._by_pace, info, password)
                    return channel
            if isinstance(refusal, WrongKey):
                raise refusal  # another way would only use up a try
            self._ways.remove(info)
        channel = self._by_bac(refusal)
        self._way = partial(self._by_bac, refusal)
        return channel

    def _public_file(self) -> bytes | None:
        """EF.CardAccess, or None; reading it leaves the chip fresh unless it took offence at the size of the read.

        Whether chip and reader take extended lengths is found out here, where a refusal ends no session.
        """
        sizes, self._first_sizes = self._first_sizes, (SHORT_LE, _SAFEST_SIZE)
        for size in sizes:
            plain, trial = self._fresh(), ReadSize(size, proven=True)
            try:
                found = _read_card_access(plain, trial)
            except (ApduError, DataError):
                continue
            finally:
                if size == EXTENDED_LE and trial.size < EXTENDED_LE:
                    self.reader.size.step_down()
            self._spare = plain
            return found
        return None

    def _by_pace(self, info: PaceInfo, password: Password) -> Channel:
        """PACE in one way with one password; what is ambiguous is tried once more on a fresh activation."""
        try:
            return self._pace_once(info, password)
        except ApduError as error:
            if (
                isinstance(error, WrongKey | NotAnEmrtd)
                or error.sw not in _AMBIGUOUS
                or self._tries[password] >= _TRIES
            ):
                raise
        except ChannelBroken:  # some chips need a moment between PACE and the first protected command
            self._pause_after_pace = _PAUSE
        return self._pace_once(info, password)

    def _pace_once(self, info: PaceInfo, password: Password) -> Channel:
        plain, self._shown = self._fresh(), False
        try:
            opened = pace.open_channel(plain, info, password, self._rng)
        except ApduError:
            self._tries[password] += self._shown
            raise
        if self._pause_after_pace:
            self._pause(self._pause_after_pace)
        self.cam = opened.cam
        if opened.cam is not None and self.card_security is None:
            self.card_security = _read_card_security(opened.channel)
        _select_application(opened.channel)
        self.access, self.access_note = Access.PACE, None
        return opened.channel

    def _by_bac(self, refusal: EmrtdError | None) -> Channel:
        """BAC, where an MRZ is known; else what kept PACE from working is the answer.

        A chip that twice refuses the proof of a password, in whatever words, means that it has another one.
        """
        plain = self._fresh()
        _select_application(plain)  # a card that is no eMRTD is called that
        if self._key.mrz is None:
            if isinstance(refusal, ApduError) and max(self._tries.values(), default=0) >= _TRIES:
                raise WrongKey(refusal.sw or 0, refusal.doing)
            if isinstance(refusal, AccessDenied):
                raise refusal
            raise AccessDenied((refusal and refusal.sw) or 0x6982, "PACE is not possible with this chip")
        channel = bac.open_channel(plain, self._key.mrz, self._rng)
        self.access = Access.BAC
        self.access_note = _why_not_pace(self.card_access, refusal)
        return channel


def _select_application(channel: Channel) -> None:
    response = channel.send(_SELECT_APPLICATION)
    if response.sw in _NO_APPLICATION:
        raise NotAnEmrtd(response.sw, "SELECT of the eMRTD application")
    if not response.ok:
        raise ApduError(response.sw, "SELECT of the eMRTD application")


def _read_card_access(plain: PlainChannel, size: ReadSize) -> bytes | None:
    """EF.CardAccess, if there is one: selected directly, after the master file, or read by its short id."""
    file = FILES["EF.CardAccess"]
    select = Command(0xA4, 0x02, 0x0C, file.fid.to_bytes(2, "big"))
    selected = plain.send(select).ok or (plain.send(_SELECT_MF).ok and plain.send(select).ok)
    return FileReader(size).read(plain, file, Progress(), selected=selected)


def _read_card_security(channel: Channel) -> bytes | None:
    try:
        return FileReader(ReadSize(_SAFEST_SIZE, proven=True)).read(channel, FILES["EF.CardSecurity"], Progress())
    except (ApduError, DataError):
        return None


def _usable(card_access: bytes | None) -> list[PaceInfo]:
    if card_access is None:
        return []
    try:
        return list(pace_infos(card_access))
    except DataError:
        return []


def _why_not_pace(card_access: bytes | None, refusal: EmrtdError | None) -> str:
    if card_access is None:
        return "EF.CardAccess cannot be read"
    return "EF.CardAccess offers no PACE that is known here" if refusal is None else str(refusal)
