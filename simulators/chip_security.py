"""The security commands of a simulated chip: access control, proofs, and the session they lead to.

Source: ICAO 9303-11 4.3 (BAC), 4.4 (PACE), 6.1 (Active Authentication), 6.2 (Chip Authentication); ISO 7816-4 11.5.
"""

from collections.abc import Callable
from hashlib import sha1
from typing import Final

from simulators.chip_access import CAN, MRZ, BasicAccess, Pace, WrongPassword, mrz_information
from simulators.chip_apdu import Apdu, Refused, distinct, wrapped
from simulators.chip_ber import oid, tlv
from simulators.chip_ciphers import SUITES
from simulators.chip_curves import Rng
from simulators.chip_files import CardData
from simulators.chip_infos import ChipAuthentication, PaceInfo
from simulators.chip_proofs import active_authentication, chip_authentication
from simulators.chip_quirks import Quirks
from simulators.chip_secure_messaging import SecureChannel

_DYNAMIC_AUTHENTICATION: Final = 0x7C
_PROTOCOL, _PASSWORD, _KEY_NAME, _PUBLIC_KEY = 0x80, 0x83, 0x84, 0x91


class Security:
    """Session, passwords and protocols of one chip.

    `channel` is the session (None: no access yet); `next_channel` replaces it after the answer under way; `failures`
    counts wrong passwords since the last right one; `silent_until` is when, by *clock*, the next command is bearable.
    """

    def __init__(self, data: CardData, quirks: Quirks, rng: Rng, clock: Callable[[], float]) -> None:
        self._data = data
        self._quirks = quirks
        self._rng = rng
        self._clock = clock
        self._mrz = mrz_information(data.mrz)
        self.failures = 0
        self.end_session()

    @property
    def blocked(self) -> bool:
        """True when every try of `Quirks.try_counter` is used up."""
        return 0 < self._quirks.try_counter <= self.failures

    def end_session(self) -> None:
        """Forget keys and protocols under way."""
        self.channel: SecureChannel | None = None
        self.next_channel: SecureChannel | None = None
        self.silent_until = 0.0
        self._bac: BasicAccess | None = None
        self._pace: Pace | None = None
        self._ca_chosen: ChipAuthentication | None = None

    def execute(self, command: Apdu, application: bool) -> bytes:
        """The data of the answer to *command*; *application*: the eMRTD application is selected. Or Refused."""
        self._application = application
        match command.ins:
            case 0x84:
                return self._get_challenge(command)
            case 0x82:
                return self._external_authenticate(command)
            case 0x22:
                self._manage_security_environment(command)
                return b""
            case 0x86:
                return self._general_authenticate(command)
            case 0x88:
                return self._internal_authenticate(command)
        raise Refused(0x6D00)

    def _get_challenge(self, command: Apdu) -> bytes:
        if self._quirks.no_bac:
            raise Refused(0x6D00)
        if command.p1p2:
            raise Refused(0x6A86)
        if command.data or command.le not in (8, 256):
            raise Refused(0x6700)
        if not self._application or self.channel is not None:
            raise Refused(0x6985)
        self._refuse_when_blocked()
        self._bac = BasicAccess(self._mrz, self._rng)
        return self._bac.challenge

    def _external_authenticate(self, command: Apdu) -> bytes:
        bac, self._bac = self._bac, None
        if self._quirks.no_bac:
            raise Refused(0x6D00)
        if command.p1p2:
            raise Refused(0x6A86)
        if len(command.data) != 40 or command.le not in (40, 256):
            raise Refused(0x6700)
        if bac is None:
            raise Refused(0x6985)
        try:
            answer, self.channel = bac.authenticate(command.data)
        except WrongPassword:
            raise self._wrong_password() from None
        self.failures = 0
        return answer

    def _manage_security_environment(self, command: Apdu) -> None:
        self._pace, self._ca_chosen = None, None
        if not command.data:
            raise Refused(0x6700)
        try:
            objects = distinct(command.data)
        except ValueError:
            raise Refused(0x6A80) from None
        match command.p1p2:
            case 0xC1A4:
                self._choose_pace(objects)
            case 0x41A4:
                self._choose_chip_authentication(objects)
            case 0x41A6:
                self._agree_on_key(objects)
            case _:
                raise Refused(0x6A86)

    def _choose_pace(self, objects: dict[int, bytes]) -> None:
        if self._application or self.channel is not None:
            raise Refused(0x6985)
        if objects.keys() - {_PROTOCOL, _PASSWORD, _KEY_NAME} or not objects.keys() >= {_PROTOCOL, _PASSWORD}:
            raise Refused(0x6A80)
        info = self._pace_info(objects)
        passwords = {MRZ: sha1(self._mrz).digest(), CAN: self._data.can.encode("ascii")}  # noqa: S324 - the standard's
        password = passwords.get(int.from_bytes(objects[_PASSWORD], "big"))
        if password is None:
            raise Refused(0x6A88)
        self._refuse_when_blocked()
        self._pace = Pace(info, password, self._data.pace_cam_key, self._rng)

    def _pace_info(self, objects: dict[int, bytes]) -> PaceInfo:
        """The PaceInfo that MSE:Set AT means; a parameter id is needed only where the protocol comes twice."""
        offered = [info for info in self._data.profile.pace if oid(info.protocol)[2:] == objects[_PROTOCOL]]
        if not offered:
            raise Refused(0x6A80)
        if _KEY_NAME in objects:
            offered = [info for info in offered if info.parameter == int.from_bytes(objects[_KEY_NAME], "big")]
        if len(offered) != 1:
            raise Refused(0x6A88)
        return offered[0]

    def _general_authenticate(self, command: Apdu) -> bytes:
        pace, self._pace = self._pace, None
        ca_chosen, self._ca_chosen = self._ca_chosen, None
        if command.p1p2:
            raise Refused(0x6A86)
        if command.le is None:
            raise Refused(0x6700)
        objects = wrapped(command.data, _DYNAMIC_AUTHENTICATION)
        last = not command.cla & 0x10
        if ca_chosen is not None:
            if not last or tuple(objects) != (0x80,):
                raise Refused(0x6A80)
            self._run_chip_authentication(ca_chosen, objects[0x80])
            return tlv(_DYNAMIC_AUTHENTICATION)
        if pace is None:
            raise Refused(0x6985)
        if pace.last_step_next != last:
            raise Refused(0x6883)
        return tlv(_DYNAMIC_AUTHENTICATION, self._pace_step(pace, objects))

    def _pace_step(self, pace: Pace, objects: dict[int, bytes]) -> bytes:
        sabotage = self._quirks.pace_sabotaged
        if sabotage == "6982":
            raise Refused(0x6982)
        try:
            answer = pace.step(objects)
            if pace.channel is not None and sabotage == "6300":
                raise WrongPassword
        except WrongPassword:
            raise self._wrong_password() from None
        if pace.channel is None:
            self._pace = pace
            return answer
        self.failures = 0
        self.channel = pace.channel
        self.silent_until = self._clock() + self._quirks.pace_needs_pause / 1e3
        return tlv(0x86, self._rng(8)) if sabotage == "wrong_token" else answer

    def _refuse_when_blocked(self) -> None:
        if self.blocked:
            raise Refused(0x6983)

    def _wrong_password(self) -> Refused:
        self.failures += 1
        if not self._quirks.try_counter:
            return Refused(0x6300)
        return Refused(0x63C0 | max(self._quirks.try_counter - self.failures, 0) & 0x0F)

    def _internal_authenticate(self, command: Apdu) -> bytes:
        offer = self._data.profile.active_authentication
        if self._data.aa_key is None or offer is None:
            raise Refused(0x6D00)
        if self._quirks.aa_refused:
            raise Refused(self._quirks.aa_refused)
        if command.p1p2:
            raise Refused(0x6A86)
        if len(command.data) != 8 or command.le is None:
            raise Refused(0x6700)
        if self.channel is None or not self._application:
            raise Refused(0x6982)
        signature = active_authentication(self._data.aa_key, offer, command.data, self._rng)
        return self._rng(len(signature)) if self._quirks.aa_wrong_signature else signature

    def _choose_chip_authentication(self, objects: dict[int, bytes]) -> None:
        offer = self._offered_chip_authentication(objects)
        if objects.keys() - {_PROTOCOL, _KEY_NAME} or objects.get(_PROTOCOL) != oid(offer.protocol)[2:]:
            raise Refused(0x6A80)
        self._ca_chosen = offer

    def _agree_on_key(self, objects: dict[int, bytes]) -> None:
        """MSE:Set KAT: Chip Authentication in one command, for 3DES only (9303-11 6.2.4.1)."""
        offer = self._offered_chip_authentication(objects)
        if offer.cipher not in (None, "3DES"):
            raise Refused(0x6A81)
        if objects.keys() - {_PUBLIC_KEY, _KEY_NAME} or _PUBLIC_KEY not in objects:
            raise Refused(0x6A80)
        self._run_chip_authentication(offer, objects[_PUBLIC_KEY])

    def _offered_chip_authentication(self, objects: dict[int, bytes]) -> ChipAuthentication:
        """What DG14 offers; or Refused when it may not be used now, has no key, or *objects* name another key."""
        if self.channel is None or not self._application:
            raise Refused(0x6982)
        if self._quirks.ca_refused:
            raise Refused(self._quirks.ca_refused)
        offer = self._data.profile.chip_authentication
        if offer is None or (self._data.ca_key is None and not self._quirks.ca_bluff):
            raise Refused(0x6A88)
        named = int.from_bytes(objects[_KEY_NAME], "big") if _KEY_NAME in objects else None
        if named != offer.key_id:
            raise Refused(0x6A88)
        return offer

    def _run_chip_authentication(self, offer: ChipAuthentication, their_key: bytes) -> None:
        cipher = offer.cipher or "3DES"
        if self._quirks.ca_bluff or self._data.ca_key is None:
            self.next_channel = SecureChannel(SUITES[cipher], self._rng(32))
            return
        try:
            self.next_channel = chip_authentication(self._data.ca_key, cipher, their_key)
        except ValueError:
            raise Refused(0x6300) from None
