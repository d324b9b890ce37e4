"""`/openapi.json` as the hub really answers: one shape for everything that went wrong, and the bodies read by hand."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from kiosk.events import MAX_EVENTS

Schema = dict[str, Any]

_ERROR: Final[Schema] = {
    "title": "Error",
    "type": "object",
    "required": ["error", "detail"],
    "properties": {
        "error": {"type": "string", "description": "a stable code"},
        "detail": {"type": "string", "description": "words for people"},
    },
}
_WRONG: Final[Schema] = {
    "description": "Anything else; 429 and 503 with Retry-After, 303 with Location",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TABLE: Final[dict[int | str, Schema]] = {
    200: {"description": "The rows in the format asked for", "content": {"text/csv": {}, XLSX: {}}}
}
"""`responses` of a route that answers in JSON, CSV or XLSX."""


def body(media_type: str, schema: Schema) -> Schema:
    """`openapi_extra` of a route that reads its body by hand."""
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


def fields(*required: str, optional: tuple[str, ...] = ()) -> Schema:
    """The schema of an object of texts."""
    names = {name: {"type": "string"} for name in (*required, *optional)}
    return {"type": "object", "required": list(required), "properties": names}


BATCH: Final = body(
    "application/json",
    {
        "type": "object",
        "required": ["facility", "station", "events"],
        "properties": {
            "facility": {"type": "string"},
            "station": {"type": "string"},
            "events": {"type": "array", "maxItems": MAX_EVENTS, "items": {"type": "object"}},
        },
    },
)
"""The body of a batch of events (interfaces.md 5)."""


def describe_truly(app: FastAPI) -> None:
    """Let `app.openapi` say that every refusal is `{"error", "detail"}`."""

    def described() -> Schema:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, routes=app.routes)
            schemas = made.setdefault("components", {}).setdefault("schemas", {})
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            schemas["Error"] = _ERROR
            for path in made["paths"].values():
                for operation in path.values():
                    if "text/html" not in operation["responses"].get("422", {}).get("content", {}):
                        operation["responses"].pop("422", None)  # FastAPI's own; a page says what it answers
                    operation["responses"]["default"] = _WRONG
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]
