"""The library by itself: what it loads, what it exports, and the example of its README."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

import kiosk.emrtd
from simulators.chip_card import VirtualCard
from tests.emrtd.laid_card import Laid, authority, issued

FOLDER = Path(kiosk.emrtd.__file__).parent
MODULES = sorted(f"kiosk.emrtd.{path.stem}" for path in FOLDER.glob("*.py") if path.stem != "__init__")
ALONE = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("kiosk.") and not (name + ".").startswith("kiosk.emrtd."):
            raise ImportError("the library must do without " + name)

sys.meta_path.insert(0, Blocked())
before = set(sys.modules)
for module in sys.argv[1:]:
    __import__(module)
import kiosk.emrtd
for name in kiosk.emrtd.__all__:
    getattr(kiosk.emrtd, name)
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""


def loaded_by(code: str, *arguments: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_nothing_but_cryptography_and_asn1crypto_is_loaded():
    foreign = loaded_by(ALONE, *MODULES) - set(sys.stdlib_module_names)
    parts_of_cryptography = {"_cffi_backend", "_openssl"}
    assert foreign - parts_of_cryptography == {"kiosk", "cryptography", "asn1crypto"}


def test_who_needs_a_zone_only_does_not_load_cryptography():
    code = "import sys, kiosk.emrtd.mrz; print(*{name.partition('.')[0] for name in sys.modules})"
    assert not loaded_by(code) & {"cryptography", "asn1crypto"}


def test_every_export_is_there_and_no_other_name():
    for name in kiosk.emrtd.__all__:
        assert getattr(kiosk.emrtd, name).__module__.startswith("kiosk.emrtd.")
    with pytest.raises(AttributeError, match="no attribute 'read_chips'"):
        _ = kiosk.emrtd.read_chips
    assert (FOLDER / "py.typed").exists()


def example() -> str:
    found = re.findall(r"```python\n(.*?)```", (FOLDER / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == 1
    return found[0]


def test_the_example_of_the_readme_reads_a_card(tmp_path, monkeypatch):
    code = example()
    assert len([line for line in code.splitlines() if line]) <= 10
    data, quirks = issued()
    (tmp_path / "anchors").mkdir()
    authority().write_anchors(tmp_path / "anchors")
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code.replace('"000001"', repr(data.can)), {"connection": Laid(VirtualCard(data, quirks))})
    verdict, name = printed.getvalue().splitlines()
    assert verdict == "genuine passed ()"
    assert name == data.person.full_name
