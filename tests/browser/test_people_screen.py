"""The panel of people whom the hospital holds under the same name and birth date."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from simulators.fhir_server import Settings, create_app
from simulators.serve import RunningServer
from simulators.stack import Stack, free_base
from tests.browser.screens import PEOPLE, name_on_card

KNOWN = (1, 12)
ARRIVING = iter(KNOWN)
"""Nobody twice, also not when a test tries a second time."""
ROOM = {"id": "KHAM", "code": "K01", "name": "Khám bệnh", "department": "Phòng khám"}


@pytest.fixture(scope="module")
def fhir() -> Iterator[RunningServer]:
    """A hospital that speaks FHIR and holds people of the same names, without any number."""
    app = create_app(Settings())
    for number in KNOWN:
        name = [{"text": name_on_card(number)}]
        for id_, born in ((f"OLD{number}", PEOPLE[number].born), (f"OTHER{number}", "1931-01-01")):
            app.state.server.store.put({"resourceType": "Patient", "id": id_, "name": name, "birthDate": born})
    server = RunningServer(app).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, fhir: RunningServer) -> Iterator[Stack]:
    config = {"hospital": {"adapter": "fhir", "url": f"{fhir.url}/fhir"}, "service": [ROOM]}
    with Stack(tmp_path_factory.mktemp("fhir"), free_base(), config=config, with_province=False) as running:
        yield running


def enter(stack: Stack) -> None:
    number = next(ARRIVING)
    origin = {"Origin": stack.url("kiosk")}
    with httpx.Client(base_url=stack.url("kiosk") + "/api/v1/staff/", headers=origin, trust_env=False) as clerk:
        clerk.post("login", json={"name": "demo", "password": "demo"}).raise_for_status()
        person = {
            "number": PEOPLE[number].citizen_id,
            "full_name": PEOPLE[number].name,
            "birth_date": PEOPLE[number].born,
        }
        clerk.post("check-ins", json=person | {"sex": "F"}).raise_for_status()


def test_a_clerk_finds_the_old_record_and_the_visit_goes_there(stack: Stack, staff: Page) -> None:
    enter(stack)
    staff.locator("#rows button").first.click()
    panel = staff.locator(".people")
    expect(panel).to_contain_text("Theo họ tên và ngày sinh")
    panel.get_by_role("button", name="Tìm hồ sơ cũ trong HIS").click()
    expect(panel.locator("h3")).to_have_text("Người bệnh đã có hồ sơ trong HIS?")
    expect(panel.get_by_role("radio")).to_have_count(2)  # the one of that birth date, and nobody
    expect(panel.get_by_text(re.compile(r"^sinh \d\d/\d\d/\d{4}"))).to_be_visible()
    button = panel.get_by_role("button", name="Dùng lựa chọn này")
    button.click()
    expect(panel.get_by_text("Hãy chọn một dòng.")).to_be_visible()
    panel.get_by_role("radio").first.check()
    button.click()
    expect(staff.locator("#message")).to_contain_text("Đã chọn hồ sơ")
    expect(staff.locator("#facts")).to_contain_text("HIS có một hồ sơ khớp")
    expect(staff.locator(".people")).to_have_count(0)
    expect(staff.locator(".audit")).to_contain_text("demo: chọn hồ sơ cũ trong HIS")
    form = staff.locator("[data-action='override']")
    form.get_by_label("Hình thức").select_option("insured")
    form.get_by_label("Dịch vụ").select_option("KHAM")
    form.get_by_role("button", name="Đăng ký").click()
    expect(staff.locator("#facts")).to_contain_text("đã đăng ký trong HIS")
