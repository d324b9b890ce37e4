"""One chip, read and checked from start to end, in the order that gives a name early and wastes no command.

DG1, EF.SOD and DG13 first: with them the person is known by signed hashes, and the caller may go on asking others while
DG14, DG15, the portrait and the proofs against copying follow. A card that slips is taken up again where it was, if it
is the same one.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeVar

from kiosk.emrtd import active_auth, chip_auth, passive_auth, security_infos
from kiosk.emrtd.access_checks import access_findings, cam_state, downgrade_state
from kiosk.emrtd.apdu import EXTENDED_LE, SHORT_LE, Command
from kiosk.emrtd.chip_auth import ChipAuthFailed
from kiosk.emrtd.errors import ApduError, ChannelBroken, ChipLost, DataError
from kiosk.emrtd.files import Progress, SizeMemory
from kiosk.emrtd.lds import FILES
from kiosk.emrtd.results import ChallengeResponse, Checks, CheckState, ChipRead
from kiosk.emrtd.security_infos import ChipAuthenticationPublicKeyInfo
from kiosk.emrtd.session import AccessKey, CardGone, Connection, Random, Session
from kiosk.emrtd.sod import Sod, hashes_match, parse_sod
from kiosk.emrtd.trust import TrustAnchors
from kiosk.emrtd.verdict import anti_clone_findings, judge

__all__ = ["AccessKey", "Connection", "read_chip"]

_CHALLENGE: Final = 8
_IDENTITY: Final = ("DG1", "DG13")
_REQUIRED: Final = frozenset({"DG1", "EF.SOD"})
_KEYS: Final = ("DG14", "DG15")
_PORTRAIT: Final = "DG2"
_PROOF_TRIES: Final = 2

T = TypeVar("T")
OnIdentity = Callable[[Mapping[str, bytes]], None]


def read_chip(
    connection: Connection,
    key: AccessKey,
    *,
    anchors: TrustAnchors | None,
    now: datetime,
    photo: bool = False,
    on_identity: OnIdentity | None = None,
    memory: SizeMemory | None = None,
    rng: Random = secrets.token_bytes,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> ChipRead:
    """Open the chip in front of *connection*, which was just activated, with *key*; read it, check it, and judge.

    *anchors*: whom to trust; *now*: aware, for validity. *photo*: read DG2 too. *on_identity* is called once, with DG1
    and, where the chip has it, DG13, as soon as they match the hashes of EF.SOD. *memory*: learnt read sizes.

    ChipLost: the card went away and did not come back, or another one came. WrongKey, AccessDenied, NotAnEmrtd: it
    cannot be opened. ApduError, ChannelBroken, DataError: it can, and behaves as no standard allows. A chip that fails
    a check is a result, not an error.
    """
    begun = clock()
    reading = _Reading(Session(connection, key, rng, memory, pause), rng)
    try:
        reading.identity(on_identity)
        active, chip = reading.proofs(photo=photo)
    finally:
        reading.session.remember_size()
    return reading.result(anchors, now, active, chip, seconds=clock() - begun)


class _Reading:
    """What has been read so far, and how to go on when the card has slipped."""

    def __init__(self, session: Session, rng: Random) -> None:
        self.session = session
        self.files: dict[str, bytes] = {}
        self.missing: set[str] = set()
        self.sod: Sod | None = None
        self.transcript: ChallengeResponse | None = None
        self._rng = rng
        self._progress: dict[str, Progress] = {}
        self._same_card_for_sure = True

    # -- files -------------------------------------------------------------------------------------------------

    def identity(self, on_identity: OnIdentity | None) -> None:
        """DG1, EF.SOD and DG13; tells who it is when the hashes agree."""
        if self._file("DG1") is None:
            raise DataError("the chip has no DG1")
        self._file("EF.SOD")
        self.sod = self._parsed_sod()
        if self.sod is None or "DG13" in self.sod.hashes:
            self._file("DG13")
        read: dict[str, bytes] = {name: self.files[name] for name in _IDENTITY if name in self.files}
        if on_identity is not None and self.sod is not None and hashes_match(self.sod, read, read):
            on_identity(read)

    def _parsed_sod(self) -> Sod | None:
        try:
            return parse_sod(self.files["EF.SOD"]) if "EF.SOD" in self.files else None
        except DataError:
            return None  # passive authentication says so

    def _file(self, name: str) -> bytes | None:
        """The file *name*, or None when the chip has none; survives a card that slips."""
        if name in self.files or name in self.missing:
            return self.files.get(name)
        data = self._through(lambda: self._read(name), reading=name)
        if data is None:
            self.missing.add(name)
        else:
            self.files[name] = data
        return data

    def _read(self, name: str) -> bytes | None:
        reader, progress = self.session.reader, self._progress.setdefault(name, Progress())
        short_ids = reader.short_ids
        try:
            return reader.read(self.session.channel, FILES[name], progress)
        except ChannelBroken as error:
            if error.sw != 0x6A82 or progress.data or reader.short_ids is not short_ids:
                raise
            self._closed()  # told in plain, so the session is over; the file is missing all the same
            return None
        except ApduError:
            if name in _REQUIRED:
                raise
            return None  # what the chip does not give is judged like what it does not have

    def _through(self, work: Callable[[], T], *, reading: str | None = None) -> T:
        """Do *work* on an open channel; after a loss open a fresh one, make sure of the card, and do it again."""
        while True:
            try:
                self.session.open()
                if not self._same_card_for_sure:
                    self._same_card()
                return work()
            except CardGone:
                raise
            except (ChipLost, ChannelBroken) as error:
                self._lost(error, reading)

    def _lost(self, error: ChipLost | ChannelBroken, reading: str | None = None) -> None:
        progress = self._progress.get(reading) if reading else None
        at = None if reading is None else (reading, len(progress.data) if progress else 0)
        self.session.lost(error, reading=at)
        self._closed()

    def _closed(self) -> None:
        """The next channel is to a chip that was activated anew: perhaps another one."""
        self.session.close()
        self._same_card_for_sure = "DG1" not in self.files
        if self._same_card_for_sure:  # nothing ties what was read to the card that comes now
            self._progress.clear()
            self.session.forget()

    def _same_card(self) -> None:
        try:
            again = self.session.reader.read(self.session.channel, FILES["DG1"], Progress())
        except (ApduError, DataError):
            again = None
        if again != self.files["DG1"]:
            raise CardGone("another card lies there")
        self._same_card_for_sure = True

    # -- proofs against copies ---------------------------------------------------------------------------------

    def proofs(self, *, photo: bool) -> tuple[CheckState, CheckState]:
        """The rest of the files, then Active and Chip Authentication; their outcomes."""
        for name in _KEYS:  # also when nothing is signed for them: a key that anyone added is worth knowing
            self._file(name)
        if photo:
            self._file(_PORTRAIT)
        return self._active_authentication(), self._chip_authentication()

    def _active_authentication(self) -> CheckState:
        dg15 = self.files.get("DG15")
        if dg15 is None:
            return CheckState.NOT_SUPPORTED
        challenge = self._rng(_CHALLENGE)
        # A signature of 2,048 bits and its protection are longer than a short answer can be, but not every chip takes
        # extended lengths; the other form is tried before a copy is suspected.
        lengths = [SHORT_LE, EXTENDED_LE]
        if self.session.reader.size.size == EXTENDED_LE:
            lengths.reverse()

        def ask() -> bytes:
            while True:
                le = lengths[0]
                try:
                    response = self.session.channel.send(Command(0x88, data=challenge, le=le))
                except ChannelBroken:
                    lengths.reverse()
                    raise
                if response.ok or len(lengths) == 1 or not _about_length(response.sw):
                    return response.data if response.ok else b""
                lengths.remove(le)

        answer = self._proof(ask)
        if not answer:
            return CheckState.FAILED
        self.transcript = ChallengeResponse(challenge, answer)
        try:
            held = active_auth.verify(dg15, challenge, answer, self.files.get("DG14"))
        except DataError:
            return CheckState.NOT_DONE  # a key in a form not known here
        return CheckState.PASSED if held else CheckState.FAILED

    def _chip_authentication(self) -> CheckState:
        dg14 = self.files.get("DG14")
        try:
            keys = [i for i in security_infos.parse(dg14 or b"") if isinstance(i, ChipAuthenticationPublicKeyInfo)]
        except DataError:
            keys = []
        if dg14 is None or not keys:
            return CheckState.NOT_SUPPORTED
        if not chip_auth.offers(dg14):
            return CheckState.NOT_DONE  # keys in forms not known here

        def agree() -> bool:
            try:
                channel = chip_auth.run(self.session.channel, dg14, self._rng)
            except (ChipAuthFailed, DataError):
                return False
            self.session.replace(channel)
            if not chip_auth.confirm(channel):
                raise ChannelBroken("the chip does not follow to the keys of Chip Authentication")
            return True

        return CheckState.PASSED if self._proof(agree) else CheckState.FAILED

    def _proof(self, work: Callable[[], T]) -> T | None:
        """*work*; done again once when the chip broke the channel, None when it broke again: so does a refusal.

        A card that only slips proves nothing either way.
        """
        broken = 0
        while broken < _PROOF_TRIES:
            self._through(lambda: None)
            try:
                return work()
            except CardGone:
                raise
            except (ChipLost, ChannelBroken) as error:
                broken += isinstance(error, ChannelBroken)
                self._lost(error)
        return None

    # -- the result --------------------------------------------------------------------------------------------

    def result(
        self,
        anchors: TrustAnchors | None,
        now: datetime,
        active: CheckState,
        chip: CheckState,
        *,
        seconds: float,
    ) -> ChipRead:
        """All checks and the verdict over what was read."""
        session = self.session
        files = dict(self.files)
        if session.card_access is not None:
            files["EF.CardAccess"] = session.card_access
        if session.card_security is not None:
            files["EF.CardSecurity"] = session.card_security
        passive = passive_auth.check(files, anchors, now)
        mapped = cam_state(session.cam, session.card_security, anchors, now, passive.chain)
        findings = (
            *passive.findings,
            *anti_clone_findings(passive.covered, files),
            *access_findings(session.access, session.card_access, files.get("DG14"), mapped),
        )
        checks = Checks(
            hashes=passive.hashes,
            signature=passive.signature,
            chain=passive.chain,
            active_authentication=active,
            chip_authentication=_worse(chip, mapped),
            downgrade=downgrade_state(session.access, session.card_access, files.get("DG14"), passive.covered),
        )
        return ChipRead(
            files=files,
            access=session.access,
            access_note=session.access_note,
            checks=checks,
            verdict=judge(checks, findings),
            issuer=passive.issuer,
            findings=tuple(dict.fromkeys(str(finding) for finding in findings)),
            active=self.transcript,
            apdus=session.apdus,
            seconds=round(seconds, 3),
        )


def _about_length(sw: int) -> bool:
    return sw in (0x6700, 0x6F00) or sw >> 8 in (0x61, 0x6C)


def _worse(chip: CheckState, mapped: CheckState) -> CheckState:
    """Both prove the same key's presence: a failure of either counts, else what was done."""
    if CheckState.FAILED in (chip, mapped):
        return CheckState.FAILED
    return mapped if chip is CheckState.NOT_SUPPORTED else chip
