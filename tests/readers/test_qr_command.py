"""`kioskctl decode --image` as people start it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kiosk.cli import main
from kiosk.documents.as_json import decode_report
from kiosk.readers import qr_decoder
from simulators.frames import picture, render
from tests.readers.qr_world import CARD, PAYMENT, symbol


def decode(path: Path) -> tuple[int, Any]:
    """Exit code and the JSON document."""
    command = [sys.executable, "-m", "kiosk", "decode", "--image", str(path)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def laid(tmp_path):
    def lay(data: bytes) -> Path:
        (tmp_path / "picture").write_bytes(data)
        return tmp_path / "picture"

    return lay


def test_each_code_is_an_entry_as_a_scan_of_it_would_be(laid):
    status, entries = decode(
        laid(picture(render(CARD, family="two_codes", severity=0.1, seed=1, other=PAYMENT), ".jpg"))
    )
    assert status == 0
    by_kind = {entry["kind"]: entry for entry in entries}
    assert len(entries) == len(by_kind) == 2
    (card,) = [entry for entry in entries if entry["error"] is None]
    expected = decode_report(CARD) | {"decoders": ["zxing", "zbar"]}
    assert {name: card[name] for name in expected} == expected
    assert set(card) - set(expected) == {"card_hints", "address_codes"}


def test_a_picture_without_a_code_is_an_empty_list(laid):
    assert decode(laid(picture(render(b"", family="none")))) == (1, [])


def test_a_picture_with_nothing_but_foreign_codes_is_not_parsed(laid):
    status, entries = decode(laid(picture(symbol(b"no document"))))
    assert (status, [entry["kind"] for entry in entries]) == (1, ["UNKNOWN"])


def test_what_is_no_picture_is_refused_in_the_usual_way(laid, tmp_path):
    assert decode(laid(b"no picture")) == (1, {"error": "PICTURE_UNREADABLE"})
    assert decode(tmp_path / "missing") == (1, {"error": "PICTURE_UNREADABLE"})


def test_a_disputed_code_is_an_entry_that_says_nothing_else(laid, monkeypatch):
    code = qr_decoder.QrCode(CARD, ((0, 0), (9, 0), (9, 9), (0, 9)), ("zxing",))
    monkeypatch.setattr(qr_decoder, "decode_picture", lambda data: qr_decoder.FrameCodes((code,), 1))
    done = CliRunner().invoke(main, ["decode", "--image", str(laid(b""))])
    believed, disputed = json.loads(done.output)
    assert (done.exit_code, believed["decoders"], believed["error"]) == (0, ["zxing"], None)
    assert (disputed["kind"], disputed["error"], disputed["decoders"]) == ("UNKNOWN", "DISPUTED", [])
    assert not any(disputed[name] for name in disputed if name not in ("kind", "error"))


def test_scanner_bytes_are_decoded_without_loading_the_decoders_of_pictures():
    watched = (
        "import atexit, sys, kiosk.cli\n"
        "atexit.register(lambda: print({'cv2', 'numpy', 'zxingcpp'} & set(sys.modules), file=sys.stderr))\n"
        "kiosk.cli.main(['decode'])"
    )
    done = subprocess.run([sys.executable, "-c", watched], input=CARD, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"set()\n")
