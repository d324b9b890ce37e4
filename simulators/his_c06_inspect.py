"""Looking into the C06 simulator and steering it: everything under `/_sim` (his-kiosk-c06.md section 11).

| Route | |
|---|---|
| `GET /_sim/` | today's rows of the HIS as a page for people, newest first, refreshing itself |
| `GET /_sim/health` | `{"status":"ok", ...}` |
| `GET /_sim/calls` | `{"count","calls"}`, see below |
| `GET /_sim/registrations` | `{"count","registrations"}`, oldest first; a row's `count`: how often it was answered |
| `GET /_sim/patients` | `{"count","patients"}`: codes and masked numbers |
| `GET`, `POST /_sim/mode` | forced modes: `{"endpoint","mode","times","delay_ms"}`; a path or `*`; mode null ends it |
| `GET`, `POST /_sim/config` | switches by environment name: `{"SIM_STT":"text"}` |
| `GET`, `POST /_sim/clock` | `{"now","today"}`; null goes back to the host's |
| `POST /_sim/mark-paid` | `{"key"}`: MA_LK, MA_DANG_KY or SO_PHIEU |
| `POST /_sim/reset` | everything back to the start |

A call has `at, endpoint, attempt` (same content again), `sign` (verdict), `number` (masked), `body_hash` (of the query
for GET), `unknown_keys, mode, http, code`, never a name; `http` null: no answer.
Wrong input to these routes is answered with HTTP 422 (404 for an unknown visit) and changes nothing.
"""

from datetime import date
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse
from jinja2 import Environment
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from simulators.his_c06_answers import Hospital
from simulators.his_c06_modes import MODES
from simulators.his_c06_wire import Refusal, masked

_PAGE = Environment(autoescape=True).from_string("""<!DOCTYPE html>
<html lang="vi"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2"><title>HIS mô phỏng</title>
<style>body{font:1.1rem sans-serif;margin:2rem}table{border-collapse:collapse;width:100%}
th,td{border:1px solid #bbb;padding:.5rem .8rem;text-align:left}th{background:#eef}</style></head>
<body><h1>Lượt đăng ký trong hệ thống bệnh viện (mô phỏng)</h1>
<p>Cơ sở {{ facility }} · ngày {{ today }} · {{ rows|length }} lượt</p>
<table><thead>
<tr><th>Mã lượt khám</th><th>Dịch vụ</th><th>Số thứ tự</th><th>Giờ vào</th><th>Người bệnh</th></tr></thead>
<tbody>{% for row in rows %}
<tr><td>{{ row.MA_LK }}</td><td>{{ row.TEN_DICH_VU }}</td><td>{{ "" if row.STT_LK is none else row.STT_LK }}</td>
<td>{{ row.NGAY_VAO }}</td><td>{{ row.MA_BN }} · {{ row.SO_GTTT or "" }}</td></tr>{% endfor %}
</tbody></table></body></html>
""")


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


class _Paid(_Strict):
    key: str


def introspection(hospital: Hospital, endpoints: list[str]) -> APIRouter:
    """The `/_sim` routes of one simulated hospital whose calls are named `endpoints`."""
    router = APIRouter()
    _add_views(router, hospital)
    _add_controls(router, hospital, endpoints)
    return router


def _add_views(router: APIRouter, hospital: Hospital) -> None:
    @router.get("/", response_class=HTMLResponse)
    async def page() -> str:
        rows = [row.summary(hospital.settings) for row in reversed(hospital.registry.registrations)]
        return _PAGE.render(rows=rows, facility=hospital.settings.facility, today=hospital.clock.today().isoformat())

    @router.get("/health")
    async def health() -> dict[str, Any]:
        settings = hospital.settings
        today = hospital.clock.today().isoformat()
        return {"status": "ok", "profile": settings.profile, "facility": settings.facility, "today": today}

    @router.get("/calls")
    async def calls() -> dict[str, Any]:
        return {"count": len(hospital.calls), "calls": hospital.calls}

    @router.get("/registrations")
    async def registrations() -> dict[str, Any]:
        rows = [row.summary(hospital.settings) for row in hospital.registry.registrations]
        return {"count": len(rows), "registrations": rows}

    @router.get("/patients")
    async def patients() -> dict[str, Any]:
        rows = [
            {"ID_BN": row.id, "MA_BN": row.code, "SO_GTTT": masked(row.number), "LOAI_GTTT": row.doc_type}
            for row in hospital.registry.patients
        ]
        return {"count": len(rows), "patients": rows}


def _add_controls(router: APIRouter, hospital: Hospital, endpoints: list[str]) -> None:
    @router.get("/mode")
    async def modes() -> dict[str, Any]:
        return {"modes": hospital.modes.waiting()}

    @router.post("/mode")
    async def set_mode(wanted: _Mode) -> dict[str, Any]:
        endpoint = wanted.endpoint.removeprefix("/")
        if endpoint != "*" and endpoint not in endpoints:
            raise HTTPException(422, f"endpoint is one of {sorted(endpoints)} or *")
        if wanted.mode is not None and wanted.mode not in MODES:
            raise HTTPException(422, f"mode is one of {sorted(MODES)} or null")
        hospital.modes.set(endpoint, wanted.mode, wanted.times, wanted.delay_ms)
        return {"modes": hospital.modes.waiting()}

    @router.get("/config")
    async def config() -> dict[str, Any]:
        return hospital.settings.public()

    @router.post("/config")
    async def set_config(changes: dict[str, Any]) -> dict[str, Any]:
        try:
            changed = hospital.settings.changed(changes)
        except ValidationError as error:
            raise HTTPException(422, error.errors(include_url=False, include_context=False)) from error
        if changed.today != hospital.settings.today:
            hospital.clock.set_today(changed.today)
        hospital.settings = changed
        return changed.public()

    @router.get("/clock")
    async def clock() -> dict[str, Any]:
        return {"now": hospital.clock.now().isoformat(), "today": hospital.clock.today().isoformat()}

    @router.post("/clock")
    async def set_clock(wanted: _Time) -> dict[str, Any]:
        hospital.clock.set(wanted.now, wanted.today)
        return await clock()

    @router.post("/mark-paid")
    async def mark_paid(wanted: _Paid) -> dict[str, Any]:
        try:
            return hospital.registry.mark_paid(wanted.key).summary(hospital.settings)
        except Refusal as refusal:
            raise HTTPException(404, refusal.message) from refusal

    @router.post("/reset")
    async def reset() -> dict[str, Any]:
        hospital.reset()
        return {"status": "ok"}
