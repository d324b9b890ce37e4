"""Small charts, one for each facility, drawn as SVG by the hub: all on one scale, so that eyes may compare them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 100.0
HEIGHT: Final = 30.0
_MARGIN: Final = 1.5


@dataclass(frozen=True, slots=True)
class Scale:
    """The percentages at the lower and the upper edge."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Sequence[float | None]) -> "Scale":
        """Wide enough for all values: from the ten below the lowest up to at least 100."""
        known = [value for value in values if value is not None]
        low = max(min(known, default=0.0) // 10 * 10, 0.0)
        return cls(min(low, 90.0), max(100.0, *known) if known else 100.0)

    def y(self, value: float) -> float:
        """How far below the upper edge a value lies."""
        part = (value - self.low) / (self.high - self.low)
        return round(_MARGIN + (1 - min(max(part, 0), 1)) * (HEIGHT - 2 * _MARGIN), 1)


def lines(values: Sequence[float | None], scale: Scale) -> list[str]:
    """The `points` of the polylines of a series in a box of WIDTH by HEIGHT; a missing value leaves a gap.

    A value that stands alone is a short line of its own.
    """
    step = WIDTH / max(len(values) - 1, 1)
    found: list[list[str]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            found.append([])
        else:
            found[-1].append(f"{place * step:.1f},{scale.y(value)}")
    return [" ".join(points if len(points) > 1 else points * 2) for points in found if points]
