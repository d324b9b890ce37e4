"""Wires what a configuration says of the facility into the rules that add to every answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

from kiosk.config import Config
from kiosk.insurance.notices import with_insights
from kiosk.insurance.routes import RouteProfile
from kiosk.model import Eligibility


def insights_of(config: Config) -> Callable[[Eligibility, date], Eligibility]:
    """What adds notices and the provisional route to an answer about a visit on a day (Vietnam's calendar)."""
    profiles = [
        RouteProfile(row.since, row.level, frozenset(row.accepted), row.score, row.former, row.primary)
        for row in config.route
    ]
    return partial(with_insights, profiles=profiles, facility=config.station.facility)
