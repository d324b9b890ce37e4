"""Wires what a configuration says about the chip: reader, anchors, provider, evidence."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

from kiosk import records
from kiosk.card_slot import CardSlot, OnIdentity
from kiosk.chip_provider import HttpChipVerifier
from kiosk.chip_reading import ChipJudge, MakeEvidence
from kiosk.chip_step import ChipPart
from kiosk.config import CardTable, Config, read_secret
from kiosk.emrtd.chip import AccessKey, read_chip
from kiosk.emrtd.results import ChipRead
from kiosk.emrtd.trust import TrustAnchors, TrustError, load_anchors
from kiosk.emrtd.vietnam import can_of
from kiosk.errors import ConfigError, StoreError
from kiosk.evidence import make_evidence
from kiosk.portraits import Portraits
from kiosk.ports import CardConnection, ChipVerifier, Clock
from kiosk.station_key import signing_key
from kiosk.store import Store

log = logging.getLogger(__name__)

_SIZES = "card_sizes"


def anchors_of(table: CardTable, beside: Path) -> TrustAnchors | None:
    """The trust anchors of the configuration; None, with a warning, when there are none.

    ConfigError when something lies there that is no certificate.
    """
    path = beside / table.anchors
    if not table.anchors or not path.exists():
        log.warning("card.anchors: nothing there, no chip will be called genuine")
        return None
    try:
        return load_anchors(path)
    except TrustError as exc:
        raise ConfigError(f"card.anchors: {exc}") from None


class StoredSizes:
    """Read sizes learnt per card type, kept in the store (``emrtd.files.SizeMemory``); used on reading threads."""

    def __init__(self, store: Store) -> None:
        """Take over what was learnt before."""
        self._store = store
        self._sizes: dict[str, int] = store.run_now(lambda c: records.get_setting(c, _SIZES)) or {}

    def get(self, card_type: str) -> int | None:
        """The size that worked last, or None."""
        return self._sizes.get(card_type)

    def put(self, card_type: str, size: int) -> None:
        """Remember a size; a store that takes nothing now must not end the read."""
        if self._sizes.get(card_type) == size:
            return
        self._sizes = {**self._sizes, card_type: size}
        try:
            self._store.run_from_thread(lambda c: records.put_setting(c, _SIZES, self._sizes))
        except StoreError as exc:
            log.warning("card sizes not kept", extra={"code": exc.code})


def chip_part(
    config: Config, store: Store, clock: Clock, anchors: TrustAnchors | None, provider: ChipVerifier | None
) -> ChipPart:
    """Slot, judge and policy of the station."""
    sizes = StoredSizes(store)

    def read_card(card: CardConnection, personal_id: str, on_identity: OnIdentity) -> ChipRead:
        return read_chip(
            card,
            AccessKey(can=can_of(personal_id)),
            anchors=anchors,
            photo=config.card.portrait,
            on_identity=on_identity,
            memory=sizes,
            now=clock(),
        )

    judge = ChipJudge(clock, evidence_maker(config, store), provider, simulated=config.demo)
    portraits = Portraits() if config.card.portrait else None
    return ChipPart(CardSlot(read_card), judge, config.policy.document, portraits)


def provider_of(table: CardTable, beside: Path) -> HttpChipVerifier | None:
    """The licensed provider of the configuration, if there is one. ConfigError names a wrong setting."""
    if not table.provider_url:
        return None
    return HttpChipVerifier(
        name=table.provider_name,
        url=table.provider_url,
        token=read_secret(table.provider_token_file, beside),
        ca_file=table.provider_ca_file,
        photo=table.portrait,
    )


def evidence_maker(config: Config, store: Store) -> MakeEvidence:
    """Signs evidence with the key that the province knows or, before enrolment, with one of this store's own."""

    async def make(read: ChipRead, now: datetime, reader: str | None) -> bytes:
        key_id, private = await store.run(signing_key)
        return make_evidence(
            read,
            key=private,
            key_id=key_id,
            facility=config.station.facility,
            station=config.station.id,
            reader=reader or config.card.adapter,
            read_at=now,
        )

    return make
