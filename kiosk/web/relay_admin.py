"""Administration while the relay runs, over a Unix socket in its data folder: officers and a probe of the gateway.

Whoever may open the 0600 socket may do all of this; nothing here shows personal data but what says so.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, HTTPException

from kiosk.duty import Duty
from kiosk.ports import EligibilityGateway
from kiosk.web.admin_officers import officers_router
from kiosk.web.app import base_app


def relay_admin_app(gateway: EligibilityGateway, duty: Duty) -> FastAPI:
    """The routes behind ``kioskctl officers`` and ``kioskctl check gateway`` with the relay's configuration."""
    app = base_app("Kiosk relay administration")
    app.include_router(officers_router(duty))

    @app.get("/check/{what}")
    async def check(what: str) -> dict[str, Any]:
        """One harmless probe, without a person's number."""
        if what != "gateway":
            raise HTTPException(404, "NO_SUCH_CHECK")
        found = await gateway.check()
        return {"ok": found.ok, "problems": list(found.problems), "details": dict(found.details)}

    return app
