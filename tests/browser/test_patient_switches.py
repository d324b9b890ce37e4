"""Language, large letters and strong contrast: chosen by one person, for one visit."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from simulators.stack import Stack
from tests.browser.axe import barriers
from tests.browser.screens import qr, view

_LETTERS = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
_FONTS = """async (words) => {
  await document.fonts.ready;
  return [...document.fonts].filter((face) => face.status === "loaded").map((face) => face.family.replaceAll('"', ""));
}"""


def pressed(page: Page) -> list[str]:
    return page.locator("#switches [aria-pressed=true]").all_inner_texts()


@pytest.mark.parametrize(
    ("language", "asks", "done"),
    [("English", "Who is seeing the doctor today?", "No"), ("ខ្មែរ", "អ្នកណាពិនិត្យជំងឺថ្ងៃនេះ?", "មិនមែនទេ")],
)
def test_a_visit_speaks_the_chosen_language_and_the_next_person_is_met_in_vietnamese(
    stack: Stack, patient: Page, language: str, asks: str, done: str
) -> None:
    first = patient.locator("h1").inner_text()
    patient.get_by_role("button", name=language).click()
    expect(patient.locator("h1")).not_to_have_text(first)
    stack.tap(qr(5))
    view(patient, "confirm")
    expect(patient.locator("h1")).to_have_text(asks)
    assert patient.locator("html").get_attribute("lang") in ("en", "km")
    assert barriers(patient) == []
    patient.get_by_role("button", name=done, exact=True).click()
    view(patient, "idle")
    expect(patient.locator("h1")).to_have_text(first)
    assert (patient.locator("html").get_attribute("lang"), pressed(patient)) == ("vi", ["Tiếng Việt"])


def test_the_language_changes_in_the_middle_of_a_view_and_its_countdown_goes_on(stack: Stack, patient: Page) -> None:
    stack.tap(qr(5))
    view(patient, "confirm")
    patient.wait_for_timeout(3000)
    patient.get_by_role("button", name="English").click()
    expect(patient.locator(".person")).to_contain_text("Born in 1948")
    seconds = int(patient.locator("#clears").inner_text().split()[-2])
    assert seconds <= 7, "of the 10 that the view had"
    view(patient, "idle")


def test_letters_grow_and_contrast_is_strong_by_keyboard_until_the_visit_ends(stack: Stack, patient: Page) -> None:
    before = patient.evaluate(_LETTERS)
    for name in ("Chữ to", "Rõ nét"):
        patient.get_by_role("button", name=name).focus()
        patient.keyboard.press("Enter")
    assert pressed(patient) == ["Tiếng Việt", "Chữ to", "Rõ nét"]
    assert patient.evaluate(_LETTERS) >= 1.15 * before
    assert barriers(patient) == []
    stack.tap(qr(5))
    view(patient, "confirm")
    colours: Any = patient.evaluate(
        "[getComputedStyle(document.querySelector('.name')).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    patient.get_by_role("button", name="Không phải").click()
    view(patient, "idle")
    assert (patient.evaluate(_LETTERS), pressed(patient)) == (before, ["Tiếng Việt"])


def test_the_letters_are_the_shipped_ones_and_nothing_is_asked_elsewhere(stack: Stack, patient: Page) -> None:
    asked: list[str] = []
    patient.on("request", lambda request: asked.append(request.url))
    patient.reload()
    view(patient, "idle")
    assert set(patient.evaluate(_FONTS)) == {"Be Vietnam Pro", "Noto Sans Khmer"}
    assert [url for url in asked if not url.startswith((stack.url("kiosk"), "data:"))] == []
