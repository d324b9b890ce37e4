"""Can everybody read and touch it? Each view is drawn by the shipped modules with the longest data it may get."""

from typing import Any

import pytest
from playwright.sync_api import Page

from kiosk.web.pages import OTHER_LANGUAGES, texts
from tests.browser.screens import UPRIGHT

SIZES = [UPRIGHT, {"width": 1280, "height": 800}, {"width": 1920, "height": 1080}]
SIZE_NAMES = ["upright", "wide", "full HD"]
_DEPARTMENTS = (
    "Khoa Khám bệnh",
    "Khoa Nội tổng hợp",
    "Khoa Ngoại - Chấn thương chỉnh hình",
    "Liên chuyên khoa Mắt - Tai mũi họng - Răng hàm mặt",
)
_SERVICES = [
    {
        "id": str(index),
        "name": f"Phòng khám {('Nội', 'Tăng huyết áp - Đái tháo đường', 'Da liễu')[index % 3]} {index}",
        "department": _DEPARTMENTS[index * len(_DEPARTMENTS) // 30],
        "price": 150000 if index % 2 else None,
    }
    for index in range(30)
]
_HIS = {
    "number": "1042",
    "issued_by": "his",
    "service": "Khám Nội - phòng 101",
    "department": "Khoa Khám bệnh",
    "room": "Phòng 101, tầng 1, nhà A",
    "lookup_receipt": "7ZK3M-0QX9T",
}
_OWN = _HIS | {"number": "K-0042", "issued_by": "kiosk", "room": None}
_PERSON = {"name": "Nguyễn Hoàng Thị Ánh Nguyệt", "birth_year": 1948, "number": "•••••••••456", "clears_in": 40}
_CARD = {"view": "place_card", "number": "•••••••••456", "clears_in": 30, "card_reader": True}
_NUMBER = {"checkin_id": None, "view": "need_number", "clears_in": 30, "card_reader": True}
_ENDING = {"answer": "insured", "valid_to": "2027-01-01", "ends": "soon", "level": 100}
_CHOICE = {"view": "choose_service", "valid_to": "2027-01-01", "clears_in": 90}
SCREENS: dict[str, dict[str, Any]] = {
    "idle": {"view": "idle"},
    "idle-no-reader": {"view": "idle", "reader_ok": False},
    "idle-chip": {"view": "idle", "card_reader": True},
    "idle-camera": {"view": "idle", "camera": True},
    "idle-camera-only": {"view": "idle", "camera": True, "scanner": False},
    "idle-camera-chip": {"view": "idle", "camera": True, "card_reader": True, "provider": True, "vneid": True},
    "idle-camera-only-chip": {"view": "idle", "camera": True, "scanner": False, "card_reader": True},
    "idle-no-preview": {"view": "idle", "scanner": False},
    "idle-no-preview-chip": {"view": "idle", "scanner": False, "card_reader": True},
    "idle-chip-no-scanner": {"view": "idle", "reader_ok": False, "card_reader": True},
    "place-card": _CARD | {"trouble": None},
    "place-card-lost": _CARD | {"trouble": "CARD_LOST"},
    "place-card-other": _CARD | {"trouble": "WRONG_KEY"},
    "place-card-no-chip": _CARD | {"trouble": "NOT_AN_EMRTD"},
    "place-card-unheard-of": _CARD | {"trouble": "SOMETHING_NEW"},
    "need-number": _NUMBER | {"trouble": None},
    "need-number-again": _NUMBER | {"trouble": "WRONG_KEY"},
    "need-number-unheard-of": _NUMBER | {"trouble": "SOMETHING_NEW"},
    "reading": {"view": "reading_chip", "waited": 0, "card_reader": True},
    "reading-long": {"view": "reading_chip", "waited": 12, "card_reader": True},
    "unreadable": {"view": "unreadable", "error": "TRUNCATED", "clears_in": 10},
    "unreadable-lay": {"view": "unreadable", "error": "MRZ_ALONE", "lay": True, "clears_in": 30, "card_reader": True},
    **{
        f"unreadable-{code}": {"view": "unreadable", "error": code, "clears_in": 10}
        for code, words in texts()["patient"]["unreadable"].items()
        if code.isupper() and "title" in words
    },
    "asking-vneid": {"view": "asking_vneid", "waited": 4},
    "unreadable-unheard-of": {"view": "unreadable", "error": "SOMETHING_NEW", "clears_in": 10},
    "confirm": {"view": "confirm"} | _PERSON,
    "confirm-chip-failed": {"view": "confirm", "chip_failed": True} | _PERSON,
    "confirm-insurance-card": {"view": "confirm", "number_kind": "BHXH_10"} | _PERSON,
    "confirm-child": {"view": "confirm", "company": "child"} | _PERSON,
    "confirm-other": {"view": "confirm", "company": "other"} | _PERSON,
    "for-child": {"view": "for_other", "company": "child", "trouble": None, "clears_in": 90},
    "for-child-adult": {"view": "for_other", "company": "child", "trouble": "ADULT", "clears_in": 90},
    "for-other": {"view": "for_other", "company": "other", "trouble": None, "clears_in": 90},
    "no-card": {"view": "no_card", "company": None, "trouble": None, "clears_in": 90},
    "no-card-child": {"view": "no_card", "company": "child", "trouble": None, "clears_in": 90},
    "emergency": {"view": "emergency", "clears_in": 90},
    "called": {"view": "called", "clears_in": 30},
    "forgotten-card": {"view": "forgotten_card", "card_reader": True},
    "unreadable-called": {"view": "unreadable", "error": "TRUNCATED", "called": True, "clears_in": 10},
    "finding": {"view": "checking", "step": "person", "waited": 8},
    "checking": {"view": "checking", "step": "insurance", "waited": 12},
    "registering": {"view": "checking", "step": "registering", "waited": 8},
    "choose-30": _CHOICE | {"answer": "insured", "services": _SERVICES},
    "choose-30-ending": _CHOICE | _ENDING | {"services": _SERVICES},
    "choose-groups": _CHOICE | _ENDING | {"services": _SERVICES, "groups": ["pregnant", "disabled", "merit"]},
    "choose-priority": _CHOICE | {"answer": "insured", "services": _SERVICES, "priority": "elderly", "groups": []},
    "choose-3": _CHOICE | {"answer": "not_insured", "services": _SERVICES[:3]},
    "done": {"view": "done", "answer": "insured", "ticket": _HIS, "again": False, "clears_in": 20},
    "done-level": {"view": "done", "ticket": _HIS, "again": True, "clears_in": 20, "card_reader": True}
    | _ENDING
    | {"ends": None},
    "done-ending": {"view": "done", "ticket": _HIS, "again": True, "clears_in": 20, "card_reader": True} | _ENDING,
    "done-called": {"view": "done", "ticket": _HIS, "again": True, "clears_in": 20, "called": True} | _ENDING,
    "done-again": {"view": "done", "answer": "not_insured", "ticket": _HIS, "again": True, "clears_in": 20},
    "done-own": {"view": "done", "answer": "cannot_say", "ticket": _OWN, "again": False, "clears_in": 20},
    "done-card": {
        "view": "done",
        "answer": "insured",
        "ticket": _HIS,
        "again": True,
        "clears_in": 20,
        "card_reader": True,
    },
    "needs-staff": {
        "view": "needs_staff",
        "answer": "needs_staff",
        "ticket": _OWN | {"service": None, "department": None},
        "again": False,
        "clears_in": 30,
    },
    "out-of-order": {"view": "out_of_order", "reason": "store"},
}
_DRAW = """async ({ checkin_id = "x", ...screen }) => {
  const { VIEWS } = await import("/static/patient/views.js");
  document.body.dataset.view = screen.view;
  const main = document.getElementById("screen");
  main.replaceChildren(...VIEWS[screen.view]({ checkin_id, screen }, () => {}).filter(Boolean));
  const line = document.getElementById("clears");
  if (line) line.textContent = (await import("/static/texts.js")).t(line.dataset.words, { seconds: 30 });
  if (line) document.getElementById("more-time").disabled = false;
  await null; // pages of services are measured once they stand
  const size = (element) => parseFloat(getComputedStyle(element).fontSize);
  const leaves = [...main.querySelectorAll("*")].filter((each) => each.textContent && !each.childElementCount);
  return {
    letters: Math.min(...leaves.map(size)),
    heading: size(main.querySelector("h1")),
    buttons: [...main.querySelectorAll("button:not(:disabled)")].map((each) => each.getBoundingClientRect().height),
    switches: Math.min(...[...document.querySelectorAll("#switches button")].map((each) => each.offsetHeight)),
    overflow: [main.scrollHeight - main.clientHeight, document.documentElement.scrollWidth - innerWidth],
  };
}"""


@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
def test_letters_and_buttons_are_large_and_nothing_needs_scrolling(patient: Page, size: dict[str, int]) -> None:
    patient.set_viewport_size(size)
    poor = []
    for language in ("vi", *OTHER_LANGUAGES):
        patient.locator(f"[data-language={language}]").click()
        for name, screen in SCREENS.items():
            drawn = patient.evaluate(_DRAW, {"reader_ok": True} | screen)
            good = drawn["letters"] >= 28 and drawn["heading"] >= 44 and min(drawn["buttons"], default=96) >= 96
            if not good or drawn["overflow"] != [0, 0] or drawn["switches"] < 81:  # 20 mm on 21.5 inches of 1080x1920
                poor.append((language, name, drawn["overflow"], drawn["letters"], drawn["heading"], drawn["switches"]))
    assert poor == [], poor


def test_a_phone_never_scrolls_sideways(patient: Page) -> None:
    patient.set_viewport_size({"width": 360, "height": 780})
    for name, screen in SCREENS.items():
        assert patient.evaluate(_DRAW, {"reader_ok": True} | screen)["overflow"][1] <= 0, name


@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
def test_every_page_of_thirty_services_fits_and_every_service_is_reached_once(
    patient: Page, size: dict[str, int]
) -> None:
    patient.set_viewport_size(size)
    patient.evaluate(_DRAW, {"reader_ok": True} | SCREENS["choose-30"])
    seen: list[str] = []
    while True:
        seen += patient.locator(".tile").evaluate_all("tiles => tiles.map((each) => each.firstChild.textContent)")
        overflow = "document.getElementById('screen').scrollHeight - document.getElementById('screen').clientHeight"
        assert patient.evaluate(overflow) == 0
        further = patient.get_by_role("button", name="Trang sau")
        if further.count() == 0 or further.is_disabled():
            break
        further.click()
    assert sorted(seen) == sorted(service["name"] for service in _SERVICES)


@pytest.mark.parametrize("name", ["checking", "place-card"])
def test_with_reduced_motion_nothing_moves(patient: Page, name: str) -> None:
    patient.evaluate(_DRAW, {"reader_ok": True} | SCREENS[name])
    assert patient.evaluate("document.getAnimations().length") == 1
    patient.emulate_media(reduced_motion="reduce")
    assert patient.evaluate("document.getAnimations().length") == 0
