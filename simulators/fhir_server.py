"""A strict FHIR R4 server for what a check-in needs, to develop, train and test against.

It validates with the library's R4B models and its own value sets (`fhir_server_check`), keeps versions, creates on a
condition, and does transactions whole or not at all (`fhir_server_store`). Below `/fhir`:

- `GET metadata`; `GET <Type>/<id>`; `GET <Type>?...` and `POST <Type>/_search` (`fhir_server_search`); `POST <Type>`;
  `PUT <Type>/<id>` with `If-Match`; `POST` of a transaction to the base. `_summary=count`, `_count`, and
  `Prefer: return=representation | minimal`, `handling=strict | lenient` are looked at.
- Where `token` is set, everything but `metadata` needs `Authorization: Bearer`; `POST /token` gives one to the client
  of `client`, and each is good for `token_uses` calls.
- A new Encounter gets MA_LK and a queue number where `visit_system` and `queue_url` say where they go.

`app.state.server` is for tests in the same process: forced modes (`fhir_server_modes`), resources, calls.
"""

import base64
import itertools
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from fastapi import FastAPI, Request, Response

from simulators.fhir_server_check import TYPES, Resource, Unacceptable, outcome
from simulators.fhir_server_modes import REFUSALS, Modes, refusal, spoiled
from simulators.fhir_server_store import Store, Stored
from simulators.serve import connection_of

__all__ = ["Settings", "create_app"]
_JSON = "application/fhir+json"
_PAGE = 50


@dataclass(frozen=True)
class Settings:
    """What this server asks and gives. `client`: `id:secret`."""

    token: str = ""
    client: str = ""
    token_uses: int = 1_000_000
    token_life: int = 3600
    visit_system: str = ""
    queue_url: str = ""
    representation: bool = True
    deaf: bool = False
    """Looks at no search condition, as a careless server."""


class Server:
    """The state behind one application."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.modes = Modes()
        self.calls: list[dict[str, str]] = []
        self.tokens: dict[str, int] = {}
        self._numbers = itertools.count(1)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.store = Store(self._number)
        self.calls.clear()

    def _number(self, resource: Resource) -> None:
        if resource["resourceType"] != "Encounter":
            return
        number = next(self._numbers)
        if self.settings.visit_system:
            visit = {"system": self.settings.visit_system, "value": f"LK{number:06d}"}
            resource["identifier"] = [*resource.get("identifier", ()), visit]
        if self.settings.queue_url:
            queued = {"url": self.settings.queue_url, "valueString": f"A{number:03d}"}
            resource["extension"] = [*resource.get("extension", ()), queued]

    def may(self, authorization: str) -> bool:
        """Whether this header lets a call in; a token is used up by it."""
        if not self.settings.token and not self.settings.client:
            return True
        token = authorization.removeprefix("Bearer ")
        if self.settings.token and token == self.settings.token:
            return True
        if self.tokens.get(token, 0) < 1:
            return False
        self.tokens[token] -= 1
        return True

    def new_token(self, request: Request, form: dict[str, str]) -> tuple[int, Resource]:
        """An access token for the client of the settings (RFC 6749 4.4)."""
        given = f"{form.get('client_id', '')}:{form.get('client_secret', '')}"
        header = request.headers.get("authorization", "")
        if header.startswith("Basic "):
            given = unquote_plus(base64.b64decode(header.removeprefix("Basic ")).decode())
        if form.get("grant_type") != "client_credentials" or given != self.settings.client or not given:
            return 401, {"error": "invalid_client"}
        token = f"token-{len(self.tokens) + 1}"
        self.tokens[token] = self.settings.token_uses
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self.settings.token_life}


def create_app(settings: Settings | None = None) -> FastAPI:
    """The simulator as a FastAPI application, to be served by `simulators.serve` (its faults need the socket)."""
    app = FastAPI(title="FHIR R4 simulator", docs_url=None, redoc_url=None, openapi_url=None)
    server = Server(settings or Settings())
    app.state.server = server

    async def fhir(request: Request, path: str = "") -> Response:
        return await _Call(server, request, path.strip("/")).answer()

    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        mode = server.modes.next("token")
        if mode in REFUSALS:
            return Response(json.dumps({"error": mode}), REFUSALS[mode], media_type="application/json")
        if mode not in (None, "without_version"):
            return Response(spoiled(mode, {}), 200, media_type="application/json")
        status, body = server.new_token(request, form)
        return Response(json.dumps(body), status, media_type="application/json")

    app.add_api_route("/fhir", fhir, methods=["POST"])
    app.add_api_route("/fhir/{path:path}", fhir, methods=["GET", "POST", "PUT"])
    app.add_api_route("/token", token, methods=["POST"])
    return app


class _Call:
    """One request."""

    def __init__(self, server: Server, request: Request, path: str) -> None:
        self._server = server
        self._request = request
        self._path = path.split("/") if path else []
        self._prefer = request.headers.get("prefer", "")
        self._kind = self._kind_of()

    def _kind_of(self) -> str:
        if self._path == ["metadata"]:
            return "metadata"
        if not self._path:
            return "transaction"
        if self._request.method == "PUT":
            return "update"
        if self._path[1:] == ["_search"] or (self._request.method == "GET" and len(self._path) == 1):
            return "search"
        return "read" if self._request.method == "GET" else "create"

    async def answer(self) -> Response:
        body = await self._request.body()
        url = str(self._request.url)
        self._server.calls.append({"kind": self._kind, "method": self._request.method, "url": url})
        mode = self._server.modes.next(self._kind)
        if mode == "reset_before":
            connection_of(self._request).reset()
            return Response(status_code=500)
        if mode == "http_502_html":
            return Response("<html><body>Bad gateway</body></html>", 502, media_type="text/html")
        if mode in REFUSALS:
            later = {"retry-after": "5"} if REFUSALS[mode] in (429, 503) else {}
            return self._json(REFUSALS[mode], refusal(mode), later)
        if self._kind != "metadata" and not self._server.may(self._request.headers.get("authorization", "")):
            return self._json(401, outcome("login", "who are you?"))
        try:
            status, answer, headers = self._done(body)
        except Unacceptable as why:
            return self._json(why.status, outcome(why.code, why.words))
        if mode == "reset_after":
            connection_of(self._request).reset()
        if mode == "without_version":
            headers, answer = {}, {name: value for name, value in answer.items() if name != "meta"}
        if mode == "http_500_after":
            return self._json(500, refusal(mode))
        if mode not in (None, "without_version"):
            return Response(spoiled(mode, answer), status, headers, media_type=_JSON)
        return self._json(status, answer, headers)

    def _done(self, body: bytes) -> tuple[int, Resource, dict[str, str]]:
        store = self._server.store
        match self._kind:
            case "metadata":
                return 200, _statement(), {}
            case "search":
                form = self._path[1:] == ["_search"]
                return 200, self._searched(body.decode() if form else self._request.url.query), {}
            case "read" if len(self._path) == 2:
                return self._one(200, Stored(store.read(self._path[0], self._path[1]), created=False))
            case "transaction":
                return 200, self._transacted(store.transaction(self._parsed(body))), {}
            case "create" if len(self._path) == 1:
                condition = self._request.headers.get("if-none-exist")
                stored = store.create(self._path[0], self._parsed(body), condition)
                return self._one(201 if stored.created else 200, stored)
            case "update" if len(self._path) == 2:
                version = self._request.headers.get("if-match")
                return self._one(200, store.update(self._path[0], self._path[1], self._parsed(body), version))
        raise Unacceptable(404, "not-found", "no such address")

    def _parsed(self, body: bytes) -> Any:
        if not self._request.headers.get("content-type", "").startswith(_JSON):
            raise Unacceptable(415, "not-supported", "expected application/fhir+json")
        try:
            return json.loads(body.decode("utf-8"))
        except (ValueError, RecursionError):
            raise Unacceptable(400, "structure", "not JSON") from None

    def _searched(self, query: str) -> Resource:
        kind = self._path[0]
        if kind not in TYPES:
            raise Unacceptable(404, "not-supported", "this server does not hold such resources")
        deaf = self._server.settings.deaf
        found, result = self._server.store.search(kind, "" if deaf else query, "handling=strict" in self._prefer)
        bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
        if result.get("_summary") == "count":
            return bundle
        size = int(result.get("_count", _PAGE))
        offset = int(result.get("_offset", 0))
        base = str(self._request.base_url) + "fhir"
        page = found[offset : offset + size]
        if offset + size < len(found):
            plain = "&".join(part for part in query.split("&") if not part.startswith("_offset="))
            after = f"{base}/{kind}?{plain}&_offset={offset + size}"
            bundle["link"] = [{"relation": "next", "url": after}]
        rows = [{"fullUrl": f"{base}/{kind}/{row['id']}", "resource": row, "search": {"mode": "match"}} for row in page]
        return bundle | ({"entry": rows} if rows else {})

    def _transacted(self, done: list[Stored]) -> Resource:
        shown = self._server.settings.representation and "return=minimal" not in self._prefer
        rows = []
        for stored in done:
            version = stored.resource["meta"]["versionId"]
            response = {"status": "201 Created" if stored.created else "200 OK", "location": stored.location}
            row: Resource = {"response": {**response, "etag": f'W/"{version}"'}}
            rows.append(row | ({"resource": stored.resource} if shown else {}))
        return {"resourceType": "Bundle", "type": "transaction-response", "entry": rows}

    def _one(self, status: int, stored: Stored) -> tuple[int, Resource, dict[str, str]]:
        etag = f'W/"{stored.resource["meta"]["versionId"]}"'
        return status, stored.resource, {"etag": etag, "location": f"{self._request.base_url}fhir/{stored.location}"}

    def _json(self, status: int, body: Resource, headers: dict[str, str] | None = None) -> Response:
        return Response(json.dumps(body, ensure_ascii=False).encode(), status, headers, media_type=_JSON)


def _statement() -> Resource:
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-01-01",
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "software": {"name": "kiosk-sim FHIR"},
        "rest": [{"mode": "server", "resource": [{"type": kind} for kind in sorted(TYPES)]}],
    }
