"""Figures of days over HTTP and by ``kioskctl figures``, beside a running daemon."""

import asyncio
import io
import json
from datetime import timedelta

from click.testing import CliRunner
from openpyxl import load_workbook

from kiosk.cli import main
from kiosk.day_figures_file import HEADINGS, MAX_BYTES
from kiosk.model import local_day

HEAD = ";".join(HEADINGS)
BYTES = {"Content-Type": "application/octet-stream"}


def today(kiosk):
    return local_day(kiosk.parts.checkins.clock())


async def ctl(kiosk, *words: object) -> tuple[int, dict]:
    def run() -> tuple[int, dict]:
        result = CliRunner().invoke(main, [*map(str, words), "--config", str(kiosk.config_path)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, json.loads(result.stdout)

    return await asyncio.to_thread(run)


async def test_only_who_is_signed_in_sees_or_tells_figures(kiosk):
    for call in (
        kiosk.bare.get("/api/v1/staff/figures"),
        kiosk.bare.post("/api/v1/staff/figures", json={"day": str(today(kiosk))}, headers=kiosk.origin),
        kiosk.bare.post("/api/v1/staff/figures/file", content=b"x", headers=kiosk.origin | BYTES),
        kiosk.bare.post("/api/v1/staff/figures/template", headers=kiosk.origin),
    ):
        assert (await call).status_code == 401


async def test_a_day_is_entered_and_stands_in_its_month(kiosk):
    clerk, day = await kiosk.signed_in(), today(kiosk)
    desk = {"lookups": 9, "visits_looked_up": 8, "visits_success": 7}
    body = {"day": str(day), "bhyt_visits": 40, "desk": desk}
    assert (await clerk.post("/api/v1/staff/figures", json=body)).json() == {"new": 2}
    shown = (await clerk.get("/api/v1/staff/figures")).json()
    assert (shown["month"], shown["today"]) == (f"{day:%Y-%m}", str(day))
    first = shown["days"][0]
    assert first["day"] == str(day) and first["visits"] | {"at": ""} == {
        "bhyt_visits": 40,
        "by_class": {},
        "origin": "manual",
        "at": "",
        "who": "demo",
    }
    assert {name: first["desk"][name] for name in desk} == desk
    assert len(shown["days"]) == day.day
    coming = (await clerk.get("/api/v1/staff/figures", params={"month": "2090-01"})).json()
    assert coming["days"] == []
    assert (await clerk.get("/api/v1/staff/figures", params={"month": "2026-13"})).status_code == 422


async def test_refusals_have_codes(kiosk):
    clerk, day = await kiosk.signed_in(), today(kiosk)
    for body, status, code in (
        ({"day": str(day + timedelta(days=1)), "bhyt_visits": 4}, 422, "FUTURE_DAY"),
        ({"day": str(day), "bhyt_visits": -4}, 422, "BAD_REQUEST"),
        ({"day": "x"}, 422, "BAD_REQUEST"),
        (
            {"day": str(day), "desk": {"lookups": 1, "visits_looked_up": 2, "visits_success": 0}},
            422,
            "MORE_LOOKED_UP_THAN_LOOKUPS",
        ),
    ):
        answer = await clerk.post("/api/v1/staff/figures", json=body)
        assert (answer.status_code, answer.json()["error"]) == (status, code)


async def test_a_file_is_taken_whole_or_its_wrong_cells_are_named(kiosk):
    clerk, day = await kiosk.signed_in(), today(kiosk)
    good = f"{HEAD}\n{day:%d/%m/%Y};30;;;\n".encode()
    answer = await clerk.post("/api/v1/staff/figures/file?origin=portal_file", content=good, headers=BYTES)
    assert answer.json() == {"new": 1}
    bad = good + b"x;1;;;\n"
    answer = await clerk.post("/api/v1/staff/figures/file", content=bad, headers=BYTES)
    assert (answer.status_code, answer.json()) == (
        422,
        {"error": "FILE_REFUSED", "problems": [{"row": 3, "column": 1, "code": "NOT_A_DAY"}]},
    )
    almost = await clerk.post("/api/v1/staff/figures/file", content=b"x" * (MAX_BYTES - 1), headers=BYTES)
    assert almost.json()["problems"][0]["code"] == "NOT_A_TABLE"
    shown = (await clerk.get("/api/v1/staff/figures")).json()
    assert shown["days"][0]["visits"]["origin"] == "portal_file"


async def test_the_template_has_the_last_days(kiosk):
    clerk, day = await kiosk.signed_in(), today(kiosk)
    answer = await clerk.post("/api/v1/staff/figures/template?form=xlsx")
    assert 'filename="so-lieu-ngay.xlsx"' in answer.headers["content-disposition"]
    rows = list(load_workbook(io.BytesIO(answer.content)).active.values)
    assert rows[0] == HEADINGS and len(rows) == 32 and rows[-1][0].date() == day
    answer = await clerk.post("/api/v1/staff/figures/template?form=csv")
    assert answer.content.decode("utf-8-sig").splitlines()[0] == HEAD


async def test_kioskctl_enters_uploads_and_lists(kiosk, tmp_path):
    day = today(kiosk)
    assert await ctl(kiosk, "figures", "enter", "--day", day, "--visits", 12) == (0, {"new": 1})
    template, filled = tmp_path / "mau.csv", tmp_path / "so-lieu.csv"
    code, said = await ctl(kiosk, "figures", "template", "-o", template)
    assert (code, said["bytes"]) == (0, template.stat().st_size)
    line = f"{day:%d/%m/%Y};"
    filled.write_text(template.read_text("utf-8-sig").replace(f"{line};;;", f"{line}13;3;2;1"), "utf-8")
    assert await ctl(kiosk, "figures", "upload", filled) == (0, {"new": 2})
    code, listed = await ctl(kiosk, "figures", "list")
    assert (code, listed["days"][0]["visits"]["bhyt_visits"], listed["days"][0]["visits"]["who"]) == (0, 13, "operator")
    filled.write_text("khong phai mau", "utf-8")
    code, said = await ctl(kiosk, "figures", "upload", filled)
    assert (code, said["error"], said["problems"][0]["code"]) == (1, "FILE_REFUSED", "WRONG_HEADINGS")
    incomplete = ("figures", "enter", "--day", str(day), "--lookups", "3", "--config", str(kiosk.config_path))
    assert (await asyncio.to_thread(CliRunner().invoke, main, list(incomplete))).exit_code == 2
