"""From "a card lies there" to connections, and from "nothing lies there" to removals: the same for every card reader.

A hand shakes: a card that is being read loses contact for moments. So what its removal means depends on its use:

- nobody has used the connection yet, or it was closed: the removal is reported at once;
- it was used and is open: the card has *slipped*. For ``settle`` seconds neither a removal nor a card is reported.
  Every transmit raises ChipLost; ``reset`` waits, up to ``settle`` seconds from its own beginning, for a card of the
  same type to be back in the same reader, activates it and goes on. If ``reset`` gives up, or nobody calls it in
  time, the connection is dead and the removal is reported;
- a card of another type in place of the slipped one is another card at once: removal, then a new connection;
- a card that was taken away and laid down again between two looks has lost its state all the same: an unused
  connection ends and a new one begins, a used one raises ChipLost until ``reset``;
- the reader broke off: nothing is waited for, the connection is dead.

While somebody is inside ``transmit`` or ``reset`` nothing is reported before the call is over. A card whose connection
is dead is not reported again while it stays where it is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from kiosk.emrtd.errors import ChipLost
from kiosk.ports import CardConnection

_LOG = logging.getLogger(__name__)
_ATTEMPT_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Lying:
    """A card as its *reader* sees it: *count* changes with each insertion, *card_type* is "" while it is mute."""

    reader: str
    count: int
    card_type: str


class Card(Protocol):
    """What a reader can do with the card before it. Only ChipLost may be raised, by the first two."""

    def exchange(self, apdu: bytes) -> bytes:
        """Carry one command APDU; data and status word come back."""
        ...

    def activate(self) -> str:
        """Try once to switch the chip off and on; returns its card type."""
        ...

    def release(self) -> None:
        """Let go of the card."""
        ...


class Placements:
    """Keeps the one connection of a reader. ``see``, ``gone`` and ``run_due`` belong to the reader's own thread.

    *card_of* gives the means to talk to a card seen; *wake* is called, from any thread, when ``run_due`` has
    something to do. *settle* in seconds.
    """

    def __init__(
        self,
        card_of: Callable[[Lying], Card],
        on_card: Callable[[CardConnection], None],
        on_removed: Callable[[], None],
        wake: Callable[[], None],
        settle: float,
    ) -> None:
        """Begin with no card."""
        self.settle = settle
        self.changed = threading.Condition()
        self._card_of = card_of
        self._on_card = on_card
        self._on_removed = on_removed
        self._wake = wake
        self._current: Connection | None = None
        self._handed: dict[str, int] = {}
        self._due: deque[Callable[[], None]] = deque()
        self._stopped = False

    @property
    def watching(self) -> str | None:
        """The reader of the connection that is alive, closed ones with their card still there included."""
        current = self._current
        return current.lying.reader if current else None

    @property
    def quiet(self) -> bool:
        """True while the chip may not be disturbed: its connection is in use, and the card has not slipped."""
        current = self._current
        return current is not None and current.in_use and not current.slipped

    def is_new(self, lying: Lying) -> bool:
        """Whether this is not the card whose connection has ended and that simply still lies there."""
        return self._handed.get(lying.reader) != lying.count

    def see(self, lying: Lying | None) -> None:
        """Tell what lies before the reader being watched, or before any reader when none is; None: nothing."""
        with self.changed:
            current = self._current
            if current is None:
                self._begin(lying)
            elif lying is None:
                self._absent(current)
            elif lying.card_type and lying.card_type != current.card_type:
                self._end(current)
                self._begin(lying)
            elif lying.card_type and (lying.count != current.lying.count or current.absent_since is not None):
                self._back(current, lying)
            self.changed.notify_all()

    def gone(self) -> None:
        """The reader broke off: the connection is dead, and any card seen later is a new one."""
        with self.changed:
            if self._current is not None:
                self._end(self._current)
            self._handed.clear()
            self.changed.notify_all()

    def forget_all_but(self, readers: Collection[str]) -> None:
        """A reader that was unplugged counts anew when it is back."""
        with self.changed:
            self._handed = {name: count for name, count in self._handed.items() if name in readers}

    def seconds_left(self) -> float | None:
        """How long until ``run_due`` has to look again; None when only events can change anything."""
        with self.changed:
            current = self._current
            if current is None or current.absent_since is None or current.inside:
                return None
            return max(0.0, current.absent_since + self.settle - time.monotonic())

    def run_due(self) -> None:
        """End a connection whose card has not come back in time, and call the listeners with what happened."""
        with self.changed:
            current = self._current
            if current is not None and current.absent_since is not None and not current.inside:
                late = time.monotonic() >= current.absent_since + self.settle
                if late or not current.in_use:
                    self._end(current)
        while self._due and not self._stopped:
            action = self._due.popleft()
            try:
                action()
            except Exception as error:
                # The reader must outlive its listener; the error's text might quote the card.
                _LOG.error("listener of a card reader failed: %s", type(error).__name__)

    def later(self, action: Callable[[], None]) -> None:
        """Have *action* called by ``run_due``, behind what is due already; what it raises is logged, not passed on."""
        self._due.append(action)

    def give_up(self, connection: Connection, another_lies_there: bool) -> None:
        """The connection is over by its own finding; the removal is reported on the reader's thread."""
        with self.changed:
            if another_lies_there and connection is self._current:
                self._handed.pop(connection.lying.reader, None)
            self._end(connection)
        self._wake()

    def stop(self) -> None:
        """The connection is dead and no listener is called any more."""
        self._stopped = True
        self.gone()

    def nudge(self) -> None:
        """A call has ended: what was held back for it may be due."""
        self._wake()

    def _begin(self, lying: Lying | None) -> None:
        if lying is None or not lying.card_type or not self.is_new(lying):
            return
        connection = Connection(self, lying, self._card_of(lying))
        self._current = connection
        self._handed[lying.reader] = lying.count
        self._due.append(lambda: self._on_card(connection))

    def _absent(self, current: Connection) -> None:
        current.slipped = True
        if current.absent_since is None:
            current.absent_since = time.monotonic()
        if not current.in_use:
            self._end(current)

    def _back(self, current: Connection, lying: Lying) -> None:
        if not current.in_use:
            self._end(current)
            self._begin(lying)
            return
        current.slipped = True
        current.absent_since = None
        current.lying = lying
        self._handed[lying.reader] = lying.count

    def _end(self, connection: Connection) -> None:
        connection.lost = True
        if connection is self._current:
            self._current = None
            self._due.append(connection.card.release)
            self._due.append(self._on_removed)


class Connection:
    """The CardConnection of ``kiosk.ports`` for one card; its state is guarded by ``Placements.changed``."""

    def __init__(self, placements: Placements, lying: Lying, card: Card) -> None:
        """Nothing is sent to the card yet."""
        self.lying = lying
        self.card = card
        self.lost = False
        self.slipped = False
        self.absent_since: float | None = None
        self.inside = 0
        self._used = False
        self._closed = False
        self._placements = placements
        self._one_call = threading.Lock()

    @property
    def card_type(self) -> str:
        """See ``CardConnection``."""
        return self.lying.card_type

    @property
    def in_use(self) -> bool:
        """A read has begun and was not given up."""
        return self._used and not self._closed

    def transmit(self, apdu: bytes) -> bytes:
        """See ``CardConnection``."""
        with self._one_call:
            self._enter()
            try:
                if self.slipped:
                    raise ChipLost("the card has slipped")
                return self._exchange(apdu)
            finally:
                self._leave()

    def reset(self) -> None:
        """See ``CardConnection``."""
        with self._one_call:
            self._enter()
            try:
                card_type = self._activated()
                if card_type != self.card_type:
                    self._placements.give_up(self, another_lies_there=card_type is not None)
                    raise ChipLost("the card is gone")
            finally:
                self._leave()

    def close(self) -> None:
        """See ``CardConnection``."""
        with self._one_call:
            if self._closed:
                return
            self._closed = True
            if not self.lost and self._used:
                self.card.release()
        self._placements.nudge()

    def _exchange(self, apdu: bytes) -> bytes:
        try:
            return self.card.exchange(apdu)
        except ChipLost:
            with self._placements.changed:
                self.slipped = True
                if self.absent_since is not None:
                    # The user of the connection learns of it only now, and has the whole time from here.
                    self.absent_since = time.monotonic()
            raise

    def _enter(self) -> None:
        with self._placements.changed:
            if self.lost or self._closed:
                raise ChipLost("the card is gone")
            self._used = True
            self.inside += 1

    def _leave(self) -> None:
        with self._placements.changed:
            self.inside -= 1
            held_back = self.absent_since is not None
        if held_back:
            self._placements.nudge()

    def _activated(self) -> str | None:
        """Try until a card is active; its type, or None when the time is over or the reader is dead."""
        deadline = time.monotonic() + self._placements.settle
        changed = self._placements.changed
        while not self.lost:
            if self.absent_since is None:
                # What the reader tells from here on is news: it must not be wiped out afterwards.
                self.slipped = False
                try:
                    return self.card.activate()
                except ChipLost:
                    self.slipped = True
            with changed:
                if not self.lost:
                    changed.wait(_ATTEMPT_EVERY_S)
            if time.monotonic() >= deadline:
                return None
        return None
