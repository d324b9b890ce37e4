"""`kioskctl decode` as people start it: a process that gets a scanner's bytes on its standard input."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "identity_documents.json").read_text(encoding="utf-8"))


def decode(vector: dict[str, Any]) -> tuple[int, dict[str, Any], bytes]:
    """Exit code, the one JSON document on standard output, and what people are told, for the scan of *vector*."""
    sent = bytes.fromhex(vector["hex"]) if "hex" in vector else vector["text"].encode()
    command = [sys.executable, "-m", "kiosk", "decode"]
    done = subprocess.run(command, input=sent, capture_output=True, timeout=60, check=False)
    return done.returncode, json.loads(done.stdout.decode("utf-8")), done.stderr


def test_every_worked_vector_through_the_command():
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(decode, VECTORS))
    assert len(reports) == 38
    for vector, report in zip(VECTORS, reports, strict=True):
        added = {name: report[1][name] for name in ("card_hints", "address_codes")}  # they have tests of their own
        expected = vector["expected"] | added
        assert report == (1 if expected["error"] else 0, expected, b""), vector["id"]


def test_the_address_of_a_card_gives_its_codes():
    sent = "099190000456||Trần Thị Mẫu|01021990|Nữ|Ấp 3, Xã Vị Thắng, Huyện Vị Thủy, Hậu Giang|05072021\r"
    _, report, _ = decode({"text": sent})
    codes = report["address_codes"]
    assert (codes["old"]["commune"]["code"], codes["old"]["district"]["code"]) == ("31450", "935")
    assert (codes["new"]["province"]["code"], codes["hamlet"], codes["confidence"]) == ("92", "Ấp 3", "exact")
    assert decode({"text": "099190000456\r"})[1]["address_codes"] is None
