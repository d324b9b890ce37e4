"""``kioskctl`` and chips: evidence checked again from a file."""

import base64
import json

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.cli import main
from kiosk.evidence import make_evidence
from tests.kiosk.signed_card import NOW, anchors_in, authority, card, read_of

STATION = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STATION_KEY = base64.b64encode(STATION.public_key().public_bytes_raw()).decode()


def run(*words: object) -> tuple[int, dict, str]:
    """Exit code, the JSON document on stdout, and what people are told on stderr."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout), result.stderr


def misuse(*words: object) -> str:
    """What the usage error says."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr


@pytest.fixture
def anchors(tmp_path):
    """A folder with the authority of the cards."""
    return authority().write_anchors(tmp_path / "anchors")


@pytest.fixture
def evidence(tmp_path):
    """A file of evidence, made where the authority was known."""
    read = read_of(card(), anchors_in(tmp_path / "there"))
    file = tmp_path / "evidence.json"
    file.write_bytes(
        make_evidence(read, key=STATION, key_id=None, facility="93002", station="k", reader="pcsc", read_at=NOW)
    )
    return file


def test_evidence_is_confirmed(evidence, anchors):
    code, report, _ = run("verify-evidence", evidence, "--anchors", anchors, "--station-key", STATION_KEY)
    assert (code, report["confirmed"], report["verdict"], report["error"]) == (0, True, "genuine", None)
    assert "chip_authentication" in report["rests_on_station_word"]


def test_evidence_is_not_confirmed_without_anchors_or_by_another_key(evidence, anchors):
    assert run("verify-evidence", evidence)[:2][0] == 1
    other = base64.b64encode(bytes(32)).decode()
    code, report, _ = run("verify-evidence", evidence, "--anchors", anchors, "--station-key", other)
    assert (code, report["confirmed"], report["contradictions"]) == (1, False, ["STATION_KEY"])


def test_changed_evidence_is_refused(evidence, anchors):
    evidence.write_bytes(evidence.read_bytes().replace(b"93002", b"93001"))
    code, report, err = run("verify-evidence", evidence, "--anchors", anchors)
    assert (code, report["confirmed"], report["error"]) == (1, False, "BAD_EVIDENCE") and "signature" in err


def test_a_wrong_key_or_anchor_is_misuse(evidence, tmp_path):
    (tmp_path / "notes.txt").write_text("no certificate")
    assert "32 bytes" in misuse("verify-evidence", evidence, "--station-key", "AAAA")
    assert "notes.txt" in misuse("verify-evidence", evidence, "--anchors", tmp_path / "notes.txt")
    assert "does not exist" in misuse("verify-evidence", tmp_path / "absent")
