"""What seeing and not seeing a card means, without any reader."""

from collections.abc import Callable

import pytest

from kiosk.emrtd.errors import ChipLost
from kiosk.readers.placement import Lying, Placements

CARD = Lying("reader", 1, "3b00")
AGAIN = Lying("reader", 2, "3b00")
OTHER = Lying("reader", 2, "3bff")
MUTE = Lying("reader", 2, "")
COMMAND, ANSWER = b"\x00\x84\x00\x00\x08", b"\x90\x00"


class Card:
    """A card under the hand of the test."""

    def __init__(self, lying: Lying) -> None:
        self.card_type = lying.card_type
        self.answers = True
        self.held = True
        self.during: Callable[[], None] = lambda: None

    def exchange(self, apdu: bytes) -> bytes:
        self.during()
        if not self.answers:
            raise ChipLost
        return ANSWER

    def activate(self) -> str:
        self.exchange(b"")
        return self.card_type

    def release(self) -> None:
        self.held = False


class World:
    """Placements whose events are kept: connections, and "removed"."""

    def __init__(self, settle: float = 3600) -> None:
        self.cards: list[Card] = []
        self.events: list[object] = []
        self.placements = Placements(
            self._card, self.events.append, lambda: self.events.append("removed"), lambda: None, settle
        )

    def _card(self, lying: Lying) -> Card:
        self.cards.append(Card(lying))
        return self.cards[-1]

    def see(self, lying: Lying | None) -> list[object]:
        """The events that followed."""
        self.events.clear()
        self.placements.see(lying)
        self.placements.run_due()
        return list(self.events)

    def in_use(self):
        (connection,) = self.see(CARD)
        assert connection.transmit(COMMAND) == ANSWER
        return connection


def dead(connection) -> bool:
    for call in (connection.reset, lambda: connection.transmit(COMMAND)):
        with pytest.raises(ChipLost):
            call()
    return True


def test_seeing_the_same_card_again_and_again_is_one_event():
    world = World()
    assert len(world.see(CARD)) == 1
    assert world.see(CARD) == world.see(CARD) == []


def test_unused_card_that_was_lifted_between_two_looks_is_a_new_one():
    world = World()
    (first,) = world.see(CARD)
    removed, second = world.see(AGAIN)
    assert removed == "removed"
    assert dead(first)
    assert second.transmit(COMMAND) == ANSWER


def test_mute_card_is_no_card_until_it_answers():
    world = World()
    assert world.see(MUTE) == []
    assert len(world.see(AGAIN)) == 1


def test_used_card_that_slipped_is_not_told_and_needs_reset():
    world = World()
    connection = world.in_use()
    assert world.see(None) == world.see(MUTE) == world.see(AGAIN) == []
    with pytest.raises(ChipLost):
        connection.transmit(COMMAND)
    connection.reset()
    assert connection.transmit(COMMAND) == ANSWER
    assert world.see(AGAIN) == []


def test_used_card_that_was_lifted_between_two_looks_needs_reset():
    world = World()
    connection = world.in_use()
    assert world.see(AGAIN) == []
    with pytest.raises(ChipLost):
        connection.transmit(COMMAND)
    connection.reset()
    assert connection.transmit(COMMAND) == ANSWER


def test_used_card_that_does_not_come_back_is_told_when_its_time_is_over():
    world = World(settle=0)
    connection = world.in_use()
    assert world.see(None) == ["removed"]
    assert dead(connection)
    assert not world.cards[0].held


def test_closing_while_the_card_has_slipped_tells_the_removal():
    world = World()
    connection = world.in_use()
    world.see(None)
    connection.close()
    world.placements.run_due()
    assert world.events == ["removed"]


def test_another_type_in_place_of_a_slipped_card_is_another_card():
    world = World()
    first = world.in_use()
    world.see(None)
    removed, second = world.see(OTHER)
    assert removed == "removed"
    assert second.card_type == OTHER.card_type
    assert dead(first)


def test_another_type_found_by_reset_is_told_by_the_next_look():
    world = World()
    first = world.in_use()
    world.cards[0].card_type = OTHER.card_type
    assert dead(first)
    removed, second = world.see(Lying("reader", 1, OTHER.card_type))
    assert removed == "removed"
    assert second.card_type == OTHER.card_type


def test_reset_that_fails_for_all_its_time_ends_the_connection_and_the_card_is_not_told_again_while_it_lies_there():
    world = World(settle=0)
    connection = world.in_use()
    world.cards[0].answers = False
    assert dead(connection)
    assert world.see(CARD) == ["removed"]
    assert world.see(CARD) == []
    assert world.see(None) == []
    assert len(world.see(AGAIN)) == 1


def test_nothing_is_told_while_somebody_is_inside_a_call():
    world = World(settle=0)
    connection = world.in_use()
    told: list[object] = []
    world.cards[0].during = lambda: told.append(world.see(None))
    assert connection.transmit(COMMAND) == ANSWER
    assert told == [[]]
    world.placements.run_due()
    assert world.events == ["removed"]


def test_time_to_reset_begins_when_the_user_learns_of_the_loss():
    world = World()
    connection = world.in_use()

    def slip() -> None:
        world.see(None)
        connection.absent_since -= 2 * world.placements.settle

    world.cards[0].during, world.cards[0].answers = slip, False
    with pytest.raises(ChipLost):
        connection.transmit(COMMAND)
    world.cards[0].during, world.cards[0].answers = lambda: None, True
    world.placements.run_due()
    assert world.events == []
    world.see(AGAIN)
    connection.reset()
    assert connection.transmit(COMMAND) == ANSWER


def test_reader_that_broke_off_ends_everything_at_once():
    world = World()
    connection = world.in_use()
    world.events.clear()
    world.placements.gone()
    world.placements.run_due()
    assert world.events == ["removed"]
    assert dead(connection)
    assert len(world.see(CARD)) == 1


def test_reader_is_quiet_only_for_a_card_in_use():
    world = World()
    (connection,) = world.see(CARD)
    assert not world.placements.quiet
    connection.transmit(COMMAND)
    assert world.placements.quiet
    connection.close()
    assert not world.placements.quiet


def test_listener_that_fails_does_not_end_the_reader(caplog):
    world = World()
    world.placements.later(lambda: 1 // 0)
    assert len(world.see(CARD)) == 1
    assert [record.getMessage() for record in caplog.records] == ["listener of a card reader failed: ZeroDivisionError"]


def test_nothing_is_told_after_stop():
    world = World()
    world.see(CARD)
    world.placements.stop()
    assert world.see(AGAIN) == []
