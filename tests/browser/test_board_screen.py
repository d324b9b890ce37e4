"""Today's board on the staff screen (issue 8, 10)."""

from playwright.sync_api import Page, expect

from simulators.stack import Stack
from tests.browser.axe import barriers
from tests.browser.screens import qr, to_rooms, view


def test_the_day_stands_on_one_page(stack: Stack, patient: Page, staff: Page) -> None:
    staff.get_by_role("button", name="Bảng hôm nay").click()
    board = staff.locator("#board")
    expect(board.locator(".rate")).to_have_text("–")
    assert barriers(staff) == []
    staff.get_by_role("button", name="Quay lại danh sách").click()
    stack.tap(qr(1))
    view(patient, "confirm")
    patient.get_by_role("button", name="Đúng, là tôi").click()
    to_rooms(patient)
    patient.locator(".tile").first.click()
    view(patient, "done")
    staff.locator("#today-board").click()
    expect(board.locator(".rate")).to_have_text("100 %")
    expect(board).to_contain_text("1 trên 1 lượt khám BHYT")
    expect(board.locator(".causes li")).to_have_count(1)
    expect(board.locator(".todo .open")).to_have_count(0)
    assert barriers(staff) == []
    staff.locator("#board-back").click()
    expect(staff.locator("#rows")).to_be_visible()
