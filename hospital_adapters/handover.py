"""A hospital system without any interface: each visit is made ready for a clerk, whose scanner types it into the form.

Nothing is sent and nothing is asked, so nothing can be lost on the way; what was typed in is what the clerk says.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from hospital_adapters import handover_settings
from hospital_adapters.base import BaseAdapter
from hospital_adapters.handover_fields import fields_of
from hospital_adapters.handover_settings import KEYS, HandoverSettings
from hospital_adapters.handover_typing import typed
from kiosk.hospital_model import Capabilities, Encounter, HandOver
from kiosk.ports import AdapterContext

_KEYS = {"tab": "\t", "enter": "\r"}
_BETWEEN = {**_KEYS, "semicolon": ";"}


def create(settings: Mapping[str, Any], context: AdapterContext) -> HandoverAdapter:
    """Entry point ``handover``: *settings* as HandoverSettings describes them. ConfigError names a wrong key."""
    return HandoverAdapter(handover_settings.load(settings))


class HandoverAdapter(BaseAdapter):
    """Turns a visit into the text that fills one form of one hospital system."""

    capabilities = Capabilities(hand_over=True, new_patient=True)

    def __init__(self, settings: HandoverSettings) -> None:
        """*settings*: the form and the scanner."""
        self._settings = settings

    async def hand_over(self, encounter: Encounter) -> HandOver:
        """The fields, and the keys for the whole form; a value that cannot be typed surely is left empty and named."""
        fields = fields_of(encounter, self._settings)
        keys = {name: self._keys(value) for name, value in fields}
        parts = [_KEYS[name] if name in KEYS else keys[name] or "" for name in self._settings.fields]
        pieces = parts[:1]
        for (before, name), part in zip(pairwise(self._settings.fields), parts[1:], strict=True):
            pieces += [part] if before in KEYS or name in KEYS else [self._between, part]
        left_out = tuple(name for name, value in fields if value and keys[name] is None)
        return HandOver(fields, "".join(pieces) + _KEYS.get(self._settings.last, ""), left_out)

    @property
    def _between(self) -> str:
        return _BETWEEN.get(self._settings.between, self._settings.between)

    def _keys(self, value: str) -> str | None:
        """None also for a value that holds the separator: all that follows would go into wrong fields."""
        keys = typed(value, self._settings.accents)
        return None if keys is None or self._between in keys else keys
