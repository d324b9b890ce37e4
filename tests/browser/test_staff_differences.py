"""The panel of what the insurer holds otherwise than the document."""

from playwright.sync_api import Page, expect

from simulators.stack import Stack
from tests.browser.screens import view

MISSPELT = b"099065000015||Mai V\xc4\x83n Sang|15051965|Nam|\xe1\xba\xa4p Th\xe1\xbb\xad|05072021\r"


def test_staff_take_a_name_over_after_they_compared_the_papers(stack: Stack, patient: Page, staff: Page) -> None:
    stack.tap(MISSPELT)
    view(patient, "confirm")
    patient.get_by_role("button", name="Đúng, là tôi").click()
    view(patient, "needs_staff")
    staff.locator("#rows button", has_text=patient.locator(".ticket-number").inner_text()).click()
    assert "Mai Văn Sai" not in staff.content()
    staff.get_by_role("button", name="Xem chỗ khác nhau").click()
    panel = staff.locator(".differences")
    row = panel.locator("[data-field='gateway.full_name']")
    expect(row).to_contain_text("Họ và tên")
    expect(row).to_contain_text("Mai Văn Sang")
    expect(row).to_contain_text("Mai Văn Sai")
    panel.get_by_role("button", name="Nhận các dòng đã chọn").click()
    expect(panel.get_by_text("Hãy chọn ít nhất một dòng.")).to_be_visible()
    row.get_by_role("checkbox").check()
    expect(panel.get_by_text("Hãy chọn ít nhất một dòng.")).to_be_hidden()
    panel.get_by_role("button", name="Nhận các dòng đã chọn").click()
    expect(staff.locator("#message")).to_contain_text("Đã nhận.")
    expect(staff.locator("#facts")).to_contain_text("Thẻ BHYT còn hạn")
    expect(staff.locator("#rules")).to_contain_text("Mức hưởng (tạm tính)80 % theo thẻ")
    expect(staff.locator(".audit")).to_contain_text("demo: nhận số liệu mới")
    assert "Mai Văn Sang" not in staff.content()


def test_who_was_not_looked_up_has_nothing_to_compare(stack: Stack, patient: Page, staff: Page) -> None:
    stack.tap(MISSPELT.replace(b"Sang", b"S\xc3\xa1o"))
    view(patient, "confirm")
    patient.get_by_role("button", name="Gặp nhân viên").click()
    view(patient, "needs_staff")
    staff.locator("#rows button", has_text=patient.locator(".ticket-number").inner_text()).click()
    expect(staff.locator("#why")).to_contain_text("Người bệnh muốn gặp nhân viên")
    expect(staff.get_by_role("button", name="Xem chỗ khác nhau")).to_have_count(0)
