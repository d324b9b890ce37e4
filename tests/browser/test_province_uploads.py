"""Figures handed in as files on the page: a template, a file with faults, the right one, and what it changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.province_hub import SIZES, Province, province, wide

HEADINGS = "Mã cơ sở;Tên cơ sở;Ngày;Số lượt khám BHYT"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    with province(tmp_path_factory.mktemp("uploads")) as running:
        yield running


def check(page: Page, *rows: str, headings: str = HEADINGS) -> None:
    content = "\n".join([headings, *rows]).encode()
    page.locator("#file").set_input_files([{"name": "Số liệu.csv", "mimeType": "text/csv", "buffer": content}])
    page.get_by_role("button", name="Kiểm tra tệp").click()


def test_a_file_is_checked_mended_looked_at_and_counted(hub: Province, context: BrowserContext) -> None:
    page = hub.open(context, "mai", "/uploads")
    check(page, "93002;;32/03/2026;12", "93002;;07/03/2026;1.200")
    table = page.get_by_role("group", name="có 2 chỗ cần sửa")
    expect(table.get_by_role("row", name="2 3 (Ngày)")).to_contain_text("cần một ngày dạng ngày/tháng/năm")
    expect(table.get_by_role("row", name="3 4 (Số lượt khám BHYT)")).to_contain_text("cần một số nguyên")
    check(page, "93002;;02/03/2026;101", "93002;;07/03/2026;12")
    expect(page.get_by_role("status")).to_contain_text("2 số liệu sẽ thay đổi, 0 số liệu giữ nguyên")
    changes = page.get_by_role("region", name="Thay đổi trong tệp")
    expect(changes.get_by_role("row", name="02/03/2026")).to_contain_text("100 lượt khám BHYT 101 lượt khám BHYT")
    expect(changes.get_by_role("row", name="07/03/2026")).to_contain_text("chưa có 12 lượt khám BHYT")
    taken = page.get_by_role("group", name="Các tệp đã nộp")
    expect(taken.get_by_role("row")).to_have_count(3)  # the heading, and what the province handed in before
    page.get_by_role("button", name="Tính 2 số liệu này").click()
    page.wait_for_url("**/uploads?counted=2#told")
    expect(page.get_by_role("status")).to_have_text("Đã tính 2 số liệu. Tỷ lệ đã được cập nhật.")
    expect(taken.get_by_role("row", name="mai")).to_contain_text("93002")
    check(page, "93002;;07/03/2026;12")
    expect(page.get_by_role("status")).to_contain_text("không có gì mới")
    expect(page.get_by_role("button", name="Tính")).to_have_count(0)
    page.goto(f"{hub.url}/months/2026-03")
    expect(page.locator(".figure.main")).to_contain_text("95 / 113")


def test_a_facility_hands_in_nothing_for_another(hub: Province, context: BrowserContext) -> None:
    page = hub.open(context, "mai", "/uploads")
    check(page, "93003;;07/03/2026;12")
    expect(page.get_by_role("group", name="có 1 chỗ cần sửa")).to_contain_text("dòng này là của cơ sở khác")
    expect(page.get_by_role("group", name="Các tệp đã nộp")).not_to_contain_text("93003")


def test_the_template_is_what_the_form_takes(hub: Province, context: BrowserContext, tmp_path: Path) -> None:
    page = hub.open(context, "lan", "/uploads")
    page.locator("#template-kind").select_option("portal_file")
    page.get_by_label("Từ ngày").fill("2026-03-02")
    page.get_by_label("Đến ngày").fill("2026-03-02")
    with page.expect_download() as download:
        page.get_by_role("button", name="Tải mẫu").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    book = load_workbook(path)
    row = next(row for row in book.active.iter_rows(min_row=2) if row[0].value == "93004")
    row[3].value = 77
    book.save(path)
    page.locator("#kind").select_option("portal_file")
    page.locator("#file").set_input_files(path)
    page.get_by_role("button", name="Kiểm tra tệp").click()
    expect(page.get_by_role("status")).to_contain_text("1 số liệu sẽ thay đổi")
    expect(page.get_by_role("region", name="Thay đổi")).to_contain_text("77 lượt khám BHYT")


def test_a_viewer_has_no_form_a_stranger_no_page_and_no_size_scrolls_sideways(
    hub: Province, context: BrowserContext
) -> None:
    page = hub.open(context, "huy", "/uploads")
    assert page.locator("main form").count() == 0
    for size in SIZES:
        assert wide(hub.open(context, "lan", "/uploads", size)) <= 0, size
    expect(hub.open(context, "", "/uploads")).to_have_url(f"{hub.url}/login?next=%2Fuploads")
