"""A scanner that types at both screens of the running kiosk: what is repaired, what is not believed, what is told."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from simulators.stack import Stack
from tests.browser.screens import name_on_card, qr, sign_in, view
from tests.browser.typing_scanner import (
    Event,
    Keyboard,
    alt_mode,
    ascii_mode,
    be_patient,
    combining_mode,
    play,
    rewritten_mode,
)

WHOLE: dict[str, Callable[[str], list[Event]]] = {
    "Alt codes of UTF-8": alt_mode,
    "Alt codes on a British host": lambda text: alt_mode(text, "gb"),
    "Alt codes of characters": lambda text: alt_mode(text, charset="unicode"),
    "Alt codes of code page 1258": lambda text: alt_mode(text, charset="cp1258"),
    "letters and tones": combining_mode,
}
ACCENTS_LOST: dict[str, Callable[[str], list[Event]]] = {
    "ASCII": ascii_mode,
    "ASCII on a British host": lambda text: ascii_mode(text, "gb"),
    "ASCII on a Vietnamese host": lambda text: ascii_mode(text, "vn"),
    "ASCII with UniKey on": rewritten_mode,
}


def card(number: int) -> str:
    return qr(number).decode()


def number_of(number: int) -> str:
    return card(number).split("|")[0]


def born(number: int) -> str:
    day = card(number).split("|")[3]
    return f"{day[:2]}/{day[2:4]}/{day[4:]}"


def field(page: Page, label: str) -> str:
    return page.get_by_label(label).input_value()


@pytest.mark.parametrize("mode", ["Alt codes on a British host", "letters and tones"])
def test_the_patients_screen_takes_a_typed_scan(patient: Page, mode: str) -> None:
    play(patient, WHOLE[mode](card(10) + "\r"))
    view(patient, "confirm")
    expect(patient.locator("main")).to_contain_text(name_on_card(10))
    patient.get_by_role("button", name="Không phải", exact=True).click()


@pytest.mark.parametrize("mode", ["ASCII", "ASCII on a Vietnamese host"])
def test_a_scanner_that_drops_accents_names_nobody(patient: Page, mode: str) -> None:
    play(patient, ACCENTS_LOST[mode](card(10) + "\r"))
    view(patient, "unreadable")
    expect(patient.locator("main")).not_to_contain_text(card(10).split("|")[2].split(" ")[-1])


def test_a_scan_that_real_keys_type_presses_no_button_of_the_patients_screen(patient: Page) -> None:
    be_patient(patient)
    Keyboard(patient).plays(alt_mode(card(10) + "\r\r"), 0.004)
    view(patient, "confirm")
    expect(patient.locator("main")).to_contain_text(name_on_card(10))
    patient.get_by_role("button", name="Không phải", exact=True).click()


def test_a_scan_fills_the_clerks_form_however_it_is_typed(staff: Page) -> None:
    for person, (mode, typed) in enumerate(WHOLE.items(), start=10):
        play(staff, typed(card(person) + "\r"))
        expect(staff.get_by_label("Số giấy tờ"), mode).to_have_value(number_of(person))
        assert field(staff, "Họ và tên") == name_on_card(person), mode
        assert field(staff, "Ngày sinh") == born(person), mode
        expect(staff.locator("#message")).to_contain_text("Đã điền theo mã vừa quét")
        expect(staff.get_by_role("button", name="Tiếp nhận")).to_be_focused()


def test_a_scan_without_accents_leaves_the_name_to_the_clerk(staff: Page) -> None:
    for person, (mode, typed) in enumerate(ACCENTS_LOST.items(), start=10):
        play(staff, typed(card(person) + "\r"))
        expect(staff.get_by_label("Số giấy tờ"), mode).to_have_value(number_of(person))
        assert field(staff, "Họ và tên") == "", mode
        assert field(staff, "Ngày sinh") == born(person), mode
        expect(staff.locator("#message")).to_contain_text("hãy gõ họ tên theo thẻ")
        expect(staff.get_by_label("Họ và tên")).to_be_focused()


def test_a_scan_fills_an_open_form_and_keeps_what_the_clerk_typed(staff: Page) -> None:
    staff.get_by_role("button", name="Nhập tay", exact=True).click()
    staff.get_by_label("Họ và tên").fill("Đã Gõ Tên")
    staff.get_by_label("Họ và tên").focus()
    be_patient(staff)
    Keyboard(staff).plays(ascii_mode(card(10) + "\r\r"), 0.004)
    expect(staff.get_by_label("Số giấy tờ")).to_have_value(number_of(10))
    assert field(staff, "Họ và tên") == "Đã Gõ Tên"
    expect(staff.locator("form[name=entry]")).to_be_visible()
    play(staff, ascii_mode(card(11) + "\r"))  # somebody else
    expect(staff.get_by_label("Số giấy tờ")).to_have_value(number_of(11))
    assert field(staff, "Họ và tên") == ""


def test_a_scan_into_the_search_searches_by_the_number(staff: Page) -> None:
    staff.locator("input[type=search]").fill("một tên")
    staff.locator("input[type=search]").focus()
    for text, number in ((card(10), number_of(10)), ("GD4099900000001", "GD4099900000001")):
        with staff.expect_request(lambda request: request.url.endswith("/check-ins/search")) as search:
            play(staff, ascii_mode(text + "\r"))
        assert search.value.post_data_json == {"number_tail": number}
        expect(staff.locator("#message")).to_contain_text("Đã tìm theo số")
        expect(staff.locator("input[type=search]")).to_have_value(number)


def test_a_number_alone_and_other_codes_are_told_to_the_clerk(staff: Page) -> None:
    play(staff, ascii_mode(number_of(10) + "\r"))
    expect(staff.locator("#message")).to_contain_text("Mã này không có đủ họ tên")
    assert field(staff, "Số giấy tờ") == number_of(10)
    play(staff, ascii_mode("https://example.invalid/x?id=1\r"))
    expect(staff.locator("#message")).to_contain_text("trang web")


def test_a_scan_is_decoded_once_after_others_signed_out_and_in(stack: Stack, staff: Page) -> None:
    staff.get_by_role("button", name="Đăng xuất").click()
    sign_in(staff)
    decoded: list[str] = []
    staff.on("request", lambda request: decoded.append(request.url) if "decode" in request.url else None)
    play(staff, ascii_mode(card(10) + "\r"))
    expect(staff.get_by_label("Số giấy tờ")).to_have_value(number_of(10))
    play(staff, ascii_mode("https://example.invalid/x?id=1\r"))
    expect(staff.locator("#message")).to_contain_text("trang web")
    assert len(decoded) == 2
