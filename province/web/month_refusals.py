"""What the rules of months refuse, as answers over HTTP."""

from collections.abc import Callable
from typing import Final, TypeVar

from province.access.caller import Caller
from province.guards import ApiError
from province.months.rules import MonthRefused

_CONFLICTS: Final = frozenset({"month_not_over", "month_closed", "not_confirmed"})
_UNKNOWN: Final = frozenset({"unknown_facility", "unknown_objection", "unknown_item"})
_T = TypeVar("_T")


def ruled(work: Callable[[], _T]) -> _T:
    """What *work* gives; what the rules of months refuse is an answer with its code: 404, 409 or 422."""
    try:
        return work()
    except MonthRefused as error:
        status = 409 if error.code in _CONFLICTS else 404 if error.code in _UNKNOWN else 422
        raise ApiError(status, error.code, error.detail) from None


def for_the_whole(caller: Caller) -> None:
    """Raise 403 for a caller who sees one facility only."""
    if caller.facility is not None:
        raise ApiError(403, "not_allowed")
