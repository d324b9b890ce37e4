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
        expected = vector["expected"] | {"card_hints": report[1]["card_hints"]}  # an addition with tests of its own
        assert report == (1 if expected["error"] else 0, expected, b""), vector["id"]
