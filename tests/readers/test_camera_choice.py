"""Which code of one picture is meant."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from kiosk.readers.camera_choice import Choice, choose
from tests.readers.camera_world import CARD, OTHER, PAYMENT

URL = b"https://example.vn/menu"
# the owner of CARD: same name and birth date, written in hex as insurance cards do
INSURANCE = (
    "DN4999900000001|" + "Trần Thị Mẫu".encode().hex() + "|02/09/1990|2|-|99 - 001|01/01/2020|-|15/12/2019|"
    "99019900000001|-|4|01/01/2025|15e2ba79fd1a29c-7102|$"
).encode()
STRANGERS_INSURANCE = INSURANCE.replace(b"02/09/1990", b"03/09/1990")


def test_nothing_is_nothing():
    assert choose([]) == Choice(None)


def test_one_code_is_meant_whatever_it_is():
    assert choose([CARD]) == Choice(0, frozenset({0}))
    assert choose([URL]) == Choice(0, frozenset())


def test_a_document_is_meant_before_anything_else():
    for order in itertools.permutations([URL, PAYMENT, CARD]):
        choice = choose(order)
        assert choice.index is not None
        assert order[choice.index] == CARD


def test_the_citizen_card_is_meant_before_its_owners_insurance_card():
    assert choose([INSURANCE, CARD]) == Choice(1, frozenset({0, 1}))
    assert choose([CARD, INSURANCE]) == Choice(0, frozenset({0, 1}))


def test_the_same_card_twice_is_one_person():
    assert choose([CARD, CARD]) == Choice(0, frozenset({0, 1}))
    assert choose([b"099190000001", CARD]).index == 1  # the bare number of that card


def test_an_old_and_a_new_insurance_card_of_one_person_are_one_person():
    newer = INSURANCE.replace(b"DN4999900000001|", b"9900000001|")
    assert choose([INSURANCE, newer]).mixed is False
    assert choose([INSURANCE, newer.replace(b"9900000001|", b"9900000002|", 1)]).mixed is True


def test_of_different_people_nobody_is_meant():
    for codes in ([CARD, OTHER], [OTHER, URL, CARD], [CARD, STRANGERS_INSURANCE], [CARD, INSURANCE, OTHER]):
        choice = choose(codes)
        assert (choice.index, choice.mixed) == (None, True)


def test_codes_that_name_nobody_leave_the_largest():
    assert choose([PAYMENT, URL]) == Choice(0)


@given(st.lists(st.one_of(st.binary(max_size=200), st.sampled_from([CARD, OTHER, INSURANCE])), max_size=5))
def test_any_bytes_give_a_choice_among_them(payloads):
    choice = choose(payloads)
    assert choice.index is None or payloads[choice.index] in payloads
    assert not (choice.mixed and choice.index is not None)
    if CARD in payloads and OTHER in payloads:
        assert choice.mixed
    if choice.index is None:
        assert choice.mixed or not payloads
