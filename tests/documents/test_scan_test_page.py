"""The printed page with the test code is what the program expects, and the words about it cover every fault."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zxingcpp

from kiosk.documents.scan_test_code import TEST_PAYLOAD, ScanFault

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "ma-thu-may-quet.svg"
RUN = re.compile(r"M(\d+) (\d+)h(\d+)")


def test_the_page_is_what_the_script_makes(tmp_path):
    made = tmp_path / "page.svg"
    subprocess.run([sys.executable, "scripts/make_test_code.py", made], cwd=ROOT, env={"PYTHONPATH": "."}, check=True)
    assert made.read_bytes() == PAGE.read_bytes()


@pytest.mark.parametrize("which", [0, 1])
def test_each_printed_code_holds_the_test_code(which):
    path = re.findall(r' d="([^"]+)"', PAGE.read_text("utf-8"))[which]
    runs = [tuple(map(int, run)) for run in RUN.findall(path)]
    size = max(x + length for x, _, length in runs)
    modules = np.full((size + 8, size + 8), 255, np.uint8)
    for x, y, length in runs:
        modules[y + 4, x + 4 : x + 4 + length] = 0
    picture = np.kron(modules, np.ones((4, 4), np.uint8))
    (code,) = zxingcpp.read_barcodes(picture)
    assert code.bytes == TEST_PAYLOAD


def test_the_manual_says_what_to_do_about_every_fault():
    manual = (ROOT / "docs" / "van-hanh.md").read_text("utf-8")
    table = manual.partition("## Máy đọc có vấn đề gì")[2].partition("\n## ")[0]
    assert {fault.value for fault in ScanFault} <= set(re.findall(r"`([A-Z_0-9]+)`", table))
