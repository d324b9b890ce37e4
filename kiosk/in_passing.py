"""What is asked of a hospital system while somebody stands in front: worth a short wait, and never a failure.

A fault in an adapter is no reason to turn a patient away; its text, which may name a person, is kept from every log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from kiosk.errors import HospitalError

log = logging.getLogger(__name__)

T = TypeVar("T")


async def in_passing(question: Awaitable[T], wait: float) -> T | None:
    """The answer to *question*; None when the hospital does not say within *wait* seconds."""
    try:
        async with asyncio.timeout(wait):
            return await question
    except (TimeoutError, HospitalError):
        return None
    except Exception:
        log.exception("hospital adapter failed")
        return None
