"""The watch over the logs of the whole run sees what it is there for."""

import logging

import pytest

from tests.log_watch import Watch, leaks


@pytest.mark.parametrize(
    "text",
    [
        "asked 099190000001",
        "card DN4999900000001 refused",
        "card DN499099301000027",
        "Trần Thị Mẫu",
        "password sim-secret",
        "POST http://127.0.0.1/api?token=abc",
        "officer NGUYỄN CÁN BỘ THỬ",
    ],
)
def test_leaks_are_seen(text: str) -> None:
    assert leaks(text)


@pytest.mark.parametrize("text", ["01913e4f-099190000001-ab", "099", "http://127.0.0.1/api", "code 054", "T. T. M."])
def test_what_is_none_is_let_through(text: str) -> None:
    assert leaks(text) == []


def test_arguments_extras_and_errors_are_looked_at() -> None:
    watch = Watch()
    for name, extra, error in (
        ("kiosk.a", {"number": "099190000001"}, None),
        ("kiosk.b", {"cause": ValueError("sim-secret")}, None),
        ("kiosk.c", {}, ValueError("sim-secret")),
        ("elsewhere", {"number": "099190000001"}, None),
    ):
        record = logging.makeLogRecord({"name": name, "msg": "x", **extra})
        record.exc_info = (type(error), error, None) if error else None
        watch.emit(record)
    assert [line.partition(":")[0] for line in watch.leaked] == ["kiosk.a", "kiosk.b"]
