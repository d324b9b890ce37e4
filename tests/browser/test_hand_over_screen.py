"""A hospital system without an interface: the clerk's list, the code for the scanner, and what confirms an entry."""

import re
from collections.abc import Callable, Iterator

import cv2
import httpx
import numpy
import pytest
import zxingcpp
from playwright.sync_api import BrowserContext, Page, expect

from simulators.stack import Stack, free_base
from tests.browser.axe import barriers
from tests.browser.screens import DESK, PEOPLE, UPRIGHT, name_on_card, qr, sign_in, view
from tests.browser.typing_scanner import alt_mode, ascii_mode, be_patient, play
from tests.hospital_adapters.typing_ime import telex

FIELDS = ["personal_id", "full_name", "birth_date", "sex", "card", "valid_to", "service_code"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A kiosk of a commune whose hospital system can only be typed into."""
    config = {
        "hospital": {"adapter": "handover", "fields": FIELDS, "last": "enter"},
        "service": [
            {"id": "KHAM", "code": "K01", "name": "Khám bệnh", "department": "Phòng khám"},
            {"id": "YC", "code": "K02", "name": "Khám theo yêu cầu", "department": "Phòng khám", "insured": False},
        ],
        "policy": {"confirm_seconds": 10, "choose_seconds": 30, "done_seconds": 12, "staff_seconds": 12},
    }
    with Stack(tmp_path_factory.mktemp("commune"), free_base(), config=config, with_province=False) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_waits(stack: Stack) -> None:
    """Whatever a test before this left on the list is entered."""
    origin = {"Origin": stack.url("kiosk")}
    with httpx.Client(base_url=stack.url("kiosk") + "/api/v1/staff/", headers=origin, trust_env=False) as clerk:
        clerk.post("login", json={"name": "demo", "password": "demo"}).raise_for_status()
        for item in clerk.get("hand-over").json()["waiting"]:
            path = f"hand-over/{item['checkin_id']}"
            shown = clerk.post(f"{path}/open", json={"page": "0" * 8, "take_over": True}).json()
            said = {name: shown[name] for name in ("told", "digest")}
            clerk.post(f"{path}/confirm", json=said).raise_for_status()


INSURED = iter([1, 12, 4, 5, 9, 27, 29, 28, 10, 11])
"""Nobody twice, also not when a test tries a second time."""


@pytest.fixture
def arrive(stack: Stack, patient: Page) -> Callable[..., tuple[int, str]]:
    """Somebody checks in at the kiosk: who, and the kiosk's number with which they leave."""

    def arrived(number: int | None = None) -> tuple[int, str]:
        who = number or next(INSURED)
        expect(patient.locator("body")).to_have_attribute("data-view", "idle")
        stack.tap(qr(who))
        view(patient, "confirm")
        patient.get_by_role("button", name="Đúng, là tôi").click()
        view(patient, "done")
        ticket = patient.locator(".ticket-number").inner_text()
        patient.get_by_role("button", name="Xong").click()
        assert re.fullmatch(r"K-\d{3}", ticket)
        return who, ticket

    return arrived


def scanned(page: Page) -> str:
    """What a scanner reads from the screen."""
    picture = page.locator(".qr").screenshot()
    image = cv2.imdecode(numpy.frombuffer(picture, numpy.uint8), cv2.IMREAD_GRAYSCALE)
    return str(zxingcpp.read_barcodes(image)[0].text)


def open_next(staff: Page, number: str) -> None:
    staff.locator("#tab-hand_over").click()
    staff.keyboard.press("F2")
    expect(staff.locator("#panel .title .ticket")).to_have_text(number)


def test_a_clerk_enters_visit_after_visit_with_one_key(
    arrive: Callable[..., tuple[int, str]], staff: Page, context: BrowserContext
) -> None:
    (one, first), (other, second) = arrive(), arrive()
    tab = staff.locator("#tab-hand_over")
    expect(tab.locator(".badge")).to_have_text("2")
    expect(staff.locator("#tab-waiting .badge")).to_have_text("0")
    tab.click()
    expect(staff.locator("#hand-over-rest")).to_contain_text("Bấm F2 để mở lượt đầu tiên")
    assert name_on_card(one) not in staff.content()

    staff.keyboard.press("F2")
    expect(staff.locator("#panel h2")).to_have_text(name_on_card(one))
    number, name, born, sex, card, until_day, end = scanned(staff).split("\t")
    assert (number, end) == (PEOPLE[one].citizen_id, "K01\r")
    assert telex(name) == name_on_card(one) and telex(sex) in ("Nam", "Nữ")
    assert re.fullmatch(r"(\d\d/\d\d/)?\d{4} \w{15} \d\d/\d\d/\d{4}", f"{born} {card} {until_day}")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    staff.locator("[data-field=card]").get_by_role("button", name="Chép").click()
    expect(staff.locator("[data-field=card]")).to_contain_text("Đã chép")
    assert staff.evaluate("navigator.clipboard.readText()") == card
    staff.get_by_role("button", name="Chép cả dòng").click()
    row = staff.evaluate("navigator.clipboard.readText()").split("\t")
    assert (row[0], row[1], row[4]) == (number, name_on_card(one), card)

    expect(staff.locator("#entered-button")).to_be_enabled()
    staff.get_by_label("Số HIS cấp").fill("0057")
    staff.keyboard.press("Enter")
    staff.locator("#entered-button").press("Enter")
    expect(staff.locator("#panel .title .ticket")).to_have_text(first)
    staff.keyboard.press("F2")
    staff.keyboard.press("F2")  # too soon: the next was not even read
    expect(staff.locator("#panel .title .ticket")).to_have_text(second)
    expect(staff.locator("#message")).to_have_text("Đã ghi. Số của HIS: 0057.")
    expect(staff.locator("#entered")).to_contain_text("0057")
    expect(staff.locator("#entered-button")).to_be_enabled()
    staff.keyboard.press("F2")
    expect(staff.locator("#hand-over-rest")).to_have_text("Đã nhập hết. Khi có lượt mới, bấm F2 để mở.")
    expect(tab.locator(".badge")).to_have_text("0")
    assert name_on_card(other) not in staff.content()

    staff.locator("#entered li", has_text=second).get_by_role("button", name="Nhập lại").click()
    expect(staff.locator("#panel h2")).to_have_text(name_on_card(other))
    expect(tab.locator(".badge")).to_have_text("1")
    expect(staff.locator("#entered-button")).to_be_enabled()
    staff.locator("#entered-button").click()
    expect(tab.locator(".badge")).to_have_text("0")


def test_a_code_scanned_into_this_page_is_told(arrive: Callable[..., tuple[int, str]], staff: Page) -> None:
    who, number = arrive()
    open_next(staff, number)
    play(staff, ascii_mode(scanned(staff)))
    expect(staff.locator("#message")).to_contain_text("Máy quét vừa gõ vào trang này")
    expect(staff.locator("#panel h2")).to_have_text(name_on_card(who))
    expect(staff.locator("#tab-hand_over .badge")).to_have_text("1")
    staff.locator("#tab-today").click()
    expect(staff.locator("#panel")).to_contain_text("Chọn một người")
    assert name_on_card(who) not in staff.content()


def test_two_clerks_never_have_the_same_person_before_them(
    stack: Stack,
    arrive: Callable[..., tuple[int, str]],
    staff: Page,
    open_page: Callable[[str, dict[str, int]], Page],
) -> None:
    who, number = arrive()
    open_next(staff, number)
    staff.reload()
    open_next(staff, number)  # a reload does not lock out the clerk's own page
    other = open_page(stack.url("kiosk") + "/staff", DESK)
    expect(other.locator("#rows")).to_be_visible()
    other.locator("#tab-hand_over").click()
    expect(other.locator("#rows button[data-id]")).to_contain_text("demo đang nhập lượt này từ")
    other.keyboard.press("F2")
    expect(other.locator("#hand-over-rest")).to_be_visible()
    assert name_on_card(who) not in other.content()
    staff.get_by_role("button", name="Để sau").click()
    expect(other.locator("#rows button[data-id]")).not_to_contain_text("đang nhập")
    open_next(staff, number)
    expect(other.locator("#rows button[data-id]")).to_contain_text("đang nhập")
    other.locator("#rows button[data-id]").click()
    other.get_by_role("button", name="Tôi nhập thay").click()
    expect(other.locator("#entered-button")).to_be_enabled()
    other.keyboard.press("F2")
    expect(other.locator("#tab-hand_over .badge")).to_have_text("0")
    staff.keyboard.press("F2")
    expect(staff.locator("#message")).to_contain_text("Lượt này không còn chờ nhập")


def test_a_card_that_was_not_checked_is_added_to_the_same_visit_when_the_answer_comes(
    arrive: Callable[..., tuple[int, str]], staff: Page, misbehave: Callable[..., None]
) -> None:
    misbehave("gateway", endpoint="lookup", mode="http_500_html")
    _, number = arrive()
    misbehave("gateway", endpoint="*", mode="normal")
    open_next(staff, number)
    expect(staff.locator("#unchecked")).to_contain_text("Chưa kiểm tra thẻ BHYT")
    expect(staff.locator("[data-field=card]")).to_have_count(0)
    expect(staff.locator("#entered-button")).to_be_enabled()
    staff.keyboard.press("F2")
    expect(staff.locator("#tab-hand_over .badge")).to_have_text("0")

    staff.locator("#tab-today").click()
    staff.locator("#rows button[data-id]", has_text=number).click()
    staff.locator("[data-action=recheck]").get_by_role("button").click()
    expect(staff.locator("#message")).to_contain_text("Thẻ BHYT còn hạn")
    open_next(staff, number)
    expect(staff.locator("#panel ol")).to_contain_text("Không đăng ký thêm lượt")
    card = staff.locator("[data-field=card] td").first.inner_text()
    assert scanned(staff) == card and len(card) == 15
    staff.locator("[data-field=valid_to]").get_by_role("button", name="Hiện mã").click()
    assert scanned(staff) == staff.locator("[data-field=valid_to] td").first.inner_text()
    expect(staff.locator("#entered-button")).to_be_enabled()
    staff.keyboard.press("F2")
    expect(staff.locator("#tab-hand_over .badge")).to_have_text("0")


def test_a_name_that_no_scanner_can_type_surely_is_left_to_the_clerk(
    arrive: Callable[..., tuple[int, str]], staff: Page
) -> None:
    open_next(staff, arrive(24)[1])
    expect(staff.locator("#left-out")).to_contain_text("bỏ trống: Họ và tên")
    expect(staff.locator("[data-field=full_name]")).to_contain_text("chép hoặc gõ tay")
    assert scanned(staff).startswith(f"{PEOPLE[24].citizen_id}\t\t")


def test_the_screen_stands_upright_too(stack: Stack, open_page: Callable[[str, dict[str, int]], Page]) -> None:
    page = open_page(stack.url("kiosk") + "/staff", UPRIGHT)
    sign_in(page)
    page.locator("#tab-hand_over").click()
    expect(page.locator("#hand-over-rest")).to_be_visible()


def test_at_the_counter_the_entry_stands_beside_the_person(
    stack: Stack, open_page: Callable[[str, dict[str, int]], Page]
) -> None:
    page = open_page(stack.url("kiosk") + "/desk", {"width": 700, "height": 900})
    page.get_by_label("Tên đăng nhập").fill("demo")
    page.get_by_label("Mật khẩu").fill("demo")
    page.get_by_role("button", name="Đăng nhập").click()
    be_patient(page)
    person = page.locator("#person")
    expect(person).to_have_attribute("data-view", "idle")
    who = next(INSURED)
    play(page, alt_mode(qr(who).decode() + "\r"))
    expect(person).to_have_attribute("data-view", "confirm")
    page.keyboard.press("Enter")
    expect(person).to_have_attribute("data-view", re.compile("choose_service|done"))
    if person.get_attribute("data-view") == "choose_service":
        page.keyboard.press("3" if page.locator(".slips").count() else "1")
    if page.locator(".rooms").count():
        page.keyboard.press("1")
    expect(person).to_have_attribute("data-view", "done")
    assert scanned(page).startswith(f"{PEOPLE[who].citizen_id}\t")
    expect(page.locator("#entered-button")).to_be_enabled()
    page.keyboard.press("F2")
    expect(page.locator("#hand-over-rest")).to_be_visible()
    assert barriers(page) == []
    page.keyboard.press("Escape")
    expect(person).to_have_attribute("data-view", "idle")
    assert name_on_card(who) not in page.content()
