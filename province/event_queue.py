"""Which events wait to be shared with the hub above: none, unless the province decided to share them."""

from collections.abc import Iterable

import sqlalchemy as sa

from kiosk.events import Kind
from province.federation_tables import event_to_share, upper_hub
from province.tables import event
from province.upsert import insert_rows


def queue_events(connection: sa.Connection, facility: str, event_ids: Iterable[str]) -> None:
    """Let these new events wait, if events are shared; in the transaction that keeps them."""
    if connection.scalar(sa.select(upper_hub.c.share_events)):
        insert_rows(connection, event_to_share, [{"facility": facility, "event_id": each} for each in event_ids])


def queue_all(connection: sa.Connection, without_station: str) -> None:
    """Let all events of the ledger wait, but for heartbeats and those of the station *without_station*."""
    kept = sa.select(event.c.facility, event.c.event_id).where(
        event.c.kind != Kind.HEARTBEAT, event.c.station != without_station
    )
    connection.execute(sa.insert(event_to_share).from_select(["facility", "event_id"], kept.order_by(event.c.event_id)))
