"""Every document that people hold up, on both screens: served, or told what to do instead. The camera is simulated."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Page, expect

from kiosk.documents.scan_test_code import TEST_PAYLOAD
from kiosk.web.pages import texts
from simulators.chip_mrz import mrz_lines
from simulators.chip_person import card_person
from simulators.serve import RunningServer
from simulators.stack import FACILITY, Stack, free_base
from simulators.vneid import BEARER, VERIFY_PATH, Settings, create_app
from simulators.vss_people import insurance_qr_payload
from tests.browser.screens import _VIETNAM, PEOPLE, name_on_card, qr, to_rooms, until, view

PREVIEW = ".viewfinder img"


@pytest.fixture(scope="module")
def vneid() -> Iterator[httpx.Client]:
    """The simulated verifier's controls."""
    with (
        RunningServer(create_app(Settings(facility=FACILITY))) as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, vneid: httpx.Client) -> Iterator[Stack]:
    """A kiosk with scanner, camera, card reader and verifier."""
    folder = tmp_path_factory.mktemp("stack")
    (folder / "vneid-token").write_text(BEARER, "ascii")
    config = {
        "policy": {"confirm_seconds": 15, "choose_seconds": 30, "done_seconds": 12, "staff_seconds": 12},
        "card": {"place_seconds": 8},
        "vneid": {"url": f"{str(vneid.base_url).rstrip('/')}{VERIFY_PATH}", "token_file": str(folder / "vneid-token")},
    }
    with Stack(folder, free_base(), config=config, with_province=False, with_card=True, with_camera=True) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_left(stack: Stack, vneid: httpx.Client) -> Iterator[None]:
    """No card lies there, and the verifier behaves."""
    yield
    stack.take_away()
    vneid.post("/_sim/mode", json={"mode": "normal"})


def insurance_card(number: int, template: Literal[2017, 2021] = 2017) -> bytes:
    payload = insurance_qr_payload(PEOPLE[number], datetime.now(_VIETNAM).date(), template=template)
    assert payload is not None
    return payload


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words, exact=True).click()


def to_idle(page: Page) -> None:
    press(page, "Không phải")
    view(page, "idle")


def register(page: Page) -> str:
    page.locator(".actions.first .primary").click()
    to_rooms(page)
    page.locator(".tile").first.click()
    view(page, "done")
    ticket = page.locator(".ticket-number").inner_text()
    press(page, "Xong")
    view(page, "idle")
    return ticket


def open_in_list(staff: Page, ticket: str) -> None:
    staff.get_by_role("button", name=re.compile("Hôm nay")).click()
    staff.locator("#rows button", has_text=ticket).click()
    expect(staff.locator("#facts")).to_be_visible()


@pytest.mark.parametrize(("person", "template"), [(3, 2017), (2, 2021)], ids=["full number", "a child, ten digits"])
def test_an_insurance_card_is_enough(
    stack: Stack, patient: Page, staff: Page, person: int, template: Literal[2017, 2021]
) -> None:
    stack.tap(insurance_card(person, template))
    view(patient, "confirm")
    expect(patient.locator(".person .name")).to_have_text(PEOPLE[person].name.title())
    expect(patient.locator(".person .number")).to_have_text(re.compile("^Số thẻ BHYT: •+"))
    ticket = register(patient)
    open_in_list(staff, ticket)
    expect(staff.locator("#facts")).to_contain_text("mã QR thẻ BHYT")
    expect(staff.locator("#facts")).to_contain_text("không mang thẻ")


ZONE = "\r".join(mrz_lines(card_person(PEOPLE[5], datetime.now(_VIETNAM).date()), "TD1")).encode()
REFUSED = [
    (b"00020101021126180010A0000007270100530370454065000005802VN6304ABCD", "UNKNOWN_FORMAT"),
    (b"https://example.invalid/x?id=1", "URL_PAYLOAD"),
    (b"GD4999900000003", "BHYT_NUMBER_ALONE"),
    (b"9900000003|" + "Lê Văn Tèo".encode().hex().encode(), "VSSID_ALONE"),
    (ZONE.replace(b"<<", b"<1", 1), "BAD_CHECK_DIGIT"),
    (TEST_PAYLOAD, "TEST_CODE"),
]


@pytest.mark.parametrize(("raw", "code"), REFUSED, ids=[code for _, code in REFUSED])
def test_every_other_code_is_told_what_to_do_instead(stack: Stack, patient: Page, raw: bytes, code: str) -> None:
    stack.tap(raw + b"\r")
    view(patient, "unreadable")
    advice = texts()["patient"]["unreadable"][code]
    expect(patient.locator("h1")).to_have_text(advice["title"])
    expect(patient.locator("main")).to_contain_text(advice["text"])
    stack.tap(qr(1))
    view(patient, "place_card")
    press(patient, "Thôi, không lấy số")
    view(patient, "idle")


def test_a_number_alone_and_then_the_card(stack: Stack, patient: Page) -> None:
    stack.tap(ZONE + b"\r")
    view(patient, "unreadable")
    expect(patient.locator("h1")).to_contain_text("Mời đặt thẻ")
    expect(patient.locator("main")).to_contain_text("máy sẽ đọc họ tên từ chip")
    stack.lay(5)
    view(patient, "confirm")
    expect(patient.locator(".person .name")).to_have_text(name_on_card(5))
    to_idle(patient)


def test_who_uses_a_phone_says_so_and_staff_see_it(stack: Stack, patient: Page, staff: Page) -> None:
    stack.tap(qr(6))
    view(patient, "place_card")
    press(patient, "Tôi dùng điện thoại (VNeID)")
    view(patient, "confirm")
    ticket = register(patient)
    open_in_list(staff, ticket)
    expect(staff.locator("#facts")).to_contain_text("điện thoại (người bệnh cho biết)")
    expect(staff.locator("#facts")).to_contain_text("người bệnh chọn dùng mã QR")
    expect(staff.locator("#facts")).to_contain_text("mã QR thẻ căn cước công dân")


def token(vneid: httpx.Client, number: int) -> bytes:
    return str(vneid.post(f"/_sim/show/{number}").json()["token"]).encode() + b"\r"


def test_a_changing_code_is_asked_about_and_served(
    stack: Stack, patient: Page, staff: Page, vneid: httpx.Client
) -> None:
    expect(patient.locator(".privacy")).to_contain_text("VNeID")
    vneid.post("/_sim/mode", json={"mode": "hang"})
    code = token(vneid, 9)
    stack.tap(code)
    view(patient, "asking_vneid")
    expect(patient.locator("h1")).to_have_text("Đang hỏi VNeID")
    view(patient, "unreadable")  # it took too long
    vneid.post("/_sim/mode", json={"mode": "normal"})
    expect(patient.locator("h1")).to_have_text("Máy chưa hỏi được VNeID")
    expect(patient.locator(".steps")).to_contain_text("Ví giấy tờ")
    stack.tap(token(vneid, 9))
    view(patient, "confirm")
    expect(patient.locator(".person .name")).to_have_text(name_on_card(9))
    ticket = register(patient)
    open_in_list(staff, ticket)
    expect(staff.locator("#facts")).to_contain_text("điện thoại (mã này chỉ có trên điện thoại)")
    expect(staff.locator("#facts")).to_contain_text("mã động của VNeID")
    stack.tap(code)
    view(patient, "unreadable")
    assert code.decode().strip() not in patient.content() + staff.content() + stack.log("kiosk")


def test_people_see_what_the_camera_sees_while_they_aim_and_never_afterwards(stack: Stack, patient: Page) -> None:
    expect(patient.locator("h1")).to_contain_text("vào khung")
    expect(patient.locator(".viewfinder")).to_have_class(re.compile("seeing"))
    expect(patient.locator(".corners")).to_be_visible()
    until(lambda: patient.locator(PREVIEW).evaluate("image => image.naturalWidth") > 100)
    stack.hold(qr(10))
    view(patient, "place_card")
    expect(patient.locator(PREVIEW)).to_have_count(0)
    press(patient, "Thôi, không lấy số")
    view(patient, "idle")
    expect(patient.locator(".viewfinder")).to_have_class(re.compile("seeing"))


def test_a_camera_that_is_gone_leaves_the_scanner_and_comes_back_quietly(stack: Stack, patient: Page) -> None:
    assert stack.camera is not None
    stack.camera.unplug()
    try:
        expect(patient.locator(".viewfinder")).to_have_count(0)
        expect(patient.locator("h1")).to_contain_text("vào máy đọc")
    finally:
        stack.camera.plug()
    expect(patient.locator(".viewfinder")).to_have_class(re.compile("seeing"), timeout=20_000)


def test_a_picture_that_does_not_come_is_tried_again(stack: Stack, patient: Page) -> None:
    patient.route("**/api/v1/station/camera*", lambda route: route.fulfill(status=503))
    stack.tap(b"hello\r")
    view(patient, "unreadable")
    view(patient, "idle")
    expect(patient.locator(".viewfinder")).not_to_have_class(re.compile("seeing"))
    patient.unroute("**/api/v1/station/camera*")
    expect(patient.locator(".viewfinder")).to_have_class(re.compile("seeing"))


def test_without_a_scanner_nobody_is_sent_to_one(stack: Stack, patient: Page) -> None:
    assert stack.scanner is not None
    expect(patient.locator("main")).to_contain_text("đèn máy quét")
    stack.scanner.unplug()
    try:
        expect(patient.locator("main")).not_to_contain_text("máy quét")
        expect(patient.locator(".viewfinder")).to_be_visible()
    finally:
        stack.scanner.plug()
    expect(patient.locator("main")).to_contain_text("đèn máy quét")


def test_staff_see_who_was_at_another_station_just_before(stack: Stack, patient: Page, staff: Page) -> None:
    stack.tap(qr(11))
    view(patient, "place_card")
    press(patient, "Thôi, không lấy số")
    view(patient, "idle")
    staff.locator("#enter").click()
    staff.get_by_label("Số giấy tờ").fill(str(PEOPLE[11].citizen_id))
    staff.get_by_label("Họ và tên").fill(name_on_card(11))
    staff.get_by_label(re.compile("Ngày sinh")).fill("11/11/1988")
    press(staff, "Tiếp nhận")
    expect(staff.locator("#seen")).to_have_text(re.compile(r"^Người này vừa ở máy kiosk-1 lúc \d\d:\d\d\.$"))
    expect(staff.locator("#facts")).to_contain_text("quầy tiếp đón")
    staff.get_by_role("button", name=re.compile("Cần nhân viên")).click()
    expect(staff.locator("#rows .seen")).to_contain_text("vừa ở máy kiosk-1")
