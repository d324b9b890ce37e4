"""The menu in one answer, as some HIS give it: exam types, their departments, rooms, services (his-kiosk-c06.md 2).

Laid flat it is the same as three catalogues.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_LEVELS = ("KHOA", "PHONG_KHAM", "DICH_VU")


def flatten(tree: list[Any]) -> tuple[list[Any], list[Any], list[Any]]:
    """Rows of exam types, departments and services as ``/loai-kham``, ``/khoa`` and ``/dichvu`` would give them.

    Each row of a service has the ids of all levels above it, and the price of the room if it has none of its own.
    What is no object is left out.
    """
    types = [row for row in tree if isinstance(row, dict)]
    departments: list[Any] = []
    services: list[Any] = []
    for exam_type in types:
        for hall in _below(exam_type, "KHOA"):
            departments.append(_without_levels(hall))
            for room in _below(hall, "PHONG_KHAM"):
                for service in _below(room, "DICH_VU"):
                    above = {
                        "ID_LOAI_KHAM": exam_type.get("ID_LOAI_KHAM"),
                        "ID_KHOA": hall.get("ID_KHOA"),
                        "MA_KHOA": hall.get("MA_KHOA"),
                        "DON_GIA_DICH_VU": room.get("DON_GIA_PHONG_KHAM"),
                    }
                    told = {key: value for key, value in service.items() if value is not None}
                    services.append({**_without_levels(room), **told, **_known(above, told)})
    return [_without_levels(row) for row in types], departments, services


def _below(row: dict[str, Any], level: str) -> Iterator[dict[str, Any]]:
    inner = row.get(level)
    return iter([item for item in inner if isinstance(item, dict)] if isinstance(inner, list) else [])


def _without_levels(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in _LEVELS}


def _known(above: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """What the levels above say: it counts over the row's own words, but for the price."""
    price = told.get("DON_GIA_DICH_VU", above["DON_GIA_DICH_VU"])
    return {key: value for key, value in above.items() if value is not None} | {"DON_GIA_DICH_VU": price}
