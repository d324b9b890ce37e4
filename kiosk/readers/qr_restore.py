"""Undoes what blurred a code: a lens out of focus makes a disc of each point, a moving hand a line.

Wiener deconvolution with such discs and lines. The direction of the line is seen in the picture: a code has as much
change along as across, whichever way it is turned, and a movement takes it away along itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.readers.qr_readings import Grey

Kernel = NDArray[np.float32]
"""Weights of a blur, square, with an odd side."""

_NOISE: Final = np.float32(0.01)  # power of the grain in that of the picture: more is kept blurred, less rings
_INNER: Final = 5  # the direction is taken without this part of the crop at each side: it is not of the code


def disc(radius: float) -> Kernel:
    """A lens out of focus, *radius* in pixels."""
    reach = int(np.ceil(radius))
    down, across = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return np.asarray(np.clip(radius + 0.5 - np.hypot(across, down), 0, 1), np.float32)


def line(length: float, direction: float) -> Kernel:
    """A hand that moved *length* pixels while the shutter was open; *direction* in radians from the x axis."""
    reach = int(np.ceil(length / 2)) + 1
    down, across = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    along = across * np.cos(direction) + down * np.sin(direction)
    aside = down * np.cos(direction) - across * np.sin(direction)
    weight = np.clip(length / 2 + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(aside), 0, 1)
    return np.asarray(weight, np.float32)


@dataclass(frozen=True, slots=True)
class Movement:
    """The direction with the least change, radians from the x axis, and that change in parts of the most there is."""

    direction: float
    left: float


def movement_in(grey: Grey) -> Movement:
    """How the middle of *grey* moved; of one that did not, nearly all the change is left in every direction."""
    height, width = grey.shape
    middle = grey[height // _INNER : height - height // _INNER, width // _INNER : width - width // _INNER]
    fine = cv2.GaussianBlur(middle, (0, 0), 1).astype(np.float32)
    across, down = cv2.Sobel(fine, cv2.CV_32F, 1, 0), cv2.Sobel(fine, cv2.CV_32F, 0, 1)
    level, upright, both = ((one * other).mean() for one, other in ((across, across), (down, down), (across, down)))
    spread = float(np.hypot(level - upright, 2 * both))
    total = max(float(level + upright), 1e-6)
    most = np.arctan2(2 * both, level - upright) / 2
    return Movement(float(most + np.pi / 2), (total - spread) / (total + spread))


def restored(grey: Grey, kernel: Kernel) -> Grey:
    """*grey* as it was before *kernel* blurred it."""
    reach = len(kernel) // 2
    pad = 2 * reach
    height, width = (cv2.getOptimalDFTSize(length + 2 * pad) for length in grey.shape)
    below, right = height - grey.shape[0] - pad, width - grey.shape[1] - pad
    padded = cv2.copyMakeBorder(grey, pad, below, pad, right, cv2.BORDER_REPLICATE).astype(np.float32)
    blur = np.zeros((height, width), np.float32)
    blur[: len(kernel), : len(kernel)] = kernel / kernel.sum()
    spectrum: Any = np.fft.rfft2(np.roll(blur, (-reach, -reach), (0, 1)))
    inverse = spectrum.conj() / (np.abs(spectrum) ** 2 + _NOISE)
    sharp = np.fft.irfft2(np.fft.rfft2(padded) * inverse, (height, width))
    return np.ascontiguousarray(sharp[pad : pad + grey.shape[0], pad : pad + grey.shape[1]].clip(0, 255), np.uint8)
