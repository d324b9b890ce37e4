"""What a bad network can do to a connection: the toxics of the fault proxy (faults-threats-speed.md 3, F3)."""

from __future__ import annotations

import asyncio
import random
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Kind = Literal[
    "delay",
    "bandwidth",
    "slow_drip",
    "reset",
    "half_open",
    "truncate",
    "garble",
    "refuse",
    "duplicate",
]
Direction = Literal["up", "down", "both"]

_NEEDS = {"delay": "delay_ms", "bandwidth": "bytes_per_second", "slow_drip": "delay_ms"}


class Toxic(BaseModel):
    """One thing that goes wrong; body of ``POST /_sim/toxic``.

    ``delay``: each piece comes ``delay_ms`` later, with up to ``jitter_ms`` more. ``bandwidth``: at most
    ``bytes_per_second``. ``slow_drip``: one byte every ``delay_ms``. ``reset``: a TCP RST to both sides, and
    ``truncate``: an orderly end, once ``after_bytes`` have passed. ``garble``: bits flip after ``after_bytes``.
    ``duplicate``: each piece comes twice. ``half_open``: accepted, then silence. ``refuse``: RST at once.

    ``direction``: towards the server (up) or the client (down). ``probability``: of a connection to be hit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    direction: Direction = "down"
    probability: float = Field(default=1.0, ge=0, le=1)
    delay_ms: int = Field(default=0, ge=0, le=600_000)
    jitter_ms: int = Field(default=0, ge=0, le=600_000)
    bytes_per_second: int = Field(default=0, ge=0)
    after_bytes: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        needed = _NEEDS.get(self.kind)
        if needed is not None and getattr(self, needed) == 0:
            raise ValueError(f"{self.kind} needs {needed}")
        return self

    def works(self, direction: Direction) -> bool:
        """Whether it touches what goes in *direction*."""
        return self.direction in (direction, "both")


class Broken(Exception):
    """A toxic ends the connection: by RST, or in an orderly way."""

    def __init__(self, *, by_reset: bool) -> None:
        """Say how."""
        super().__init__("the connection was ended on purpose")
        self.by_reset = by_reset


class Lane:
    """One direction of one connection: what goes in comes out later, spoiled, twice, or not at all."""

    def __init__(self, toxics: list[Toxic], chance: random.Random) -> None:
        """*toxics*: those that work in this direction."""
        self._toxics = toxics
        self._chance = chance
        self._passed = 0

    @property
    def drips(self) -> float | None:
        """Seconds between two bytes, if they come one by one."""
        return next((toxic.delay_ms / 1000 for toxic in self._toxics if toxic.kind == "slow_drip"), None)

    async def through(self, piece: bytes) -> bytes:
        """What the other side gets of *piece*, when it is time."""
        for toxic in self._toxics:
            match toxic.kind:
                case "delay":
                    pause = toxic.delay_ms + self._chance.uniform(0, toxic.jitter_ms)
                    await asyncio.sleep(pause / 1000)
                case "bandwidth":
                    await asyncio.sleep(len(piece) / toxic.bytes_per_second)
                case "garble":
                    piece = self._garbled(piece, toxic.after_bytes)
                case "duplicate":
                    piece = piece * 2
        self._passed += len(piece)
        return piece

    def ends_within(self, piece: bytes) -> tuple[int, Broken] | None:
        """How many bytes of *piece* still pass before the connection ends, and how it ends; None: it goes on."""
        for toxic in self._toxics:
            if toxic.kind in ("reset", "truncate") and self._passed + len(piece) > toxic.after_bytes:
                left = max(0, toxic.after_bytes - self._passed)
                return left, Broken(by_reset=toxic.kind == "reset")
        return None

    def _garbled(self, piece: bytes, after: int) -> bytes:
        spoiled = bytearray(piece)
        for place in range(max(0, after - self._passed), len(spoiled)):
            if self._chance.random() < 0.1:
                spoiled[place] ^= 1 << self._chance.randrange(8)
        return bytes(spoiled)
