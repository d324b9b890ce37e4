"""A licensed provider's opinion of a chip, over HTTPS (identity-documents.md 7.4).

Organisations reach the identity agency only through such providers: raw files go out, three booleans come back. The
opinion stands beside the local checks. Field names differ between providers; these are the ones of their public
models: ``{"dg1", "dg13", "dg14", "dg15", "sod"}`` as base64, answered by ``{"aa", "pa", "ca"}``.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kiosk.chip_model import ProviderOpinion
from kiosk.licensed_http import LicensedLine, NoAnswer

_SENT: Final = {"dg1": "DG1", "dg13": "DG13", "dg14": "DG14", "dg15": "DG15", "sod": "EF.SOD"}
_PHOTO: Final = {"dg2": "DG2"}

_log = logging.getLogger(__name__)


class HttpChipVerifier:
    """One provider behind one URL; a ``ChipVerifier``."""

    def __init__(
        self,
        *,
        name: str,
        url: str,
        token: str,
        ca_file: Path | None = None,
        seconds: float = 5.0,
        photo: bool = False,
    ) -> None:
        """Prepare connections; nothing is sent yet.

        *name* labels the opinion, *token* goes out as bearer token, *seconds* bounds one question as a whole,
        *photo* sends DG2 too. ConfigError when *url* is neither HTTPS nor on loopback, *token* cannot stand in a
        header, or *ca_file* is unreadable.
        """
        self._name = name
        self._files = _SENT | (_PHOTO if photo else {})
        self._line = LicensedLine(url=url, token=token, seconds=seconds, setting="card.provider_", ca_file=ca_file)

    async def verify_chip(self, files: Mapping[str, bytes]) -> ProviderOpinion | None:
        """Post *files* and read the three booleans; None for an outage, a refusal or nonsense. Never raises."""
        opinion, why = None, "bad_answer"
        try:
            _, said = await self._line.ask({field: _base64(files.get(name)) for field, name in self._files.items()})
            opinion = opinion_of(said, self._name)
        except NoAnswer as exc:
            why = str(exc)
        if opinion is None:
            _log.warning("the chip provider gave no opinion: %s", why)
        return opinion

    async def close(self) -> None:
        """Release connections."""
        await self._line.close()


def opinion_of(answer: bytes, provider: str) -> ProviderOpinion | None:
    """The opinion in the bytes of an answer; None when they are no JSON object that says anything of the three."""
    try:
        said: Any = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    states = {field: said.get(field) for field in ("aa", "pa", "ca")}
    if any(state is not None and not isinstance(state, bool) for state in states.values()):
        return None
    if all(state is None for state in states.values()):
        return None
    doubts = ",".join(field for field, state in states.items() if state is False)
    return ProviderOpinion(
        provider=provider,
        active_authentication=states["aa"],
        passive_authentication=states["pa"],
        chip_authentication=states["ca"],
        reason=f"PROVIDER_DOUBTS:{doubts}" if doubts else None,
    )


def _base64(raw: bytes | None) -> str | None:
    return None if raw is None else base64.b64encode(raw).decode("ascii")
