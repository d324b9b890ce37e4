"""The FHIR adapter beside the strict FHIR simulator over real HTTP."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from hospital_adapters.fhir import FhirAdapter, create
from kiosk.hospital_model import Encounter, Service
from kiosk.model import Coverage, EligibilityClass, Identity, KeyKind, PartialDate, Sex
from kiosk.ports import AdapterContext
from simulators.fhir_server import Server, Settings, create_app
from simulators.serve import RunningServer

CITIZEN = "http://fhir.hl7.org.vn/core/sid/cccd"
OLD = "http://fhir.hl7.org.vn/core/sid/cmnd"
CARD_SYSTEM = "http://fhir.hl7.org.vn/core/sid/bhyt"
VISIT = "http://fhir.hl7.org.vn/core/sid/ma-lk"
CHECKIN = "urn:bhyt-kiosk:checkin"
QUEUE = "urn:example:queue-number"
COVERAGE = "urn:bhyt-kiosk:encounter-coverage"
SECRETS = {"fhir-token": "tok-0991\n", "fhir-secret": "s:e cret/1\n", "empty": "\n"}

ROOM = Service("501", "NOI01", "Khám Nội - phòng 101", "11", "Khoa Nội", "1", True)
HAPPENED = datetime.fromisoformat("2026-01-05T00:12:31.987+00:00")
DAY = date(2026, 1, 5)
CARD = Coverage("GD4929900000001", KeyKind.BHYT_15, "99001", date(2026, 1, 1), date(2026, 12, 31))
GARBAGE = (
    "reset_before",
    "reset_after",
    "http_401",
    "http_403",
    "http_404",
    "http_409",
    "http_412",
    "http_422",
    "http_429",
    "http_500",
    "http_500_after",
    "http_502_html",
    "http_503",
    "truncated",
    "html_200",
    "empty_200",
    "array_200",
    "deep_200",
    "other_resource",
    "no_entries",
    "odd_entries",
    "bad_entry",
    "no_location",
    "bare",
    "unknown_elements",
    "nulls",
)


def adapter_for(url: str, facility: str = "99001", **settings: Any) -> FhirAdapter:
    """An adapter as the entry point makes it. *url*: of the server, without /fhir."""
    wanted = {"url": f"{url}/fhir", "timeouts": {"connect": 2, "get": 5, "post": 5}}
    return create(wanted | settings, AdapterContext(facility, SECRETS.__getitem__))


def client_credentials(url: str) -> dict[str, str]:
    """The login at the simulator of this *url*, as the client ``kiosk``."""
    account = {"client_id": "kiosk", "client_secret_file": "fhir-secret"}
    return {"kind": "client_credentials", "token_url": f"{url}/token", **account}


def person(serial: int, **changes: Any) -> Identity:
    identity = Identity(f"0991900{serial:05d}", None, f"Đặng Văn Thử {serial}", PartialDate(1990, 9, 2), Sex.MALE)
    return replace(identity, **changes)


def visit(serial: int, **changes: Any) -> Encounter:
    encounter = Encounter(f"0198c0de-0000-7000-8000-{serial:012d}", "99001", HAPPENED, person(serial), ROOM)
    return replace(encounter, **changes)


def with_card(encounter: Encounter) -> Encounter:
    return replace(encounter, coverage=CARD, eligibility=EligibilityClass.INSURED)


def patient(id_: str, numbers: Mapping[str, str], name: str, **more: Any) -> dict[str, Any]:
    """A Patient as a hospital holds one."""
    rows = [{"system": system, "value": value} for system, value in numbers.items()]
    return {"resourceType": "Patient", "id": id_, "identifier": rows, "name": [{"text": name}], **more}


class FhirPeer:
    """RemotePeer of the contract: simulator and adapter."""

    garbage: tuple[str, ...] = GARBAGE
    secrets = ("0991900", "VĂN THỬ", "Văn Thử", "TRẦN THỊ MẪU", "GD49", "tok-0991", "s:e cret")

    def __init__(self, sim: Settings | None = None, *, login: bool = False, **settings: Any) -> None:
        self._app = create_app(sim or Settings())
        self.sim: Server = self._app.state.server
        self._server: RunningServer | None = RunningServer(self._app).start()
        self.url = self._server.url
        if login:
            settings["auth"] = client_credentials(self.url)
        self.adapter = adapter_for(self.url, **settings)
        self.hold({**patient("P1", {CITIZEN: "099000000000"}, "Lý Thị Khác"), "gender": "female"})
        self.hold(
            {
                "resourceType": "Encounter",
                "id": "V1",
                "status": "arrived",
                "class": {"code": "AMB"},
                "subject": {"reference": "Patient/P1"},
            }
        )

    async def __aenter__(self) -> "FhirPeer":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.adapter.close()
        await self.go_away()

    def hold(self, resource: dict[str, Any]) -> dict[str, Any]:
        """What the hospital holds before."""
        return self.sim.store.put(resource)

    def held(self, kind: str) -> list[dict[str, Any]]:
        """What it holds now, without the two of the start."""
        rows = [row for (of_kind, _), row in self.sim.store.resources.items() if of_kind == kind]
        return [row for row in rows if row["id"] not in ("P1", "V1")]

    def one(self, kind: str) -> dict[str, Any]:
        (only,) = self.held(kind)
        return only

    def calls(self) -> list[str]:
        return [call["kind"] for call in self.sim.calls]

    def encounter(self, serial: int) -> Encounter:
        return visit(serial)

    async def registered(self, checkin_id: str) -> int:
        key = {"system": CHECKIN, "value": checkin_id}
        rows = [row for row in self.held("Encounter") if row["status"] not in ("cancelled", "entered-in-error")]
        return sum(any(key.items() <= found.items() for found in row["identifier"]) for row in rows)

    async def go_away(self) -> None:
        if self._server is not None:
            await asyncio.to_thread(self._server.stop)
            self._server = None

    async def come_back(self) -> None:
        self._server = RunningServer(self._app, port=int(self.url.rpartition(":")[2])).start()

    async def refuse_next(self) -> None:
        self.sim.modes.set("transaction", "http_422", 1)

    async def lose_next_answer(self) -> None:
        self.sim.modes.set("transaction", "reset_after", 1)

    async def answer_next_with(self, garbage: str) -> None:
        self.sim.modes.set("*", garbage, 1)
