"""Converts one JPEG 2000 image on standard input to JPEG on standard output, then ends.

Run as ``python -I -m kiosk.portrait_child`` by ``portraits``: a decoder that goes wrong over bytes of a stranger's card
can use neither much memory nor time, nor write or open a file, and takes nothing else down with it. Needs Pillow, which
is an extra; without it this ends with an error like any other.
"""

from __future__ import annotations

import io
import resource
import sys
from typing import Final

from PIL import Image, Jpeg2KImagePlugin

from kiosk.portraits import MAX_BYTES

_MEMORY: Final = 256 * 1024 * 1024
"""Bytes of address space, half of what the daemon and its children may use together."""

_CPU_SECONDS: Final = 3
_MAX_SIDE: Final = 2000
_SHOWN_SIDE: Final = 640
_QUALITY: Final = 85


def main() -> int:
    """0 and the JPEG; 1 when the image is damaged or too large, or a limit was reached."""
    Image.preinit()  # while files may still be opened
    for what, limit in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    jpeg = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data), formats=[Jpeg2KImagePlugin.Jpeg2KImageFile.format]) as image:
            if len(data) > MAX_BYTES or max(image.size) > _MAX_SIDE:
                return 1
            shown = image.convert("RGB")
        shown.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
        shown.save(jpeg, "JPEG", quality=_QUALITY)
    except Exception:  # whatever a decoder makes of damaged bytes; its words may quote them
        return 1
    sys.stdout.buffer.write(jpeg.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
