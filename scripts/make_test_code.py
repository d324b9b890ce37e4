"""Makes docs/ma-thu-may-quet.svg, the page with the test code for scanners: ``python scripts/make_test_code.py FILE``.

Two sizes: as on a citizen card (identity-documents.md 1.3), and large for a scanner that cannot read small codes.
"""

import sys
from pathlib import Path

import segno

from kiosk.documents.scan_test_code import TEST_PAYLOAD

CARD_MM, LARGE_MM = 11, 45
PAGE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 210 297" font-family="sans-serif">
<rect width="210" height="297" fill="#fff"/>
<text x="105" y="30" font-size="9" text-anchor="middle">Mã thử máy quét</text>
<text x="105" y="40" font-size="4.5" text-anchor="middle">In đúng cỡ 100 %, giấy trắng, rồi quét từng mã một.</text>
<text x="105" y="47" font-size="4.5" text-anchor="middle">Mã không của ai; không dùng để khám bệnh.</text>
{large}
<text x="105" y="122" font-size="4.5" text-anchor="middle">Cỡ lớn: thử cài đặt của máy quét</text>
{small}
<text x="105" y="158" font-size="4.5" text-anchor="middle">Cỡ như trên thẻ: thử máy quét có đọc nổi thẻ không</text>
<text x="105" y="185" font-size="4.5" text-anchor="middle">Trên máy tiếp đón, chạy: kioskctl readers --try CỔNG</text>
<text x="105" y="192" font-size="4.5" text-anchor="middle">Cách chữa: docs/van-hanh.md, «Máy đọc có vấn đề gì»</text>
</svg>
"""


def page() -> str:
    """The SVG page."""
    return PAGE.format(large=_code(LARGE_MM, 65), small=_code(CARD_MM, 135))


def _code(width: float, top: float) -> str:
    """The code, *width* mm wide without its quiet zone, in the middle of the page below *top*."""
    code = segno.make(TEST_PAYLOAD, micro=False, error="m", mode="byte", boost_error=False)
    rows = list(code.matrix)
    module = width / len(rows)
    runs = "".join(f"M{x} {y}h{length}v1h-{length}z" for y, row in enumerate(rows) for x, length in _runs(row))
    return (
        f'<path transform="translate({105 - width / 2:g} {top:g}) scale({module:.5f})" '
        f'shape-rendering="crispEdges" d="{runs}"/>'
    )


def _runs(row: bytearray) -> list[tuple[int, int]]:
    """Start and length of each run of dark modules."""
    found: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if dark and found and sum(found[-1]) == x:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        elif dark:
            found.append((x, 1))
    return found


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), "utf-8")
