"""Exact bytes from every kind of frame, several codes, disputes, and nothing from what is no code."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kiosk.readers import qr_decoder
from kiosk.readers.qr_decoder import FrameCodes, PictureUnreadable, QrDecoder, decode_picture
from kiosk.readers.qr_zbar import ZbarScanner
from simulators.frames import FAMILIES, picture, qr_symbol, render

CARD = "099190000456|364000123|Trần Thị Mẫu|01021990|Nữ|Ấp Thử Nghiệm, Xã Mẫu, Châu Thành, Hậu Giang|05072021".encode()
PAYMENT = b"00020101021138540010A00000072701240006970436"
# ZBar's default mode turns short Vietnamese texts into half-width katakana, Big5 or Latin-1
TRAPS = [
    "093190000457||Thạch Minh Nở|13081980|Nữ||05072021",
    "Nguyễn Ễ|Trần",
    "H’Hen Niê|Y Bkrông",
    "Đặng Ví Dụ",
    "Nở|1",
]


def payloads(codes: FrameCodes) -> list[bytes]:
    return [code.payload for code in codes.codes]


def large(symbol: np.ndarray, scale: int = 6) -> np.ndarray:
    return np.kron(symbol, np.ones((scale, scale), np.uint8)).astype(np.uint8)


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "two_codes"])
@pytest.mark.parametrize("on", ["card", "phone"])
def test_every_kind_of_frame_gives_the_exact_bytes(family, on):
    decoder = QrDecoder()
    seen = []
    for look in range(6):
        seen += payloads(decoder.decode(render(CARD, on=on, family=family, severity=0.3, seed=11, look=look)))
    assert set(seen) == {CARD}


def test_frames_that_the_first_decoder_cannot_read():
    plain, decoder, seen = 0, QrDecoder(), 0
    for scene in range(12):
        frames = [render(CARD, family="low_light", severity=1.0, seed=scene, look=look) for look in range(4)]
        plain += any(qr_decoder._zxing(frame)[0] for frame in frames)
        found = [payload for frame in frames for payload in payloads(decoder.decode(frame))]
        assert set(found) <= {CARD}
        seen += bool(found)
    assert seen > plain


def test_two_codes_in_one_frame():
    frame = render(CARD, family="two_codes", seed=2, other=PAYMENT)
    assert set(payloads(QrDecoder().decode(frame))) == {CARD, PAYMENT}


def test_an_empty_desk_gives_nothing():
    decoder = QrDecoder()
    assert [decoder.decode(render(b"", family="none", seed=seed)) for seed in range(8)] == [FrameCodes()] * 8


@pytest.mark.parametrize("text", TRAPS)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_short_vietnamese_texts_stay_as_they_are(text, form):
    import unicodedata

    payload = unicodedata.normalize(form, text).encode()
    image = large(qr_symbol(payload))
    assert [found for found, _ in ZbarScanner().scan(image)] == [payload]
    assert payloads(decode_picture(picture(image))) == [payload]
    assert decode_picture(picture(image)).codes[0].by == ("zbar", "zxing")


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=250))
def test_any_bytes_survive_both_decoders(payload):
    image = large(qr_symbol(payload), 4)
    assert payloads(decode_picture(picture(image))) == [payload]


def test_other_kinds_of_code_do_not_count():
    import segno

    micro = np.array([[0 if bit else 255 for bit in row] for row in segno.make_micro("12345").matrix_iter(border=4)])
    assert decode_picture(picture(large(micro.astype(np.uint8), 8))) == FrameCodes()


class Contradicting:
    """A second decoder that reads something else at the same place."""

    def __init__(self) -> None:
        self.scanner = ZbarScanner()

    def scan(self, grey):
        return [(payload.replace(b"M", b"N"), corners) for payload, corners in self.scanner.scan(grey)]


def test_what_two_decoders_read_differently_is_believed_of_neither(monkeypatch):
    monkeypatch.setattr(qr_decoder, "ZbarScanner", Contradicting)
    assert decode_picture(picture(large(qr_symbol(CARD)))) == FrameCodes((), 1)
    assert QrDecoder().decode(render(CARD, seed=4)) == FrameCodes((), 1)


def test_a_dispute_does_not_touch_the_other_code(monkeypatch):
    monkeypatch.setattr(qr_decoder, "ZbarScanner", Contradicting)
    frame = render(CARD, family="two_codes", seed=2, other=PAYMENT)
    codes = QrDecoder().decode(frame)
    assert (payloads(codes), codes.disputed) == ([PAYMENT], 1)


def test_corners_are_where_the_symbol_is():
    frame = np.full((720, 1280), 200, np.uint8)
    symbol = large(qr_symbol(CARD, border=0), 5)
    side = symbol.shape[0]
    frame[180 : 220 + side + 40, 480 : 520 + side + 40] = 255
    frame[220 : 220 + side, 520 : 520 + side] = symbol
    (code,) = QrDecoder().decode(frame).codes
    square = np.array([[520, 220], [520 + side, 220], [520 + side, 220 + side], [520, 220 + side]])
    assert np.abs(np.array(code.corners) - square).max() < 8


@settings(max_examples=40, deadline=None)
@given(
    arrays.arrays(
        np.uint8,
        st.one_of(arrays.array_shapes(min_dims=1, max_dims=3, max_side=40), st.just((64, 64)), st.just((0, 5))),
    )
)
def test_no_picture_raises(pixels):
    assert QrDecoder().decode(pixels).disputed == 0


@pytest.mark.parametrize("data", [b"", b"no picture", picture(qr_symbol(CARD))[:60], b"\x89PNG\r\n\x1a\n" + bytes(99)])
def test_files_that_are_no_pictures(data):
    with pytest.raises(PictureUnreadable):
        decode_picture(data)


def test_pictures_in_colour_and_of_other_kinds():
    colour = cv2.cvtColor(large(qr_symbol(CARD)), cv2.COLOR_GRAY2BGR)
    for kind in (".png", ".jpg", ".webp", ".bmp"):
        assert payloads(decode_picture(picture(colour, kind))) == [CARD]
