"""ZBar through pyzbar, in binary mode: the bytes of a symbol as they stand, not ZBar's guess at their charset.

pyzbar 0.1.9 has no option for it, so the configuration is set on its scanner. Source: components.md 2.
"""

from __future__ import annotations

from ctypes import c_char_p, c_void_p, cast, string_at
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyzbar import wrapper

Corners = tuple[tuple[float, float], ...]

_FOURCC_Y800: Final = 0x30303859
_CONFIG_BINARY: Final = 4  # zbar_config_t of libzbar 0.23.1 and later
_ALL_KINDS: Final = 0
_QR: Final = wrapper.ZBarSymbol.QRCODE


class ZbarScanner:
    """Finds QR codes with ZBar; part of a split message is none."""

    def __init__(self) -> None:
        """Prepare the scanner; it is kept for the life of the process."""
        self._scanner = wrapper.zbar_image_scanner_create()
        for kind, config, value in (
            (_ALL_KINDS, wrapper.ZBarConfig.CFG_ENABLE, 0),
            (_QR, wrapper.ZBarConfig.CFG_ENABLE, 1),
            (_QR, _CONFIG_BINARY, 1),
        ):
            wrapper.zbar_image_scanner_set_config(self._scanner, kind, config, value)

    def scan(self, grey: NDArray[np.uint8]) -> list[tuple[bytes, Corners]]:
        """Bytes and corners (x, y) of each code in *grey*, height x width."""
        height, width = grey.shape
        pixels = grey.tobytes()
        image = wrapper.zbar_image_create()
        try:
            wrapper.zbar_image_set_format(image, _FOURCC_Y800)
            wrapper.zbar_image_set_size(image, width, height)
            wrapper.zbar_image_set_data(image, cast(c_char_p(pixels), c_void_p), len(pixels), None)
            if wrapper.zbar_scan_image(self._scanner, image) <= 0:
                return []
            return _symbols(image)
        finally:
            wrapper.zbar_image_destroy(image)


def _symbols(image: object) -> list[tuple[bytes, Corners]]:
    found = []
    symbol = wrapper.zbar_image_first_symbol(image)
    while symbol:
        if symbol.contents.type == _QR:
            length = wrapper.zbar_symbol_get_data_length(symbol)
            payload = string_at(wrapper.zbar_symbol_get_data(symbol), length)
            corners = tuple(
                (float(wrapper.zbar_symbol_get_loc_x(symbol, at)), float(wrapper.zbar_symbol_get_loc_y(symbol, at)))
                for at in range(wrapper.zbar_symbol_get_loc_size(symbol))
            )
            if corners:
                found.append((payload, corners))
        symbol = wrapper.zbar_symbol_next(symbol)
    return found
