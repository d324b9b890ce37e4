"""ZBar through pyzbar, in binary mode: the bytes of a symbol as they stand, not ZBar's guess at their charset.

pyzbar 0.1.9 has no option for it, so the configuration is set on its scanner. Source: components.md 2.
"""

from __future__ import annotations

import weakref
from ctypes import POINTER, c_char_p, c_void_p, cast, string_at
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pyzbar import wrapper

Corners = tuple[tuple[float, float], ...]
"""The four corners x, y of a symbol in pixels, in reading order: upper left, upper right, lower right, lower left."""

_FOURCC_Y800: Final = 0x30303859
_CONFIG_BINARY: Final = 4  # zbar_config_t of libzbar 0.23.1 and later
_ALL_KINDS: Final = 0
_QR: Final = wrapper.ZBarSymbol.QRCODE
_READING_ORDER: Final = (0, 3, 2, 1)  # ZBar goes round the other way
_first_component: Final = wrapper.zbar_function(
    "zbar_symbol_first_component", POINTER(wrapper.zbar_symbol), POINTER(wrapper.zbar_symbol)
)


class ZbarScanner:
    """Finds QR codes with ZBar. A message that is split over several symbols is none, even when all are there."""

    def __init__(self) -> None:
        """Prepare a scanner; it goes with this object."""
        self._scanner = wrapper.zbar_image_scanner_create()
        weakref.finalize(self, wrapper.zbar_image_scanner_destroy, self._scanner)
        for kind, config, value in (
            (_ALL_KINDS, wrapper.ZBarConfig.CFG_ENABLE, 0),
            (_QR, wrapper.ZBarConfig.CFG_ENABLE, 1),
            (_QR, _CONFIG_BINARY, 1),
        ):
            wrapper.zbar_image_scanner_set_config(self._scanner, kind, config, value)

    def scan(self, grey: NDArray[np.uint8]) -> list[tuple[bytes, Corners]]:
        """Bytes and corners of each code in *grey*, height x width."""
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


def _symbols(image: Any) -> list[tuple[bytes, Corners]]:
    found = []
    symbol = wrapper.zbar_image_first_symbol(image)
    while symbol:
        whole = symbol.contents.type == _QR and not _first_component(symbol)
        if whole and wrapper.zbar_symbol_get_loc_size(symbol) == len(_READING_ORDER):
            length = wrapper.zbar_symbol_get_data_length(symbol)
            payload = string_at(wrapper.zbar_symbol_get_data(symbol), length)
            corners = tuple(
                (float(wrapper.zbar_symbol_get_loc_x(symbol, at)), float(wrapper.zbar_symbol_get_loc_y(symbol, at)))
                for at in _READING_ORDER
            )
            if payload:
                found.append((payload, corners))
        symbol = wrapper.zbar_symbol_next(symbol)
    return found
