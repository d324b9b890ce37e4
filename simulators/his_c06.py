"""A hospital system that speaks the C06 kiosk interface, to develop, train and test against.

It is the server of his-kiosk-c06.md sections 1 to 4 with the switches and forced faults of section 11; the people,
services and departments are invented (`his_c06_data`) and shared with the insurance simulator. Nothing outlives it.

What it checks strictly, and refuses with code 999 and a Vietnamese message naming the field:

- headers `x-merchant-id`, `x-timestamp` (13 digits, Unix milliseconds, at most SIM_SKEW_S off) and `x-sign`: lower-case
  hex HMAC-SHA256 over exactly the configured fields in order, absent ones empty (form of this refusal: SIM_SIGN_ERROR);
- required query fields; `yyyy-MM-dd HH:mm:ss` windows that do not run backwards; CCCD of 12 digits, CMND of 9;
- the body of `/dangky-kcb`: `application/json`, one JSON object, exactly one patient block named as the profile wants;
  every R field of section 4 there and of its type (ID_BN may be null; MA_BN, HO_BN, DIA_CHI and the codes of province,
  district and commune may be empty texts, the district only without SIM_REQUIRE_DISTRICT); HO_TEN in NFC and equal
  to HO_BN + TEN_BN; dates in the forms of section 4 (NGAY_SINH also `yyyy`); sex 1, 2, 3 as a number; card and
  document numbers by form; MA_CSKCB this facility; ID_BN and MA_BN of one known patient who owns SO_GTTT if anybody
  does; the service in its department (and room), not suspended; a price, if sent, equal to the catalogue's; exam type
  from the catalogue; slot of that service with places left; DU_PHONG ASCII, at most 64, without personal data, the
  same wherever it stands.

Unknown query and body keys are noted in `/_sim/calls`, never refused. Request dates are always the published form,
whatever SIM_DATES makes of the answers. Forced modes: `his_c06_modes`; looking inside: `his_c06_inspect`.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response

from simulators.his_c06_answers import ENDPOINTS, REGISTER, Endpoint, Hospital, registration_data
from simulators.his_c06_checks import json_object, order_of, patient_key, signature_fault, signed_values, unknown_keys
from simulators.his_c06_inspect import introspection
from simulators.his_c06_modes import BEFORE, ForcedMode, distorted, distorted_bytes, refused
from simulators.his_c06_settings import Settings
from simulators.his_c06_wire import Refusal, encoded, envelope, masked, written
from simulators.serve import connection_of

__all__ = ["Settings", "create_app"]


@dataclass(frozen=True)
class _Question:
    """A request read as far as the signature needs: signed values, what to note of it, and how to answer it."""

    signed: list[str | None]
    number: str | None
    unknown: list[str]
    data: Callable[[], Any]


def create_app(settings: Settings) -> FastAPI:
    """The simulator as a FastAPI application, to be served by `simulators.serve` (its faults need the socket)."""
    app = FastAPI(title="C06 hospital simulator", docs_url=None, redoc_url=None)
    hospital = Hospital(settings)
    for endpoint in ENDPOINTS:
        app.add_api_route(f"/{endpoint.name}", _get_call(hospital, endpoint), methods=["GET"], name=endpoint.name)
    app.add_api_route(f"/{REGISTER}", _registration_call(hospital), methods=["POST"], name=REGISTER)
    names = [REGISTER, *(endpoint.name for endpoint in ENDPOINTS)]
    app.include_router(introspection(hospital, names), prefix="/_sim")
    return app


def _get_call(hospital: Hospital, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def call(request: Request) -> Response:
        if not endpoint.is_open(hospital.settings):
            raise HTTPException(404)
        fields = request.query_params
        signed = endpoint.signed_names(hospital.settings)
        question = _Question(
            signed=[fields.get(name) for name in signed],
            number=fields.get("SO_GTTT"),
            unknown=sorted(fields.keys() - {*signed, *endpoint.unsigned}),
            data=lambda: endpoint.answer(hospital, fields),
        )
        return await _Call(hospital, endpoint.name, request, request.url.query.encode()).run(lambda mode: question)

    return call


def _registration_call(hospital: Hospital) -> Callable[[Request], Awaitable[Response]]:
    async def call(request: Request) -> Response:
        body = await request.body()
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise HTTPException(415)

        def read(mode: str) -> _Question:
            content, settings = json_object(body), hospital.settings

            def register() -> Any:
                order = order_of(content, settings, hospital.clock)
                visit = hospital.registry.register(order, settings, repeat_number=mode == "duplicate")
                return registration_data(visit, settings)

            patient = content.get(patient_key(settings))
            number = patient.get("SO_GTTT") if isinstance(patient, dict) else None
            return _Question(
                signed=signed_values(content, settings),
                number=number if isinstance(number, str) else None,
                unknown=unknown_keys(content, settings),
                data=register,
            )

        return await _Call(hospital, REGISTER, request, body).run(read)

    return call


class _Call:
    """One call from arrival to answer: noted, delayed or broken as forced, checked, processed, written out."""

    def __init__(self, hospital: Hospital, name: str, request: Request, content: bytes) -> None:
        self._hospital = hospital
        self._name = name
        self._request = request
        digest = hashlib.sha256(content).hexdigest()[:16]
        earlier = sum(call["endpoint"] == name and call["body_hash"] == digest for call in hospital.calls)
        self._note: dict[str, Any] = {
            "at": hospital.clock.now().isoformat(timespec="milliseconds"),
            "endpoint": name,
            "attempt": earlier + 1,
            "body_hash": digest,
            "number": None,
            "sign": "unreadable",
            "unknown_keys": [],
            "mode": None,
            "http": None,
            "code": None,
        }
        hospital.calls.append(self._note)

    async def run(self, read: Callable[[str], _Question]) -> Response:
        """Answer the call; `read` takes the forced mode's name ("" without) and may raise Refusal."""
        forced = self._hospital.modes.take(self._name) or ForcedMode("", None, 0)
        mode = forced.mode
        self._note["mode"] = mode or None
        await self._hospital.modes.pause(self._request, forced.delay_ms)
        # After the delay, so that switches and clock of the same moment judge and process.
        settings = self._hospital.settings
        question: _Question | Refusal
        try:
            question = read(mode)
        except Refusal as refusal:
            question = refusal
        fault = self._signature_fault(question, settings)
        if mode in BEFORE:
            return await self._broken(mode, settings)
        if fault is not None:
            return self._bad_signature(fault, settings)
        status, answer = self._processed(question, settings)
        return await self._ended(mode, status, answer, settings)

    def _signature_fault(self, question: _Question | Refusal, settings: Settings) -> str | None:
        if isinstance(question, Refusal):
            return None
        self._note |= {"number": masked(question.number), "unknown_keys": question.unknown}
        fault = signature_fault(self._request.headers, question.signed, settings, self._hospital.clock)
        self._note["sign"] = fault[0] if fault else "ok"
        return fault[1] if fault else None

    def _processed(self, question: _Question | Refusal, settings: Settings) -> tuple[int, dict[str, Any]]:
        try:
            if isinstance(question, Refusal):
                raise question
            return 200, envelope(question.data(), settings)
        except Refusal as refusal:
            return self._failed(refusal, settings)

    async def _broken(self, mode: str, settings: Settings) -> Response:
        match mode:
            case "hang_before":
                await self._hospital.modes.hang(self._request)
                return Response()
            case "reset_before":
                connection_of(self._request).reset()
                return Response()
            case "bad_signature":
                return self._bad_signature("Chữ ký không hợp lệ", settings)
        if (plain := refused(mode)) is not None:
            self._note["http"] = plain.status_code
            return plain
        code = {"c999": "999", "c404": "404", "unknown_code": "123"}[mode]
        status, answer = self._failed(Refusal("Hệ thống từ chối", code), settings)
        return self._json(status, answer, settings)

    async def _ended(self, mode: str, status: int, answer: dict[str, Any], settings: Settings) -> Response:
        if mode == "hang_after":
            await self._hospital.modes.hang(self._request)
            return Response()
        if mode == "reset_after":
            connection_of(self._request).reset()
            return Response()
        if (plain := refused(mode)) is not None:
            self._note["http"] = plain.status_code
            return plain
        return self._json(status, distorted(mode, self._name, answer), settings, mode)

    def _failed(self, refusal: Refusal, settings: Settings) -> tuple[int, dict[str, Any]]:
        status = 404 if refusal.code == "404" and settings.http_404 else 200
        return status, envelope(None, settings, refusal.code, refusal.message)

    def _bad_signature(self, message: str, settings: Settings) -> Response:
        if settings.sign_error == "http403_html":
            self._note["http"] = 403
            return Response("<html><body><h1>403 Forbidden</h1></body></html>", 403, media_type="text/html")
        status = 401 if settings.sign_error == "http401" else 200
        return self._json(status, envelope(None, settings, "999", message), settings)

    def _json(self, status: int, answer: dict[str, Any], settings: Settings, mode: str = "") -> Response:
        self._note |= {"http": status, "code": answer.get("code")}
        body = distorted_bytes(mode, encoded(written(answer, settings)))
        return Response(body, status, media_type="application/json")
