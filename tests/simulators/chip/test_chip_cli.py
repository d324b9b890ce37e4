"""The named simulated cards, and `kiosk-sim chip` as a process."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import serial
from click.testing import CliRunner

from kiosk.emrtd.errors import EmrtdError
from kiosk.emrtd.trust import load_anchors
from simulators.chip import MODES, make_card
from simulators.chip_card import VirtualCard
from simulators.chip_files import CARD_ACCESS, DG1
from simulators.chip_forgery import FORGERIES
from simulators.chip_pki import TestPki
from simulators.chip_quirks import Quirks
from simulators.cli import main
from simulators.vss_people import PEOPLE
from tests.simulators.chip.issued_cards import NOW, by_bac, opened, read, select_file

DEADLINE_S = 30
CARD_ACCESS_ASKED = bytes.fromhex("00B09C0000")


@pytest.fixture(scope="module")
def pki() -> TestPki:
    return TestPki(NOW)


class TestModes:
    @pytest.mark.parametrize("mode", MODES)
    def test_every_mode_makes_a_card(self, mode, pki):
        chip = make_card(PEOPLE[0], mode, pki)
        assert chip.quirks == MODES[mode].quirks
        assert chip.data.can == "000001"
        assert 0x6000 <= int.from_bytes(chip.transmit(CARD_ACCESS_ASKED)[-2:], "big") <= 0x9000

    def test_every_quirk_and_every_forgery_has_a_mode(self):
        changed = {
            name
            for mode in MODES.values()
            for name, default in vars(Quirks()).items()
            if getattr(mode.quirks, name) != default
        }
        assert changed == set(vars(Quirks()))
        assert {mode.forgery for mode in MODES.values()} == {None, *FORGERIES}

    def test_outcomes_are_said(self):
        for mode in MODES.values():
            assert mode.description
            assert (mode.with_anchor is None) == (mode.without_anchor is None)
            assert mode.with_anchor or mode.error

    @pytest.mark.parametrize("mode", [name for name, mode in MODES.items() if mode.with_anchor and not mode.forgery])
    def test_what_shall_be_read_can_be_read(self, mode, pki):
        chip = make_card(PEOPLE[0], mode, pki)
        found = first_bytes(chip)
        assert len(found) > 70
        assert chip.data.files[DG1].startswith(found)

    def test_the_moment_of_signing(self, pki):
        assert make_card(PEOPLE[0], pki=pki).data.signed_at == NOW
        later = NOW.replace(year=2028)
        assert make_card(PEOPLE[0], pki=pki, now=later).data.signed_at == later
        assert make_card(PEOPLE[0], now=later).data.pki.now == later

    def test_what_cannot_be_made_is_refused(self, pki):
        with pytest.raises(ValueError, match="no mode"):
            make_card(PEOPLE[0], "unheard_of", pki)
        child = next(one for one in PEOPLE if one.citizen_id is None)
        with pytest.raises(ValueError, match="card"):
            make_card(child, pki=pki)

    def test_latency_in_the_place_of_the_modes(self, pki):
        chip = make_card(PEOPLE[0], "slow", pki, latency_ms=0)
        assert chip.quirks == replace(MODES["slow"].quirks, latency_ms=0)
        assert MODES["slow"].quirks.air_time_s(60, 40) == pytest.approx(0.008 + 0.0085)


def first_bytes(chip: VirtualCard) -> bytes:
    """The beginning of DG1, by PACE or, where that fails, by BAC."""
    for open_chip in (opened, by_bac) if CARD_ACCESS in chip.data.master_files else (by_bac,):
        with contextlib.suppress(EmrtdError):
            channel = open_chip(chip)
            channel.send(select_file(DG1))
            return read(channel, le=100).data
        chip.reset()
    return b""


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, object]]]:
    command = [sys.executable, "-m", "simulators", "chip", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def told(process: subprocess.Popen[bytes], what: bytes) -> None:
    while what not in (line := process.stderr.readline()):
        assert line, "the simulator ended"


def test_a_card_on_a_pn532(tmp_path):
    link, anchors = tmp_path / "nfc", tmp_path / "anchors"
    arguments = ("--person", "1", "--mode", "cam", "--pn532", str(link), "--anchors-out", str(anchors))
    with running(*arguments) as (process, ready):
        assert ready["simulator"] == "chip"
        assert ready["reader"] == str(link)
        assert ready["mode"] == "cam"
        assert ready["can"] == "000001"
        assert ready["mrz"][0].startswith("IDVNM190000001")
        assert load_anchors(anchors).roots
        with serial.Serial(str(link), 115200, timeout=DEADLINE_S) as line:
            line.write(bytes.fromhex("5555000000 0000FF05FBD4140114010200"))
            assert line.read(15)[-9:] == bytes.fromhex("0000FF02FED5151600")
            line.write(bytes.fromhex("0000FF06FAD43205000001F400"))
            assert line.read(15)[-9:] == bytes.fromhex("0000FF02FED533F800")
            for found in (1, 0, 1):
                line.write(bytes.fromhex("0000FF04FCD44A0100E100"))
                assert line.read(6) == bytes.fromhex("0000FF00FF00")
                head = line.read(8)
                assert head[5:] == bytes((0xD5, 0x4B, found))
                line.read(head[3] - 3 + 2)
                process.stdin.write(b"\n")
                process.stdin.flush()
                told(process, b"away" if found else b"lies there")
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0
    assert not link.is_symlink()


def test_a_card_in_vpcd():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(DEADLINE_S)
        host, port = listening.getsockname()
        with running("--person", "3", "--vpcd", f"{host}:{port}", "--latency-ms", "0") as (process, ready):
            assert ready["reader"] == f"{host}:{port}"
            line, _ = listening.accept()
            with line:
                line.settimeout(DEADLINE_S)
                line.sendall(b"\x00\x01\x04")
                assert line.recv(64)[2:3] == b"\x3b"
                process.send_signal(signal.SIGINT)
                assert process.wait(DEADLINE_S) == 0
                assert line.recv(1) == b""


class TestCommandLine:
    def test_the_modes_are_listed(self):
        result = CliRunner().invoke(main, ["chip", "--list-modes"])
        assert result.exit_code == 0
        assert [line.split()[0] for line in result.output.splitlines()] == list(MODES)

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            ([], "--person"),
            (["--person", "1"], "--pn532"),
            (["--person", "1", "--vpcd", "127.0.0.1:1", "--pn532", "nfc"], "one of"),
            (["--person", "31", "--vpcd", "127.0.0.1:1"], "31"),
            (["--person", "1", "--mode", "unheard_of", "--vpcd", "127.0.0.1:1"], "no mode"),
            (["--person", "1", "--vpcd", "nowhere"], "HOST:PORT"),
            (["--person", "1", "--pn532", str(Path("/proc/nfc"))], "nfc"),
        ],
    )
    def test_mistakes_are_told(self, arguments, complaint):
        command = [sys.executable, "-m", "simulators", "chip", *arguments]
        result = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        assert result.returncode != 0
        assert complaint in result.stderr
        assert result.stdout == ""
