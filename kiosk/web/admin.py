"""Administration while the daemon runs, over a Unix socket in the data folder (architecture, section 4).

Whoever may open the 0600 socket may do all of this; nothing here shows personal data but what says so.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from typing import Annotated, Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel, Field

from kiosk import chip_records, journal, outbox_table
from kiosk.checkin import CheckIns
from kiosk.duty import Duty
from kiosk.kpi import own_rates
from kiosk.model import AdapterHealth
from kiosk.outbox import Outbox
from kiosk.outbox_table import OutboxRow
from kiosk.ports import Clock, EligibilityGateway
from kiosk.province_client import ProvinceClient
from kiosk.store import Store
from kiosk.web.admin_answers import OPERATOR, answers_router
from kiosk.web.admin_audit import audit_router
from kiosk.web.admin_officers import officers_router
from kiosk.web.admin_subject import subject_router
from kiosk.web.admin_tickets import tickets_router
from kiosk.web.admin_users import users_router
from kiosk.web.app import base_app
from kiosk.web.staff_accounts import StaffAccounts
from kiosk.web.staff_figures import figures_api

_SALT = 16
_NONCE = 12


class Enrolment(BaseModel):
    """Where to join, with the one-time code of the province."""

    url: str
    code: str


class Sealed(BaseModel):
    """A facility key as it travels between stations: sealed with a passphrase that travels another way."""

    passphrase: Annotated[str, Field(min_length=12)]
    sealed: str = ""


def admin_app(
    *,
    store: Store,
    clock: Clock,
    outbox: Outbox,
    gateway: EligibilityGateway,
    hospital_settings: Mapping[str, Any],
    province: ProvinceClient,
    checkins: CheckIns,
    accounts: StaffAccounts,
    duty: Duty | None = None,
) -> FastAPI:
    """The routes behind ``kioskctl``. *hospital_settings*: the table of the hospital's adapter, for its probe."""
    app = base_app("Kiosk administration")
    app.include_router(answers_router(checkins))
    app.include_router(audit_router(store, clock))
    app.include_router(tickets_router(store, clock))
    app.include_router(users_router(accounts))
    app.include_router(subject_router(checkins))
    app.include_router(figures_api(checkins, lambda: OPERATOR))
    if duty is not None:
        app.include_router(officers_router(duty))

    @app.get("/outbox")
    async def unfinished() -> dict[str, Any]:
        """Deliveries that wait, are under way, or are parked."""
        rows = await store.read(outbox_table.unfinished)
        return {"rows": [_row(row, clock) for row in rows]}

    @app.get("/outbox/{row_id}")
    async def one(row_id: int) -> dict[str, Any]:
        """One delivery."""
        return _row(await _get(row_id), clock)

    @app.post("/outbox/{row_id}/retry")
    async def retry(row_id: int) -> dict[str, Any]:
        """Try again now; a hospital row of unknown outcome is staff's to decide and is refused here."""
        row = await _get(row_id)
        if row.state not in ("waiting", "parked"):
            raise HTTPException(409, "UNDER_WAY_OR_DONE")
        if row.destination == outbox_table.HOSPITAL and (row.uncertain or row.state == "parked"):
            raise HTTPException(409, "STAFF_MUST_DECIDE")
        await store.run(lambda c: outbox_table.reopen(c, row_id, clock(), certain=False))
        outbox.reopen(row.destination)
        return _row(await _get(row_id), clock)

    async def _get(row_id: int) -> OutboxRow:
        row = await store.read(lambda c: outbox_table.get(c, row_id))
        if row is None:
            raise HTTPException(404, "NO_SUCH_ROW")
        return row

    @app.get("/kpi")
    async def kpi(first: str, last: str) -> dict[str, Any]:
        """This kiosk's own rates."""
        return own_rates(await store.read(lambda c: journal.of_days(c, first, last)))

    @app.post("/enrol")
    async def enrol(body: Enrolment) -> dict[str, str]:
        """Join a province."""
        joined = await province.enrol(body.url, body.code)
        await outbox.resume(outbox_table.PROVINCE)
        return joined

    @app.post("/facility-key/export")
    async def export(body: Sealed) -> dict[str, str]:
        """The facility key, sealed with the passphrase."""
        key = await store.run(journal.prepare)
        return {"sealed": seal(key, body.passphrase)}

    @app.post("/facility-key/import")
    async def take_over(body: Sealed) -> dict[str, str]:
        """Take over the key of another station; used from the next start on."""
        try:
            key = unseal(body.sealed, body.passphrase)
        except ValueError:
            raise HTTPException(422, "CANNOT_UNSEAL") from None
        await store.run(lambda c: journal.replace_facility_key(c, key))
        return {"status": "restart the daemon"}

    @app.post("/facility-key/create")
    async def create() -> dict[str, str]:
        """A new key, for the first station of a facility; digests of today change with it."""

        def work(connection: sa.Connection) -> None:
            journal.replace_facility_key(connection, os.urandom(32))

        await store.run(work)
        return {"status": "restart the daemon"}

    @app.get("/evidence/{checkin_id}")
    async def evidence(checkin_id: str) -> Response:
        """The signed record of a check-in's chip, for as long as it is kept."""
        record = await store.read(lambda c: chip_records.evidence_of(c, checkin_id))
        if record is None:
            raise HTTPException(404, "NO_EVIDENCE")
        return Response(record, media_type="application/json")

    @app.get("/check/{what}")
    async def check(what: str) -> dict[str, Any]:
        """One harmless probe, without a person's number."""
        if what == "gateway":
            return _health(await gateway.check())
        if what == "hospital":
            from kiosk.hospital_check import check_hospital  # noqa: PLC0415 - technicians ask, now and then

            return await check_hospital(checkins, hospital_settings)
        if what == "province":
            return _health(await province.check())
        raise HTTPException(404, "NO_SUCH_CHECK")

    return app


def _health(health: AdapterHealth) -> dict[str, Any]:
    return {"ok": health.ok, "problems": list(health.problems), "details": dict(health.details)}


def _row(row: OutboxRow, clock: Clock) -> dict[str, Any]:
    return {
        "id": row.id,
        "destination": row.destination,
        "kind": row.kind,
        "ref": row.ref,
        "state": row.state,
        "uncertain": row.uncertain,
        "attempts": row.attempts,
        "age_s": int((clock() - row.created_at).total_seconds()),
        "next_at": row.next_at.isoformat(),
        "reason": row.reason,
        "owner": row.owner,
    }


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode()))


def seal(key: bytes, passphrase: str) -> str:
    """AES-256-GCM under a scrypt key; base64 of salt, nonce and ciphertext."""
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    return base64.b64encode(salt + nonce + _cipher(passphrase, salt).encrypt(nonce, key, b"facility-key")).decode()


def unseal(text: str, passphrase: str) -> bytes:
    """What ``seal`` sealed; ValueError if it was changed or the passphrase is another."""
    raw = base64.b64decode(text, validate=True)
    salt, nonce, sealed = raw[:_SALT], raw[_SALT : _SALT + _NONCE], raw[_SALT + _NONCE :]
    try:
        key = _cipher(passphrase, salt).decrypt(nonce, sealed, b"facility-key")
    except InvalidTag:
        raise ValueError("cannot unseal") from None
    if len(key) != 32:
        raise ValueError("not a facility key")
    return key
