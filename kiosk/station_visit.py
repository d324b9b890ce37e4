"""From somebody who said who they are to the number in their hand: what a station does for the person in front."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kiosk import records
from kiosk.checkin import CheckIns
from kiosk.choice import Choice, choice_of
from kiosk.errors import StoreError
from kiosk.hospital_model import Service
from kiosk.model import EligibilityClass, local_day
from kiosk.ports import Clock
from kiosk.printing import Printing
from kiosk.records import CheckIn
from kiosk.station_model import Timings
from kiosk.station_views import answer_view, choice_view, paper_view, ticket_view
from kiosk.station_work import StationWork


class StationVisit(StationWork):
    """The steps after *who are you*; each ends on the screen."""

    def __init__(
        self,
        station_id: str,
        checkins: CheckIns,
        clock: Clock,
        timings: Timings,
        printing: Printing | None,
        left: Callable[[str, str], None] | None,
    ) -> None:
        """Nobody stands here."""
        super().__init__(station_id, clock, left)
        self._checkins = checkins
        self._timings = timings
        self._printing = printing
        self._choice = Choice()
        self._told: dict[str, Any] = {}
        self._another = False
        self.language: str | None = None
        """Of the screen, if it said."""

    def _begin_check(self, checkin_id: str) -> None:
        self._screen.show("checking", "checking", step="insurance", waited=0)
        self._start(self._guarded(self._check(checkin_id)))

    async def _check(self, checkin_id: str) -> None:
        fetching = asyncio.gather(self._checkins.menu(), self._checkins.known(checkin_id))
        try:
            checkin = await self._look_up(checkin_id)
            menu, known = await fetching
        finally:
            fetching.cancel()
        if not self._serves(checkin_id):
            return
        if reason := self._checkins.staff_reason(checkin):
            await self._to_staff(checkin_id, reason)
            return
        self._choice = choice_of(
            menu,
            checkin.identity,
            local_day(checkin.happened_at),
            known,
            insured=checkin.status is not EligibilityClass.NOT_INSURED,
            asks_slip=self._checkins.asks_slip(checkin),
        )
        day, rules = local_day(checkin.happened_at), self._checkins.policy.priority
        known_group = checkin.priority or rules.by_age(checkin.identity, day)
        groups = () if known_group else rules.to_say(checkin.identity, day)
        self._choice = replace(self._choice, groups=groups, priority=known_group)
        self._told = answer_view(checkin)
        if not self._choice.services:
            await self._to_staff(checkin_id, "no_menu")
            return
        self._offer(checkin_id)

    def _offer(self, checkin_id: str) -> None:
        """Let the person choose, and ask for papers before; a fixed room is no choice."""
        choice = self._choice
        fixed = len(choice.services) == 1 and not self._checkins.hospital.capabilities.menu
        if fixed and not choice.open_question:
            follows = next((proposal.follows for proposal in choice.proposals), None)
            self._screen.show("checking", "checking", step="registering", waited=0)
            self._start(self._guarded(self._register(checkin_id, choice.services[0], follows)))
        else:
            self._screen.show(
                "choose_service",
                "choose_service",
                clear_after=self._timings.choose,
                **self._told,
                **choice_view(choice),
            )

    async def _claim_priority(self, checkin_id: str, group: str) -> None:
        """Keep that the person says to belong to *group*; staff see the paper."""
        try:
            await self._checkins.store.run(lambda c: records.update(c, checkin_id, priority=group))
        except StoreError:
            self.break_down("store")
            raise
        self._choice = replace(self._choice, groups=(), priority=group)
        self._offer(checkin_id)

    async def _look_up(self, checkin_id: str) -> CheckIn:
        return await self._checkins.look_up(checkin_id, another=self._another)

    async def _register(self, checkin_id: str, service: Service, follows: str | None) -> None:
        choice = self._choice
        checkin = await self._checkins.accept(
            checkin_id,
            service,
            insured=choice.insured,
            another=self._another,
            follows=follows,
            slip=choice.slip,
        )
        if self._serves(checkin_id):
            self.checkin_id = checkin.checkin_id
            self._show_ticket(checkin)

    async def _to_staff(self, checkin_id: str, reason: str) -> None:
        checkin = await self._checkins.send_to_staff(checkin_id, reason, another=self._another)
        if self._serves(checkin_id):
            self._show_ticket(checkin)

    def _show_ticket(self, checkin: CheckIn, *, again: bool = False) -> None:
        """The end: a number, committed before it is shown, and where to go."""
        if checkin.service is None or checkin.hospital_state == "parked":
            view, clear = "needs_staff", self._timings.staff
        else:
            view, clear = "done", self._timings.done
        told = answer_view(checkin)
        self._screen.show(view, view, clear_after=clear, ticket=ticket_view(checkin), again=again, **told)
        if self._printing is not None:
            self._screen.flag(printed=None, receipt_qr=None)
            self._start(self._print(checkin, self._printing))

    async def _print(self, checkin: CheckIn, printing: Printing) -> None:
        """Print, and say on the screen how that ended if the person still stands there."""
        shown = self._screen.data.get("ticket")
        printed = await printing.by_itself(checkin, self.language)
        if self._screen.data.get("ticket") is shown:
            self._screen.flag(**paper_view(checkin, printed))
