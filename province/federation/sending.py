"""Sending the sums of this hub's days to the hub above: each change once, in the order of its revisions.

A day that changed gets its next revision, and stays to be sent until the upper hub has acknowledged just that revision;
so an outage, a lost answer or a killed process costs nothing and doubles nothing.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import sqlalchemy as sa

from kiosk.events import parse_day, sign_batch
from province.access.own_origin import is_loopback
from province.federation.sharing import set_sharing, share, waiting_events
from province.federation.wire import MAX_ROLLUPS, Rollup, write_body
from province.federation_tables import sent_day, upper_hub
from province.hub_key import HubKey
from province.member_days import as_text, pack, packed_of
from province.rollup_table import Grain, rollup
from province.simulate.mark import simulated_range
from province.store import Store
from province.upsert import insert_or_update

TIMEOUT_SECONDS: Final = 60
_LONGEST_WAIT: Final = 3600
_USUAL_WAIT: Final = 30
_LONGEST_CODE: Final = 64


class FederationError(Exception):
    """The upper hub cannot be asked, or refuses; `code` is stable."""

    def __init__(self, code: str, *, wait: int | None = None) -> None:
        """`code`: bad_url, not_joined, unreachable, busy, bad_answer, or the upper hub's own. `wait`: seconds after
        which asking again may help; None where only a person can help.
        """
        super().__init__(code)
        self.code = code
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Upper:
    """The hub above: where it is, and as whom this hub is known there."""

    url: str
    hub: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What one round did: days acknowledged, days that the upper hub refused by name, and events shared."""

    acknowledged: int = 0
    refused: int = 0
    events: int = 0


def join_upper(store: Store, key: HubKey, url: str, code: str, *, share_events: bool = False) -> Upper:
    """Join the hub at *url* with a code made there; what was sent to another hub before is sent again from the start.

    With *share_events* raw events go there too; without, they never leave.

    Raises FederationError; https is needed, but for this machine itself.
    """
    address = urlsplit(url)
    allowed = address.scheme == "https" or (address.scheme == "http" and is_loopback(address.hostname))
    if not allowed or not address.hostname or address.username or address.query or address.fragment:
        raise FederationError("bad_url")
    asked = {"code": code, "public_key": base64.b64encode(key.public_key).decode()}
    with _client(url) as client:
        answer = _post(client, "/api/v1/hubs", json=asked)
    try:
        upper = Upper(url, str(answer["hub"]), str(answer["key_id"]))
    except (KeyError, TypeError):
        raise FederationError("bad_answer") from None
    with store.write() as connection:
        store.lock_facility(connection, "federation")
        before = connection.execute(sa.select(upper_hub)).first()
        if before is None or (before.url, before.hub) != (upper.url, upper.hub):
            connection.execute(sa.update(sent_day).values(sent_revision=0, refused=None))
        connection.execute(sa.delete(upper_hub))
        values = {"number": 1, "url": upper.url, "hub": upper.hub, "key_id": upper.key_id}
        connection.execute(sa.insert(upper_hub).values(**values, joined_at=datetime.now(UTC), share_events=False))
        set_sharing(connection, wanted=share_events)
    return upper


def send_round(store: Store, key: HubKey) -> Sent:
    """Note what changed, then send everything that is not acknowledged. Raises FederationError, which is kept for
    `status`; what was acknowledged until then stays so.
    """
    upper = find_upper(store)
    note_changes(store)
    acknowledged = refused = events = 0
    try:
        with _client(upper.url) as client:
            for rollups in _waiting(store):
                problems = _send(client, upper, key, rollups)
                _acknowledge(store, rollups, problems)
                refused += len(problems)
                acknowledged += len(rollups) - len(problems)
            events = share(store, upper.hub, lambda body: _signed(client, upper, key, "/api/v1/shared-events", body))
    except FederationError as error:
        _note(store, problem=error.code[:_LONGEST_CODE])
        raise
    _note(store, problem=None, sent_at=datetime.now(UTC))
    return Sent(acknowledged, refused, events)


def find_upper(store: Store) -> Upper:
    """The hub above. Raises FederationError `not_joined`."""
    with store.read() as connection:
        row = connection.execute(sa.select(upper_hub)).first()
    if row is None:
        raise FederationError("not_joined")
    return Upper(row.url, row.hub, row.key_id)


def note_changes(store: Store) -> int:
    """Give each day whose sums are others than those noted its next revision; returns how many.

    Simulated days stay here: above, nothing would mark them.
    """
    with store.read() as connection:
        made_up = simulated_range(connection)
        before = {(row.facility, row.day): row for row in connection.execute(sa.select(sent_day))}
        now: dict[tuple[str, date], str] = dict.fromkeys(before, as_text({}))
        for row in connection.execute(sa.select(rollup).where(rollup.c.grain == Grain.DAY)).mappings():
            if made_up is None or not made_up.start <= row["start"] <= made_up.end:
                now[row["facility"], row["start"]] = as_text(pack(row))
    changed = {
        place: (before[place].revision if place in before else 0, text)
        for place, text in now.items()
        if place not in before or before[place].sums != text
    }
    if not changed:
        return 0
    with store.write() as connection:
        store.lock_facility(connection, "federation")
        # Another process may have noted a change meanwhile: then this one is looked at again in the next round.
        held = {
            (row.facility, row.day): (row.revision, row.sent_revision)
            for row in connection.execute(
                sa.select(sent_day.c.facility, sent_day.c.day, sent_day.c.revision, sent_day.c.sent_revision)
            )
        }
        rows = [
            {
                "facility": facility,
                "day": day,
                "revision": revision + 1,
                "sums": text,
                "sent_revision": held.get((facility, day), (0, 0))[1],
                "refused": None,
            }
            for (facility, day), (revision, text) in changed.items()
            if held.get((facility, day), (0, 0))[0] == revision
        ]
        insert_or_update(connection, sent_day, rows, ("revision", "sums", "refused"))
    return len(rows)


def status(connection: sa.Connection) -> dict[str, object]:
    """Where this hub sends to, how many days wait, the first of them, which are refused and why, the last problem."""
    upper = connection.execute(sa.select(upper_hub)).first()
    waits = sent_day.c.sent_revision < sent_day.c.revision
    number, oldest = connection.execute(sa.select(sa.func.count(), sa.func.min(sent_day.c.day)).where(waits)).one()
    refused = (
        sa.select(sent_day.c.refused, sa.func.count())
        .where(waits, sent_day.c.refused.is_not(None))
        .group_by(sent_day.c.refused)
    )
    return {
        "url": upper.url if upper else None,
        "hub": upper.hub if upper else None,
        "key_id": upper.key_id if upper else None,
        "sent_at": upper.sent_at.isoformat(timespec="seconds") if upper and upper.sent_at else None,
        "problem": upper.problem if upper else None,
        "waiting": number,
        "oldest_waiting": oldest.isoformat() if oldest else None,
        "shares_events": bool(upper and upper.share_events),
        "events_waiting": waiting_events(connection),
        "refused": {row[0]: row[1] for row in connection.execute(refused)},
    }


def _waiting(store: Store) -> Iterator[list[Rollup]]:
    """Everything that is not acknowledged, newest days first: what people look at must not wait behind a backlog."""
    order = sa.tuple_(sent_day.c.day, sent_day.c.facility)
    after: tuple[date, str] | None = None
    while True:
        query = sa.select(sent_day).where(sent_day.c.sent_revision < sent_day.c.revision)
        if after is not None:
            query = query.where(order < sa.tuple_(sa.literal(after[0], sa.Date), sa.literal(after[1])))
        query = query.order_by(sent_day.c.day.desc(), sent_day.c.facility.desc()).limit(MAX_ROLLUPS)
        with store.read() as connection:
            rows = connection.execute(query).fetchall()
        if not rows:
            return
        yield [Rollup(row.facility, row.day, row.revision, packed_of(row.sums)) for row in rows]
        after = rows[-1].day, rows[-1].facility


def _send(
    client: httpx.Client, upper: Upper, key: HubKey, rollups: Sequence[Rollup]
) -> dict[tuple[str, date | None], str]:
    """The upper hub's refusals: facility and day -> reason."""
    answer = _signed(client, upper, key, "/api/v1/rollups", write_body(upper.hub, rollups))
    try:
        problems = {
            (str(each["facility"]), parse_day(each["day"])): str(each["reason"])[:_LONGEST_CODE]
            for each in answer["rejected"]
        }
        told = answer["accepted"] + answer["duplicates"] + len(problems)
    except (KeyError, TypeError):
        raise FederationError("bad_answer", wait=_USUAL_WAIT) from None
    if told != len(rollups) or not problems.keys() <= {(each.facility, each.day) for each in rollups}:
        raise FederationError("bad_answer", wait=_USUAL_WAIT)
    return problems


def _signed(client: httpx.Client, upper: Upper, key: HubKey, path: str, body: bytes) -> dict[str, Any]:
    headers = {"Signature": sign_batch(key.private, upper.key_id, body), "Content-Type": "application/json"}
    return _post(client, path, content=body, headers=headers)


def _acknowledge(store: Store, rollups: Sequence[Rollup], problems: dict[tuple[str, date | None], str]) -> None:
    with store.write() as connection:
        for each in rollups:
            mine = sa.and_(sent_day.c.facility == each.facility, sent_day.c.day == each.day)
            reason = problems.get((each.facility, each.day))
            if reason is not None:
                connection.execute(sa.update(sent_day).where(mine).values(refused=reason))
                continue
            newer = sent_day.c.sent_revision < each.revision
            connection.execute(sa.update(sent_day).where(mine, newer).values(sent_revision=each.revision, refused=None))


def _note(store: Store, **values: object) -> None:
    with store.write() as connection:
        connection.execute(sa.update(upper_hub).values(**values))


def _client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url.rstrip("/"), timeout=TIMEOUT_SECONDS, follow_redirects=False)


def _post(client: httpx.Client, path: str, **request: Any) -> dict[str, Any]:
    try:
        answer = client.post(path, **request)
    except httpx.HTTPError:
        raise FederationError("unreachable", wait=_USUAL_WAIT) from None
    if answer.status_code in (429, 502, 503, 504):
        raise FederationError("busy", wait=_wait(answer.headers.get("Retry-After", "")))
    try:
        told = answer.json()
    except ValueError:
        raise FederationError("bad_answer", wait=_USUAL_WAIT) from None
    if not isinstance(told, dict):
        raise FederationError("bad_answer", wait=_USUAL_WAIT)
    if not answer.is_success:
        raise FederationError(
            str(told.get("error", "bad_answer")), wait=_USUAL_WAIT if answer.is_server_error else None
        )
    return told


def _wait(retry_after: str) -> int:
    seconds = int(retry_after) if retry_after.isdecimal() and len(retry_after) < 6 else _USUAL_WAIT
    return min(max(seconds, 1), _LONGEST_WAIT)
