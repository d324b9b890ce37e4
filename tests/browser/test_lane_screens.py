"""Who does not come alone with a card, on the real screens; the others beside them stay as they are."""

import pytest
from playwright.sync_api import Page, expect

from kiosk.web.pages import OTHER_LANGUAGES, texts
from simulators.stack import Stack
from tests.browser.axe import barriers
from tests.browser.screens import name_on_card, qr, to_rooms, view
from tests.browser.test_patient_screen import traces

CHILD, CHILD_BORN = "099219000031", "05052019"
MOTHER, FATHER = 6, 15


def press(page: Page, digits: str, then: str) -> None:
    for digit in digits:
        page.locator(".keypad").get_by_role("button", name=digit, exact=True).click()
    page.locator(".keypad").get_by_role("button", name=then).click()


def settled(page: Page) -> None:
    """A view takes no touch in its first moment."""
    expect(page.locator("#screen:not([inert])")).to_have_count(1)


def home(page: Page) -> None:
    """Leave whatever stands there."""
    page.get_by_role("button", name="Thôi, không lấy số").click()
    view(page, "idle")


def test_a_mother_her_code_first_then_the_childs_number_and_the_fathers_card_by_mistake(
    stack: Stack, patient: Page, staff: Page
) -> None:
    patient.bring_to_front()  # a page behind another one draws slowly
    stack.tap(qr(MOTHER))
    view(patient, "confirm")
    patient.get_by_role("button", name="Tôi đưa con đi khám").click()
    view(patient, "for_other")
    assert barriers(patient) == []
    stack.tap(qr(FATHER))
    expect(patient.locator("h1")).to_contain_text("Đó là giấy tờ của người lớn")
    patient.get_by_role("button", name="bấm số định danh").click()
    view(patient, "no_card")
    press(patient, CHILD, "Tiếp")
    press(patient, CHILD_BORN, "Xong")
    view(patient, "confirm")
    expect(patient.locator(".person")).to_contain_text("2019")
    patient.get_by_role("button", name="Đúng, là con tôi").click()
    to_rooms(patient)
    patient.locator(".tile").first.click()
    view(patient, "done")
    for parent in (MOTHER, FATHER):
        assert name_on_card(parent) not in traces(patient)
    patient.get_by_role("button", name="Xong").click()
    view(patient, "idle")
    kept = traces(patient)
    assert [word for word in (CHILD, "BÉ CÓ SỐ", "Bé Có Số") if word in kept] == []
    found = staff.evaluate("async () => (await (await fetch('/api/v1/staff/check-ins')).json()).check_ins")
    mine = [each for each in found if each["lane"] == "guardian"]
    assert len(mine) == 1 and "2019" in str(mine[0]["identity"])
    listed = str(found)
    assert all(qr(parent).decode().split("|")[0][-3:] not in str(mine) for parent in (MOTHER, FATHER))
    assert name_on_card(MOTHER) not in listed and name_on_card(FATHER) not in listed


def test_an_emergency_is_one_touch_and_staff_hear_of_it(stack: Stack, patient: Page, staff: Page) -> None:
    patient.get_by_role("button", name="Cấp cứu").click()
    view(patient, "emergency")
    assert barriers(patient) == []
    expect(staff.locator(".call.emergency")).to_contain_text("CẤP CỨU", timeout=15_000)
    staff.locator(".call.emergency").get_by_role("button", name="Đã có người đến").click()
    expect(staff.locator(".call.emergency")).to_have_count(0)
    staff.keyboard.press("F9")
    expect(staff.locator("#message")).to_contain_text("Đã nhận ca cấp cứu, số K-")
    expect(staff.locator("form[name=identify]")).to_be_visible()
    assert barriers(staff) == []
    staff.locator("form[name=identify] [name=number]").fill("099077000013")
    staff.locator("form[name=identify] button").click()
    expect(staff.locator("#message")).to_contain_text("Đã ghi tên người bệnh")
    patient.bring_to_front()
    patient.get_by_role("button", name="Không phải cấp cứu").click()
    view(patient, "idle")


def test_without_a_card_the_number_goes_to_the_desk_with_its_answer(stack: Stack, patient: Page) -> None:
    patient.get_by_role("button", name="Không mang thẻ").click()
    view(patient, "no_card")
    expect(patient.locator("#screen")).to_contain_text("VNeID")
    patient.get_by_role("button", name="Tôi nhớ số").click()
    press(patient, "099048000005", "Tiếp")
    press(patient, "31021948", "Xong")
    expect(patient.locator(".hint")).to_contain_text("Ngày sinh chưa đúng")
    for _ in range(8):
        patient.get_by_role("button", name="Xoá").click()
    press(patient, "1948", "Xong")
    view(patient, "needs_staff")
    expect(patient.locator(".ticket-number")).to_contain_text("K-")
    assert "099048000005" not in traces(patient)
    patient.get_by_role("button", name="Xong").click()
    view(patient, "idle")


@pytest.mark.parametrize("language", ["vi", *OTHER_LANGUAGES])
def test_every_way_is_offered_in_every_language_and_by_keyboard(patient: Page, language: str) -> None:
    words = texts(language)["patient"]
    patient.locator(f"[data-language={language}]").click()
    for way, shown in (("child", "for_other"), ("helper", "for_other"), ("no_card", "no_card"), ("staff", "called")):
        settled(patient)
        patient.get_by_role("button", name=words["lanes"][way], exact=True).press("Enter")
        view(patient, shown)
        settled(patient)
        assert barriers(patient) == []
        leave = words["lanes"]["back"] if shown == "called" else words["choose"]["cancel"]
        patient.get_by_role("button", name=leave).press("Enter")
        view(patient, "idle")
        patient.locator(f"[data-language={language}]").click()


def test_more_time_keeps_what_was_typed(patient: Page) -> None:
    patient.get_by_role("button", name="Không mang thẻ").click()
    patient.get_by_role("button", name="Tôi nhớ số").click()
    patient.locator(".keypad").get_by_role("button", name="7", exact=True).click()
    before = patient.locator("#clears").inner_text()
    patient.wait_for_timeout(1200)
    assert patient.locator("#clears").inner_text() != before
    patient.evaluate("const more = document.getElementById('more-time'); more.disabled = false; more.click()")
    expect(patient.locator("#clears")).to_contain_text("90")
    expect(patient.locator(".digits")).to_contain_text("7")
    home(patient)
