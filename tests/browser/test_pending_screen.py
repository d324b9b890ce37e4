"""The tab of visits that the gateway has not answered, and the files that staff take from there."""

import contextlib
import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from simulators.stack import Stack
from tests.browser.screens import PEOPLE, name_on_card, qr, to_rooms, view


def test_a_visit_without_an_answer_is_listed_and_its_evidence_can_be_kept(
    stack: Stack, patient: Page, staff: Page, misbehave: Callable[..., None]
) -> None:
    misbehave("gateway", endpoint="lookup", mode="http_500_html")
    stack.tap(qr(15))
    view(patient, "confirm")
    patient.get_by_role("button", name="Đúng, là tôi").click()
    to_rooms(patient)
    patient.locator(".tile").first.click()
    view(patient, "done")
    expect(patient.locator(".receipt")).to_have_count(0)
    number = patient.locator(".ticket-number").inner_text()

    tab = staff.locator("#tab-pending")
    expect(tab).to_contain_text("Chưa tra được BHYT")
    expect(tab.locator(".badge")).not_to_have_text("0")
    tab.click()
    expect(tab).to_have_attribute("aria-pressed", "true")
    item = staff.locator("#rows li", has_text=number)
    expect(item).to_contain_text("Cổng BHYT báo lỗi")
    expect(staff.locator("#pending-state")).to_contain_text("cổng BHYT chưa trả lời")
    assert name_on_card(15) not in staff.content()

    with staff.expect_download() as csv:
        item.get_by_role("button", name="Bảng kê (CSV)").click()
    text = csv.value.path().read_text("utf-8-sig")
    assert csv.value.suggested_filename.endswith(".csv") and PEOPLE[15].citizen_id in text
    with staff.expect_download() as pdf:
        item.get_by_role("button", name="Bảng kê (PDF)").click()
    assert pdf.value.path().read_bytes().startswith(b"%PDF-")
    with staff.expect_download() as whole:
        staff.get_by_role("button", name="Tải bảng kê cả ngày (CSV)").click()
    assert PEOPLE[15].citizen_id in whole.value.path().read_text("utf-8-sig")

    item.locator("button[data-id]").click()
    expect(staff.locator("#facts h2")).to_be_focused()
    misbehave("gateway", endpoint="*", mode="normal")
    asked_again_until_answered(staff, staff.locator("#rows li", has_text=number))
    expect(staff.locator("#facts")).to_contain_text("Mã tra cứu thẻ")


def asked_again_until_answered(staff: Page, listed: Locator) -> None:
    """Press as a clerk does: after so many errors in a row the gateway is left alone for a minute."""
    deadline = time.monotonic() + 100
    while listed.count() > 0:
        assert time.monotonic() < deadline, "never answered"
        button = staff.locator("[data-action=recheck]").get_by_role("button")
        if button.is_visible() and button.is_enabled():
            button.click()
        with contextlib.suppress(AssertionError):
            expect(listed).to_have_count(0, timeout=4000)


def test_an_answered_visit_has_its_receipt_on_the_ticket_and_an_earlier_day_can_be_looked_at(
    stack: Stack, patient: Page, staff: Page
) -> None:
    stack.tap(qr(23))
    view(patient, "confirm")
    patient.get_by_role("button", name="Đúng, là tôi").click()
    to_rooms(patient)
    patient.locator(".tile").first.click()
    view(patient, "done")
    code = patient.locator(".receipt").inner_text()
    assert code.startswith("Mã tra cứu: ") and len(code) == len("Mã tra cứu: 7ZK3M-0QX9T")

    staff.locator("#tab-pending").click()
    staff.get_by_label("Ngày khám").fill("2020-01-02")
    expect(staff.locator("#pending-state")).to_have_text("Mọi lượt trong ngày đều đã có trả lời của cổng BHYT.")
    expect(staff.get_by_label("Ngày khám")).to_have_value("2020-01-02")
