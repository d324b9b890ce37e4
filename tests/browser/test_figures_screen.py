"""Figures of days at the staff screen: a day entered by hand, a file handed in, wrong cells told in words."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

from kiosk.day_figures_file import HEADINGS
from kiosk.model import local_day

HEAD = ";".join(HEADINGS)


def opened(staff: Page) -> str:
    staff.get_by_role("button", name="Số liệu ngày").click()
    expect(staff.get_by_role("heading", name="Số lượt khám BHYT và số lần tra cứu từng ngày")).to_be_visible()
    return str(local_day(datetime.now(UTC)))


def test_a_day_is_entered_by_hand_and_the_desk_comes_back(staff: Page) -> None:
    day = opened(staff)
    button = staff.locator(f"[data-day='{day}']")
    button.click()
    form = staff.locator("tr.open form")
    form.get_by_label("Lượt khám BHYT").fill("57")
    form.get_by_label("Lần tra cứu tại quầy").fill("3")
    form.get_by_role("button", name="Lưu").click()
    expect(staff.locator("#message")).to_have_text("ba cột tra cứu phải điền cả hoặc để trống cả.")
    form.get_by_label("Lượt đã tra cứu").fill("3")
    form.get_by_label("Lượt tra cứu được").fill("2")
    form.get_by_role("button", name="Lưu").click()
    expect(staff.locator("#message")).to_contain_text("Đã lưu số liệu ngày")
    row = staff.locator("tr", has=button)
    expect(row).to_contain_text("57")
    expect(row).to_contain_text("nhân viên nhập")
    expect(button).to_have_text("Sửa")
    staff.get_by_role("button", name="Quay lại danh sách").click()
    expect(staff.locator("#tab-waiting")).to_be_visible()


def test_a_file_with_a_wrong_cell_is_told_where_and_the_mended_one_is_taken(staff: Page, tmp_path: Path) -> None:
    yesterday = datetime.fromisoformat(opened(staff)) - timedelta(days=1)
    file = tmp_path / "so-lieu.csv"
    file.write_text(f"{HEAD}\n{yesterday:%d/%m/%Y};1.200;;;\n", "utf-8")
    staff.get_by_label("Tệp số liệu").set_input_files(file)
    staff.get_by_role("button", name="Nhận tệp").click()
    expect(staff.locator("#figure-problems")).to_contain_text(
        "Dòng 2, cột Lượt khám BHYT: phải là số nguyên, không có dấu chấm hay dấu phẩy."
    )
    file.write_text(f"{HEAD}\n{yesterday:%d/%m/%Y};1200;;;\n", "utf-8")
    staff.get_by_label("Tệp số liệu").set_input_files(file)
    staff.get_by_role("button", name="Nhận tệp").click()
    expect(staff.locator("#message")).to_have_text("Đã nhận tệp: 1 số liệu mới.")
    expect(staff.locator("#figure-problems")).to_be_empty()
    with staff.expect_download() as template:
        staff.get_by_role("button", name="Tải mẫu XLSX").click()
    assert template.value.path().read_bytes().startswith(b"PK")
