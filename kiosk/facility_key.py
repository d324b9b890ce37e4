"""The facility key of a station with a relay: the relay's, as long as nothing was made with another.

Under one key the same person has the same daily digest and receipts agree at all stations (interfaces, section 5).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from kiosk import journal, records
from kiosk.store import Store
from kiosk.tables import checkin

_FROM: Final = "facility_key_from"
OWN: Final = "own"
RELAY: Final = "relay"


def agree(store: Store, own: bytes, ask_relay: Callable[[], bytes | None]) -> bytes:
    """The key to use from now on: the relay's if it gives one and this station has used none before.

    A station that has used its own keeps it, and says so (``key_from``). For the start, before anything else runs.
    """
    given = ask_relay()
    if given is None:
        return own

    def work(connection: sa.Connection) -> bytes:
        used = connection.execute(sa.select(checkin.c.checkin_id).limit(1)).first() is not None
        if used and given != own:
            records.put_setting(connection, _FROM, OWN)
            return own
        journal.replace_facility_key(connection, given)
        records.put_setting(connection, _FROM, RELAY)
        return given

    return store.run_now(work)


def key_from(connection: sa.Connection) -> str | None:
    """``relay``, or ``own`` where it differs from the relay's; None while no relay has given one."""
    found: str | None = records.get_setting(connection, _FROM)
    return found
