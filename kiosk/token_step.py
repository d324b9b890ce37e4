"""Whose changing VNeID code was scanned: asked once of a licensed service, and never again for a code it refused.

Such a code stands on a phone and nowhere else, so its carrier is known without a look or a question; the card's own
picture in VNeID has the card's own code and never comes here (identity-documents.md 3).
"""

from __future__ import annotations

import hashlib
import logging
from typing import Final

from kiosk.checkin import Key
from kiosk.errors import TokenVerifierUnavailable
from kiosk.model import Carrier, CarrierSource, Document, DocumentKind, KeyKind, Method
from kiosk.ports import TokenVerifier
from kiosk.station_model import InFront

log = logging.getLogger(__name__)

REFUSED: Final = "TOKEN_UNKNOWN"
"""The service vouches for nobody: the code has expired, or it is no code of VNeID."""


class TokenStep:
    """The codes of one station. Of a code only a digest is kept, and only of the newest one that was refused."""

    def __init__(self, verifier: TokenVerifier) -> None:
        """*verifier*: the service."""
        self._verifier = verifier
        self._refused: tuple[bytes, str] | None = None

    async def holder(self, token: bytes, carrier: Carrier) -> InFront | str:
        """The person behind *token* (as it was scanned, without the reader's framing), or why there is none.

        *carrier*: what the camera saw it on. The reasons: TOKEN_UNKNOWN, VNEID_UNAVAILABLE when nobody could say.
        Never raises.
        """
        digest = hashlib.sha256(token).digest()
        if self._refused is not None and self._refused[0] == digest:  # a camera sees it as long as it is held up
            return self._refused[1]
        code = REFUSED
        try:
            identity = await self._verifier.verify_token(token)
        except TokenVerifierUnavailable as exc:
            identity, code = None, exc.code
        except Exception as exc:  # a fault of ours must not leave the screen asking; its words may hold the code
            log.error("the verifier of codes failed", extra={"kind": type(exc).__name__})
            identity, code = None, TokenVerifierUnavailable.code
        if identity is None or identity.personal_id is None:
            self._refused = (digest, code)
            return code
        return InFront(
            Document(DocumentKind.OPAQUE_TOKEN, identity),
            Key(identity.personal_id, KeyKind.PERSONAL_12, Method.VNEID_TOKEN),
            Carrier.PHONE,
            CarrierSource.CAMERA if carrier is Carrier.PHONE else CarrierSource.NONE,
        )
