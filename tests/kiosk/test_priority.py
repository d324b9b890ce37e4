"""The rules of who is examined first."""

from datetime import date

import pytest

from kiosk.model import Identity, PartialDate, Sex
from kiosk.priority import CODES, load_priority

DAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("born", "group"),
    [
        ("2020-11-25", "under_6"),
        ("2020-11-24", None),
        ("2020", None),
        ("2021", "under_6"),
        ("1951-11-24", "elderly"),
        ("1951-11-25", None),
        ("1951", None),
        ("1950", "elderly"),
        ("1950-12", "elderly"),
    ],
)
def test_the_birth_date_alone_gives_priority_only_when_it_is_sure(born: str, group: str | None) -> None:
    assert load_priority().by_age(Identity(birth_date=PartialDate.parse(born)), DAY) == group


def test_nobody_is_put_first_whose_birth_date_is_unknown() -> None:
    assert load_priority().by_age(Identity(), DAY) is None


@pytest.mark.parametrize(
    ("sex", "born", "pregnant"),
    [(Sex.FEMALE, "1996", True), (Sex.MALE, "1996", False), (None, None, True), (Sex.FEMALE, "1950", False)],
)
def test_only_who_can_be_pregnant_is_asked(sex: Sex | None, born: str | None, pregnant: bool) -> None:
    person = Identity(sex=sex, birth_date=PartialDate.parse(born) if born else None)
    assert ("pregnant" in load_priority().to_say(person, DAY)) is pregnant


@pytest.mark.parametrize(
    "text",
    [
        '[[rule]]\ncode = "friends"\nsaid = true',
        '[[rule]]\ncode = "merit"',
        '[[rule]]\ncode = "elderly"\nfrom = 80\nsaid = true',
        '[[rule]]\ncode = "elderly"\nfrom = -1',
        '[[rule]]\ncode = "elderly"\nfrom = 80\nuntil = 90',
        "[[rule]",
    ],
)
def test_a_file_that_holds_no_rules_is_refused(tmp_path, text: str) -> None:
    (tmp_path / "own.toml").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"\S"):
        load_priority(tmp_path / "own.toml")


def test_a_facility_brings_its_own_rules(tmp_path) -> None:
    (tmp_path / "own.toml").write_text('[[rule]]\ncode = "elderly"\nfrom = 80\n', "utf-8")
    own = load_priority(tmp_path / "own.toml")
    assert own.by_age(Identity(birth_date=PartialDate(1948)), DAY) is None
    assert own.by_age(Identity(birth_date=PartialDate(1940)), DAY) == "elderly"
    assert own.to_say(Identity(), DAY) == ()


def test_the_shipped_rules_name_each_group_once() -> None:
    assert sorted(rule.code for rule in load_priority().rules) == sorted(CODES)
