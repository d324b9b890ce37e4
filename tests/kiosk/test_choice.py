"""Which services a person may choose from, and the fixed menu of a hospital system that has none."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.choice import offered
from kiosk.config import parse
from kiosk.errors import ConfigError
from kiosk.hospital_model import Availability, Service
from kiosk.model import Identity, PartialDate, Sex
from tests.kiosk.world import tables

DAY = date(2026, 3, 10)


def room(row_id: str = "1", **more) -> Service:
    return Service(row_id, row_id, "Phòng", "K", "Khoa", "1", more.pop("insured", True), **more)


def fits(person: Identity, **more) -> bool:
    return offered([room(**more)], person, DAY, insured=True) != []


@pytest.mark.parametrize(
    ("born", "ages", "expected"),
    [
        (PartialDate(2010, 3, 10), (16, None), True),
        (PartialDate(2010, 3, 11), (16, None), False),
        (PartialDate(2010, 3, 11), (None, 15), True),
        (PartialDate(2010, 3, 10), (None, 15), False),
        (PartialDate(2010), (16, None), True),
        (PartialDate(2010), (None, 15), True),
        (PartialDate(2011), (16, None), False),
        (PartialDate(2009), (None, 15), False),
        (PartialDate(2010, 4), (16, None), False),
        (PartialDate(2010, 3), (16, None), True),
        (None, (16, 20), True),
    ],
)
def test_a_room_for_an_age_is_held_back_only_from_whom_it_surely_is_not_for(born, ages, expected):
    assert fits(Identity(birth_date=born), age_from=ages[0], age_to=ages[1]) is expected


def test_a_room_for_women_is_held_back_from_men_alone():
    for sex, expected in ((Sex.FEMALE, True), (Sex.MALE, False), (None, True)):
        assert fits(Identity(sex=sex), sex=Sex.FEMALE) is expected


def test_full_rooms_and_the_other_kind_of_visit_are_left_out():
    menu = [room("1"), room("2", available=Availability.NO), room("3", insured=False), room("4")]
    assert [service.id for service in offered(menu, Identity(), DAY, insured=True)] == ["1", "4"]
    assert [service.id for service in offered(menu, Identity(), DAY, insured=False)] == ["3"]


@given(st.dates(date(1930, 1, 1), DAY), st.integers(0, 100))
def test_a_whole_birth_date_has_one_age(born, age):
    person = Identity(birth_date=PartialDate(born.year, born.month, born.day))
    true_age = DAY.year - born.year - ((DAY.month, DAY.day) < (born.month, born.day))
    assert fits(person, age_from=age, age_to=age) is (true_age == age)


def configured(tmp_path, *rows):
    return parse(tables(tmp_path, "http://127.0.0.1:9", "http://127.0.0.1:9") | {"service": list(rows)})


def test_a_service_has_an_id_of_its_own(tmp_path):
    assert configured(tmp_path, {"id": "1", "name": "Khám", "sex": "F"}).service[0].sex is Sex.FEMALE
    with pytest.raises(ConfigError, match="an id of its own"):
        configured(tmp_path, {"id": "1", "name": "Khám"}, {"id": "1", "name": "Khám"})
    with pytest.raises(ConfigError, match="age_from"):
        configured(tmp_path, {"id": "1", "name": "Khám", "age_from": -1})
