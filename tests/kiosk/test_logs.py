"""Log lines: JSON, allow-listed, and without what exceptions quote."""

import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.logs import JsonFormatter, set_up
from tests.kiosk.world import World, card, qr


def line(message: str, *args: object, exc_info: object = None, **extra: object) -> str:
    logger = logging.Logger("kiosk.test")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger.addHandler(handler)
    logger.error(message, *args, exc_info=exc_info, extra=extra)
    return stream.getvalue()


@given(st.text())
def test_whatever_is_said_is_one_line_of_json(message):
    written = line("%s", message)
    assert written.count("\n") == 1 and "\r" not in written
    assert json.loads(written)["message"] == message


def test_only_listed_fields_pass():
    entry = json.loads(line("x", code="STORE_FULL", person="Trần Thị Mẫu", number="099190000001", rows=3))
    assert set(entry) == {"at", "level", "logger", "message", "code", "rows"}
    assert (entry["code"], entry["rows"], entry["level"]) == ("STORE_FULL", "3", "error")


def test_an_exception_leaves_its_type_and_place_but_not_its_text():
    try:
        try:
            raise KeyError("Trần Thị Mẫu")
        except KeyError as first:
            raise ValueError("099190000001") from first
    except ValueError as exc:
        written = line("failed", exc_info=exc)
    entry = json.loads(written)
    assert entry["error"] == "ValueError"
    assert entry["where"][-1].startswith("test_logs.py:")
    assert "099190000001" not in written and "Mẫu" not in written


def test_libraries_that_print_addresses_are_quiet(capfd):
    before = {name: logging.getLogger(name).level for name in ("httpx", "httpcore", "uvicorn.access")}
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        set_up()
        logging.getLogger("httpx").info("GET http://gateway/?token=abc")
        logging.getLogger("kiosk.x").info("ready")
        written = capfd.readouterr().err
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(False)
        for name, old in before.items():
            logging.getLogger(name).setLevel(old)
    assert "token" not in written
    assert [json.loads(text)["message"] for text in written.splitlines()] == ["ready"]


CANARY = ("Cà Nà Ry", "CÀ NÀ RY", "099185991199", "991199", "Chim Hoàng Yến", "Mẫu", "MẪU", "099190000001")


@pytest.mark.parametrize("trouble", ["none", "gateway", "hospital", "refused", "adapter"])
async def test_no_person_is_in_any_log_line(world: World, caplog, trouble):
    caplog.set_level(logging.DEBUG, "kiosk")
    caplog.set_level(logging.DEBUG, "hospital_adapters")
    caplog.set_level(logging.INFO)
    if trouble in ("gateway", "hospital", "refused"):
        world.gateway.mode("bad_json" if trouble == "gateway" else "http_500_html")
    if trouble == "hospital":
        world.hospital.mode("truncated")
    if trouble == "refused":
        world.hospital.mode("c999")
    for person in (qr(1), card("099185991199", "Cà Nà Ry", "03021985", address="Ấp Chim Hoàng Yến")):
        if (await world.identify(person))["view"] == "choose_service":
            await world.choose()
        await world.leave()
    formatter = JsonFormatter()
    written = "\n".join(formatter.format(record) for record in caplog.records)
    for canary in (*CANARY, "token=", "password="):
        assert canary not in written
