"""Cards for the tests of the simulated chip, and the kiosk's own reader to talk to them."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from random import Random

from kiosk.emrtd import bac, pace
from kiosk.emrtd.apdu import Channel, Command, PlainChannel, Response
from kiosk.emrtd.mrz import MrzKey
from kiosk.emrtd.secure_messaging import SecureMessaging
from kiosk.emrtd.security_infos import pace_infos
from simulators.chip_card import VirtualCard
from simulators.chip_files import CARD_ACCESS, CCCD_2021, CardData, Profile, personalise
from simulators.chip_person import card_person
from simulators.chip_pki import TestPki
from simulators.chip_quirks import Quirks
from simulators.vss_people import PEOPLE

NOW = datetime(2026, 11, 2, 1, tzinfo=UTC)
WELL_BEHAVED = Quirks()
AID = "A0000002471001"


def seeded(seed: int) -> Callable[[int], bytes]:
    return Random(seed).randbytes


@cache
def issued(profile: Profile = CCCD_2021) -> CardData:
    return personalise(card_person(PEOPLE[0], date(2026, 11, 2)), TestPki(NOW), profile)


def card(
    quirks: Quirks = WELL_BEHAVED,
    profile: Profile = CCCD_2021,
    clock: Callable[[], float] = time.monotonic,
    **changes: object,
) -> VirtualCard:
    return VirtualCard(replace(issued(profile), **changes), quirks, seeded(1), clock=clock)


class Recorder:
    """A card that keeps what was sent and what came back."""

    def __init__(self, chip: VirtualCard) -> None:
        self.data = chip.data
        self.commands: list[bytes] = []
        self.answers: list[bytes] = []
        self._chip = chip

    def transmit(self, apdu: bytes) -> bytes:
        self.commands.append(apdu)
        self.answers.append(self._chip.transmit(apdu))
        return self.answers[-1]


def example_card(mrz: tuple[str, ...], profile: Profile, files: dict[int, bytes], *drawn: str) -> VirtualCard:
    """A card of a worked example, which draws the random bytes that the standard prints."""
    rest = [bytes.fromhex(number) for number in drawn]

    def rng(size: int) -> bytes:
        number = rest.pop(0)
        assert len(number) == size
        return number

    data = replace(issued(), mrz=mrz, files=files, profile=profile)
    return VirtualCard(data, rng=rng)


def ask(chip: VirtualCard, command: str) -> str:
    return chip.transmit(bytes.fromhex(command)).hex().upper()


def mrz_key(data: CardData) -> MrzKey:
    first, second, _ = data.mrz
    return MrzKey(first[5:14], second[:6], second[8:14])


def by_bac(chip: VirtualCard | Recorder, known: CardData | None = None) -> SecureMessaging:
    """A session in the application, with what *known* (default: the card) says is printed on the card."""
    plain = PlainChannel(chip.transmit)
    assert plain.send(select_application()).ok
    return bac.open_channel(plain, mrz_key(known or chip.data), seeded(2))


def by_pace(
    chip: VirtualCard | Recorder, password: pace.Password | None = None, known: CardData | None = None
) -> SecureMessaging:
    """A session under the master file."""
    plain = PlainChannel(chip.transmit)
    info = pace_infos(chip.data.master_files[CARD_ACCESS])[0]
    password = password or pace.Password.can((known or chip.data).can)
    return pace.open_channel(plain, info, password, seeded(3)).channel


def opened(chip: VirtualCard | Recorder) -> SecureMessaging:
    """A session with the application selected."""
    channel = by_pace(chip)
    assert channel.send(select_application()).ok
    return channel


def select_application() -> Command:
    return Command(0xA4, 0x04, 0x0C, bytes.fromhex(AID))


def select_file(fid: int) -> Command:
    return Command(0xA4, 0x02, 0x0C, fid.to_bytes(2, "big"))


def read(channel: Channel, offset: int = 0, le: int = 256, short: int | None = None) -> Response:
    """READ BINARY of the selected file at *offset*, or of the file with the id *short*."""
    if short is not None:
        return channel.send(Command(0xB0, 0x80 | short, offset, le=le))
    return channel.send(Command(0xB0, offset >> 8, offset & 0xFF, le=le))


def read_all(channel: Channel, fid: int) -> bytes:
    assert channel.send(select_file(fid)).ok
    content = b""
    while (answer := read(channel, len(content))).sw != 0x6B00:
        assert answer.sw in (0x9000, 0x6282)
        assert answer.data
        content += answer.data
    return content
