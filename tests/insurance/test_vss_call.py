"""What is sent: number, name, birth date (insurance-gateway.md 2.2-2.4)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.insurance.vss_call import KIND_BY_LENGTH, LookupCall, gateway_date, gateway_name, normalise_number
from kiosk.model import KeyKind, LookupKey, PartialDate


def test_the_five_fields() -> None:
    name = unicodedata.normalize("NFD", " Trần  thị Mẫu ")
    key = LookupKey("dn4 99-9900 000_001", KeyKind.BHYT_15, name, PartialDate(1990, 9, 2))
    assert LookupCall.of(key).body("Nguyễn Cán Bộ Thử", "099085000001") == {
        "maThe": "DN4999900000001",
        "hoTen": "TRẦN THỊ MẪU",
        "ngaySinh": "02/09/1990",
        "hoTenCb": "Nguyễn Cán Bộ Thử",
        "cccdCb": "099085000001",
    }


def test_repr_shows_no_person() -> None:
    key = LookupKey("099190000001", KeyKind.PERSONAL_12, "Trần Thị Mẫu", PartialDate(1990, 9, 2))
    assert repr(LookupCall.of(key)) == "LookupCall()"


@pytest.mark.parametrize(
    ("birth", "text"),
    [(PartialDate(1990, 9, 2), "02/09/1990"), (PartialDate(1990, 9), "09/1990"), (PartialDate(987), "0987")],
)
def test_birth_dates(birth: PartialDate, text: str) -> None:
    assert gateway_date(birth) == text


@given(st.text())
def test_a_number_is_normal_or_refused(text: str) -> None:
    try:
        number = normalise_number(text)
    except ValueError as error:
        assert str(error) == "not a number the gateway can be asked with"
    else:
        assert number.isascii() and number.isalnum() and number == number.upper()
        assert len(number) in KIND_BY_LENGTH and normalise_number(number) == number


@given(st.text(alphabet=st.characters()))
def test_a_name_can_be_sent_or_is_refused(text: str) -> None:
    try:
        name = gateway_name(text)
    except ValueError:
        return
    assert name.encode() and name == " ".join(name.split())
    assert unicodedata.is_normalized("NFC", name)
