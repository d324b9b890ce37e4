"""A facility's planned days as rows of `rollup`, as the hub would add up the events of the same plan."""

from collections.abc import Iterator
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from province.measures import Measures, to_row
from province.rollup_table import ADDED, DESK_LOOKED_UP, DESK_NOT_LOOKED_UP, LARGEST, column_of
from province.simulate.chances import NAMES
from province.simulate.outcomes import OUTCOMES, add
from province.simulate.plan import Days

COLUMNS: Final = (*ADDED, *LARGEST)
_SEEN_BY_HOSPITAL: Final = to_row(Measures(origins={"his"}, visits_portal=0, reported=True))


def day_rows(days: Days) -> Iterator[list[int]]:
    """The values of `COLUMNS`, one list per day."""
    table = np.zeros((len(days.places), len(COLUMNS)), dtype=np.int64)
    table[:, : len(ADDED)] = days.outcomes @ _each_adds()
    visits = days.outcomes.sum(axis=1) + days.desk_visits
    told = {
        "visits": visits,
        "visits_portal": days.portal,
        "visits_beside_portal": visits,
        "desk_lookups": days.desk_looked_up,
        "desk_looked_up": days.desk_looked_up,
        "desk_success": days.desk_success,
        column_of("not_by_chip", DESK_LOOKED_UP): days.desk_looked_up,
        column_of("not_by_chip", DESK_NOT_LOOKED_UP): days.desk_visits - days.desk_looked_up,
    }
    for name, numbers in told.items():
        table[:, COLUMNS.index(name)] = numbers
    table[:, len(ADDED) :] = [_SEEN_BY_HOSPITAL[name] for name in LARGEST]
    yield from table.tolist()


@cache
def _each_adds() -> NDArray[np.int64]:
    """What one visit of each outcome adds to each column."""
    rows = []
    for name in NAMES:
        sums = Measures()
        add(sums, OUTCOMES[name], 1)
        row = to_row(sums)
        rows.append([row[column] for column in ADDED])
    return np.array(rows, dtype=np.int64)
