"""What lenses, light, hands and screens do to a picture: one family of damage each, from mild (0) to hopeless (1).

Damage is measured in modules of the symbol, so that a large symbol suffers as much as a small one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.frames_things import Frame, Points


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame of a scene: how bad, where the symbol is, the pixels of a module; *scene* stays, *now* changes."""

    severity: float
    symbol: Points
    module: float
    scene: np.random.Generator
    now: np.random.Generator

    @property
    def middle(self) -> tuple[float, float]:
        """Of the symbol, in pixels."""
        x, y = self.symbol.mean(axis=0)
        return float(x), float(y)

    @property
    def side(self) -> float:
        """Of the symbol, in pixels."""
        return float(np.linalg.norm(self.symbol[1] - self.symbol[0]))


def noisy(frame: Frame, rng: np.random.Generator, sigma: float) -> Frame:
    """*frame* with the grain of a sensor, *sigma* grey levels."""
    grain = rng.standard_normal(frame.shape, dtype=np.float32) * np.float32(sigma)
    return np.asarray((frame + grain).clip(0, 255), np.uint8)


def _blur(frame: Frame, at: Moment) -> Frame:
    """Out of focus: every point becomes a disc."""
    radius = at.module * (0.45 + 1.1 * at.severity) * at.now.uniform(0.85, 1.15)
    reach = int(np.ceil(radius))
    across, down = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(across, down), 0, 1)
    return np.asarray(cv2.filter2D(frame, -1, disc / disc.sum()), np.uint8)


def _motion(frame: Frame, at: Moment) -> Frame:
    """Moved while the shutter was open."""
    length = max(3.0, at.module * (0.8 + 2.4 * at.severity) * at.now.uniform(0.6, 1.2))
    angle, size = at.now.uniform(0, np.pi), int(np.ceil(length)) | 1
    kernel = np.zeros((size * 8, size * 8), np.uint8)
    half = np.array([np.cos(angle), np.sin(angle)]) * length * 4
    middle = np.array([size * 4, size * 4])
    ends = [tuple(int(v) for v in middle + sign * half) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 255, 8)
    streak = np.asarray(cv2.resize(kernel, (size, size), interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(cv2.filter2D(frame, -1, streak / streak.sum()), np.uint8)


def _low_light(frame: Frame, at: Moment) -> Frame:
    dark = cv2.convertScaleAbs(frame, alpha=0.4 - 0.34 * at.severity, beta=4)
    return noisy(np.asarray(dark, np.uint8), at.now, 2 + 3 * at.severity)


def _noise(frame: Frame, at: Moment) -> Frame:
    return noisy(frame, at.now, 12 + 70 * at.severity)


def _glare(frame: Frame, at: Moment) -> Frame:
    """A lamp mirrored beside or on the symbol."""
    angle, far = at.scene.uniform(0, 2 * np.pi), at.side * at.scene.uniform(0.35, 0.75)
    tremble = at.now.uniform(-0.06, 0.06, 2) * at.side
    x = at.middle[0] + np.cos(angle) * far + tremble[0]
    y = at.middle[1] + np.sin(angle) * far + tremble[1]
    across, down = _grid(frame)
    reach = at.side * (0.25 + 0.45 * at.severity)
    distance = ((across - np.float32(x)) ** 2 + ((down - np.float32(y)) * np.float32(1.4)) ** 2) / np.float32(reach**2)
    return _as_frame(frame + 330 * np.exp(-distance * 2))


def _moire(frame: Frame, at: Moment) -> Frame:
    """The grid of a screen against the grid of the sensor."""
    across, down = _grid(frame)
    pitch, angle, drift = at.scene.uniform(2.2, 5.5), at.scene.uniform(0, np.pi), at.now.uniform(0, 6.28)
    wave = across * np.float32(2 * np.pi * np.cos(angle) / pitch) + down * np.float32(2 * np.pi * np.sin(angle) / pitch)
    bands = across * np.float32(0.08) + down * np.float32(0.13 * at.scene.uniform(0.5, 1.5))
    strength = np.float32(15 + 140 * at.severity)
    return _as_frame(frame + strength * np.sin(wave + np.float32(drift)) * (0.6 + 0.4 * np.sin(bands)))


def _jpeg(frame: Frame, at: Moment) -> Frame:
    coded = cv2.imencode(".jpg", frame, (cv2.IMWRITE_JPEG_QUALITY, round(40 - 34 * at.severity)))[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)


def _curl(frame: Frame, at: Moment) -> Frame:
    """Bent, as laminated paper is."""
    across, down = _grid(frame)
    long = at.side * at.scene.uniform(1.2, 2.0)
    phase = np.float32(at.scene.uniform(0, 6.28))
    height = np.float32(at.side * (0.005 + 0.03 * at.severity))
    bent = down + height * np.sin(across * np.float32(2 * np.pi / long) + phase)
    return np.asarray(cv2.remap(frame, across, bent, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _reflection(frame: Frame, at: Moment) -> Frame:
    """Tubes of light on the ceiling, mirrored in glass or laminate."""
    across, down = _grid(frame)
    angle, width = at.scene.uniform(-0.6, 0.6), at.side * at.scene.uniform(0.12, 0.3)
    off = at.side * (at.scene.uniform(-0.3, 0.3) + at.now.uniform(-0.05, 0.05))
    far = (across - np.float32(at.middle[0])) * np.float32(np.sin(angle)) + (
        down - np.float32(at.middle[1] + off)
    ) * np.float32(np.cos(angle))
    return _as_frame(frame * 0.85 + (50 + 170 * at.severity) * np.exp(-((far / np.float32(width)) ** 2)))


def _grid(frame: Frame) -> tuple[Points, Points]:
    height, width = frame.shape
    across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return across, down


def _as_frame(pixels: NDArray[np.floating]) -> Frame:
    return np.asarray(pixels.clip(0, 255), np.uint8)


SPOILERS: Final[Mapping[str, Callable[[Frame, Moment], Frame]]] = {
    "blur": _blur,
    "motion": _motion,
    "low_light": _low_light,
    "noise": _noise,
    "glare": _glare,
    "moire": _moire,
    "jpeg": _jpeg,
    "curl": _curl,
    "reflection": _reflection,
}
"""What is done to the frames of a family; the others are spoilt by nothing but the grain of the sensor."""
