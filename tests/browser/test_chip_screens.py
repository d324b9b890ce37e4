"""The chip of the card on both screens: laid down, read, not read, and what staff are told. The reader is simulated."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from simulators.stack import Stack, free_base
from tests.browser.screens import PEOPLE, UPRIGHT, name_on_card, qr, to_rooms, view

SKIP = "Tôi không đặt thẻ được"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A kiosk with a card reader, whose staff may glance at portraits."""
    policy = {"confirm_seconds": 15, "choose_seconds": 30, "done_seconds": 12, "staff_seconds": 12, "number_wait": 3}
    config = {"policy": policy, "card": {"portrait": True, "place_seconds": 8}}
    folder = tmp_path_factory.mktemp("stack")
    with Stack(folder, free_base(), config=config, with_province=False, with_card=True) as running:
        yield running


@pytest.fixture(autouse=True)
def empty_reader(stack: Stack) -> Iterator[None]:
    """No card is left lying for the next test."""
    yield
    stack.take_away()


def number_of(person: int) -> str:
    return str(PEOPLE[person].citizen_id)


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words, exact=True).click()


def type_number(page: Page, digits: str) -> None:
    for digit in digits:
        press(page, digit)


def to_idle(page: Page) -> None:
    press(page, "Không phải")
    view(page, "idle")


def open_in_list(staff: Page, ticket: str, tab: str) -> None:
    staff.get_by_role("button", name=re.compile(tab)).click()
    staff.locator("#rows button", has_text=ticket).click()
    expect(staff.locator("#facts")).to_be_visible()


def test_scan_then_lay_and_staff_are_told_nothing_special(stack: Stack, patient: Page, staff: Page) -> None:
    expect(patient.locator(".steps")).to_contain_text("đặt thẻ lên đầu đọc")
    expect(patient.locator(".privacy")).to_contain_text("Máy cũng đọc chip")
    stack.tap(qr(1))
    view(patient, "place_card")
    expect(patient.locator("h1")).to_contain_text("Mời đặt thẻ")
    expect(patient.locator(".how")).to_contain_text(number_of(1)[-3:])
    assert number_of(1) not in patient.content()
    stack.lay(1)
    view(patient, "confirm")
    expect(patient.locator(".person")).to_contain_text("Trần Thị Mẫu")
    expect(patient.locator(".person")).not_to_contain_text("chip")
    press(patient, "Đúng, là tôi")
    view(patient, "choose_service")
    press(patient, "Khám Nội - phòng 101")
    view(patient, "done")
    expect(patient.locator(".ticket")).to_contain_text("lấy lại thẻ")
    ticket = patient.locator(".ticket-number").inner_text()
    press(patient, "Xong")
    view(patient, "forgotten_card")
    expect(patient.locator("h1")).to_have_text("Xin lấy lại thẻ trên đầu đọc")
    stack.take_away()
    view(patient, "idle")

    open_in_list(staff, ticket, "Hôm nay")
    row = staff.locator("#rows button", has_text=ticket)
    expect(row).not_to_contain_text(re.compile("chip", re.IGNORECASE))
    expect(staff.locator("#facts")).to_contain_text("chip căn cước")
    expect(staff.locator("#why")).to_have_count(0)
    expect(staff.locator("#verdict")).to_have_text(re.compile("^Chip thật:"))
    expect(staff.locator(".chip dl")).not_to_be_visible()
    staff.locator(".chip summary").click()
    expect(staff.locator(".chip dl")).to_contain_text("Chứng thư nơi cấp")
    expect(staff.locator(".chip")).to_contain_text("không nói người cầm thẻ có phải chủ thẻ")


def test_who_cannot_lay_the_card_goes_on_with_the_code(stack: Stack, patient: Page, staff: Page) -> None:
    stack.tap(qr(3))
    view(patient, "place_card")
    press(patient, SKIP)
    view(patient, "confirm")
    expect(patient.locator(".person")).not_to_contain_text("chip")
    press(patient, "Đúng, là tôi")
    to_rooms(patient)
    patient.locator(".tile").first.click()
    view(patient, "done")
    ticket = patient.locator(".ticket-number").inner_text()
    press(patient, "Xong")
    open_in_list(staff, ticket, "Hôm nay")
    expect(staff.locator("#facts")).to_contain_text("người bệnh chọn dùng mã QR")
    expect(staff.locator(".chip")).to_have_count(0)
    view(patient, "idle")


def test_who_does_nothing_goes_on_with_the_code_too(stack: Stack, patient: Page) -> None:
    stack.tap(qr(5))
    view(patient, "place_card")
    expect(patient.locator("#clears")).to_have_text(re.compile(r"sau \d+ giây máy dùng mã QR"))
    view(patient, "confirm")
    to_idle(patient)


def test_staff_are_one_touch_away_from_the_card_too(stack: Stack, patient: Page) -> None:
    stack.tap(qr(6))
    view(patient, "place_card")
    press(patient, "Gặp nhân viên")
    view(patient, "needs_staff")
    press(patient, "Xong")
    stack.take_away()
    view(patient, "idle")


def test_the_card_first_then_its_number_on_the_screen(stack: Stack, patient: Page) -> None:
    stack.lay(7)
    view(patient, "need_number")
    assert patient.locator("input, textarea").count() == 0
    patient.keyboard.type("123")  # a scanner that types must not fill in a number
    expect(patient.locator(".digits")).not_to_contain_text(re.compile(r"\d"))
    done = patient.get_by_role("button", name="Xong", exact=True)
    type_number(patient, number_of(7)[:11] + "0")
    expect(done).to_be_enabled()
    press(patient, "Xoá")
    expect(done).to_be_disabled()
    press(patient, number_of(7)[11])
    expect(patient.locator(".digits")).to_have_text(number_of(7))
    press(patient, "Xong")
    view(patient, "confirm")
    assert number_of(7) not in patient.content()
    expect(patient.locator(".person .name")).to_have_text(name_on_card(7))
    to_idle(patient)


def test_a_number_that_is_not_of_this_card_is_asked_for_again(stack: Stack, patient: Page) -> None:
    stack.lay(13)
    view(patient, "need_number")
    type_number(patient, number_of(13)[:6] + "654321")
    press(patient, "Xong")
    expect(patient.locator(".hint")).to_have_text("Số chưa khớp với thẻ. Xin bấm lại.")
    expect(patient.locator(".digits")).not_to_contain_text(re.compile(r"\d"))
    type_number(patient, number_of(13))
    press(patient, "Xong")
    view(patient, "confirm")
    to_idle(patient)


def test_the_card_first_then_its_code(stack: Stack, patient: Page) -> None:
    stack.lay(8)
    view(patient, "need_number")
    stack.tap(qr(8))
    view(patient, "confirm")
    to_idle(patient)


def test_a_number_that_cannot_be_is_told_kindly_and_can_be_put_right(stack: Stack, patient: Page) -> None:
    stack.lay(9)
    view(patient, "need_number")
    type_number(patient, number_of(9))
    refused = {"status": 422, "json": {"error": "BAD_ID_NUMBER"}}
    patient.route("**/api/v1/station/answer", lambda route: route.fulfill(**refused))
    press(patient, "Xong")
    expect(patient.locator(".hint")).to_have_text("Số chưa đúng. Xin xem lại từng số.")
    expect(patient.locator(".digits")).to_have_text(number_of(9))
    patient.unroute("**/api/v1/station/answer")
    press(patient, "Xoá")
    expect(patient.locator(".hint")).to_be_empty()
    press(patient, number_of(9)[11])
    press(patient, "Xong")
    view(patient, "confirm")
    to_idle(patient)


@pytest.mark.parametrize(
    ("person", "laid", "mode", "words"),
    [
        (10, 10, "not_an_emrtd", "Thẻ này không có chip để máy đọc"),
        (11, 12, "genuine", "Thẻ trên đầu đọc có thể là thẻ khác"),
        (12, 12, "bac_only", "Máy chưa đọc được chip"),
    ],
    ids=["no chip", "another card", "refused"],
)
def test_a_card_that_cannot_be_read_is_told_kindly_and_the_code_is_enough(
    stack: Stack, patient: Page, person: int, laid: int, mode: str, words: str
) -> None:
    stack.tap(qr(person))
    view(patient, "place_card")
    stack.lay(laid, mode)
    expect(patient.locator("h1")).to_have_text(words)
    press(patient, SKIP)
    view(patient, "confirm")
    expect(patient.locator(".person")).to_contain_text("Máy chưa đọc được chip. Mã QR vẫn dùng được.")
    to_idle(patient)


def test_a_card_that_is_pulled_away_is_asked_for_again(stack: Stack, patient: Page) -> None:
    stack.tap(qr(18))
    view(patient, "place_card")
    stack.lay(18, "pulled")
    expect(patient.locator("h1")).to_contain_text("Xin để yên thẻ")
    stack.take_away()
    stack.lay(18)
    view(patient, "confirm")
    to_idle(patient)


@pytest.mark.parametrize(
    ("person", "mode", "why", "verdict"),
    [
        (19, "dg13_tampered", "Không thể tin dữ liệu trong chip này", "không thể tin chip này"),
        (20, "aa_wrong_signature", "chưa chứng minh được nó là chip gốc", "có thể là bản sao"),
    ],
    ids=["forged", "copied"],
)
def test_a_doubtful_chip_is_on_the_staff_list_and_the_patient_is_not_accused(
    stack: Stack, patient: Page, staff: Page, person: int, mode: str, why: str, verdict: str
) -> None:
    stack.tap(qr(person))
    view(patient, "place_card")
    stack.lay(person, mode)
    view(patient, "needs_staff")
    expect(patient.locator("main")).not_to_contain_text(re.compile("chip|thẻ giả|bản sao"))
    ticket = patient.locator(".ticket-number").inner_text()
    open_in_list(staff, ticket, "Cần nhân viên")
    expect(staff.locator("#why")).to_contain_text(why)
    expect(staff.locator("#why")).to_contain_text("có khi")
    expect(staff.locator("#verdict")).to_contain_text(verdict)
    staff.locator(".chip summary").click()
    expect(staff.locator(".chip dl")).to_contain_text("không đạt")
    press(patient, "Xong")
    stack.take_away()
    view(patient, "idle")


def test_staff_compare_the_portrait_with_the_person(stack: Stack, patient: Page, staff: Page) -> None:
    stack.tap(qr(21))
    view(patient, "place_card")
    stack.lay(21)
    view(patient, "confirm")
    staff.get_by_role("button", name=re.compile("Hôm nay")).click()
    staff.locator("#rows button", has_text=number_of(21)[-3:]).first.click()
    portrait = staff.locator(".portrait canvas")
    expect(portrait).to_be_visible()
    expect(portrait).not_to_have_js_property("width", 300)  # the size of an empty one
    expect(staff.locator(".audit")).to_contain_text("xem ảnh trong chip")
    press(staff, "Không giống")
    expect(staff.locator("#message")).to_contain_text("Đã ghi: ảnh không giống")
    expect(staff.locator(".portrait")).to_have_count(0)
    expect(staff.locator("#why")).to_contain_text("Nhân viên thấy ảnh trong chip không giống")
    expect(staff.locator("#facts")).to_contain_text("nhân viên đã xem")
    to_idle(patient)


def test_without_the_card_reader_nobody_is_asked_for_the_chip(stack: Stack, patient: Page) -> None:
    assert stack.card_reader is not None
    stack.card_reader.unplug()
    try:
        expect(patient.locator(".steps")).not_to_contain_text("đầu đọc")
        stack.tap(qr(26))
        view(patient, "confirm")
        to_idle(patient)
    finally:
        stack.card_reader.plug()
    expect(patient.locator(".steps")).to_contain_text("đầu đọc")


def test_the_reader_unplugged_while_it_is_waited_for_holds_nobody_up(stack: Stack, patient: Page) -> None:
    assert stack.card_reader is not None
    stack.tap(qr(27))
    view(patient, "place_card")
    stack.card_reader.unplug()
    try:
        view(patient, "confirm")
        to_idle(patient)
    finally:
        stack.card_reader.plug()
    expect(patient.locator(".steps")).to_contain_text("đầu đọc")


def test_without_the_scanner_the_card_alone_is_invited(stack: Stack, patient: Page) -> None:
    assert stack.scanner is not None
    stack.scanner.unplug()
    try:
        expect(patient.locator("main")).to_contain_text("Máy quét mã QR đang mất kết nối")
        stack.lay(28)
        view(patient, "need_number")
        press(patient, "Thôi, không lấy số")
        view(patient, "idle")
    finally:
        stack.scanner.plug()
    expect(patient.locator(".steps")).to_be_visible()


def test_who_waits_long_may_go_on_without_the_chip(
    stack: Stack, open_page: Callable[[str, dict[str, int]], Page]
) -> None:
    page = open_page(stack.url("kiosk") + "/", UPRIGHT)
    view(page, "idle")
    states = page.evaluate(
        """async () => {
          const { VIEWS } = await import("/static/patient/views.js");
          const { tellWaited } = await import("/static/patient/parts.js");
          const main = document.getElementById("screen");
          const screen = { view: "reading_chip", waited: 0 };
          main.replaceChildren(...VIEWS.reading_chip({ screen }, () => {}).filter(Boolean));
          const button = main.querySelector("button");
          return [0, 4, 8].map((waited) => [tellWaited(main, waited), button.disabled]);
        }"""
    )
    assert [disabled for _, disabled in states] == [True, True, False]
    assert len({words for words, _ in states}) == 3
