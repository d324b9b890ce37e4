"""The units are accepted by systemd without a word, and closed as far as promised (issue: at most 1.5)."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk import config, relay_config

ROOT = Path(__file__).resolve().parents[2]
DAEMONS = ("kiosk.service", "kiosk-relay.service", "province.service")
CLOSED = (*DAEMONS, "province-federation.service")
UNITS = (*CLOSED, "kiosk-screen.service")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units with the programs of this environment in the place of the installed ones: systemd looks for them."""
    environment = Path(sys.executable).parent.parent
    for unit in UNITS:
        text = (ROOT / "systemd" / unit).read_text("utf-8")
        (tmp_path / unit).write_text(text.replace("/opt/kiosk/.venv", str(environment)), "utf-8")
    return tmp_path


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_has_nothing_to_say(installed: Path, unit: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", f"./{unit}"], cwd=installed, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_verify_would_notice_a_misspelt_key(installed: Path) -> None:
    unit = installed / "kiosk.service"
    unit.write_text(unit.read_text("utf-8").replace("WatchdogSec=", "WatchDogSec="), "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "./kiosk.service"], cwd=installed, capture_output=True, text=True, check=False
    )
    assert "WatchDogSec" in done.stderr


@pytest.mark.parametrize("unit", CLOSED)
def test_exposure_is_at_most_one_and_a_half(installed: Path, unit: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=15", f"./{unit}"],
        cwd=installed,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert done.returncode == 0, done.stdout[-400:]
    assert found
    assert float(found[1]) <= 1.5


@pytest.mark.parametrize("unit", DAEMONS)
def test_daemons_notify_and_are_watched(unit: str) -> None:
    text = (ROOT / "systemd" / unit).read_text("utf-8")
    assert "Type=notify" in text
    assert re.search(r"^WatchdogSec=\d+$", text, re.MULTILINE)


@pytest.mark.parametrize("unit", ("kiosk.service", "kiosk-relay.service"))
def test_no_secret_stands_in_a_unit(unit: str) -> None:
    text = (ROOT / "systemd" / unit).read_text("utf-8")
    assert "LoadCredential=" in text
    assert not re.search(r"^Environment=.*(secret|password|token)", text, re.IGNORECASE | re.MULTILINE)


def test_the_example_configuration_is_accepted() -> None:
    example = config.load(ROOT / "systemd" / "kiosk.example.toml")
    assert example.hospital.own["merchant"] == "KIOSK-1"
    assert not example.demo


def test_the_relays_example_configuration_is_accepted() -> None:
    example = relay_config.load(ROOT / "systemd" / "relay.example.toml")
    assert [station.id for station in example.station] == ["kiosk-1"]
    assert example.insurance.account == "93002_BV"
