"""Looking into the hisnguonmo simulator and steering it: everything under `/_sim`.

| Route | |
|---|---|
| `GET /_sim/health` | `{"status":"ok", ...}` |
| `GET /_sim/calls` | `{"count","calls"}`, see below |
| `GET /_sim/registrations` | `{"count","registrations"}`, one row a visit, oldest first |
| `GET /_sim/patients` | `{"count","patients"}`: codes and masked numbers |
| `POST /_sim/patients` | one more: `{"citizen","last_name","first_name","dob","sex"}` as in the rows |
| `GET`, `POST /_sim/mode` | forced modes: `{"endpoint","mode","times","delay_ms"}`; last part of a path or `*` |
| `GET`, `POST /_sim/config` | switches by environment name: `{"SIM_TOKEN_TTL":60}` |
| `GET`, `POST /_sim/clock` | `{"now","today"}`; null goes back to the host's |
| `POST /_sim/end` | `{"treatment"}`: the visit ends, as when the doctor closes it |
| `POST /_sim/forget-tokens` | nobody is signed in any more |
| `POST /_sim/reset` | everything back to the start |

A call has `at, endpoint, attempt` (same content again), `token` (verdict), `body_hash`, `unknown_keys, mode, http,
success`, never a name or number; `http` null: no answer. Wrong input is answered with HTTP 422, an unknown visit 404.
"""

from datetime import date
from typing import Any, Literal

from fastapi import APIRouter, HTTPException
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from simulators.his_hisnguonmo_modes import MODES
from simulators.his_hisnguonmo_server import Server
from simulators.his_hisnguonmo_tables import Treatment
from simulators.his_hisnguonmo_wire import masked


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Mode(_Strict):
    endpoint: str
    mode: str | None
    times: int | None = Field(default=None, ge=1)
    delay_ms: int | None = Field(default=None, ge=0, le=600_000)


class _Time(_Strict):
    now: AwareDatetime | None = None
    today: date | None = None


class _Person(_Strict):
    citizen: str = Field(pattern=r"^099[0-9]{9}$")
    last_name: str
    first_name: str
    dob: int
    sex: Literal[1, 2]


class _End(_Strict):
    treatment: str


def introspection(server: Server, endpoints: list[str]) -> APIRouter:
    """The `/_sim` routes of one simulated server whose calls are named `endpoints`."""
    router = APIRouter()
    _add_views(router, server)
    _add_controls(router, server, endpoints)
    return router


def _summary(row: Treatment) -> dict[str, Any]:
    return {
        "TREATMENT_CODE": row.code,
        "PATIENT_CODE": row.patient.code,
        "CCCD_NUMBER": masked(row.patient.citizen),
        "HEIN_CARD_NUMBER": masked(row.order.card),
        "call": row.order.call,
        "request_room": row.order.request_room.code,
        "priority": row.order.priority,
        "began": row.began,
        "seeded": row.seeded,
        "ended": row.ended,
        "requests": [
            {
                "SERVICE_REQ_CODE": request.code,
                "room": request.wish.room.code,
                "service": request.wish.service.code,
                "NUM_ORDER": request.number,
            }
            for request in row.requests
        ],
    }


def _add_views(router: APIRouter, server: Server) -> None:
    @router.get("/health")
    async def health() -> dict[str, Any]:
        return {"status": "ok", "today": server.clock.today().isoformat()}

    @router.get("/calls")
    async def calls() -> dict[str, Any]:
        return {"count": len(server.calls), "calls": server.calls}

    @router.get("/registrations")
    async def registrations() -> dict[str, Any]:
        rows = [_summary(row) for row in server.tables.treatments]
        return {"count": len(rows), "registrations": rows}

    @router.get("/patients")
    async def patients() -> dict[str, Any]:
        rows = [
            {"ID": row.id, "PATIENT_CODE": row.code, "CCCD_NUMBER": masked(row.citizen)}
            for row in server.tables.patients
        ]
        return {"count": len(rows), "patients": rows}


def _add_controls(router: APIRouter, server: Server, endpoints: list[str]) -> None:
    @router.get("/mode")
    async def modes() -> dict[str, Any]:
        return {"modes": server.modes.waiting()}

    @router.post("/mode")
    async def set_mode(wanted: _Mode) -> dict[str, Any]:
        endpoint = wanted.endpoint.rpartition("/")[2]
        if endpoint != "*" and endpoint not in endpoints:
            raise HTTPException(422, f"endpoint is one of {sorted(endpoints)} or *")
        if wanted.mode is not None and wanted.mode not in MODES:
            raise HTTPException(422, f"mode is one of {sorted(MODES)} or null")
        server.modes.set(endpoint, wanted.mode, wanted.times, wanted.delay_ms)
        return {"modes": server.modes.waiting()}

    @router.get("/config")
    async def config() -> dict[str, Any]:
        return server.settings.public()

    @router.post("/config")
    async def set_config(changes: dict[str, Any]) -> dict[str, Any]:
        try:
            changed = server.settings.changed(changes)
        except ValidationError as error:
            raise HTTPException(422, error.errors(include_url=False, include_context=False)) from error
        if changed.today != server.settings.today:
            server.clock.set_today(changed.today)
        server.settings = changed
        return changed.public()

    @router.get("/clock")
    async def clock() -> dict[str, Any]:
        return {"now": server.clock.now().isoformat(), "today": server.clock.today().isoformat()}

    @router.post("/clock")
    async def set_clock(wanted: _Time) -> dict[str, Any]:
        server.clock.set(wanted.now, wanted.today)
        return await clock()

    @router.post("/patients")
    async def add_patient(row: _Person) -> dict[str, Any]:
        return {"PATIENT_CODE": server.tables.add(row.last_name, row.first_name, row.dob, row.sex, row.citizen).code}

    @router.post("/end")
    async def end(wanted: _End) -> dict[str, Any]:
        found = server.tables.end(wanted.treatment)
        if found is None:
            raise HTTPException(404, "no such visit")
        return _summary(found)

    @router.post("/forget-tokens")
    async def forget_tokens() -> dict[str, Any]:
        server.tokens.forget()
        return {"status": "ok"}

    @router.post("/reset")
    async def reset() -> dict[str, Any]:
        server.reset()
        return {"status": "ok"}
