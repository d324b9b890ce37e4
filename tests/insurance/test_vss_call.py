"""What is sent: number, name, birth date (insurance-gateway.md 2.2-2.4)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.documents.card_number import classify_number
from kiosk.insurance.vss_call import LookupCall, gateway_date, gateway_name, normal_number
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


SHAPED = st.from_regex(r"[A-Za-z]{2}[0-9ı][0-9A-Za-z]{12,14}|[0-9]{10}|[0-9 _-]{12}|[0-9A-Z]{12}", fullmatch=True)


@given(st.text() | SHAPED)
def test_a_number_is_asked_as_it_is_classified_or_refused(text: str) -> None:
    key = LookupKey(text, KeyKind.PERSONAL_12, "Trần Thị Mẫu", PartialDate(1990))
    found = classify_number(text)
    if found is None:
        with pytest.raises(ValueError, match=r"^not a number the gateway can be asked with$"):
            LookupCall.of(key)
    else:
        assert LookupCall.of(key).number == found[1]
        assert normal_number(text) == normal_number(found[1]) == found


@pytest.mark.parametrize("text", ["GD0999900000001", "DN49990000000A017", "0991900000AB", "990000000A", "1" * 15])
def test_the_right_length_is_not_enough(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not a number"):
        normal_number(text)


@given(st.text(alphabet=st.characters()))
def test_a_name_can_be_sent_or_is_refused(text: str) -> None:
    try:
        name = gateway_name(text)
    except ValueError:
        return
    assert name.encode() and name == " ".join(name.split())
    assert unicodedata.is_normalized("NFC", name)
