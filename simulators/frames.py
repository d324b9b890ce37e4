"""Camera frames of a card or a phone held before a kiosk: blur, angles, low light, glare and what else mornings bring.

Everything follows from the seed. Frames are grey, height x width, 8 bits. The families are those of
faults-threats-speed.md 6.2 and more; what is held is drawn in `frames_things`, what spoils it is in `frames_spoil`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal

import cv2
import numpy as np

from simulators.frames_spoil import SPOILERS, Moment, noisy
from simulators.frames_things import Frame, Points, Thing, card, phone, phone_with_card, qr_symbol

__all__ = ["EMPTY", "FAMILIES", "Carrier", "Frame", "picture", "qr_symbol", "render"]

Carrier = Literal["card", "phone"]

FAMILIES: Final = (
    "nominal", "small", "blur", "motion", "rotation", "perspective", "low_light", "noise", "glare", "reflection",
    "moire", "jpeg", "inverted", "curl", "card_on_phone", "two_codes",
)  # fmt: skip
"""Kinds of frames with a code in them. ``inverted``: a phone in dark mode. ``card_on_phone``: the picture of a card."""

EMPTY: Final = ("desk", "hand", "ceiling", "face", "poster")
"""What a frame of family ``none`` shows, in turn by seed."""

_PAYMENT: Final = b"00020101021138540010A00000072701240006970436"
_LEVELS: Final = ("l", "m", "q")


def render(
    payload: bytes,
    *,
    on: Carrier = "card",
    family: str = "nominal",
    severity: float = 0.5,
    seed: int = 0,
    look: int = 0,
    size: tuple[int, int] = (1280, 720),
    other: bytes = _PAYMENT,
) -> Frame:
    """One frame of *size* (width, height) in which *payload* stands on a card or a phone.

    *family*: one of FAMILIES, or ``none`` for nobody there. *severity* from 0 to 1; *look* counts the frames of one
    scene (*seed*), between which the hand trembles. *other*: the second code of ``two_codes``. ValueError for a family
    that there is not.
    """
    if family != "none" and family not in FAMILIES:
        raise ValueError(f"no such family: {family}")
    scene, now = np.random.default_rng(seed), np.random.default_rng((seed, look))
    frame = _background(scene, size)
    if family == "none":
        _nobody(frame, EMPTY[seed % len(EMPTY)], scene, now)
        return noisy(frame, now, 3)
    held = _thing(payload, on, family, seed)
    if family == "two_codes":
        _put(frame, _thing(other, "phone", "nominal", seed + 1), scene, now, side=0.28, at=(0.84, 0.5))
        where = _put(frame, held, scene, now, side=0.2 if on == "card" else 0.34, at=(0.42, 0.34))
    else:
        side = _side(held, on, family, severity, scene, size)
        turn = scene.uniform(-180, 180) if family == "rotation" else scene.uniform(-8, 8)
        tilt = 0.1 + 0.4 * severity if family == "perspective" else 0.03
        where = _put(frame, held, scene, now, side=side, turn=turn, tilt=tilt)
    module = float(np.linalg.norm(where[1] - where[0])) / held.modules
    if family in SPOILERS:
        frame = SPOILERS[family](frame, Moment(severity, where, module, scene, now))
    return noisy(frame, now, 3)


def picture(frame: Frame, kind: str = ".png") -> bytes:
    """*frame* as the bytes of a picture file: ``.png``, ``.jpg``, ``.webp``, ``.bmp``."""
    return cv2.imencode(kind, frame)[1].tobytes()


@lru_cache(maxsize=4)
def _thing(payload: bytes, on: Carrier, family: str, seed: int) -> Thing:
    rng = np.random.default_rng((seed, 7))
    symbol = qr_symbol(payload, level=_LEVELS[int(rng.integers(len(_LEVELS)))], eci=bool(rng.random() < 0.15))
    if family == "card_on_phone":
        return phone_with_card(symbol, rng)
    return card(symbol, rng) if on == "card" else phone(symbol, rng, dark=family == "inverted")


def _side(
    held: Thing, on: Carrier, family: str, severity: float, scene: np.random.Generator, size: tuple[int, int]
) -> float:
    """The side of the symbol in heights of the frame: people hold cards so near that a module has some pixels."""
    if family == "small":
        return held.modules * (2.2 - 0.9 * severity) / size[1]
    if on == "phone" and family != "card_on_phone":
        return float(scene.uniform(0.36, 0.58))
    return held.modules * float(scene.uniform(2.7, 4.2)) / size[1]


def _put(
    frame: Frame,
    held: Thing,
    scene: np.random.Generator,
    now: np.random.Generator,
    *,
    side: float,
    turn: float = 0.0,
    tilt: float = 0.03,
    at: tuple[float, float] | None = None,
) -> Points:
    """Hold *held* into *frame*, its symbol *side* heights of the frame large; the corners of the symbol there."""
    height, width = frame.shape
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
    square += scene.uniform(-tilt, tilt, (4, 2)) + now.uniform(-0.01, 0.01, (4, 2))
    angle = np.deg2rad(turn + now.uniform(-1.5, 1.5))
    spin = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    half = side * height / 2 * now.uniform(0.985, 1.015)
    reach = half * 1.5
    if at is not None:
        middle = np.array([at[0] * width, at[1] * height])
    else:  # people aim the whole thing or only the code, or something between
        body = np.array([held.pixels.shape[1], held.pixels.shape[0]]) / 2
        scale = 2 * half / float(np.linalg.norm(held.corners[1] - held.corners[0]))
        aside = (held.corners.mean(axis=0) - body) * scale @ spin
        middle = np.array([width, height]) * scene.uniform(0.44, 0.56, 2) + aside * scene.uniform(0, 1)
        middle = middle.clip([reach, reach], [max(reach, width - reach), max(reach, height - reach)])
    onto = np.asarray(square @ spin * half + middle + now.uniform(-4, 4, 2), np.float32)
    _lay(frame, held, onto, scene)
    return onto


def _lay(frame: Frame, held: Thing, onto: Points, scene: np.random.Generator) -> None:
    height, width = frame.shape
    pixels, mask, corners = held.pixels, held.mask, held.corners
    shrink = float(np.linalg.norm(corners[1] - corners[0]) / np.linalg.norm(onto[1] - onto[0]))
    if shrink > 1.5:  # as a lens averages what falls on one pixel
        smaller = (round(pixels.shape[1] / shrink), round(pixels.shape[0] / shrink))
        pixels = np.asarray(cv2.resize(pixels, smaller, interpolation=cv2.INTER_AREA), np.uint8)
        mask = np.asarray(cv2.resize(mask, smaller, interpolation=cv2.INTER_NEAREST), np.uint8)
        corners = corners / np.float32(shrink)
    bend = cv2.getPerspectiveTransform(corners, onto)
    there = cv2.warpPerspective(pixels, bend, (width, height), flags=cv2.INTER_LINEAR)
    cv2.copyTo(there, cv2.warpPerspective(mask, bend, (width, height), flags=cv2.INTER_NEAREST), frame)
    edge = np.array([[[pixels.shape[1] * scene.uniform(0.2, 0.5), pixels.shape[0]]]], np.float32)
    x, y = cv2.perspectiveTransform(edge, bend)[0, 0]
    if abs(x) < 2 * width and abs(y) < 2 * height:  # the thumb that holds it from below
        thick = int(np.linalg.norm(onto[1] - onto[0]) * (0.35 if held.pixels.shape[0] > held.pixels.shape[1] else 0.8))
        cv2.ellipse(frame, (int(x), int(y)), (thick // 2, thick), 12, 0, 360, int(scene.integers(120, 190)), -1)


def _background(rng: np.random.Generator, size: tuple[int, int]) -> Frame:
    """A room out of focus."""
    width, height = size
    small = np.asarray(cv2.resize(rng.uniform(40, 190, (6, 9)), (width // 4 + 1, height // 4 + 1), interpolation=2))
    frame = np.asarray(small.clip(0, 255), np.uint8)
    for _ in range(5):
        x, y = int(rng.integers(0, width // 4 + 1)), int(rng.integers(0, height // 4 + 1))
        far = (x + int(rng.integers(10, 75)), y + int(rng.integers(8, 50)))
        cv2.rectangle(frame, (x, y), far, int(rng.integers(20, 230)), -1)
    soft = cv2.GaussianBlur(frame, (0, 0), 1.5)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _nobody(frame: Frame, what: str, scene: np.random.Generator, now: np.random.Generator) -> None:
    """Paint into *frame* what a kiosk's camera sees between two people."""
    height, width = frame.shape
    x, y = int(width * scene.uniform(0.3, 0.7) + now.uniform(-3, 3)), int(height * 0.45 + now.uniform(-3, 3))
    if what == "hand":
        for finger in range(4):
            at = (x + (finger - 2) * height // 11, y + abs(finger - 2) * height // 30)
            cv2.ellipse(frame, at, (height // 24, height // 4), 6 * (finger - 2), 0, 360, 170 - 6 * finger, -1)
        cv2.ellipse(frame, (x, y + height // 3), (height // 5, height // 4), 0, 0, 360, 160, -1)
    elif what == "ceiling":
        frame[:] = 200
        for line in range(0, max(width, height), max(8, height // 6)):
            cv2.line(frame, (line, 0), (line + width // 9, height), 172, 3)
            cv2.line(frame, (0, line), (width, line), 176, 3)
        cv2.rectangle(frame, (x, y), (x + width // 5, y + height // 9), 255, -1)
    elif what == "face":
        cv2.ellipse(frame, (x, y), (height // 5, height // 4), 0, 0, 360, 165, -1)
        for side in (-1, 1):
            cv2.circle(frame, (x + side * height // 12, y - height // 20), height // 50, 50, -1)
        cv2.ellipse(frame, (x, y + height // 9), (height // 14, height // 50), 0, 0, 360, 90, -1)
        cv2.ellipse(frame, (x, y + height // 2), (height // 2, height // 4), 0, 180, 360, 70, -1)
    elif what == "poster":  # the worst neighbour of a decoder: a wall of small print
        cv2.rectangle(frame, (x - width // 4, 0), (x + width // 4, height), 235, -1)
        for row in range(20, height, 22):
            words = "".join(scene.choice(list("HOSPITAL QUEUE NOTICE 0123"), 34))
            cv2.putText(frame, words, (x - width // 4 + 12, row), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 60, 1)
