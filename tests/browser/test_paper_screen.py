"""The paper ticket as people meet it: it comes out, or the number stays with a code to photograph."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
import zxingcpp
from playwright.sync_api import Page, expect

from simulators.stack import Stack, free_base
from tests.browser.screens import DESK, UPRIGHT, qr, sign_in, view


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with Stack(folder, free_base(), with_province=False, with_printer=True) as running:
        yield running


def register(stack: Stack, patient: Page, person: int) -> None:
    view(patient, "idle")
    stack.tap(qr(person))
    view(patient, "confirm")
    patient.get_by_role("button", name="Đúng, là tôi").click()
    view(patient, "choose_service")
    patient.get_by_role("button", name="Khám Nội - phòng 101").click()
    view(patient, "done")


def test_the_ticket_comes_out_and_without_paper_the_receipt_can_be_photographed(
    stack: Stack, open_page: Callable[[str, dict[str, int]], Page]
) -> None:
    assert stack.printer is not None
    patient = open_page(stack.url("kiosk") + "/", UPRIGHT)
    register(stack, patient, 1)
    expect(patient.locator(".paper")).to_have_text("Xin lấy phiếu vừa in.")
    assert len(stack.printer.tickets) == 1
    patient.get_by_role("button", name="Xong").click()
    stack.printer.become("paper_out")
    register(stack, patient, 4)
    expect(patient.locator(".paper.missing")).to_contain_text("số vẫn còn nguyên")
    expect(patient.locator(".ticket-number")).to_be_visible()
    code = patient.locator(".receipt").inner_text().rpartition(" ")[2]
    picture = cv2.imdecode(np.frombuffer(patient.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert [found.text for found in zxingcpp.read_barcodes(picture)] == [code]
    main = patient.locator("main")
    assert main.evaluate("it => it.scrollHeight <= it.clientHeight"), "everything fits without scrolling"
    patient.get_by_role("button", name="Xong").click()
    view(patient, "idle")
    assert code not in patient.content()


def test_staff_print_a_ticket_again_with_one_click(
    stack: Stack, open_page: Callable[[str, dict[str, int]], Page]
) -> None:
    assert stack.printer is not None
    stack.printer.become("none")
    patient = open_page(stack.url("kiosk") + "/", UPRIGHT)
    register(stack, patient, 12)
    number = patient.locator(".ticket-number").inner_text()
    expect(patient.locator(".paper")).to_be_visible()
    first = stack.printer.tickets[-1]
    staff = open_page(stack.url("kiosk") + "/staff", DESK)
    sign_in(staff)
    staff.locator("#tab-today").click()
    staff.locator("#rows button", has_text=number).click()
    staff.get_by_role("button", name="In lại").click()
    expect(staff.get_by_text(f"Đã in lại phiếu số {number}.")).to_be_visible()
    assert stack.printer.tickets[-1] is not first
    assert stack.printer.tickets[-1].tobytes() == first.tobytes()
