"""Insurance cards: templates, odd fields, and what is never believed."""

from dataclasses import asdict
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.documents.recognise import recognise
from kiosk.model import Coverage, Document, DocumentKind, Identity, KeyKind, PartialDate, Sex

NAMES = st.sampled_from(["Nguyễn Thị Thử", "H’Hen Niê", "Y Bkrông", "Thạch Sa Rây", "K’Sor Ƀlŭ", "Lê Văn Tèo"])
DAYS = st.dates(date(1950, 1, 1), date(2060, 12, 31))


def hexed(text: str | None) -> str:
    return "-" if text is None else text.encode().hex()


def card(**changed: str) -> str:
    fields = {
        "number": "GD4999900000001",
        "name": hexed("Nguyễn Thị Thử"),
        "birth": "01/02/1990",
        "sex": "2",
        "address": hexed("Châu Thành, Hậu Giang"),
        "facility": "93 - 001",
        "valid_from": "01/01/2020",
        "valid_to": "-",
        "issued": "15/12/2019",
        "office": "93019900000001",
        "guardian": "-",
        "area": "4",
        "five": "01/01/2025",
        "check": "0a1b2c3d4e5f6071-7102",
        "end": "$",
    }
    return "|".join((fields | changed).values())


def read(text: str) -> Document:
    return recognise(text.encode(), simulated_prefix=True)


@given(
    number=st.sampled_from(["GD4999900000001", "9900000001", "099190000001", "GD499099190000001"]),
    name=NAMES,
    birth=DAYS,
    sex=st.sampled_from(Sex),
    address=st.none() | NAMES,
    valid=st.tuples(DAYS, st.none() | DAYS),
    guardian=st.none() | NAMES,
    template=st.sampled_from(["2017", "2021"]),
    suffix=st.sampled_from(["", "\r", "\r\n", "\t", "|", "\0"]),
)
def test_a_card_gives_its_person_and_its_validity(number, name, birth, sex, address, valid, guardian, template, suffix):
    text = card(
        number=number,
        name=hexed(name),
        birth=f"{birth:%d/%m/%Y}",
        sex="1" if sex is Sex.MALE else "2",
        address=hexed(address),
        office="-",
        valid_from=f"{valid[0]:%d/%m/%Y}",
        valid_to=f"{valid[1]:%d/%m/%Y}" if valid[1] else "-",
        guardian=hexed(guardian),
        end="$" if template == "2017" else "4|" + hexed("Thành phố Ví Dụ") + "|$",
    )
    document = read(text + suffix)
    personal = number if len(number) == 12 else None
    kinds = {10: KeyKind.BHXH_10, 12: KeyKind.PERSONAL_12, 15: KeyKind.BHYT_15, 17: KeyKind.BHYT_17}
    assert (document.kind, document.error) == (DocumentKind.BHYT_QR, None)
    assert document.identity == Identity(
        personal_id=personal,
        full_name=name,
        birth_date=PartialDate(birth.year, birth.month, birth.day),
        sex=sex,
        address=address,
    )
    assert document.coverage == Coverage(
        number=number,
        key_kind=kinds[len(number)],
        registered_facility="93001",
        valid_from=valid[0],
        valid_to=valid[1],
        five_years_on=date(2025, 1, 1),
        benefit_level="4" if number.startswith("GD") else None,
        guardian_name=guardian,
    )
    assert set(document.warnings) <= {"W_SEX_MISMATCH", "W_YEAR_MISMATCH"}


@pytest.mark.parametrize(
    ("changed", "warning"),
    [
        ({"name": "4e677579e1bb856"}, "W_BAD_HEX"),
        ({"name": "ff" * 6}, "W_BAD_HEX"),
        ({"name": hexed("Th蘯｡ch")}, "W_BAD_HEX"),
        ({"address": "Châu Thành"}, "W_BAD_HEX"),
        ({"guardian": "4"}, "W_BAD_HEX"),
        ({"guardian": hexed("Tr?n")}, "W_BAD_HEX"),
        ({"name": hexed("Tra62n")}, "W_BAD_HEX"),
        ({"valid_from": "31/02/2020"}, "W_BAD_VALIDITY"),
        ({"valid_to": "2020"}, "W_BAD_VALIDITY"),
        ({"check": "xyz"}, "W_CHECK_SHAPE"),
        ({"office": "93019900000002"}, "W_BHXH_MISMATCH"),
        ({"end": ""}, "W_NO_TERMINATOR"),
        ({"birth": "1990"}, "W_YEAR_ONLY"),
    ],
)
def test_what_is_odd_is_told_and_left_out(changed, warning):
    document = read(card(**changed))
    assert (document.error, document.warnings) == (None, (warning,))
    left_out = {"name": document.identity.full_name, "address": document.identity.address}
    left_out |= {"guardian": document.coverage.guardian_name, "valid_from": document.coverage.valid_from}
    for field in set(changed) & set(left_out):
        assert left_out[field] is None


@pytest.mark.parametrize(
    "number", ["DN401AB20000000", "099190000001", "GD499099190000001"], ids=["letters", "personal", "17 characters"]
)
def test_numbers_without_a_bhxh_number_in_them_contradict_none(number):
    assert read(card(number=number)).warnings == ()


def test_two_short_cards_run_together_give_at_most_the_first_number_and_person():
    first, second = (
        "|".join(card(number=number, name=hexed(name), birth=birth).split("|")[:9])
        for number, name, birth in [
            ("GD4999900000001", "Nguyễn Thị Thử", "01/02/1990"),
            ("9900000002", "Lê Văn Tèo", "03/04/1985"),
        ]
    )
    for end in range(len("GD4999900000001|"), len(first) + 1):
        document = read(first[:end] + second + "|$")
        person = document.identity
        if person is not None:
            assert (person.full_name, person.birth_date) == ("Nguyễn Thị Thử", PartialDate(1990, 2, 1))
            assert person.address is None and document.coverage == Coverage(
                "GD4999900000001", KeyKind.BHYT_15, benefit_level="4"
            )
        else:
            assert document.error is not None


@pytest.mark.parametrize(
    ("facility", "code"),
    [("93 - 001", "93001"), ("93 – 001", "93001"), ("93001", "93001"), ("01 - C54", "01C54"), ("x", None), ("-", None)],
)
def test_facility(facility, code):
    assert read(card(facility=facility)).coverage.registered_facility == code


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"number": "GD499990000000"}, "BAD_ID_NUMBER"),
        ({"number": ""}, "BAD_ID_NUMBER"),
        ({"birth": "31/02/1990"}, "BAD_DATE"),
        ({"birth": "01021990"}, "BAD_DATE"),
        ({"name": "-", "birth": "-"}, "TRUNCATED"),
    ],
)
def test_errors_keep_nothing_but_a_sound_number(changed, error):
    document = read(card(**changed))
    assert (document.kind, document.error, document.identity) == (DocumentKind.BHYT_QR, error, None)
    if error != "BAD_ID_NUMBER":
        assert document.coverage == Coverage("GD4999900000001", KeyKind.BHYT_15, benefit_level="4")


def test_a_cut_card_names_nobody():
    assert read("|".join(card().split("|")[:5])).error == "TRUNCATED"


def test_two_cards_in_one_never_mix():
    for glued in (card() + card(number="GD4999900000002"), card() + "|" + card(), card(end="") + card()):
        document = read(glued)
        assert (document.error, document.identity) == ("UNKNOWN_FORMAT", None)


@pytest.mark.parametrize("second", ["364000123", "093190000999", "093190000999"[:10], "0041", "54687579", "54"])
def test_a_cut_citizen_card_is_no_vssid(second):
    document = read(f"099190000001|{second}")
    assert (document.error, document.identity) == ("TRUNCATED", Identity(personal_id="099190000001"))


def test_a_guardian_cut_off_in_the_middle_is_left_out():
    whole = card(guardian=hexed("Trần Văn Cha"))
    upto = whole.index(hexed("Trần Văn Cha")) + len(hexed("Trần Văn"))
    document = read(whole[:upto])
    assert (document.error, document.identity.full_name) == (None, "Nguyễn Thị Thử")
    assert (document.coverage.guardian_name, document.warnings) == (None, ("W_NO_TERMINATOR",))
    assert read(whole[:upto] + "|").coverage.guardian_name == "Trần Văn"


@given(st.integers(1, 400))
def test_a_cut_card_says_nothing_that_the_whole_one_does_not(missing):
    text = card(guardian=hexed("Trần Văn Cha"), valid_to="31/12/2027")
    whole, cut = read(text), read(text[:-missing])
    known = vars_of(whole)
    # Its number and name alone are what VssID shows: nothing in them tells that the name goes on.
    name = known.pop("full_name")
    seen = vars_of(cut)
    assert name.startswith(seen.pop("full_name", None) or "")
    assert seen.items() <= known.items()


def vars_of(document: Document) -> dict[str, object]:
    """All that is known of person and coverage."""
    parts = [asdict(part) for part in (document.identity, document.coverage) if part is not None]
    return {field: value for part in parts for field, value in part.items() if value is not None}


def test_vssid_names_without_a_birth_date():
    document = read("9900000001|" + hexed("H’Hen Niê"))
    assert document == Document(
        DocumentKind.VSSID_QR,
        identity=Identity(full_name="H’Hen Niê"),
        coverage=Coverage("9900000001", KeyKind.BHXH_10),
    )


def test_a_number_with_the_facility_appended():
    assert read("GD499990000000193001").coverage == Coverage(
        "GD4999900000001", KeyKind.BHYT_15, registered_facility="93001", benefit_level="4"
    )
