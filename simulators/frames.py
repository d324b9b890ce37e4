"""Camera frames of a card or a phone held before a kiosk: blur, angles, low light, glare and what else mornings bring.

Everything follows from the seed. Frames are grey, height x width, 8 bits. The QR is printed as on cards and shown as
on phones (identity-documents.md 1.3, 3); the families are those of faults-threats-speed.md 6.2 and more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import cv2
import numpy as np
import segno
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
Carrier = Literal["card", "phone"]

FAMILIES: Final = (
    "nominal",
    "small",
    "blur",
    "motion",
    "rotation",
    "perspective",
    "low_light",
    "noise",
    "glare",
    "moire",
    "jpeg",
    "inverted",
    "curl",
    "two_codes",
)
"""Kinds of frames with a code in them; ``none`` is an empty desk."""

_MM: Final = 24  # pixels per millimetre at which a card is drawn
_LEVELS: Final = "lmq"


def qr_symbol(payload: bytes, *, level: str = "m", eci: bool = False, border: int = 4) -> Frame:
    """The symbol of *payload* in byte mode, one pixel a module, with its quiet zone."""
    code = segno.make(payload, error=level, micro=False, mode="byte", boost_error=False, eci=eci,
                      encoding="utf-8" if eci else None)  # fmt: skip
    return np.array([[0 if dark else 255 for dark in row] for row in code.matrix_iter(border=border)], np.uint8)


def render(
    payload: bytes,
    *,
    on: Carrier = "card",
    family: str = "nominal",
    severity: float = 0.5,
    seed: int = 0,
    look: int = 0,
    size: tuple[int, int] = (1280, 720),
    other: bytes | None = None,
) -> Frame:
    """One frame of *size* (width, height) in which *payload* stands on a card or a phone.

    *severity* from 0 to 1; *look* counts the frames of one scene, between which the hand trembles. *other*: the second
    code of ``two_codes``. ValueError for a family that there is not.
    """
    if family != "none" and family not in FAMILIES:
        raise ValueError(f"no such family: {family}")
    scene, moment = np.random.default_rng(seed), np.random.default_rng((seed, look))
    frame = _background(scene, size)
    if family == "none":
        return _noisy(frame, moment, 3)
    thing, corners = _thing(payload, on, family, scene)
    fraction = {"small": 0.34 - 0.2 * severity}.get(family, scene.uniform(0.42, 0.62))
    if family == "two_codes":
        second, where = _thing(other or b"00020101021138540010A00000072701240006970436", "phone", "nominal", scene)
        _put(frame, second, where, _place(scene, moment, size, 0.3, at=(0.25, 0.5)))
        _put(frame, thing, corners, _place(scene, moment, size, 0.36, at=(0.72, 0.5)))
    else:
        tilt = 0.5 * severity if family == "perspective" else 0.04
        turn = scene.uniform(-180, 180) if family == "rotation" else scene.uniform(-8, 8)
        _put(frame, thing, corners, _place(scene, moment, size, fraction, turn=turn, tilt=tilt))
    return _noisy(_spoil(frame, family, severity, scene, moment), moment, 3)


def picture(frame: Frame, kind: str = ".png") -> bytes:
    """*frame* as the bytes of a picture file."""
    return cv2.imencode(kind, frame)[1].tobytes()


def _thing(payload: bytes, on: Carrier, family: str, rng: np.random.Generator) -> tuple[Frame, NDArray[np.float32]]:
    """A card or phone drawn flat, and the corners of the symbol on it without its quiet zone."""
    symbol = qr_symbol(payload, level=str(rng.choice(list(_LEVELS))), eci=bool(rng.random() < 0.15))
    return _card(symbol, rng) if on == "card" else _phone(symbol, rng, dark=family == "inverted")


def _card(symbol: Frame, rng: np.random.Generator) -> tuple[Frame, NDArray[np.float32]]:
    width, height = round(85.6 * _MM), round(54 * _MM)
    across, down = np.meshgrid(np.linspace(0, 9, width), np.linspace(0, 6, height))
    card = (208 + 10 * np.sin(across * 5 + np.sin(down * 3) * 2) + 6 * np.sin(down * 17)).astype(np.uint8)
    cv2.rectangle(card, (4 * _MM, 17 * _MM), (24 * _MM, 46 * _MM), 120, -1)
    cv2.ellipse(card, (14 * _MM, 28 * _MM), (6 * _MM, 8 * _MM), 0, 0, 360, 170, -1)
    for row in range(6):
        for word in range(int(rng.integers(2, 5))):
            left = 28 * _MM + word * 10 * _MM
            cv2.rectangle(card, (left, (22 + 5 * row) * _MM), (left + 8 * _MM, (24 + 5 * row) * _MM), 70, -1)
    return card, _print(card, symbol, left=68 * _MM, top=4 * _MM, side=12 * _MM)


def _phone(symbol: Frame, rng: np.random.Generator, *, dark: bool) -> tuple[Frame, NDArray[np.float32]]:
    width, height = round(71 * _MM), round(150 * _MM)
    phone = np.full((height, width), 18, np.uint8)
    page = 30 if dark else 250
    phone[5 * _MM : -6 * _MM, 2 * _MM : -2 * _MM] = page
    for row in (12, 18, 24, 100, 108, 116):
        cv2.rectangle(phone, (9 * _MM, row * _MM), (round(rng.uniform(30, 60)) * _MM, (row + 2) * _MM), 130, -1)
    return phone, _print(phone, 255 - symbol if dark else symbol, left=10 * _MM, top=36 * _MM, side=51 * _MM)


def _print(onto: Frame, symbol: Frame, *, left: int, top: int, side: int) -> NDArray[np.float32]:
    onto[top : top + side, left : left + side] = cv2.resize(symbol, (side, side), interpolation=cv2.INTER_NEAREST)
    edge = side * 4 / symbol.shape[0]
    near, far = edge, side - edge
    square = [[near, near], [far, near], [far, far], [near, far]]
    return np.array([(left + x, top + y) for x, y in square], np.float32)


def _place(
    scene: np.random.Generator,
    moment: np.random.Generator,
    size: tuple[int, int],
    fraction: float,
    *,
    turn: float = 0.0,
    tilt: float = 0.04,
    at: tuple[float, float] | None = None,
) -> NDArray[np.float32]:
    """Where in the frame the symbol's corners come to lie: its height is *fraction* of the frame's."""
    width, height = size
    half = fraction * height / 2 * moment.uniform(0.985, 1.015)
    x, y = at or (scene.uniform(0.4, 0.6), scene.uniform(0.45, 0.55))
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
    square += scene.uniform(-tilt, tilt, (4, 2)) + moment.uniform(-0.012, 0.012, (4, 2))
    angle = np.deg2rad(turn + moment.uniform(-1.5, 1.5))
    rotated = square @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle = np.array([x * width, y * height]) + moment.uniform(-4, 4, 2)
    return np.asarray(rotated * half + middle, np.float32)


def _put(frame: Frame, thing: Frame, corners: NDArray[np.float32], onto: NDArray[np.float32]) -> None:
    height, width = frame.shape
    shrink = float(np.linalg.norm(corners[1] - corners[0]) / np.linalg.norm(onto[1] - onto[0]))
    if shrink > 1.5:  # as a lens averages what falls on one pixel
        smaller = (round(thing.shape[1] / shrink), round(thing.shape[0] / shrink))
        thing = np.asarray(cv2.resize(thing, smaller, interpolation=cv2.INTER_AREA), np.uint8)
        corners = corners / np.float32(shrink)
    bend = cv2.getPerspectiveTransform(corners, onto)
    held = cv2.warpPerspective(thing, bend, (width, height), flags=cv2.INTER_LINEAR)
    mask = cv2.warpPerspective(np.full_like(thing, 255), bend, (width, height), flags=cv2.INTER_NEAREST)
    frame[mask > 0] = held[mask > 0]


def _background(rng: np.random.Generator, size: tuple[int, int]) -> Frame:
    width, height = size
    rough = rng.uniform(40, 190, (6, 9)).astype(np.float32)
    frame = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
    for _ in range(5):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        far = (x + int(rng.integers(40, 300)), y + int(rng.integers(30, 200)))
        cv2.rectangle(frame, (x, y), far, int(rng.integers(20, 230)), -1)
    face = (int(width * rng.uniform(0.2, 0.8)), int(height * 0.3))
    cv2.ellipse(frame, face, (width // 12, height // 5), 0, 0, 360, 160, -1)
    return np.asarray(cv2.GaussianBlur(frame, (0, 0), 6), np.uint8)


def _spoil(
    frame: Frame, family: str, severity: float, scene: np.random.Generator, moment: np.random.Generator
) -> Frame:
    height, width = frame.shape
    strength: Mapping[str, Any] = {"blur": 0.8 + 4.2 * severity, "motion": 3 + 26 * severity}
    match family:
        case "blur":
            return np.asarray(cv2.GaussianBlur(frame, (0, 0), strength["blur"] * moment.uniform(0.85, 1.15)), np.uint8)
        case "motion":
            length = max(3, round(strength["motion"] * moment.uniform(0.6, 1.2)))
            return np.asarray(cv2.filter2D(frame, -1, _streak(length, moment.uniform(0, 180))), np.uint8)
        case "low_light":
            dark = frame.astype(np.float32) * (0.5 - 0.46 * severity)
            return _noisy(dark.clip(0, 255).astype(np.uint8), moment, 2 + 3 * severity)
        case "noise":
            return _noisy(frame, moment, 10 + 90 * severity)
        case "glare":
            middle = (width * scene.uniform(0.4, 0.6), height * scene.uniform(0.4, 0.6))
            return _with_glare(frame, middle, 0.06 + 0.16 * severity)
        case "moire":
            across, down = np.meshgrid(np.arange(width), np.arange(height))
            pitch, angle = scene.uniform(2.2, 5.5), scene.uniform(0, np.pi)
            waves = np.sin(2 * np.pi * (across * np.cos(angle) + down * np.sin(angle)) / pitch)
            bands = np.sin(2 * np.pi * (across * 0.013 + down * 0.021 * scene.uniform(0.5, 1.5)))
            spoilt = frame + (8 + 110 * severity) * waves * (0.6 + 0.4 * bands)
            return np.asarray(spoilt.clip(0, 255), np.uint8)
        case "jpeg":
            quality = round(38 - 36 * severity)
            coded = cv2.imencode(".jpg", frame, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
            return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
        case "curl":
            across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
            bend = np.float32(4 + 30 * severity) * np.sin(across / np.float32(width / scene.uniform(4, 7)))
            return np.asarray(cv2.remap(frame, across, down + bend, cv2.INTER_LINEAR), np.uint8)
        case _:
            return frame


def _streak(length: int, angle: float) -> NDArray[np.float32]:
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    turned = cv2.warpAffine(
        kernel, cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), angle, 1), (length, length)
    )
    return np.asarray(turned / max(float(turned.sum()), 1e-6), np.float32)


def _with_glare(frame: Frame, middle: tuple[float, float], reach: float) -> Frame:
    height, width = frame.shape
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    far = ((across - middle[0]) ** 2 + ((down - middle[1]) * 1.4) ** 2) / (reach * height) ** 2
    return np.asarray((frame + 330 * np.exp(-far * 2)).clip(0, 255), np.uint8)


def _noisy(frame: Frame, rng: np.random.Generator, sigma: float) -> Frame:
    grain = rng.standard_normal(frame.shape, dtype=np.float32) * np.float32(sigma)
    return np.asarray((frame + grain).clip(0, 255), np.uint8)
