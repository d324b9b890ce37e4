"""A month from the head's confirmation to the signed document, by clicks and keys in a real browser."""

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from province.months.insurer import InsurerFigure, enter
from province.uploads.kinds import UploadKind
from tests.browser.province_hub import MONTH, SIZES, Province, province, wide


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    with province(tmp_path_factory.mktemp("months")) as running:
        yield running


def told(page: Page) -> str:
    return page.locator("#told").inner_text()


def test_a_month_is_confirmed_objected_to_answered_and_closed(
    hub: Province, context: BrowserContext, tmp_path: Path
) -> None:
    # The head confirms, by keyboard alone.
    page = hub.open(context, "mai", "/months")
    expect(page.get_by_role("row", name="03/2026")).to_contain_text("95,00")
    page.get_by_role("link", name="03/2026").click()
    expect(page.get_by_text("95 lượt được tra cứu trên 100 lượt khám BHYT")).to_be_visible()
    page.get_by_role("button", name="Xác nhận", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/months/{MONTH}?done=confirm#told")
    assert told(page) == "Đã ghi nhận xác nhận."
    expect(page.get_by_text("mai đã xác nhận lúc")).to_be_visible()
    expect(page.get_by_role("button", name="Xác nhận", exact=True)).to_have_count(0)

    # Figures that change ask for it again.
    hub.hand_in(UploadKind.VISIT_COUNT, "93002;;03/03/2026;4")
    page.reload()
    expect(page.get_by_text("nhưng sau đó số liệu đã đổi")).to_be_visible()
    page.get_by_role("button", name="Xác nhận", exact=True).click()

    # The facility objects.
    page.get_by_text("Gửi khiếu nại").first.click()
    page.get_by_label("Số liệu nào").select_option(label="Lượt khám BHYT")
    page.get_by_label("Vì sao").select_option(label="Số lượt khám BHYT không đúng")
    page.get_by_label("Nói rõ").fill("Ngày 02/03 <b>trùng</b> 2 lượt.")
    page.get_by_role("button", name="Gửi khiếu nại").click()
    assert told(page) == "Đã ghi nhận khiếu nại."
    expect(page.get_by_role("article")).to_contain_text("Ngày 02/03 <b>trùng</b> 2 lượt.")
    expect(page.get_by_role("article")).to_contain_text("Chờ tỉnh trả lời")

    # The province answers, notes a paper, and closes with a reason.
    page = hub.open(context, "lan", "/months")
    expect(page.get_by_role("row", name="03/2026")).to_contain_text("1/95")
    page.goto(f"{hub.url}/months/{MONTH}")
    page.get_by_label("Chấp nhận", exact=True).check()
    page.get_by_label("Lời trả lời").fill("Đã đối chiếu.")
    page.get_by_role("button", name="Gửi trả lời").click()
    assert told(page) == "Đã ghi nhận trả lời."
    expect(page.get_by_role("article")).to_contain_text("Đã đối chiếu.")
    page.get_by_text("Ghi nhận xác nhận bằng văn bản giấy").click()
    page.locator("#facility").select_option("93003")
    page.get_by_role("button", name="Ghi nhận").click()
    expect(page.get_by_text("2 đã xác nhận, 0 cần xác nhận lại")).to_be_visible()
    page.get_by_label("Lý do chốt").fill("Các cơ sở khác chưa có kiosk.")
    page.get_by_label("Tôi hiểu").check()
    page.get_by_role("button", name="Chốt và ký").click()
    assert told(page) == "Đã chốt tháng. Văn bản đã được ký và lưu."
    expect(page.get_by_text("Chữ ký đúng")).to_be_visible()
    expect(page.get_by_text("Lý do chốt khi chưa đủ xác nhận: Các cơ sở khác chưa có kiosk.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Tải văn bản").click()
    file = tmp_path / "document.json"
    download.value.save_as(file)
    expect(page.locator("#document ~ dl code").first).to_have_text(hashlib.sha256(file.read_bytes()).hexdigest())
    assert json.loads(file.read_bytes())["closed_by"] == "lan"

    # What comes later is an adjustment; the figure stays.
    hub.hand_in(UploadKind.VISIT_COUNT, "93002;;04/03/2026;5")
    page.reload()
    expect(page.get_by_role("row", name="Trung tâm Y tế khu vực Vị Thủy Lượt khám BHYT +5")).to_be_visible()
    expect(page.locator(".figure.main")).to_contain_text("125 / 154")
    expect(page.get_by_text("Đã chốt, có điều chỉnh")).to_be_visible()
    page = hub.open(context, "mai", f"/months/{MONTH}")
    expect(page.get_by_role("button", name="Xác nhận", exact=True)).to_have_count(0)
    expect(page.get_by_role("article")).to_contain_text("Chấp nhận")
    expect(page.get_by_text("93003")).to_have_count(0)


def test_what_cannot_be_done_is_said_beside_what_was_typed(hub: Province, context: BrowserContext) -> None:
    page = hub.open(context, "lan", "/months/2026-02")
    page.locator("#reason").fill("chữ " * 125)
    page.evaluate("document.querySelector('#reason').value += 'dài quá'")
    page.get_by_label("Tôi hiểu").check()
    page.get_by_role("button", name="Chốt và ký").click()
    expect(page.get_by_role("alert")).to_contain_text("tối đa 500 ký tự")
    expect(page.locator("#reason")).to_have_value("chữ " * 125 + "dài quá")
    page.goto(f"{hub.url}/months/2026-02")
    page.evaluate("for (const each of document.querySelectorAll('[required]')) each.required = false")
    page.get_by_label("Tôi hiểu").check()
    page.get_by_role("button", name="Chốt và ký").click()
    expect(page.get_by_role("alert")).to_contain_text("cần ghi lý do")
    expect(page.locator("h1")).to_have_text("Tháng 02/2026")


def test_the_insurers_figures_stand_beside_ours(hub: Province, context: BrowserContext) -> None:
    hub.hand_in(UploadKind.VISIT_COUNT, "93002;;05/01/2026;100", "93003;;05/01/2026;50")
    hub.hand_in(UploadKind.DESK_LOOKUPS, "93002;;05/01/2026;96;90;90", "93003;;05/01/2026;50;50;50")
    with hub.store.write() as connection:
        enter(connection, date(2026, 1, 1), {"93002": InsurerFigure(100, 90), "93003": InsurerFigure(50, 50)}, "lan")
    page = hub.open(context, "huy", "/months/2026-01")
    table = page.get_by_role("group", name="So với số của cơ quan BHXH")
    expect(table.get_by_role("row", name="Vị Thủy")).to_contain_text("96 90 -6")
    expect(table).to_contain_text("Lần tra cứu -6: Một lượt khám được tra cứu nhiều lần")
    expect(table.get_by_role("row", name="Long Mỹ")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_text("Tải bảng so sánh").get_by_role("link", name="XLSX").click()
    assert download.value.suggested_filename == "parallel-run-2026-01.xlsx"
    with page.expect_download() as download:
        page.get_by_text("Báo cáo tháng").get_by_role("link", name="XLSX").click()
    assert download.value.suggested_filename == "monthly-2026-01.xlsx"
    page = hub.open(context, "mai", "/months/2026-01")
    expect(page.get_by_text("So với số của cơ quan BHXH")).to_have_count(0)


@pytest.mark.parametrize("path", ["/months", f"/months/{MONTH}"])
def test_no_size_scrolls_sideways(hub: Province, context: BrowserContext, path: str) -> None:
    for size in SIZES:
        page = hub.open(context, "lan", path, size)
        assert wide(page) <= 0, size


def test_the_pages_speak_english_and_nobody_without_an_account_sees_forms(
    hub: Province, context: BrowserContext
) -> None:
    page = hub.open(context, "huy", "/display?language=en&back=/months/2026-01")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("h1")).to_have_text("Month Jan 2026")
    assert page.locator("main form").count() == 0
    page = hub.open(context, "", "/months")
    expect(page).to_have_url(f"{hub.url}/login?next=%2Fmonths")
