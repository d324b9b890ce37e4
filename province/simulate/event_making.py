"""A planned day as events, as a station and a hospital system would send them (interfaces.md 5)."""

import random
import uuid
from collections.abc import Iterator
from datetime import datetime

from kiosk.events import (
    VIETNAM,
    Method,
    Origin,
    desk_lookups_event,
    lookup_event,
    result_kpi_class,
    visit_count_event,
    visit_event,
)
from province.simulate.days import moment
from province.simulate.outcomes import OUTCOMES
from province.simulate.plan import DayPlan

STATION = "simulated"


def events_of(code: str, plan: DayPlan, seed: int) -> Iterator[dict[str, object]]:
    """The day's events of the facility *code*, gapless by `seq` in an epoch of their own."""
    dice = random.Random(f"{seed} {code} {plan.day.toordinal()} events")  # noqa: S311 - no secret
    evening = datetime(plan.day.year, plan.day.month, plan.day.day, 17, tzinfo=VIETNAM)
    epoch = _id(evening, dice)
    seq = 0

    def common(at: datetime) -> dict[str, object]:
        nonlocal seq
        seq += 1
        return {"event_id": _id(at, dice), "epoch": epoch, "seq": seq, "happened_at": at}

    for name, number in plan.outcomes.items():
        outcome = OUTCOMES[name]
        for _ in range(number):
            at = moment(plan.day, dice)
            visit = {
                "checkin_id": _id(at, dice),
                "method": outcome.method,
                "lane": outcome.lane,
                "person_day": f"{dice.getrandbits(64):016x}",
            }
            if outcome.method is not None:
                by_chip = outcome.method is Method.CHIP_CCCD
                asked = {
                    "key_kind": outcome.key_kind,
                    "chip_verdict": outcome.verdict,
                    "issuer": "0123456789abcdef" if by_chip else None,
                    "eligibility_class": result_kpi_class(outcome.code) if outcome.code else "failed_technical",
                    "result_code": outcome.code,
                    "reached_gateway": outcome.reached,
                    "latency_ms": dice.randrange(300, 2500) if outcome.reached else None,
                    "attempt": 1,
                }
                yield lookup_event(**(common(at) | visit | asked))  # type: ignore[arg-type]
            yield visit_event(**(common(at) | visit | {"bhyt": True, "not_by_chip": outcome.reason}))  # type: ignore[arg-type]
    counts = ((Origin.HIS, plan.visits), (Origin.PORTAL_FILE, plan.portal))
    for origin, visits in counts:
        told = {"bhyt_visits": visits, "by_class": {}, "revision": 1}
        yield visit_count_event(**common(evening), day=plan.day, figures=told, origin=origin)  # type: ignore[arg-type]
    desk = {
        "lookups": plan.desk_looked_up,
        "visits_looked_up": plan.desk_looked_up,
        "visits_success": plan.desk_success,
        "revision": 1,
    }
    yield desk_lookups_event(**common(evening), day=plan.day, figures=desk, origin=Origin.HIS)  # type: ignore[arg-type]


def _id(at: datetime, dice: random.Random) -> str:
    """A UUIDv7 (RFC 9562, 5.7) of that time."""
    value = int(at.timestamp() * 1000) << 80 | 7 << 76 | dice.getrandbits(12) << 64 | 2 << 62 | dice.getrandbits(62)
    return str(uuid.UUID(int=value))
