"""The demo's data and a hospital's data never share a folder: the demo's account must open nobody's records."""

from pathlib import Path
from typing import Any

import pytest

from kiosk import config
from kiosk.bootstrap import build
from kiosk.errors import ConfigError


def settings(data: Path, *, demo: bool) -> config.Config:
    host = "http://127.0.0.1:1" if demo else "https://egw.example"
    tables: dict[str, Any] = {
        "demo": demo,
        "station": {"id": "kiosk-1", "facility": "93002", "data": str(data)},
        "insurance": {"url": host, "account": "93002_BV", "password_file": "pw", "officers_file": "officers"},
        "hospital": {"adapter": "dry_run"},
    }
    return config.parse(tables)


@pytest.mark.parametrize("first", [True, False])
async def test_a_store_stays_what_it_was_made_as(tmp_path: Path, first: bool) -> None:
    (tmp_path / "pw").write_text("sim-secret", "utf-8")
    (tmp_path / "officers").write_text("NGUYỄN CÁN BỘ THỬ;099085000001", "utf-8")
    data = tmp_path / "data"
    await build(settings(data, demo=first), tmp_path).close()
    await build(settings(data, demo=first), tmp_path).close()
    with pytest.raises(ConfigError, match="do not share"):
        build(settings(data, demo=not first), tmp_path)
