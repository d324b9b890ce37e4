"""The staff screen: who waits and why, what can be done about it, and what is never lost or left behind."""

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from simulators.his_c06_answers import REGISTER
from simulators.stack import Stack
from tests.browser.screens import DESK, PEOPLE, name_on_card, qr, sign_in, until, view


def registrations(stack: Stack) -> int:
    return int(httpx.get(stack.url("his") + "/_sim/registrations").json()["count"])


def refreshed(page: Page) -> None:
    """Wait for a whole round of refreshing that begins after now."""
    for _ in range(2):
        with page.expect_response(lambda answer: answer.url.endswith("/api/v1/staff/status")):
            pass


def enter(page: Page, number: str, name: str = "", born: str = "") -> None:
    page.get_by_role("button", name="Nhập tay", exact=True).click()
    page.get_by_label("Số giấy tờ").fill(number)
    page.get_by_label("Họ và tên").fill(name)
    page.get_by_label("Ngày sinh").fill(born)
    page.get_by_role("button", name="Tiếp nhận").click()


def entered(page: Page, number: int, born: str = "") -> None:
    person = PEOPLE[number]
    enter(page, person.citizen_id or person.card or "", person.name.title(), born or person.born)
    expect(page.locator("#message")).to_contain_text("Đã tiếp nhận, số K")


def action(page: Page, name: str) -> Locator:
    return page.locator(f"[data-action={name}]")


def register(page: Page, decision: str, service: str) -> None:
    form = action(page, "override")
    form.get_by_label("Hình thức").select_option(decision)
    form.get_by_label("Dịch vụ").select_option(service)
    form.get_by_role("button", name="Đăng ký").click()


def test_a_wrong_password_is_told_and_forgotten_then_the_right_one_opens(
    stack: Stack, open_page: Callable[[str, dict[str, int]], Page]
) -> None:
    page = open_page(stack.url("kiosk") + "/staff", DESK)
    page.get_by_label("Tên đăng nhập").fill("demo")
    page.get_by_label("Mật khẩu").fill("not this")
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_role("alert")).to_have_text("Tên đăng nhập hoặc mật khẩu không đúng.")
    expect(page.get_by_label("Mật khẩu")).to_have_value("")
    sign_in(page)
    page.get_by_role("button", name="Đăng xuất").click()
    expect(page.get_by_label("Mật khẩu")).to_be_visible()
    assert page.locator("#rows").count() == 0


def test_who_was_sent_to_the_desk_stands_in_the_list_and_is_registered_there(
    stack: Stack, patient: Page, staff: Page
) -> None:
    stack.tap(qr(30))  # the insurer's sex differs from the card's
    view(patient, "confirm")
    patient.get_by_role("button", name="Đúng, là tôi").click()
    view(patient, "needs_staff")
    number = patient.locator(".ticket-number").inner_text()
    row = staff.locator("#rows button", has_text=number)
    expect(row).to_contain_text("Giới tính ở cổng khác giấy tờ")
    expect(row).to_contain_text("S. V. Lệch")
    assert name_on_card(30) not in staff.content()
    row.click()
    expect(staff.locator("#why")).to_contain_text("Hãy so giấy tờ với thẻ BHYT")
    expect(staff.locator("#facts")).to_contain_text("HIS có hồ sơ cùng số nhưng khác")
    before = registrations(stack)
    action(staff, "override").get_by_label("Hồ sơ trong HIS").select_option("known")
    register(staff, "insured", "501")
    expect(staff.locator("#message")).to_contain_text("Đã đăng ký. Số:")
    assert registrations(stack) == before + 1
    expect(staff.locator("#rows button", has_text=number)).to_have_count(0)
    expect(action(staff, "override")).to_have_count(0)


def test_a_number_alone_asks_the_hospital_first_then_for_name_and_birth_date(staff: Page) -> None:
    enter(staff, "12345")
    expect(staff.get_by_role("alert")).to_contain_text("10, 12, 15 hoặc 17 ký tự")
    staff.get_by_label("Số giấy tờ").fill("099190000088")
    staff.get_by_role("button", name="Tiếp nhận").click()
    expect(staff.get_by_role("alert")).to_contain_text("nhập thêm họ tên và ngày sinh")
    expect(staff.get_by_label("Số giấy tờ")).to_have_value("099190000088")
    staff.get_by_label("Họ và tên").fill("Trần Thị Tám Tám")
    staff.get_by_label("Ngày sinh").fill("31/02/1990")
    staff.get_by_role("button", name="Tiếp nhận").click()
    expect(staff.get_by_role("alert")).to_contain_text("Ngày sinh không đúng")
    staff.get_by_label("Ngày sinh").fill("01/02/1990")
    staff.get_by_role("button", name="Tiếp nhận").click()
    expect(staff.locator("#message")).to_contain_text("Đã tiếp nhận, số K")
    expect(staff.locator("#facts")).to_contain_text("T. T. T. Tám")


def test_a_child_comes_in_by_card_number(staff: Page) -> None:
    child = PEOPLE[22]
    enter(staff, child.card or "", child.name.title(), "2025")
    expect(staff.locator("#message")).to_contain_text(re.compile("Đã tiếp nhận, số K|Người này đã lấy số hôm nay"))
    expect(staff.locator("#facts")).to_contain_text("số thẻ, nhập tay")
    expect(staff.locator("#facts")).to_contain_text("Mức hưởng100 %, không giới hạn")
    expect(staff.locator("#facts")).not_to_contain_text("trẻ em dưới 6 tuổi")
    staff.get_by_role("button", name="Hiện đầy đủ").click()
    expect(staff.locator(".reveal")).to_contain_text("TE – trẻ em dưới 6 tuổi")


def test_the_full_person_is_shown_on_demand_and_kept_in_the_audit(staff: Page) -> None:
    entered(staff, 7)
    person = PEOPLE[7]
    assert person.citizen_id is not None
    assert person.citizen_id not in staff.content()
    staff.get_by_role("button", name="Hiện đầy đủ").click()
    expect(staff.locator(".reveal")).to_contain_text(person.citizen_id)
    expect(staff.locator(".reveal")).to_contain_text("Bùi Văn Quân")
    expect(staff.locator(".audit")).to_contain_text("demo: xem đầy đủ", timeout=10_000)
    staff.get_by_role("button", name="Ẩn lại").click()
    assert person.citizen_id not in staff.content()


def test_what_is_being_typed_survives_the_refreshes(staff: Page) -> None:
    entered(staff, 8)
    note = action(staff, "note").get_by_label("Ghi chú")
    note.click()
    note.press_sequentially("Chờ giấy tờ", delay=90)  # at the speed of a hand
    calls: list[str] = []
    staff.on("request", lambda request: calls.append(request.url))
    refreshed(staff)
    expect(note).to_be_focused()
    note.press_sequentially(" của con", delay=90)
    expect(note).to_have_value("Chờ giấy tờ của con")
    note.press("Enter")
    expect(staff.locator(".audit")).to_contain_text("ghi chú – Chờ giấy tờ của con")
    assert calls and [url for url in calls if str(PEOPLE[8].citizen_id) in url] == []


@pytest.mark.parametrize("found", [True, False], ids=["found there", "not there"])
def test_a_lost_answer_of_the_hospital_is_settled_by_staff(
    stack: Stack, staff: Page, misbehave: Callable[..., None], found: bool
) -> None:
    entered(staff, 16 if found else 17)
    misbehave("his", endpoint=REGISTER, mode="http_500_after", times=1)
    register(staff, "self_pay", "506")
    expect(staff.locator("#why")).to_contain_text("Mất trả lời của HIS khi đăng ký")
    expect(action(staff, "override")).to_have_count(0)
    if found:
        form = action(staff, "found")
        form.get_by_label("Mã lượt khám trong HIS").fill("TN-1")
        form.get_by_label("Số thứ tự").fill("77")
        form.get_by_role("button", name="Đã có trong HIS").click()
        expect(staff.locator("#facts .ticket")).to_have_text("77")
    else:
        before = registrations(stack)
        action(staff, "push").get_by_role("button", name="Không có trong HIS – gửi lại").click()
        until(lambda: registrations(stack) == before + 1)
    expect(staff.locator("#facts")).to_contain_text("đã đăng ký trong HIS")
    expect(staff.locator("#why")).to_have_count(0)


def test_a_cancelled_visit_leaves_the_list(staff: Page) -> None:
    entered(staff, 19)
    number = staff.locator("#facts .ticket").inner_text()
    form = action(staff, "cancel")
    form.get_by_label("Lý do huỷ").fill("Người bệnh về")
    form.get_by_role("button", name="Huỷ lượt này").click()
    expect(staff.locator("#facts")).to_contain_text("đã huỷ")
    expect(staff.locator("#rows button", has_text=number)).to_have_count(0)
    expect(staff.locator(".audit")).to_contain_text("huỷ lượt – Người bệnh về")
    expect(action(staff, "cancel")).to_have_count(0)
    staff.locator("#tab-today").click()
    expect(staff.locator("#rows button", has_text=number)).to_contain_text("đã huỷ")


def test_the_list_is_searched_by_name_and_by_the_end_of_a_number(staff: Page) -> None:
    entered(staff, 20)
    for words in ("thị tăng", "to thi tang", "000020"):
        staff.get_by_role("searchbox").fill(words)
        staff.get_by_role("button", name="Tìm").click()
        expect(staff.locator("#rows")).to_contain_text("Kết quả tìm: 1")
        expect(staff.locator("#rows button")).to_contain_text("T. T. Tăng")
    staff.get_by_role("searchbox").fill("không ai tên thế")
    staff.get_by_role("button", name="Tìm").click()
    expect(staff.locator("#rows")).to_contain_text("Không tìm thấy ai hôm nay.")


def test_a_name_with_markup_stays_text(staff: Page) -> None:
    name = "Trần <img/src=x/onerror=alert(1)>"
    enter(staff, "099190000099", name, "1990")
    expect(staff.locator("#facts h2")).to_contain_text("<img/src=x/onerror=alert(1)>")
    staff.get_by_role("button", name="Hiện đầy đủ").click()
    expect(staff.locator(".reveal")).to_contain_text(name)
    assert staff.locator("#content img").count() == 0


def test_a_refused_account_is_an_alarm_in_plain_words(
    stack: Stack, staff: Page, misbehave: Callable[..., None]
) -> None:
    misbehave("gateway", endpoint="lookup", mode="code:403")
    entered(staff, 21)
    expect(staff.locator("#status .alarm")).to_contain_text("Tài khoản của cơ sở không có quyền tra cứu")
    misbehave("gateway", endpoint="*", mode="normal")
    action(staff, "recheck").get_by_role("button", name="Tra thẻ lại").click()
    expect(staff.locator("#message")).to_contain_text("Đã hỏi cổng: Chưa tìm thấy thẻ còn hạn")
    expect(staff.locator("#status .alarm")).to_have_count(0)


def test_staff_ask_again_with_the_number_of_a_paper_card(stack: Stack, staff: Page) -> None:
    entered(staff, 13)
    asking = action(staff, "recheck")
    number = asking.get_by_label("Số thẻ BHYT hoặc mã số BHXH")
    number.fill("12345")
    asking.get_by_role("button", name="Tra thẻ lại").click()
    expect(asking.get_by_role("alert")).to_contain_text("Cần 10, 12, 15 hoặc 17 ký tự")
    number.fill(PEOPLE[13].card or "")
    asking.get_by_role("button", name="Tra thẻ lại").click()
    expect(staff.locator("#message")).to_contain_text("Đã hỏi cổng: Chưa tìm thấy thẻ còn hạn")
    calls = httpx.get(stack.url("gateway") + "/_sim/calls").json()
    assert [call["query_kind"] for call in calls if call["endpoint"] == "lookup"][-1] == "BHYT_15"


def test_a_scanner_that_drops_accents_is_an_alarm_in_plain_words(staff: Page) -> None:
    def damaged(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"scanner_fault": "accents"})

    alarm = staff.locator("#status .alarm", has_text="Máy quét đang bỏ dấu tiếng Việt")
    expect(alarm).to_have_count(0)
    staff.route("**/api/v1/staff/status", damaged)
    expect(alarm).to_be_visible()
    staff.unroute("**/api/v1/staff/status")
    expect(alarm).to_have_count(0)


def test_the_list_is_worked_with_keys_alone(staff: Page) -> None:
    entered(staff, 26)
    staff.locator("#tab-today").focus()
    staff.keyboard.press("Enter")
    expect(staff.locator("#tab-today")).to_have_attribute("aria-pressed", "true")
    row = staff.locator("#rows button").first
    row.focus()
    refreshed(staff)
    expect(row).to_be_focused()
    staff.keyboard.press("Enter")
    expect(staff.locator("#facts h2")).to_be_focused()
