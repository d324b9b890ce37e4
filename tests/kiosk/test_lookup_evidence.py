"""The evidence of lookups that failed: every question with what became of it, as files that open safely."""

import csv
import hashlib
import io
import re
import subprocess
import sys
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from kiosk import evidence_words, retention
from kiosk.evidence_making import evidence_of, evidence_of_day
from kiosk.evidence_pdf import Page, PdfUnavailable, as_pdf
from kiosk.insurance.vss_codes import Reason
from kiosk.lookup_evidence import END_HEADINGS, LINE_HEADINGS, VISIT_HEADINGS, EvidenceFile, page_of, to_csv
from kiosk.model import Eligibility, EligibilityClass, KeyKind, Moment
from kiosk.tables import audit, outbox, question
from tests.kiosk.world import FACILITY, World, until

SOON = {"recheck_after": [0.05, 6000]}
VISIT = tuple(f"v{number}" for number in range(len(VISIT_HEADINGS)))
END = ("state", "since", "who", "when")
LINE = tuple(f"l{number}" for number in range(len(LINE_HEADINGS)))


def table(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV as a spreadsheet reads them."""
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


async def rows_of(world: World, checkin_id: str) -> list[dict[str, str]]:
    made = await evidence_of(world.checkins, checkin_id, "csv", "lan")
    assert made is not None
    return table(made.content)


async def test_every_call_stands_in_the_file_with_what_became_of_it(start):
    async with start(insurance=SOON) as world:
        world.gateway.mode("http_500_html", endpoint="lookup")
        checkin = await world.register(1)

        async def asked_again() -> bool:
            row = await world.row("gateway")
            return row.attempts == 1 and row.state == "waiting"

        await until(asked_again)
        rows = await rows_of(world, checkin.checkin_id)
        calls = [call for call in world.gateway.get("/_sim/calls") if call["endpoint"] == "lookup"]
        assert len(rows) == len(calls) >= 2
        kept = await world.store.read(lambda c: c.execute(sa.select(question)).all())
        assert [row["Mã yêu cầu"] for row in rows] == [
            one.request_id for one in sorted(kept, key=lambda one: one.asked_at)
        ]
        assert [row["Lần"] for row in rows] == [str(number) for number in range(1, len(rows) + 1)]
        assert (rows[0]["Khi nào"], rows[-1]["Khi nào"]) == ("lúc đến khám", "tự tra lại")
        for row in rows:
            assert (row["HTTP"], row["Loại số"]) == ("500", "số căn cước / định danh")
            assert row["Kết quả"].endswith("(http_error)") and int(row["Thời gian chờ (ms)"]) >= 0
            assert re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d \+07:00", row["Thời điểm tra cứu"])
            assert row["Trạng thái cuối"].startswith("Chưa có trả lời của cổng")
        after = await world.get(checkin.checkin_id)
        assert after.receipt is not None
        first = rows[0]
        assert (first["Mã cơ sở KCB"], first["Mã lượt trên máy"]) == (FACILITY, checkin.checkin_id)
        assert (first["Mã lượt khám HIS"], first["Số thứ tự"]) == (after.receipt.visit_id, after.number)
        assert (first["Họ và tên"], first["Ngày sinh"]) == (after.identity.full_name, "1990-09-02")
        assert (first["Số giấy tờ"], first["Số thẻ BHYT"]) == ("099190000001", "")
        assert first["Người lập"] == "lan"


async def test_the_final_state_is_the_answer_that_came(start):
    async with start(insurance={"recheck_after": [0.05]}) as world:
        world.gateway.mode("http_500_html", endpoint="*")
        checkin = await world.register(1)
        world.gateway.mode("normal", endpoint="*")
        after = await world.becomes(checkin.checkin_id, status=EligibilityClass.INSURED)
        rows = await rows_of(world, checkin.checkin_id)
        assert rows[0]["Trạng thái cuối"] == "Đã có trả lời: thẻ còn hạn"
        assert (rows[-1]["maKetQua"], rows[-1]["HTTP"]) == ("000", "200")
        assert after.coverage is not None and rows[0]["Số thẻ BHYT"] == after.coverage.number


async def test_a_question_that_never_left_is_told_as_such(world: World, monkeypatch):
    async def refused(*_: object) -> Eligibility:
        return Eligibility(EligibilityClass.CANNOT_SAY, "breaker_open", world.clock(), attempts=0)

    monkeypatch.setattr(world.parts.gateway, "lookup", refused)
    checkin = await world.register(1)
    (row,) = await rows_of(world, checkin.checkin_id)
    assert row["Kết quả"] == "không gửi được câu hỏi: tạm ngừng hỏi vì cổng vừa lỗi nhiều lần (breaker_open)"
    assert (row["HTTP"], row["Mã yêu cầu"]) == ("", "")


async def test_the_digest_is_that_of_the_list_as_printed(start):
    async with start(insurance=SOON) as world:
        world.gateway.mode("http_500_html", endpoint="*")
        checkin = await world.register(1)
        rows = await rows_of(world, checkin.checkin_id)
        printed = "".join("|".join(row[name] for name in LINE_HEADINGS) + "\n" for row in rows)
        assert {row["SHA-256 danh sách"] for row in rows} == {hashlib.sha256(printed.encode()).hexdigest()}


async def test_who_made_a_file_is_in_the_audit(world: World):
    world.gateway.mode("http_500_html", endpoint="*")
    checkin = await world.register(1)
    await rows_of(world, checkin.checkin_id)
    await evidence_of_day(world.checkins, str(world.today()), "bình")
    kept = await world.store.read(
        lambda c: c.execute(sa.select(audit).where(audit.c.action == "evidence_made").order_by(audit.c.id)).all()
    )
    assert [(entry.who, entry.checkin_id) for entry in kept] == [("lan", checkin.checkin_id), ("bình", None)]
    assert kept[1].detail == {"format": "csv", "day": str(world.today()), "visits": 1}
    assert await evidence_of(world.checkins, "nobody", "csv", "lan") is None


async def test_the_file_of_a_day_holds_all_without_an_answer(world: World):
    answered = await world.register(5)
    await world.leave()
    world.gateway.mode("http_500_html", endpoint="*")
    open_ones = []
    for person in (1, 6):
        open_ones.append((await world.register(person)).checkin_id)
        await world.leave()
    made = await evidence_of_day(world.checkins, str(world.today()), "lan")
    found = {row["Mã lượt trên máy"] for row in table(made.content)}
    assert found == set(open_ones) and answered.checkin_id not in found
    assert made.name == f"bang-ke-tra-cuu-{world.today()}.csv"


async def test_of_a_forgotten_person_the_questions_remain(world: World):
    world.gateway.mode("http_500_html", endpoint="lookup")
    checkin = await world.register(1)
    await world.becomes(checkin.checkin_id, hospital_state="accepted")
    far = world.today().replace(year=world.today().year + 1)

    def settle_and_forget(connection: sa.Connection) -> int:
        connection.execute(outbox.update().values(state="done"))
        return retention.purge(connection, far, 30)

    assert await world.store.run(settle_and_forget) == 1
    rows = await rows_of(world, checkin.checkin_id)
    assert rows and {(row["Họ và tên"], row["Số giấy tờ"], row["Số thẻ BHYT"]) for row in rows} == {("", "", "")}
    assert all(row["HTTP"] == "500" for row in rows)


async def test_a_pdf_is_made_apart_and_holds_the_vietnamese_letters(world: World):
    world.gateway.mode("http_500_html", endpoint="*")
    checkin = await world.register(1)
    loaded = set(sys.modules)
    made = await evidence_of(world.checkins, checkin.checkin_id, "pdf", "lan")
    assert made is not None and made.media_type == "application/pdf"
    assert made.content.startswith(b"%PDF-") and made.content.rstrip().endswith(b"%%EOF")
    assert made.content.count(b"/Type /Page\n") == 1, "one sheet"
    assert b"DejaVuSans" in made.content and checkin.checkin_id in made.name
    assert not {"fpdf", "PIL"} & (set(sys.modules) - loaded)


async def test_a_long_list_goes_on_over_sheets():
    file = EvidenceFile(VISIT, tuple(LINE for _ in range(120)), END)
    pdf = await as_pdf(page_of(file))
    assert pdf.count(b"/Type /Page\n") >= 2


async def test_without_the_font_there_is_no_pdf_and_no_crash(monkeypatch):
    monkeypatch.setattr("kiosk.evidence_pdf._SECONDS", 0.0)
    with pytest.raises(PdfUnavailable):
        await as_pdf(page_of(EvidenceFile(VISIT, (LINE,), END)))


def test_what_is_no_document_ends_the_child_without_words():
    ended = subprocess.run(
        [sys.executable, "-I", "-m", "kiosk.evidence_pdf"], input=b'{"title": "x"}', capture_output=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, b"", b"")


def test_the_page_says_all_that_the_table_says():
    file = EvidenceFile(VISIT, (LINE, LINE), END)
    page: Page = page_of(file)
    assert [value for _, value in page.facts] == list(VISIT) and page.rows == file.lines
    assert [value for _, value in page.closing] == [*END, file.digest]
    assert sum(page.widths) == 190 and len(page.widths) == len(page.headings)


cells = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(*[cells] * len(LINE_HEADINGS)), max_size=4), st.tuples(*[cells] * len(VISIT_HEADINGS)))
def test_no_cell_is_ever_a_formula_and_all_words_survive(lines, visit):
    file = EvidenceFile(visit, tuple(lines), END)
    text = to_csv([file]).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == [*VISIT_HEADINGS, *LINE_HEADINGS, *END_HEADINGS]
    assert len(rows) == 1 + max(1, len(lines))
    for row, line in zip(rows[1:], lines or [("",) * len(LINE_HEADINGS)], strict=True):
        for shown, cell in zip(row, (*visit, *line, *END, file.digest), strict=True):
            assert shown in (cell, f"'{cell}")
            assert not shown.lstrip(" ").startswith(("=", "+", "-", "@"))


def test_a_file_differs_in_its_digest_when_a_line_does():
    file = EvidenceFile(VISIT, (LINE,), END)
    assert replace(file, lines=((*LINE[:-1], "other"),)).digest != file.digest
    assert replace(file, end=("other", *END[1:])).digest == file.digest, "it is of the list"


def test_the_closed_lists_have_words():
    assert set(evidence_words.MOMENTS) == set(Moment)
    assert set(evidence_words.KEY_KINDS) == set(KeyKind)
    assert set(evidence_words.STATES) == set(EligibilityClass)
    unsent = [Reason.BREAKER_OPEN, Reason.THROTTLED, Reason.NO_OFFICER, Reason.CLOSED]
    lost = [reason for reason in Reason if reason.startswith(("net_", "gateway_", "account_", "officer_"))]
    assert all(" " in evidence_words.reason_words(reason) for reason in (*unsent, *lost, Reason.HTTP_ERROR))
    assert evidence_words.reason_words("never_heard_of") == "never_heard_of"
