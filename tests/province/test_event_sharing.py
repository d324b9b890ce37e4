"""Raw events leave a province only after it said so; then each once, and in no rate above (issue 7, 10)."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from kiosk.events import sign_batch
from province.cli import main
from province.federation import sharing
from province.federation.sending import FederationError, Sent
from province.federation_tables import event_to_share, shared_event
from province.store import Store
from province.tables import event
from tests.province.test_federation import Below, at, new_lower, same_rates, work


@pytest.fixture
def lower(run_hub, filled_sqlite: Path, tmp_path: Path) -> Iterator[object]:
    with ExitStack() as opened:
        yield new_lower(run_hub, filled_sqlite, tmp_path, opened)


def rows(store: Store, table: sa.Table) -> list[tuple[str, str]]:
    with store.read() as connection:
        return sorted(tuple(row) for row in connection.execute(sa.select(table.c.facility, table.c.event_id)))


def provincectl(store: Store, *words: str) -> dict[str, object]:
    url = store._engine.url.render_as_string(hide_password=False)
    told = CliRunner().invoke(main, ["--database", url, *words])
    return json.loads(told.stdout) if told.exit_code == 0 else {"error": told.stderr}


def test_no_event_leaves_until_the_province_says_so(hub, lower) -> None:
    below = Below(lower, hub)
    work(lower)
    assert below.send() == Sent(acknowledged=2)
    assert rows(hub.store, shared_event) == rows(lower.store, event_to_share) == []
    assert below.status()["shares_events"] is False


def test_shared_events_come_above_once_and_count_in_no_rate(hub, lower, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "MAX_SHARED", 4)
    below = Below(lower, hub)
    work(lower)
    kiosk = lower.station("93002", "kiosk-9")
    kiosk.send(kiosk.heartbeat(), kiosk.visit(at(4)))
    told = provincectl(lower.store, "federation", "share-events", "on")
    assert told["shares_events"] is True
    assert told["events_waiting"] == len(rows(lower.store, event)) - 1 > 4, "a heartbeat is nobody's evidence"
    sent = below.send()
    assert sent.events == told["events_waiting"]
    assert set(rows(hub.store, shared_event)) <= set(rows(lower.store, event))
    kiosk.send(kiosk.visit(at(3)))  # and those that come later
    assert below.send().events == 1
    assert below.send() == Sent()
    assert len(rows(hub.store, shared_event)) == sent.events + 1
    same_rates(hub, lower)
    assert rows(hub.store, event) == []
    with hub.store.read() as connection:
        kept = connection.execute(sa.select(shared_event)).first()
    assert kept is not None and kept.hub == "hau-giang"
    provincectl(lower.store, "federation", "share-events", "off")
    kiosk.send(kiosk.visit(at(3)))
    assert below.send().events == 0
    assert below.status()["events_waiting"] == 0


def test_an_answer_that_is_lost_costs_nothing_and_doubles_nothing(hub, lower, monkeypatch: pytest.MonkeyPatch) -> None:
    below = Below(lower, hub)
    provincectl(lower.store, "federation", "share-events", "on")
    work(lower)
    real = sharing.take_shared

    def dies(*words: object) -> object:
        real(*words)  # type: ignore[arg-type]
        raise RuntimeError

    monkeypatch.setattr("province.web.federation.take_shared", dies)
    with pytest.raises(FederationError):
        below.send()
    monkeypatch.undo()
    assert below.send().events == len(rows(hub.store, shared_event)) == len(rows(lower.store, event))
    assert rows(lower.store, event_to_share) == []


def test_another_provinces_events_and_nonsense_are_refused_by_name(hub, lower) -> None:
    below = Below(lower, hub)
    kiosk = lower.station("93002")
    good = kiosk.visit(at(2))

    def post(*events: object, name: str = "hau-giang"):
        body = json.dumps({"hub": name, "events": list(events)}).encode()
        header = sign_batch(below.key.private, below.joined.key_id, body)
        return hub.http.post("/api/v1/shared-events", content=body, headers={"Signature": header})

    def of(body: object, **changes: object) -> dict[str, object]:
        whole = {"facility": "93002", "station": "kiosk-1", "received_at": at(2).isoformat(), "event": body}
        return whole | changes

    answer = post(
        of(good),
        of(good),
        of(good | {"event_id": "x"}),
        of(kiosk.visit(at(2)), facility="00000"),
        of(kiosk.visit(at(2)), received_at="soon"),
        "text",
    ).json()
    assert (answer["accepted"], answer["duplicates"]) == (1, 1)
    reasons = [each["reason"] for each in answer["rejected"]]
    assert reasons == ["bad_event_id", "unknown_facility", "malformed", "malformed"]
    assert post(of(good), name="another").status_code == 403
    assert hub.http.post("/api/v1/shared-events", content=b"{}").status_code == 401
