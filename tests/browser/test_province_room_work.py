"""What people do on the pages of causes, stations, findings and method, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.province_hub import LAPTOP, PHONE, Province
from tests.browser.province_rooms import CAUSES, EVENT, filled


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    with filled(tmp_path_factory.mktemp("work")) as running:
        yield running


def test_the_causes_are_chosen_by_links_and_lead_to_one_facility(hub: Province, context: BrowserContext) -> None:
    page = hub.open(context, "huy", CAUSES)
    ranking = page.get_by_role("region", name="Xếp hạng lý do")
    expect(ranking.get_by_role("row").nth(1)).to_contain_text("Tra cứu tại quầy, không qua kiosk")
    expect(ranking.get_by_role("row").nth(1)).to_contain_text("125")
    expect(ranking.get_by_role("row").nth(2)).to_contain_text("Khám tại quầy, không thấy tra cứu")
    expect(page.locator(".advice")).to_contain_text("Mời người bệnh qua kiosk")
    page.get_by_label("Xếp theo").select_option(label="Cơ sở")
    page.get_by_role("button", name="Xem").click()
    rows = page.get_by_role("region", name="Nhiều lượt không bằng chip nhất").get_by_role("row")
    expect(rows.nth(1)).to_contain_text("100")
    page.get_by_role("link", name="Trung tâm Y tế khu vực Long Mỹ").click()
    expect(page.locator("main h2")).to_contain_text("Trung tâm Y tế khu vực Long Mỹ")
    expect(ranking.get_by_role("row")).to_have_count(3)
    page.get_by_role("link", name="Năm trước").click()
    expect(page.get_by_text("hoặc chưa có số liệu")).to_be_visible()
    page = hub.open(context, "mai", f"{CAUSES}&level=facility&unit=93003")
    expect(page.locator("main h2")).to_contain_text("Vị Thủy")
    expect(page.get_by_text("Long Mỹ")).to_have_count(0)


def test_the_stations_are_listed_worst_first_and_by_state(hub: Province, context: BrowserContext) -> None:
    page = hub.open(context, "mai", "/fleet", LAPTOP)
    rows = page.get_by_role("region", name="Kiosk").get_by_role("row")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text("đầu đọc chip: hỏng, máy quét: tốt")
    expect(rows.nth(1)).to_contain_text("Mất liên lạc")
    expect(rows.nth(1)).to_contain_text("Sắp hết đĩa")
    page.get_by_role("link", name="Cần xem (1)").click()
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("Chưa gửi tin nào")
    page = hub.open(context, "", "/fleet")
    expect(page).to_have_url(f"{hub.url}/login?next=%2Ffleet")


def test_a_facility_explains_a_finding_and_the_province_settles_it(hub: Province, context: BrowserContext) -> None:
    page = hub.open(context, "mai", "/findings", PHONE)
    page.get_by_role("link", name="Số lượt khám trong ngày bị giảm").click()
    page.get_by_text("Bằng chứng: 2 sự kiện").click()
    expect(page.get_by_text("e1", exact=True)).to_be_visible()
    page.get_by_label("Giải trình").fill("   ")
    page.get_by_role("button", name="Gửi").click()
    expect(page.get_by_role("alert")).to_have_text("Cần có lời giải trình.")
    page.get_by_label("Giải trình").fill("Nhập trùng 40 lượt, đã sửa.")
    page.get_by_role("button", name="Gửi").click()
    expect(page.get_by_role("status")).to_have_text("Đã ghi nhận.")
    expect(page.locator("blockquote")).to_have_text("Nhập trùng 40 lượt, đã sửa.")
    page = hub.open(context, "lan", "/findings")
    expect(page.get_by_text("Không có điều nào.")).to_be_visible()
    page.get_by_label("Tình trạng").select_option(label="Đã giải trình")
    page.get_by_role("button", name="Xem").click()
    page.get_by_role("link", name="Số lượt khám trong ngày bị giảm").click()
    page.get_by_label("Đã xong").check()
    page.get_by_label("Giải trình (không").fill("Đã đối chiếu.")
    page.get_by_role("button", name="Gửi").click()
    expect(page.locator("blockquote")).to_have_count(2)
    page = hub.open(context, "mai", page.url.removeprefix(hub.url).partition("?")[0])
    expect(page.get_by_role("button", name="Gửi")).to_have_count(0)


def test_what_is_missing_and_what_was_refused_is_shown_to_whom_it_concerns(
    hub: Province, context: BrowserContext
) -> None:
    page = hub.open(context, "mai", "/quarantine", LAPTOP)
    expect(page.locator(".figure", has_text="Sự kiện chưa tới")).to_contain_text("3")
    gap = page.get_by_role("group", name="Số thứ tự còn thiếu").get_by_role("row", name="Vị Thủy")
    expect(gap).to_contain_text("kiosk-1 3 – 5 3")
    refused = page.get_by_role("group", name="Sự kiện bị từ chối")
    expect(refused.get_by_role("row", name=EVENT)).to_contain_text("Một phần thiếu hoặc sai bad_method 1")
    expect(refused.get_by_role("row", name="không đọc được")).to_contain_text("Loại sự kiện không biết unknown_kind")
    page = hub.open(context, "lan", "/quarantine")
    page.get_by_label("Cơ sở (mã)").fill("93003")
    page.get_by_role("button", name="Xem").click()
    expect(page.get_by_text("Không thiếu số nào")).to_be_visible()
    expect(page.get_by_text("Không có sự kiện nào bị từ chối.")).to_be_visible()
    page = hub.open(context, "mai", "/quarantine?facility=93003")
    expect(page.get_by_text("Không thiếu số nào")).to_have_count(0)
    expect(page.locator("h1")).not_to_have_text("Dữ liệu thiếu và bị từ chối")


def test_the_definitions_are_in_the_order_of_the_feed(hub: Province, context: BrowserContext) -> None:
    page = hub.open(context, "huy", "/method")
    assert page.locator(".terms dt").all_inner_texts()[3:6] == ["r1", "r1 gộp", "r2"]
    expect(page.get_by_role("region", name="Những gì không thấy được").get_by_role("listitem")).to_have_count(4)
