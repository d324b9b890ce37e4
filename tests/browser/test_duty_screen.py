"""Officers at the staff screen: who answers, signing on and off, and the alarm when the insurer refuses one."""

import re

import httpx
from playwright.sync_api import Page, expect

from simulators.stack import Stack
from tests.browser.screens import qr, view


def gateway_says(stack: Stack, mode: str) -> None:
    body = {"endpoint": "lookup", "mode": mode}
    httpx.post(stack.url("gateway") + "/_sim/mode", json=body).raise_for_status()


def unfold(page: Page) -> None:
    """It stands open by itself while an officer is refused."""
    if page.locator("#duty").get_attribute("open") is None:
        page.locator("#duty summary").click()


def test_an_officer_signs_on_and_off(staff: Page) -> None:
    line = staff.locator("#duty summary")
    expect(line).to_contain_text("Cán bộ tra cứu: NGUYỄN CÁN BỘ THỬ (được chỉ định)")
    unfold(staff)
    staff.get_by_role("button", name="Vào ca").click()
    expect(staff.locator("#message")).to_contain_text("Đã ghi nhận cán bộ tra cứu")
    expect(line).to_contain_text(re.compile(r"vào ca \d\d:\d\d"))
    unfold(staff)
    staff.get_by_role("button", name="Hết ca").click()
    expect(line).to_contain_text("được chỉ định")
    assert "099085000001" not in staff.content()


def test_a_refused_officer_is_an_alarm_to_staff_and_no_fault_of_the_patient(
    stack: Stack, staff: Page, patient: Page
) -> None:
    gateway_says(stack, "officer_054")
    try:
        stack.tap(qr(29))
        view(patient, "confirm")
        patient.get_by_role("button", name="Đúng, là tôi").click()
        view(patient, "choose_service")
        expect(patient.locator("body")).not_to_contain_text("cán bộ")
        alarm = staff.locator("#duty .alarm")
        expect(alarm).to_contain_text("chưa có NGUYỄN CÁN BỘ THỬ trong danh sách")
        expect(alarm).to_contain_text("Người bệnh không có lỗi")
    finally:
        gateway_says(stack, "normal")
    staff.get_by_role("button", name="Đã sửa ở cổng, thử lại").click()
    expect(staff.locator("#message")).to_contain_text("Đã ghi nhận")
