"""The notice on the idle view: what is read, by whom and why, as it stands in a language with what is switched on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiosk.web.pages import texts


def notice_text(language: str | None, flags: Mapping[str, Any]) -> str:
    """The sentences that ``static/patient/idle.js`` shows for the same *flags* (``camera scanner card_reader provider
    vneid``); without a *language* in Vietnamese.
    """
    words = texts(language or "vi")["patient"]["idle"]
    also = {
        "camera": flags.get("camera") or not flags.get("scanner", True),
        "chip": flags.get("card_reader"),
        "provider": flags.get("provider"),
        "vneid": flags.get("vneid"),
    }
    parts = [words["privacy"], *(words[f"privacy_{name}"] for name, shown in also.items() if shown)]
    return " ".join(parts)
