"""Symbols drawn without any spoiling, and what they say."""

from typing import Any

import numpy as np
import segno
from numpy.typing import NDArray

CARD = "099190000001|364000123|Trần Thị Mẫu|02091990|Nữ|Xã Mẫu, Hậu Giang|05072021".encode()
PAYMENT = b"00020101021138540010A00000072701240006970436"


def drawn(code: segno.QRCode, module: int = 4) -> NDArray[np.uint8]:
    """A symbol, *module* pixels a module."""
    matrix = [[0 if dark else 255 for dark in row] for row in code.matrix_iter(border=4)]
    return np.kron(np.array(matrix, np.uint8), np.ones((module, module), np.uint8))


def symbol(payload: bytes, **how: Any) -> NDArray[np.uint8]:
    """The symbol of bytes, as `segno.make` draws it."""
    return drawn(segno.make(payload, **({"micro": False, "mode": "byte"} | how)))
