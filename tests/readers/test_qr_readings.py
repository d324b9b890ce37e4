"""What decoders say about single symbols, and what they say together."""

import numpy as np
import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st
from pyzbar import pyzbar

from kiosk.readers.qr_readings import ZBAR, ZXING, Reading, agreed, look
from kiosk.readers.qr_zbar import ZbarScanner
from tests.readers.qr_world import CARD, drawn, symbol

SQUARE = ((10.0, 10.0), (60.0, 10.0), (60.0, 60.0), (10.0, 60.0))
FAR = tuple((x + 100, y) for x, y in SQUARE)


def both(grey):
    return [reading.payload for reading in look(grey).readings], [payload for payload, _ in ZbarScanner().scan(grey)]


@given(st.binary(min_size=1, max_size=120), st.sampled_from("lmqh"))
def test_any_bytes_come_back_as_they_were_by_either_decoder(payload, level):
    assert both(symbol(payload, error=level)) == ([payload], [payload])


@pytest.mark.parametrize(
    ("code", "payload"),
    [
        (segno.make("Trần", micro=False, eci=True, encoding="utf-8"), "Trần".encode()),
        (segno.make("é", micro=False, eci=True, encoding="iso-8859-1"), b"\xe9"),
        (segno.make("点茗", micro=False, mode="kanji"), "点茗".encode("shift_jis")),
        (segno.make("099190000456", micro=False, mode="numeric"), b"099190000456"),
        (segno.make("DN4939312345678", micro=False, mode="alphanumeric"), b"DN4939312345678"),
    ],
    ids=["utf-8 declared", "latin-1 declared", "kanji", "digits", "capitals"],
)
def test_all_modes_of_a_symbol_are_given_as_its_bytes(code, payload):
    assert both(drawn(code)) == ([payload], [payload])


@pytest.mark.parametrize("payload", ["Nở|13081980", "Võ|Hà"])
def test_zbar_left_alone_garbles_vietnamese_and_ours_does_not(payload):
    grey = symbol(payload.encode())
    assert [payload.encode()] == both(grey)[1]
    assert pyzbar.decode(grey)[0].data != payload.encode()


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_no_part_of_a_split_message_is_a_code(parts):
    symbols = [drawn(part) for part in segno.make_sequence(CARD * 2, symbol_count=parts)]
    for part in symbols:
        assert both(part) == ([], [])
    height = max(len(part) for part in symbols)
    beside = [np.pad(part, ((0, height - len(part)), (0, 0)), constant_values=255) for part in symbols]
    assert both(np.hstack(beside)) == ([], [])


@pytest.mark.parametrize("mask", range(8))
def test_split_messages_are_known_under_each_mask_and_plain_ones_never_taken_for_them(mask):
    (part, *_) = segno.make_sequence(CARD, symbol_count=2, mask=mask)
    assert both(drawn(part)) == ([], [])
    assert both(symbol(CARD, mask=mask)) == ([CARD], [CARD])


def test_micro_qr_is_no_code():
    assert both(drawn(segno.make("12345", micro=True))) == ([], [])


@pytest.mark.parametrize("turns", range(4))
def test_both_decoders_name_the_corners_in_reading_order(turns):
    grey = np.rot90(np.pad(symbol(CARD), ((40, 90), (70, 20)), constant_values=255), turns)
    grey = np.ascontiguousarray(grey)
    (one,), ((_, other),) = look(grey).readings, ZbarScanner().scan(grey)
    assert np.allclose(one.corners, other, atol=4)
    assert one.modules * 4 == pytest.approx(np.ptp([x for x, _ in one.corners]), abs=2)


def test_a_symbol_that_cannot_be_read_is_told_as_a_place():
    grey = symbol(CARD)
    grey[70:130, 60:160] = 0
    looked = look(grey)
    assert looked.readings == []
    assert len(looked.unread) == 1


def test_two_that_agree_are_one_code_with_both_names():
    frame = agreed([Reading(b"a", SQUARE, ZXING), Reading(b"a", SQUARE, ZBAR)]).frame
    assert [(code.payload, code.by) for code in frame.codes] == [(b"a", ("zxing", "zbar"))]
    assert frame.disputed == 0


def test_two_that_disagree_about_a_place_are_not_believed_and_others_are():
    verdict = agreed([Reading(b"a", SQUARE, ZXING), Reading(b"b", SQUARE, ZBAR), Reading(b"c", FAR, ZXING)])
    assert [code.payload for code in verdict.frame.codes] == [b"c"]
    assert verdict.frame.disputed == 1
    assert verdict.disagreed == {b"a", b"b"}


def test_what_was_disputed_needs_both():
    alone = [Reading(b"a", SQUARE, ZXING)]
    assert agreed(alone, {b"a"}).frame.codes == ()
    assert agreed(alone, {b"b"}).frame.codes != ()
    assert agreed([*alone, Reading(b"a", SQUARE, ZBAR)], {b"a"}).frame.codes != ()


def test_codes_are_in_order_of_size_whatever_the_order_of_the_readings():
    large = tuple((x * 3 + 300, y * 3) for x, y in SQUARE)
    readings = [Reading(b"small", SQUARE, ZXING), Reading(b"large", large, ZXING), Reading(b"other", FAR, ZXING)]
    orders = {tuple(code.payload for code in agreed(some).frame.codes) for some in (readings, readings[::-1])}
    assert orders == {(b"large", b"other", b"small")}
