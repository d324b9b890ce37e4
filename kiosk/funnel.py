"""How people leave each view of a station: where they go on, and where they give up."""

from __future__ import annotations

from typing import Final

WAYS: Final = ("next", "finished", "gave_up", "timed_out", "called_staff", "broken")
_TICKETS: Final = ("done", "needs_staff")
_CALLS: Final = ("called", "emergency")


def how_left(view: str, following: str, *, timed_out: bool) -> str | None:
    """One of ``WAYS`` for a *view* after which *following* stands; None where nobody was on a way.

    *timed_out*: the view's time was over and nobody had touched anything.
    """
    if view in ("idle", "out_of_order", *_CALLS) or view == following:
        return None
    if following == "out_of_order":
        return "broken"
    if following in _CALLS:
        return "called_staff"
    if following != "idle":
        return "next"
    if view in _TICKETS:
        return "finished"
    return "timed_out" if timed_out else "gave_up"
