"""How the hub is: alive, able to serve, and its metrics."""

from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from province.parts import Parts


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/healthz`, `/readyz` and `/metrics`."""

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Alive."""
        return {"status": "ok"}

    @app.get("/readyz", responses={503: {"description": "Not able to serve, with the reasons"}})
    def readyz() -> JSONResponse:
        """Able to serve: database reachable, migrations done; 503 with the reason otherwise."""
        problem = parts.store.problem()
        reasons = [problem] if problem else []
        return JSONResponse({"status": "not_ready" if reasons else "ok", "reasons": reasons}, 503 if reasons else 200)

    @app.get("/metrics", response_class=PlainTextResponse)
    def prometheus() -> Response:
        """Prometheus text format."""
        return Response(parts.metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")
