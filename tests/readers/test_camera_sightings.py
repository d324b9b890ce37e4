"""When a code before the camera is told, by a clock of the test's own."""

from hypothesis import given
from hypothesis import strategies as st

from kiosk.readers.camera_sightings import AFTER_REFUSAL_S, AWAY_OTHER_S, AWAY_S, SETTLE_S, Sightings
from tests.readers.camera_world import CARD, OTHER, PAYMENT
from tests.readers.test_camera_choice import INSURANCE

STEP = 1 / 15


class Scene:
    """Looks at the same fifteen times a second and keeps what is told, as payload or "mixed"."""

    def __init__(self) -> None:
        self.sightings = Sightings()
        self.now = 100.0

    def look(self, *codes: bytes, seconds: float = STEP) -> list[object]:
        told: list[object] = []
        for _ in range(max(1, round(seconds / STEP))):
            self.now += STEP
            telling = self.sightings.look(codes, self.now)
            told += ["mixed"] if telling.mixed else []
            told += [codes[telling.index]] if telling.index is not None else []
        return told


def test_a_document_is_told_at_first_sight_and_once():
    scene = Scene()
    assert scene.look(CARD) == [CARD]
    assert scene.look(CARD, seconds=60) == []


def test_a_shaking_hand_shows_nothing_new():
    scene = Scene()
    assert scene.look(CARD) == [CARD]
    for _ in range(5):
        assert scene.look(seconds=AWAY_S - 0.2) == []
        assert scene.look(CARD) == []


def test_a_document_that_was_away_is_told_again():
    scene = Scene()
    assert scene.look(CARD) == [CARD]
    scene.look(seconds=AWAY_S + 0.2)
    assert scene.look(CARD) == [CARD]


def test_another_document_is_told_at_once():
    scene = Scene()
    assert scene.look(CARD) == [CARD]
    assert scene.look(OTHER) == [OTHER]
    assert scene.look(CARD) == []  # it was there a moment ago


def test_a_refused_code_is_told_again_if_it_stays():
    scene = Scene()
    assert scene.look(CARD) == [CARD]
    scene.sightings.refused(CARD, scene.now)
    assert scene.look(CARD, seconds=AFTER_REFUSAL_S - 0.2) == []
    assert scene.look(CARD, seconds=0.4) == [CARD]
    assert scene.look(CARD, seconds=30) == []


def test_a_refused_code_that_is_gone_is_not_told():
    scene = Scene()
    scene.look(CARD)
    scene.look(seconds=AWAY_S + 0.2)
    scene.sightings.refused(CARD, scene.now)
    scene.sightings.refused(b"never seen", scene.now)
    assert scene.look(seconds=10) == []


def test_other_codes_must_stay_for_a_moment_and_come_back_late():
    scene = Scene()
    assert scene.look(PAYMENT, seconds=SETTLE_S - 0.2) == []
    assert scene.look(PAYMENT, seconds=0.4) == [PAYMENT]
    scene.look(seconds=AWAY_OTHER_S - 1)
    assert scene.look(PAYMENT, seconds=5) == []  # a poster behind somebody who walked by
    scene.look(seconds=AWAY_OTHER_S + 1)
    assert scene.look(PAYMENT, seconds=5) == [PAYMENT]


def test_a_card_that_becomes_readable_beside_a_payment_code_is_the_only_one_told():
    scene = Scene()
    assert scene.look(PAYMENT, seconds=0.4) == []
    assert scene.look(PAYMENT, CARD) == [CARD]
    assert scene.look(PAYMENT, seconds=1) == []  # the card is unreadable for a moment


def test_an_insurance_card_beside_its_owners_citizen_card_is_no_news():
    scene = Scene()
    assert scene.look(INSURANCE, CARD) == [CARD]
    assert scene.look(INSURANCE, seconds=5) == []
    scene.look(seconds=AWAY_S + 0.2)
    assert scene.look(INSURANCE) == [INSURANCE]


def test_two_people_are_told_of_once_and_one_alone_is_taken_then():
    scene = Scene()
    assert scene.look(CARD, OTHER, seconds=3) == ["mixed"]
    assert scene.look(OTHER) == [OTHER]
    assert scene.look(CARD, OTHER) == []  # told a moment ago
    scene.look(seconds=AWAY_S + 0.2)
    assert scene.look(OTHER, CARD) == ["mixed"]


def test_somebody_who_comes_near_a_card_already_told_takes_nothing_over():
    scene = Scene()
    assert scene.look(CARD) == [CARD]
    assert scene.look(CARD, OTHER, seconds=2) == ["mixed"]
    assert scene.look(CARD, seconds=10) == []


def test_it_knows_when_to_hurry():
    scene = Scene()
    assert not (scene.sightings.unsettled or scene.sightings.holding)
    scene.look(PAYMENT)
    assert scene.sightings.unsettled
    scene.look(PAYMENT, seconds=1)
    assert not (scene.sightings.unsettled or scene.sightings.holding)
    scene.look(CARD)
    assert scene.sightings.holding
    scene.look(seconds=AWAY_OTHER_S + 1)
    assert not (scene.sightings.unsettled or scene.sightings.holding)


@given(st.lists(st.lists(st.sampled_from([CARD, OTHER, PAYMENT, b"x", b""]), max_size=4), max_size=60))
def test_nothing_is_told_twice_within_its_pause(looks):
    sightings, last, told = Sightings(), {}, set()
    for number, codes in enumerate(looks):
        now = number * 0.3
        told -= {payload for payload in told if now - last[payload] > AWAY_S}
        telling = sightings.look(codes, now)
        if telling.index is not None:
            assert codes[telling.index] not in told
            assert not (CARD in codes and OTHER in codes)
            told.add(codes[telling.index])
        last |= dict.fromkeys(codes, now)


def test_a_thousand_codes_are_not_remembered_for_ever():
    scene = Scene()
    for number in range(1000):
        scene.look(b"code %d" % number)
    assert len(scene.sightings._held) <= 128
