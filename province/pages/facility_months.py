"""How far the closing of the last months is for one facility."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from province.months.confirmations import Confirmation
from province.months.state import month_state
from province.pages.month_choice import Month, today_in_vietnam


@dataclass(frozen=True, slots=True)
class MonthLine:
    """One month. ``over``: whether it has ended. ``status``: `open`, `closed` or `adjusted`.

    ``confirmation``: the facility's last one. ``unanswered``, ``answered``: its objections.
    """

    month: Month
    over: bool
    status: str
    confirmation: Confirmation | None
    unanswered: int
    answered: int

    @property
    def waits(self) -> bool:
        """Whether the facility has to confirm its figures as they are now."""
        stands = self.confirmation is not None and self.confirmation.current
        return self.over and self.status == "open" and not stands


def last_months(connection: sa.Connection, facility: str, now: datetime, count: int = 3) -> list[MonthLine]:
    """The current month and those before it, newest first, *count* in all; *now*: an aware time."""
    current = Month.of(today_in_vietnam(now))
    return [_line(connection, facility, current.back(number), over=number > 0) for number in range(count)]


def _line(connection: sa.Connection, facility: str, month: Month, *, over: bool) -> MonthLine:
    state = month_state(connection, month.first, facility)
    return MonthLine(
        month,
        over,
        state.status,
        state.confirmations[0] if state.confirmations else None,
        sum(not each.answers for each in state.objections),
        sum(bool(each.answers) for each in state.objections),
    )
