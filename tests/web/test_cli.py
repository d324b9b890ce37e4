"""``kioskctl`` against a running daemon, as a process of its own."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from kiosk.cli import main
from kiosk.model import local_day
from province.app import create_app
from province.enrolment import new_code
from province.facilities import load_packaged
from province.store import Store as HubStore
from simulators.serve import serve_in_thread
from tests.kiosk.world import FACILITY, STATION, qr, tables, toml

NOWHERE = "http://127.0.0.1:9"


async def program(*words: str) -> tuple[int, dict, str]:
    """Exit code, the JSON document on stdout, and what people are told on stderr, of a process of its own."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "kiosk", *words, stdout=pipe, stderr=pipe)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, json.loads(out), err.decode()


def run(*words: str, given: bytes = b"") -> tuple[int, dict, str]:
    """The same in this process."""
    result = CliRunner().invoke(main, list(words), input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout), result.stderr


async def ctl(config: Path, *words: str) -> tuple[int, dict, str]:
    """The same beside a daemon that runs in this process."""
    return await asyncio.to_thread(run, *words, "--config", str(config))


async def test_a_day_at_the_command_line(kiosk, hospital):
    hospital.mode("c999", times=1)
    await kiosk.register(qr(1))
    await kiosk.answer("cancel")
    await kiosk.register(qr(6))
    code, listed, _ = await ctl(kiosk.config_path, "outbox", "list")
    parked = next(row for row in listed["rows"] if row["state"] == "parked")
    assert code == 0 and parked["reason"] == "c06.999"
    shown = await ctl(kiosk.config_path, "outbox", "show", str(parked["id"]))
    refused = await ctl(kiosk.config_path, "outbox", "retry", str(parked["id"]))
    day = str(local_day(kiosk.parts.checkins.clock()))
    rates = await ctl(kiosk.config_path, "kpi", "--from", day, "--to", day)
    gateway = await ctl(kiosk.config_path, "check", "gateway")
    province = await ctl(kiosk.config_path, "check", "province")
    assert shown[:2] == (0, parked | {"age_s": shown[1]["age_s"]})
    assert (refused[0], refused[1], refused[2].strip()) == (
        1,
        {"error": "STAFF_MUST_DECIDE"},
        "kioskctl: refused: STAFF_MUST_DECIDE",
    )
    assert (rates[0], rates[1]["visits_bhyt"], rates[1]["r1_pct"]) == (0, 2, 100.0)
    assert (gateway[0], gateway[1]["ok"]) == (0, True)
    assert (province[0], province[1]["ok"]) == (1, False)


async def test_joining_a_province_by_command(serve, tmp_path):
    store = HubStore(f"sqlite:///{tmp_path / 'province.db'}")
    load_packaged(store)
    with serve_in_thread(create_app(store)) as hub:
        async with serve(province={"url": hub.url}) as kiosk:
            code = str(new_code(store, FACILITY, STATION)["code"])
            wrong, right = [await ctl(kiosk.config_path, "enrol", hub.url, word) for word in ("WRONG", code)]
            assert (wrong[0], wrong[1]) == (1, {"error": "PROVINCE_UNAVAILABLE"})
            assert right[0] == 0 and (right[1]["facility"], right[1]["station"]) == (FACILITY, STATION)
            assert (await ctl(kiosk.config_path, "check", "province"))[1]["ok"] is True
    store.close()


def test_decode_reads_a_card_from_stdin():
    code, report, _ = run("decode", given=qr(1))
    assert (code, report["kind"], report["identity"]["personal_id"]) == (0, "CCCD_QR", "099190000001")
    code, report, _ = run("decode", given=b"hello")
    assert (code, report["error"]) == (1, "UNKNOWN_FORMAT")
    assert report["card_hints"] is None


def test_decode_adds_hints_to_the_number_of_an_insurance_card():
    code, report, _ = run("decode", given=b"GD4939312345678\r")
    assert (code, report["coverage"]["number"]) == (0, "GD4939312345678")
    assert report["card_hints"] == {
        "object_code": "GD",
        "object_words": "hộ gia đình",
        "level": "4",
        "level_words": "80 % (mức trên thẻ, tạm tính)",
        "province": "93",
        "province_name": "Hậu Giang",
        "bhxh_number": "9312345678",
        "doubts": [],
    }


def test_a_wrong_configuration_is_named(tmp_path):
    path = tmp_path / "kiosk.toml"
    path.write_text(toml(tables(tmp_path, NOWHERE, NOWHERE) | {"colour": "blue"}), "utf-8")
    code, told, err = run("outbox", "list", "--config", str(path))
    assert (code, told) == (1, {"error": "CONFIG"}) and "colour" in err and "blue" not in err
    code, told, err = run("kpi", "--from", "2026-01-01", "--to", "2026-01-01", "--config", str(tmp_path / "absent"))
    assert (code, told) == (1, {"error": "CONFIG"}) and "absent" in err


async def test_without_a_daemon_the_command_says_so(tmp_path):
    path = tmp_path / "kiosk.toml"
    path.write_text(toml(tables(tmp_path, NOWHERE, NOWHERE)), "utf-8")
    code, told, err = await program("outbox", "list", "--config", str(path))
    assert (code, told) == (1, {"error": "NOT_RUNNING"}) and "kiosk.service" in err


@pytest.mark.parametrize("words", [("kpi", "--from", "x", "--to", "y"), ("check", "weather"), ("nonsense",)])
def test_misuse_is_explained(words):
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code == 2 and "Usage" in result.stderr


async def test_a_taken_port_refuses_the_start(kiosk, tmp_path):
    values = tables(tmp_path, NOWHERE, NOWHERE, int(kiosk.url.rpartition(":")[2]))
    values["station"]["data"] = str(tmp_path / "second")
    path = tmp_path / "second.toml"
    path.write_text(toml(values), "utf-8")
    code, told, err = await program("run", "--config", str(path))
    assert (code, told) == (1, {"error": "CONFIG"}) and "cannot listen" in err
    assert (await kiosk.bare.get("/healthz")).status_code == 200
