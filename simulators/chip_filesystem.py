"""Files of a simulated card: which can be seen from where, and READ BINARY.

Source: ISO 7816-4 7.1 and 11.2 (SELECT, READ BINARY with both instruction codes), ICAO 9303-10 3.6 and 3.9 (file ids,
short ids, access conditions), identity-documents.md 7.1 and 7.2.
"""

from typing import Final

from simulators.chip_apdu import Apdu, Refused, distinct
from simulators.chip_ber import tlv
from simulators.chip_files import CARD_ACCESS, CARD_SECURITY, DG3, CardData
from simulators.chip_quirks import Quirks
from simulators.chip_secure_messaging import ChannelFault

AID: Final = bytes.fromhex("A0000002471001")
_MASTER_FILE: Final = bytes.fromhex("3F00")
_ATR_INFO: Final = 0x2F01
_DG4: Final = 0x0104
_NO_DATA_ASKED: Final = 0x0C
_FCI_ASKED: Final = (0x00, 0x04)
_OFFSET: Final = 0x54
_DISCRETIONARY: Final = 0x53
_END_OF_FILE: Final = 0x6282
_DONE: Final = 0x9000


class FileSystem:
    """Where the reader is on the card, and what it may read there."""

    def __init__(self, data: CardData, quirks: Quirks) -> None:
        self._data = data
        self._quirks = quirks
        self.application = False
        self._current: int | None = None

    def leave_file(self) -> None:
        """No file is selected any more."""
        self._current = None

    def select(self, command: Apdu, granted: bool) -> bytes:
        """SELECT; *granted*: access control has been passed. File control information if asked; or Refused."""
        if command.p2 != _NO_DATA_ASKED and command.p2 not in _FCI_ASKED:
            raise Refused(0x6A86)
        match command.p1:
            case 0x00:
                control = self._select_master_file(command.data)
            case 0x02:
                control = self._select_file(command.data, granted)
            case 0x04:
                control = self._select_application(command.data)
            case _:
                raise Refused(0x6A86)
        return b"" if command.p2 == _NO_DATA_ASKED or command.le is None else control

    def read(self, command: Apdu, granted: bool, room: int) -> tuple[bytes, int]:
        """READ BINARY with B0 or B1: at most *room* bytes and the status word; or Refused, or ChannelFault."""
        if command.le is None:
            raise Refused(0x6700)
        if command.ins == 0xB0:
            file, offset = self._place(command)
            return self._part(file, offset, command, command.le, granted, room)
        file, offset = self._far_place(command)
        # The object around the data counts as asked for, and takes its place in the answer.
        space = min(command.le, room)
        wrapper = len(tlv(_DISCRETIONARY, bytes(space))) - space
        asked = command.le if command.open_ended else max(command.le - wrapper, 0)
        part, sw = self._part(file, offset, command, asked, granted, max(room - wrapper, 0))
        return tlv(_DISCRETIONARY, part), sw

    def _select_master_file(self, data: bytes) -> bytes:
        if self._quirks.mf_6d00:
            raise Refused(0x6D00)
        if data not in (b"", _MASTER_FILE):
            raise Refused(0x6A82)
        self.application, self._current = False, None
        return tlv(0x62, tlv(0x83, _MASTER_FILE))

    def _select_application(self, data: bytes) -> bytes:
        if data != AID or self._quirks.not_an_emrtd:
            raise Refused(0x6A82)
        self.application, self._current = True, None
        return tlv(0x6F, tlv(0x84, AID))

    def _select_file(self, data: bytes, granted: bool) -> bytes:
        if len(data) != 2:
            raise Refused(0x6A87)
        file = int.from_bytes(data, "big")
        size = len(self._content(file, granted))
        self._current = file
        return tlv(0x62, tlv(0x80, size.to_bytes(2, "big")), tlv(0x83, data))

    def _place(self, command: Apdu) -> tuple[int, int]:
        if command.data:
            raise Refused(0x6700)
        if not command.p1 & 0x80:
            return self._selected(), command.p1p2
        if command.p1 & 0x60:
            raise Refused(0x6A86)
        return self._by_short_id(command.p1 & 0x1F), command.p2

    def _far_place(self, command: Apdu) -> tuple[int, int]:
        """The file and offset of READ BINARY with the odd instruction code."""
        try:
            objects = distinct(command.data)
        except ValueError:
            raise Refused(0x6A80) from None
        if tuple(objects) != (_OFFSET,) or not 1 <= len(objects[_OFFSET]) <= 4:
            raise Refused(0x6A80)
        offset = int.from_bytes(objects[_OFFSET], "big")
        if command.p1p2 == 0:
            return self._selected(), offset
        if command.p1p2 <= 0x1F:
            return self._by_short_id(command.p1p2), offset
        return command.p1p2, offset

    def _selected(self) -> int:
        if self._current is None:
            raise Refused(0x6986)
        return self._current

    def _by_short_id(self, short: int) -> int:
        if self._quirks.no_sfi:
            raise Refused(self._quirks.no_sfi)
        return _ATR_INFO if short == 1 and not self.application else 0x0100 | short

    def _content(self, file: int, granted: bool) -> bytes:
        if self.application:
            # Fingerprints and irises need terminal authentication, whatever else has been passed.
            if file in (DG3, _DG4) and (file == DG3 or file in self._data.files):
                raise Refused(0x6982)
            content, free = self._data.files.get(file), False
        elif file == _ATR_INFO:
            content, free = self._atr_info(), True
        else:
            missing = self._quirks.not_an_emrtd or (file == CARD_ACCESS and self._quirks.card_access_missing)
            content, free = None if missing else self._data.master_files.get(file), file != CARD_SECURITY
        if content is None:
            raise Refused(0x6A82)
        if not (free or granted):
            raise Refused(0x6982)
        return content

    def _atr_info(self) -> bytes | None:
        if not self._quirks.extended:
            return None
        size = tlv(0x02, self._quirks.extended.to_bytes(2, "big"))
        return tlv(0x7F66, size, size)

    def _part(self, file: int, offset: int, command: Apdu, asked: int, granted: bool, room: int) -> tuple[bytes, int]:
        content = self._content(file, granted)
        self._current = file
        if offset >= len(content):
            raise Refused(0x6B00)
        give = min(asked, room)
        if self._quirks.max_le and not command.extended and asked > self._quirks.max_le:
            if self._quirks.over_max == "6988":
                raise ChannelFault
            if self._quirks.over_max == "6700":
                raise Refused(0x6700)
            give = min(give, self._quirks.max_le)
        part = content[offset : offset + give]
        if self._quirks.short_answers:
            part = part[: max(1, len(part) - self._quirks.short_answers)]
        beyond = asked > len(content) - offset and not command.open_ended
        return part, _END_OF_FILE if beyond else _DONE
