"""The place where a card lies, between the reader's thread and the station on the event loop.

One card at a time, one read at a time: a read that nobody waits for any more still ends before the next begins. A card
that was read to its end is done with: whoever forgets it there is not read again for the next person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from kiosk.emrtd.errors import EmrtdError
from kiosk.emrtd.results import ChipRead
from kiosk.errors import KioskError
from kiosk.ports import CardConnection

OnIdentity = Callable[[Mapping[str, bytes]], None]
ReadCard = Callable[[CardConnection, str, OnIdentity], ChipRead]
"""Reads a whole chip with the CAN of a 12-digit number, on a thread; calls back when DG1 and DG13 match the hashes."""


class ChipTrouble(KioskError):
    """The chip could not be read to its end; ``code`` is one of interfaces section 3."""

    def __init__(self, code: str) -> None:
        """Carry the *code*."""
        super().__init__(code)
        self.code = code


class CardSlot:
    """All methods but the work inside ``read`` run on the daemon's event loop."""

    def __init__(self, read_card: ReadCard) -> None:
        """*read_card* does the protocol."""
        self._read_card = read_card
        self._one_at_a_time = asyncio.Lock()
        self._used: CardConnection | None = None
        self.attached = False
        self.card: CardConnection | None = None
        self.lies = False
        """Whether a card lies there at all, read already or not."""

    def reader_changed(self, attached: bool) -> None:
        """The reader was unplugged or came back."""
        self.attached = attached
        if not attached:
            self.card = None
            self.lies = False

    def laid(self, card: CardConnection) -> None:
        """A card lies on the reader."""
        self.card = card
        self.lies = True

    def removed(self) -> None:
        """The card is gone."""
        self.card = None
        self.lies = False

    async def read(self, personal_id: str, on_identity: OnIdentity) -> ChipRead:
        """Read the chip that lies here with the key that *personal_id* gives.

        *on_identity* runs on the event loop as soon as the files that name the person match the signed hashes, while
        the rest is being read. ChipTrouble when the read did not come to its end.
        """
        loop = asyncio.get_running_loop()

        def told(files: Mapping[str, bytes]) -> None:
            loop.call_soon_threadsafe(on_identity, files)

        async with self._one_at_a_time:
            if self.card is None:
                raise ChipTrouble("CARD_LOST")
            card = self.card
            try:
                read = await asyncio.to_thread(self._read, card, personal_id, told)
            except EmrtdError as exc:
                raise ChipTrouble(exc.code) from None
            await self._let_go_of(card)
            return read

    async def let_go(self) -> None:
        """Nobody reads the card that lies here any more: laid down again, however soon, it is a card anew."""
        async with self._one_at_a_time:
            if self.card is not None:
                await self._let_go_of(self.card)

    async def _let_go_of(self, card: CardConnection) -> None:
        if self.card is card:
            self.card = None
        await asyncio.to_thread(card.close)

    def _read(self, card: CardConnection, personal_id: str, told: OnIdentity) -> ChipRead:
        if card is self._used:  # a chip still remembers the read before, and whose key opened it
            card.reset()
        self._used = card
        return self._read_card(card, personal_id, told)
