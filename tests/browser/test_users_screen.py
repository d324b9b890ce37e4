"""Accounts at the staff screen: a newcomer's first password, roles, the lock, and decisions that need a signature."""

from collections.abc import Callable
from datetime import datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from kiosk.model import VIETNAM
from simulators.stack import Stack
from tests.browser.axe import barriers
from tests.browser.screens import DESK, PEOPLE

FRESH = "một mật khẩu thật dài"


def newcomer(staff: Page, name: str, role: str) -> str:
    """Made by the supervisor; returns the one-time password as the page tells it."""
    staff.locator("#account").click()
    form = staff.locator("form[name=add-user]")
    form.get_by_label("Tên đăng nhập của người mới").fill(name)
    for label in ("Tiếp đón", "Phụ trách", "Kỹ thuật"):
        form.get_by_label(label).set_checked(label == role)
    form.get_by_role("button", name="Thêm").click()
    expect(staff.locator(f"[data-user='{name}']")).to_contain_text("chưa đổi mật khẩu lần đầu")
    return staff.locator("#one-time code").inner_text()


def first_login(page: Page, name: str, once: str) -> None:
    page.get_by_label("Tên đăng nhập").fill(name)
    page.get_by_label("Mật khẩu").fill(once)
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_role("heading", name="Đổi mật khẩu")).to_be_visible()
    page.get_by_label("Mật khẩu (ít nhất").fill(FRESH)
    page.get_by_label("Nhập lại mật khẩu").fill(FRESH)
    page.get_by_role("button", name="Đổi mật khẩu").click()
    expect(page.locator("#rows")).to_be_visible()


@pytest.fixture
def second(chromium: Browser, stack: Stack):
    """Another browser at the staff screen, nobody signed in."""
    context = chromium.new_context()
    page = context.new_page()
    page.set_viewport_size(DESK)
    page.goto(stack.url("kiosk") + "/staff")
    yield page
    context.close()


def test_a_newcomer_chooses_a_password_and_sees_what_a_receptionist_may(staff: Page, second: Page) -> None:
    once = newcomer(staff, "Lan", "Tiếp đón")
    assert barriers(staff) == []
    first_login(second, "Lan", once)
    second.locator("#account").click()
    expect(second.get_by_role("heading", name="Mã PIN mở khoá nhanh")).to_be_visible()
    assert second.locator("#users").count() == 0
    assert barriers(second) == []
    forbidden = second.evaluate("fetch('/api/v1/staff/users').then((answer) => answer.status)")
    assert forbidden == 403


def test_a_locked_screen_shows_nobody_and_opens_with_the_pin(
    staff: Page, second: Page, open_page: Callable[[str, dict[str, int]], Page]
) -> None:
    once = newcomer(staff, "Hoa", "Tiếp đón")
    first_login(second, "Hoa", once)
    second.locator("#account").click()
    form = second.locator("form[name=pin]")
    form.get_by_label("Mật khẩu").fill(FRESH)
    form.get_by_label("Mã PIN", exact=True).fill("120394")
    form.get_by_role("button", name="Lưu mã PIN").click()
    expect(second.locator("#message")).to_have_text("Đã lưu.")
    second.locator("#lock").click()
    expect(second.get_by_role("heading", name="Màn hình đang khoá")).to_be_visible()
    assert second.locator("#rows").count() == 0 and barriers(second) == []
    second.get_by_label("Mã PIN hoặc mật khẩu").fill("000000")
    second.get_by_role("button", name="Mở khoá").click()
    expect(second.get_by_role("alert")).to_have_text("Tên đăng nhập hoặc mật khẩu không đúng.")
    second.reload()
    second.get_by_label("Mã PIN hoặc mật khẩu").fill("120394")
    second.get_by_role("button", name="Mở khoá").click()
    expect(second.locator("#rows")).to_be_visible()


def test_a_decision_against_the_answer_is_countersigned_by_somebody_else(staff: Page, second: Page) -> None:
    child = PEOPLE[2]
    born = child.birth_date(datetime.now(VIETNAM).date())
    staff.evaluate(
        """(entry) => fetch("/api/v1/staff/check-ins", {method: "POST", headers: {"Content-Type": "application/json"},
        body: JSON.stringify(entry)})""",
        {"number": child.card, "full_name": "Lê Bé Thử", "birth_date": born, "sex": None},
    )
    staff.locator("#rows button", has_text="L. B. Thử").click()
    form = staff.locator("[data-action=override]")
    form.get_by_label("Hình thức").select_option("self_pay")
    form.get_by_label("Dịch vụ").select_option("504")
    form.get_by_role("button", name="Đăng ký").click()
    expect(form.get_by_role("alert")).to_contain_text("Hãy chọn một lý do trong danh sách")
    form.get_by_label("Lý do").select_option("patient_pays")
    form.get_by_role("button", name="Đăng ký").click()
    expect(staff.locator("#message")).to_contain_text("Đã đăng ký. Số:")
    once = newcomer(staff, "Bình", "Phụ trách")
    own = staff.locator(".override").first
    expect(own).to_contain_text("Chờ ký đến hết")
    assert own.get_by_role("button").count() == 0  # nobody signs a decision of their own
    first_login(second, "Bình", once)
    second.locator("#account").click()
    second.get_by_role("button", name="Ký nhận").click()
    expect(second.locator(".override").first).to_contain_text("Bình đã ký nhận")
    assert barriers(second) == []
