"""``kioskctl answers``, ``receipt`` and ``lookup-evidence`` beside a running daemon."""

import asyncio
import json
import subprocess
import sys

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from kiosk.cli import main
from kiosk.model import local_day
from kiosk.tables import audit, lookup_receipt
from tests.kiosk.world import qr, tables, toml

NOWHERE = "http://127.0.0.1:9"


def run(*words: str) -> tuple[int, dict, str]:
    result = CliRunner().invoke(main, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout), result.stderr


async def ctl(kiosk, *words: object) -> tuple[int, dict, str]:
    return await asyncio.to_thread(run, *map(str, words), "--config", str(kiosk.config_path))


def today(kiosk) -> str:
    return str(local_day(kiosk.parts.checkins.clock()))


async def actions(kiosk) -> list[tuple[str, str]]:
    query = sa.select(audit.c.who, audit.c.action).order_by(audit.c.id)
    return await kiosk.parts.store.read(lambda c: [tuple(row) for row in c.execute(query)])


async def test_kept_answers_are_counted_and_exported_for_the_owner_alone(kiosk, tmp_path):
    await kiosk.register(qr(1))
    day = today(kiosk)
    code, counted, _ = await ctl(kiosk, "answers", "list", "--from", day, "--to", day)
    assert code == 0 and [(one["day"], one["answers"]) for one in counted["days"]] == [(day, 1)]
    file = tmp_path / "answers.jsonl"
    file.write_text("an older file that others may read")
    file.chmod(0o644)
    code, said, _ = await ctl(kiosk, "answers", "export", "--from", day, "--to", day, "-o", file)
    assert (code, said) == (0, {"file": str(file), "bytes": file.stat().st_size})
    assert file.stat().st_mode & 0o777 == 0o600
    (line,) = [json.loads(text) for text in file.read_text("utf-8").splitlines()]
    assert line["intact"] is True and json.loads(line["body"])["maKetQua"] == "000"
    assert ("operator", "answers_exported") in await actions(kiosk)
    assert list(tmp_path.glob(".*.part")) == []


async def test_a_receipt_is_checked_without_naming_anybody(kiosk):
    shown = await kiosk.register(qr(1))
    code = shown["screen"]["ticket"]["lookup_receipt"]
    exit_code, found, _ = await ctl(kiosk, "receipt", code.lower().replace("-", ""))
    assert (exit_code, found["state"], found["receipt"]) == (0, "valid", code)
    assert "099190000001" not in str(found) and "MẪU" not in str(found).upper()
    await kiosk.parts.store.run(lambda c: c.execute(lookup_receipt.update().values(status="not_insured")))
    exit_code, found, _ = await ctl(kiosk, "receipt", code)
    assert (exit_code, found["state"]) == (1, "altered")
    exit_code, found, _ = await ctl(kiosk, "receipt", "../outbox")
    assert (exit_code, found["error"] if "error" in found else found["state"]) in ((1, "NOT_FOUND"), (1, "unknown"))


async def test_evidence_is_written_for_the_owner_alone(kiosk, gateway, tmp_path):
    gateway.mode("http_500_html", endpoint="*")
    await kiosk.register(qr(1))
    checkin_id = (await kiosk.state())["checkin_id"]
    file = tmp_path / "one.pdf"
    code, _, _ = await ctl(kiosk, "lookup-evidence", checkin_id, "--format", "pdf", "-o", file)
    assert code == 0 and file.read_bytes().startswith(b"%PDF-") and file.stat().st_mode & 0o777 == 0o600
    of_day = tmp_path / "day.csv"
    code, _, _ = await ctl(kiosk, "lookup-evidence", "--day", today(kiosk), "-o", of_day)
    assert code == 0 and checkin_id in of_day.read_text("utf-8-sig")
    made = [(who, action) for who, action in await actions(kiosk) if action == "evidence_made"]
    assert made == [("operator", "evidence_made")] * 2
    code, said, _ = await ctl(kiosk, "lookup-evidence", "nobody", "-o", tmp_path / "none.csv")
    assert (code, said) == (1, {"error": "NO_SUCH_CHECK_IN"})
    assert not (tmp_path / "none.csv").exists()
    code, said, _ = await ctl(kiosk, "lookup-evidence", checkin_id, "-o", tmp_path / "no-folder" / "one.csv")
    assert (code, said) == (1, {"error": "CANNOT_WRITE"})


@pytest.mark.parametrize("words", [[], ["one", "--day", "2026-06-10"], ["--day", "2026-06-10", "--format", "pdf"]])
def test_evidence_is_of_one_visit_or_of_a_day_as_csv(words, tmp_path):
    result = CliRunner().invoke(main, ["lookup-evidence", *words, "-o", str(tmp_path / "file")])
    assert result.exit_code == 2 and not (tmp_path / "file").exists()


def test_without_a_daemon_no_file_is_left(tmp_path):
    config = tmp_path / "kiosk.toml"
    config.write_text(toml(tables(tmp_path, NOWHERE, NOWHERE)), "utf-8")
    command = [sys.executable, "-m", "kiosk", "answers", "export", "--from", "2026-06-10", "--to", "2026-06-10"]
    options = ["-o", str(tmp_path / "file"), "--config", str(config)]
    ended = subprocess.run([*command, *options], capture_output=True, check=False, timeout=60)
    assert (ended.returncode, json.loads(ended.stdout)) == (1, {"error": "NOT_RUNNING"})
    assert not (tmp_path / "file").exists() and list(tmp_path.glob(".*.part")) == []
