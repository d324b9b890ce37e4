"""Tickets as pictures: every letter there, Khmer shaped, codes that scanners read, and the same dots each time."""

import io
import re
from dataclasses import replace
from importlib.resources import files
from itertools import pairwise

import pytest
import zxingcpp
from fontTools.ttLib import TTFont
from PIL import Image, ImageChops, ImageDraw, features

from kiosk.ticket_model import FurtherNumber, Ticket
from kiosk.ticket_picture import DOTS, draw_ticket, words
from kiosk.ticket_text import draw_line, font, runs, width_of, wrapped

TICKET = Ticket(
    "31",
    False,
    "23/11/2026 07:15",
    room="Phòng khám Nội 101",
    department="Khoa Khám bệnh",
    service="Khám Nội tổng quát",
    before="K-024",
    others=(FurtherNumber("10", "Phòng điện tim 110"),),
    valid_to="31/12/2026",
    level=80,
    barcode="2611230042",
    lookup_receipt="7ZK3M-0QX9T",
)
_VOWELS = "aăâeêioôơuưy"
_TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")


def vietnamese() -> str:
    from unicodedata import normalize

    lower = "".join(normalize("NFC", vowel + tone) for vowel in _VOWELS for tone in _TONES) + "đ"
    return lower + lower.upper()


def drawn(text: str, size: int = 40) -> Image.Image:
    image = Image.new("L", (round(width_of(text, size, bold=False)) + 40, size * 3), 255)
    draw_line(ImageDraw.Draw(image), image.width / 2, size * 1.8, text, size, bold=False)
    return image


def test_every_vietnamese_letter_has_a_picture_of_its_own() -> None:
    letters = vietnamese()
    assert len(letters) == 146
    pictures = {drawn(letter).tobytes() for letter in letters}
    nothing = drawn("\ufffe").tobytes()
    assert len(pictures) == len(letters)
    assert nothing not in pictures


def test_marks_above_and_below_are_not_cut_off_between_lines() -> None:
    image = drawn("ẶỆỘ Ỗ Ự ្រ្ត្ញូ")
    box = ImageChops.invert(image).getbbox()
    assert box is not None
    assert box[1] > 0 and box[3] < image.height


def test_khmer_is_shaped() -> None:
    assert features.check("raqm")
    letters = font("km", 40, bold=False)
    # the vowel E is written before its consonant, a subscript below it takes no room of its own
    assert letters.getlength("ក្ក") < 1.5 * letters.getlength("ក")
    before, after = drawn("កេ"), drawn("ក")
    assert ImageChops.invert(before).crop((0, 0, before.width // 2, before.height)).getbbox() is not None
    assert width_of("កេ", 40, bold=False) > width_of("ក", 40, bold=False)
    assert after.tobytes() != before.tobytes()


def test_each_piece_of_text_gets_the_font_of_its_script() -> None:
    assert runs("ដល់ 31/12/2026។") == [("km", "ដល់"), ("vi", " 31/12/2026"), ("km", "។")]
    covered = {script: set(TTFont(io.BytesIO(face_of(script))).getBestCmap()) for script in ("vi", "km")}
    for texts in words().values():
        for text in texts.values():
            for script, piece in runs(text.replace("\u200b", "")):
                assert {ord(letter) for letter in piece} <= covered[script], piece


def face_of(script: str) -> bytes:
    family = {"vi": "BeVietnamPro", "km": "NotoSansKhmer"}[script]
    return files("kiosk").joinpath("fonts", f"{family}-Bold.ttf").read_bytes()


def test_all_languages_say_the_same_things() -> None:
    keys = [set(texts) for texts in words().values()]
    assert len(keys) == 3 and all(one == other for one, other in pairwise(keys))
    for key in keys[0]:
        fields = {tuple(sorted(re.findall(r"\{\w+\}", texts[key]))) for texts in words().values()}
        assert len(fields) == 1, key


@pytest.mark.parametrize("paper", [58, 80])
def test_a_scanner_reads_the_codes_and_the_paper_is_never_left(paper: int) -> None:
    image = draw_ticket(TICKET, paper, ("vi", "en", "km"))
    assert (image.mode, image.width) == ("1", DOTS[paper])
    padded = Image.new("L", (image.width + 80, image.height + 80), 255)
    padded.paste(image, (40, 40))
    found = {(str(code.format), code.text) for code in zxingcpp.read_barcodes(padded)}
    assert {text for _, text in found} == {"2611230042", "7ZK3M-0QX9T"}
    edge = ImageChops.invert(image.convert("L"))
    assert edge.crop((0, 0, 4, image.height)).getbbox() is None
    assert edge.crop((image.width - 4, 0, image.width, image.height)).getbbox() is None


def test_the_same_ticket_is_the_same_dots_and_another_number_is_not() -> None:
    first = draw_ticket(TICKET, 80, ("vi", "km"))
    assert draw_ticket(replace(TICKET), 80, ("vi", "km")).tobytes() == first.tobytes()
    assert draw_ticket(replace(TICKET, number="32"), 80, ("vi", "km")).tobytes() != first.tobytes()


def test_the_number_is_huge_and_a_long_one_still_fits() -> None:
    for number in ("7", "K-024", "K-N1024", "TM-2026-000123"):
        image = draw_ticket(Ticket(number, True, "23/11/2026 07:15"), 58)
        black = ImageChops.invert(image.convert("L")).getbbox()
        assert black is not None and black[2] <= DOTS[58]
        assert width_of(number, 40, bold=True) <= DOTS[58]


@pytest.mark.parametrize("text", ["Phòng khám Tai Mũi Họng số 2", "x" * 300, "", "a " * 60, words()["km"]["level"]])
def test_lines_break_between_words_and_lose_nothing(text: str) -> None:
    lines = wrapped(text, 26, 300, bold=False)
    assert all(width_of(line, 26, bold=False) <= 300 for line in lines)
    bare = str.maketrans("", "", " \u200b")
    assert "".join(lines).translate(bare) == text.translate(bare)


def test_a_code_too_long_for_the_paper_stays_as_text() -> None:
    long = replace(TICKET, barcode="A1" * 20, lookup_receipt=None)
    assert not zxingcpp.read_barcodes(draw_ticket(long, 58).convert("L"))


@pytest.mark.parametrize("language", ["en", "km"])
def test_what_the_person_reads_stands_first_and_what_staff_read_below(language: str) -> None:
    ticket = Ticket(number="1042", own=False, at="24/11/2026 07:05", room="Phòng 101", lookup_receipt="7ZK3M-0QX9T")
    own = draw_ticket(replace(ticket, language=language), 80)
    assert own.tobytes() == draw_ticket(ticket, 80, (language, "vi")).tobytes()
    assert draw_ticket(replace(ticket, language="vi"), 80).tobytes() == draw_ticket(ticket, 80).tobytes()
