"""Citizen cards on PC/SC readers, contact and contactless.

pyscard runs in a child process (`pcsc_process`, `pcsc_child`); this side decides which reader counts and what its
events mean (`placement`). Source: identity-documents.md 8.1, components.md 1, architecture.md 4.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum, auto
from functools import partial

from kiosk.emrtd.errors import ChipLost
from kiosk.errors import ReaderUnavailable
from kiosk.ports import CardConnection
from kiosk.readers.pcsc_pipe import Kind, Readers, Slot
from kiosk.readers.pcsc_process import PcscProcess
from kiosk.readers.placement import Lying, Placements
from kiosk.readers.state import Presence, ReaderState

_LOG = logging.getLogger(__name__)
_JOIN_S = 3.0
_PAUSE_FIRST_S, _PAUSE_LONGEST_S = 0.1, 10.0
_LIVED_S = 10.0

AUTO = "auto"
"""The name that stands for any reader."""


class _Event(Enum):
    """What the thread is woken for besides news of the readers."""

    LOOK = auto()
    ENDED = auto()


class _HeldCard:
    """The card in one reader, through the child; taken with the first APDU."""

    def __init__(self, process: PcscProcess, reader: str, call_timeout: float) -> None:
        self._process = process
        self._reader = reader.encode()
        self._call_timeout = call_timeout
        self._held = False

    def exchange(self, apdu: bytes) -> bytes:
        if not self._held:
            self._process.call(Kind.OPEN, self._reader, self._call_timeout)
            self._held = True
        return self._process.call(Kind.TRANSMIT, apdu, self._call_timeout)

    def activate(self) -> str:
        self._held = False
        atr = self._process.call(Kind.ACTIVATE, self._reader, self._call_timeout)
        self._held = True
        return atr.hex()

    def release(self) -> None:
        with contextlib.suppress(ChipLost):
            self._process.call(Kind.CLOSE, b"", self._call_timeout)


class PcscReader:
    """Watches PC/SC readers on a daemon thread of its own and gives a connection for each card laid down.

    *name* is a reader's PC/SC name, or "auto": whichever reader gets a card first, slots of security modules (SAM)
    excepted; readers plugged in later count too. The card is held exclusively from the first use of its connection to
    ``close``. *on_card* gets the connection, *on_removed* tells that its card is gone (see `placement` for a card that
    slips), *on_state* each change of presence, the first finding included; all run on the thread and must hand over
    quickly. *call_timeout*: seconds for one APDU, then the child is killed and started again; *settle*: seconds for a
    card that slipped to be back.

    Without pcscd or any reader the state is gone, and both are waited for: that is no error.
    """

    def __init__(
        self,
        name: str,
        on_card: Callable[[CardConnection], None],
        on_removed: Callable[[], None],
        on_state: Callable[[ReaderState], None],
        call_timeout: float = 5.0,
        settle: float = 2.0,
    ) -> None:
        """Nothing is started before `start`."""
        self._name = name
        self._on_state = on_state
        self._call_timeout = call_timeout
        self._events: queue.SimpleQueue[Readers | _Event] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._reported: Presence | None = None
        self._state = ReaderState(Presence.GONE, datetime.now(UTC))
        self._process: PcscProcess | None = None
        self._placements = Placements(self._card_of, on_card, on_removed, self._wake, settle)
        self._thread = threading.Thread(target=self._run, name="pcsc-reader", daemon=True)

    @property
    def state(self) -> ReaderState:
        """Whether a reader is there now; gone before `start` and after `stop`."""
        return self._state

    def start(self) -> None:
        """Start the child and the thread, once. ReaderUnavailable: pyscard is not installed."""
        self._process = self._started()
        self._thread.start()

    def stop(self) -> None:
        """End child and thread; connections are dead, no callback runs afterwards. Waits at most three seconds."""
        self._stopping.set()
        self._placements.stop()
        self._wake()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
        self._state = ReaderState(Presence.GONE, datetime.now(UTC))

    def _run(self) -> None:
        pause = _PAUSE_FIRST_S
        while True:
            began = time.monotonic()
            if self._process is not None:
                try:
                    self._serve()
                finally:
                    self._process.stop()
                self._process = None
            self._placements.gone()
            self._report(Presence.GONE)
            self._placements.run_due()
            pause = _PAUSE_FIRST_S if time.monotonic() - began > _LIVED_S else min(2 * pause, _PAUSE_LONGEST_S)
            if self._stopping.wait(pause):
                return
            self._start_again()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                event = self._events.get(timeout=self._placements.seconds_left())
            except queue.Empty:
                event = _Event.LOOK
            if event is _Event.ENDED:
                return
            if isinstance(event, Readers):
                self._judge(event)
            self._placements.run_due()

    def _judge(self, readers: Readers) -> None:
        if readers.code:
            self._placements.gone()
            self._report(Presence.GONE, readers.code)
            return
        slots = {slot.name: slot for slot in readers.slots if self._counts(slot.name)}
        self._placements.forget_all_but(slots)
        if (watched := self._placements.watching) is not None:
            self._placements.see(self._still_lying(slots.get(watched)))
        if self._placements.watching is None:
            lying = (_lying(slot) for slot in slots.values() if slot.atr)
            self._placements.see(next(filter(self._placements.is_new, lying), None))
        self._report(Presence.ATTACHED if slots else Presence.GONE)

    def _still_lying(self, slot: Slot | None) -> Lying | None:
        # After a failed reset pcscd shows the reader as empty; whether it is, only its next look and its counter tell.
        if slot is None or not (slot.present or not self._placements.is_new(_lying(slot))):
            return None
        return _lying(slot)

    def _counts(self, name: str) -> bool:
        return name == self._name if self._name != AUTO else not is_sam(name)

    def _started(self) -> PcscProcess:
        events: queue.SimpleQueue[Readers | _Event] = queue.SimpleQueue()
        process = PcscProcess(events.put, partial(events.put, _Event.ENDED))
        self._events = events
        return process

    def _start_again(self) -> None:
        try:
            self._process = self._started()
        except ReaderUnavailable as error:
            _LOG.error("%s", error)

    def _card_of(self, lying: Lying) -> _HeldCard:
        assert self._process is not None  # noqa: S101 - a card is only ever seen by a child
        return _HeldCard(self._process, lying.reader, self._call_timeout)

    def _wake(self) -> None:
        self._events.put(_Event.LOOK)

    def _report(self, presence: Presence, code: int = 0) -> None:
        if presence is self._reported:
            return
        self._reported = presence
        self._state = ReaderState(presence, datetime.now(UTC))
        _LOG.log(
            logging.INFO if presence is Presence.ATTACHED else logging.WARNING,
            "PC/SC reader %s %s (code %08X)",
            self._name,
            presence,
            code,
        )
        self._placements.later(partial(self._on_state, self._state))


def is_sam(name: str) -> bool:
    """Whether a PC/SC reader's name is that of a slot for security modules (identity-documents.md 8.1)."""
    return "SAM" in name.upper()


def _lying(slot: Slot) -> Lying:
    return Lying(slot.name, slot.count, slot.atr)
