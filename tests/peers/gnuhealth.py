"""RemotePeer of the contract: the GNU Health adapter, a proxy that spoils calls, and the live server behind it."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

from hospital_adapters.gnuhealth import GnuHealthAdapter, create
from kiosk.hospital_model import Encounter, Receipt, Service
from kiosk.model import Identity, PartialDate, Sex
from kiosk.ports import AdapterContext
from tests.peers.gnuhealth_proxy import GARBAGE, Proxy
from tests.peers.gnuhealth_server import DATABASE, INSTITUTION, INSURER, PASSWORD, USER, GnuHealth

FAMILY = ("BÙI", "ĐẶNG", "LÝ", "NGÔ", "TẠ", "CAO", "MAI", "TÔ", "LA", "KHA")
INSURED = Service("CARDIO.BHYT", "CARDIO", "Tim mạch", "CARDIO", "Tim mạch", "1", True)
SELF_PAY = Service("CARDIO.DV", "CARDIO", "Tim mạch (theo yêu cầu)", "CARDIO", "Tim mạch", "2", False)
ARRIVAL = datetime.fromisoformat("2026-01-05T00:12:31.987+00:00")


def settings_for(url: str, **changes: Any) -> dict[str, Any]:
    """The ``[hospital]`` table of a station at the furnished institution."""
    table = {"url": url, "database": DATABASE, "user": USER, "password_file": "gnuhealth-password"}
    return table | {"institution": INSTITUTION, "insurer": INSURER} | changes


def adapter_for(url: str, password: str = PASSWORD, **changes: Any) -> GnuHealthAdapter:
    """An adapter as the entry point makes it."""
    context = AdapterContext("99001", lambda name: {"gnuhealth-password": password + "\n"}[name])
    return create(settings_for(url, **changes), context)


def person(serial: int) -> Identity:
    """Each *serial* another person."""
    name = f"{FAMILY[serial % 10].title()} Văn Thử {chr(ord('A') + serial // 10)}"
    return Identity(f"0991900{serial + 50000:05d}", None, name, PartialDate(1990, 9, 2), Sex.MALE)


class GnuHealthPeer:
    """One adapter on an emptied server."""

    garbage = tuple(GARBAGE)
    secrets = ("0991900", "VĂN THỬ", "Văn Thử", "TRẦN THỊ MẪU", PASSWORD, "GD4929", "Session ")

    def __init__(self, server: GnuHealth, **changes: Any) -> None:
        server.empty()
        self.server = server
        self.proxy = Proxy(server.url)
        self._changes = changes

    async def __aenter__(self) -> "GnuHealthPeer":
        await self.proxy.start()
        self.adapter = adapter_for(self.proxy.url, **self._changes)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.adapter.close()
        await self.proxy.stop()

    def encounter(self, serial: int, service: Service = INSURED, **changes: Any) -> Encounter:
        checkin_id = f"0198c0de-0000-7000-8000-{serial:012d}"
        return replace(Encounter(checkin_id, "99001", ARRIVAL, person(serial), service), **changes)

    async def push(self, serial: int, **changes: Any) -> Receipt:
        return await self.adapter.push(self.encounter(serial, **changes))

    async def registered(self, checkin_id: str) -> int:
        query = "SELECT id FROM gnuhealth_appointment WHERE comments LIKE %s AND state IN ('checked_in', 'done')"
        return len(await asyncio.to_thread(self.server.rows, query, f"%CK1;id={checkin_id}%"))

    def visits(self) -> list[dict[str, Any]]:
        """All appointments with the number of the person."""
        return self.server.rows(
            "SELECT a.*, party.ref, specialty.code AS specialty FROM gnuhealth_appointment a"
            " JOIN gnuhealth_patient patient ON patient.id = a.patient JOIN party_party party"
            " ON party.id = patient.party LEFT JOIN gnuhealth_specialty specialty ON specialty.id = a.speciality"
            " ORDER BY a.id"
        )

    def people(self) -> list[dict[str, Any]]:
        """All persons, each with the id of the patient record."""
        return self.server.rows(
            "SELECT party.*, patient.id AS patient, patient.current_insurance FROM party_party party"
            " LEFT JOIN gnuhealth_patient patient ON patient.party = party.id WHERE party.is_person ORDER BY party.id"
        )

    def cards(self) -> list[dict[str, Any]]:
        return self.server.rows("SELECT * FROM gnuhealth_insurance ORDER BY id")

    async def go_away(self) -> None:
        await self.proxy.stop()

    async def come_back(self) -> None:
        await self.proxy.start()

    async def refuse_next(self) -> None:
        self.proxy.refuse_next_visit()

    async def lose_next_answer(self) -> None:
        self.proxy.lose_next_visit()

    async def answer_next_with(self, garbage: str) -> None:
        self.proxy.answer_next_with(garbage)
