"""What to do about each fault of a scanner, in plain words for whoever sets it up."""

from kiosk.documents.scan_test_code import ScanFault

_KEYBOARD_OFF = "better: switch the scanner to USB serial (CDC), then no keyboard setting can touch what it reads"

ADVICE: dict[ScanFault, str] = {
    ScanFault.FINE: "the scanner is fine: the test code came exactly, with its suffix",
    ScanFault.NOTHING: "nothing came: is it the right device, does the scanner beep, does its light come on?",
    ScanFault.WRONG_SPEED: "the serial speed differs: try another --baud, most often 9600 or 115200, or --baud auto",
    ScanFault.SEVEN_BITS: "the line carries seven bits: set the scanner to 8 data bits, no parity, 1 stop bit (8N1)",
    ScanFault.ASCII_MODE: "letters with accents are dropped: the scanner sends plain ASCII, as scanners in keyboard "
    f"mode do; set it to send UTF-8; {_KEYBOARD_OFF}",
    ScanFault.CODE_PAGE_1258: "the scanner sends code page 1258: set its output to UTF-8",
    ScanFault.REENCODED: "UTF-8 is taken for another code page (Latin-1, Windows-1252 or Asian): set the scanner's "
    "output to UTF-8 as it is, without conversion",
    ScanFault.DECOMPOSED: "accents come apart from their letters: the kiosk puts them together again",
    ScanFault.TELEX: "a Vietnamese typing program (UniKey, ibus) is on with Telex: turn it off for the scanner; "
    f"{_KEYBOARD_OFF}",
    ScanFault.VNI: f"a Vietnamese typing program (UniKey, ibus) is on with VNI: turn it off; {_KEYBOARD_OFF}",
    ScanFault.VIETNAMESE_LAYOUT: "the computer's keyboard layout is Vietnamese, so digits became letters: set it to "
    f"English (US); {_KEYBOARD_OFF}",
    ScanFault.OTHER_LAYOUT: "scanner and computer use different keyboard layouts: set both to English (US); "
    f"{_KEYBOARD_OFF}",
    ScanFault.CASE_CHANGED: "capitals and small letters are changed: turn off Caps Lock and the scanner's conversion "
    "of case",
    ScanFault.SEPARATORS_LOST: "the separators between the fields are missing: turn off the scanner's data formatting",
    ScanFault.FIELDS_MISSING: "whole fields are missing: turn off the scanner's data formatting",
    ScanFault.TRUNCATED: "the end is missing: raise the scanner's longest code to its maximum, and turn off flow "
    "control and data formatting",
    ScanFault.START_LOST: "the beginning is missing: the device was perhaps just waking up; scan again, and turn off "
    "the scanner's data formatting",
    ScanFault.CHARACTERS_LOST: "single characters are missing: the scanner types or sends faster than the computer "
    f"takes it; set a pause between characters; {_KEYBOARD_OFF}",
    ScanFault.SCANNED_TWICE: "the code came more than once: set the scanner to read a code once per trigger, or a "
    "longer pause for the same code",
    ScanFault.AIM_ID: "an AIM identifier (]Q1) stands before it: the kiosk takes it off; the scanner can be told not "
    "to send it",
    ScanFault.CODE_ID: "a letter for the kind of code stands before it: tell the scanner to send no code id",
    ScanFault.PREFIX: "something stands before it: remove the scanner's prefix",
    ScanFault.NO_SUFFIX: "no line end follows: the kiosk waits a moment for more each time; set the suffix CR",
    ScanFault.EXTRA_SUFFIX: "more than one line end, or something else, follows: set the suffix to CR alone",
    ScanFault.DAMAGED: "it is the test code, but changed in a way not known: set the scanner back to its factory "
    "settings, then to USB serial (CDC)",
    ScanFault.OTHER_CODE: "this was not the test code: scan the printed test code (docs/ma-thu-may-quet.svg)",
}
"""Advice for each fault, in English."""
