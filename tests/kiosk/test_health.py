"""What the daemon remembers of its scanner: that it spoils text, and nothing of whom it read."""

import logging

import pytest

from kiosk.health import Health, ScannerHealth

SOUND = "099190000001|364000123|Trần Thị Mẫu|02091990|Nữ|Xã Mẫu, Hậu Giang|05072021".encode()
DROPPED = SOUND.decode().encode("ascii", "ignore")
FLAT = b"099190000001|364000123|Tran Thi Mau|02091990|Nu|Xa Mau, Hau Giang|05072021"
OTHER_LAYOUT = SOUND.replace(b"|", b"~")
LATIN = SOUND.decode("latin-1").encode()
NUMBER = b"099190000001"


@pytest.mark.parametrize(
    ("scan", "fault"), [(DROPPED, "accents"), (FLAT, "accents"), (OTHER_LAYOUT, "layout"), (LATIN, "encoding")]
)
def test_three_damaged_scans_in_a_row_are_a_fault_of_the_scanner(scan, fault):
    scanner = ScannerHealth()
    told = []
    for _ in range(3):
        scanner.note_scan(scan)
        told.append(scanner.fault)
    assert told == [None, None, fault]
    scanner.note_scan(SOUND)
    assert scanner.fault is None


def test_a_sound_card_between_damaged_ones_is_no_fault():
    scanner = ScannerHealth()
    for scan in (DROPPED, DROPPED, SOUND, DROPPED, DROPPED):
        scanner.note_scan(scan)
    assert scanner.fault is None


def test_what_has_no_accents_anyway_proves_nothing():
    scanner = ScannerHealth()
    for scan in (DROPPED, NUMBER, DROPPED, b"", b"https://example.invalid", DROPPED, NUMBER):
        scanner.note_scan(scan)
    assert scanner.fault == "accents"


def test_the_log_tells_the_change_once_and_nobodys_data(caplog):
    caplog.set_level(logging.INFO)
    health = Health()
    for scan in (DROPPED, DROPPED, DROPPED, DROPPED, SOUND, SOUND):
        health.scanner.note_scan(scan)
    told = [(record.levelname, record.reason) for record in caplog.records]
    assert told == [("WARNING", "accents"), ("INFO", "none")]
    assert "0991900" not in caplog.text and "Mu" not in caplog.text
