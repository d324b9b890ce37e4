"""What wrongly set scanners and computers make of a text: typing methods, keyboard layouts, serial speeds."""

import unicodedata

_TONE_KEYS = {
    "telex": dict(zip("fsrxj", "\u0300\u0301\u0309\u0303\u0323", strict=True)),
    "vni": dict(zip("21345", "\u0300\u0301\u0309\u0303\u0323", strict=True)),
}
_TELEX_MARKS = {("a", "a"): "â", ("e", "e"): "ê", ("o", "o"): "ô", ("d", "d"): "đ"}
_TELEX_HORNS = {"a": "ă", "o": "ơ", "u": "ư"}
_VNI_MARKS = {
    ("a", "6"): "â",
    ("e", "6"): "ê",
    ("o", "6"): "ô",
    ("o", "7"): "ơ",
    ("u", "7"): "ư",
    ("a", "8"): "ă",
    ("d", "9"): "đ",
}
_VOWELS = "aeiouyăâêôơư"


def typed_with(method: str, text: str) -> str:
    """*text* as it stands on the screen when its keys are typed with *method* on: "telex" or "vni"."""
    fields = []
    for field in text.split("|"):
        fields.append(" ".join(_word(method, word) for word in field.split(" ")))
    return "|".join(fields)


def _word(method: str, word: str) -> str:
    letters: list[str] = []
    tone = ""
    for key in word:
        low = key.lower()
        if low in _TONE_KEYS[method] and _vowel_at(letters) is not None:
            tone = _TONE_KEYS[method][low]
        elif not _mark(method, letters, low):
            letters.append("ư" if (method, key) == ("telex", "w") else key)
    if tone:
        letters[_vowel_at(letters)] += tone
    return unicodedata.normalize("NFC", "".join(letters))


def _mark(method: str, letters: list[str], key: str) -> bool:
    """Put the mark of *key* on the last letter that can bear it."""
    for index in range(len(letters) - 1, -1, -1):
        letter = letters[index]
        marks = _TELEX_MARKS if method == "telex" else _VNI_MARKS
        marked = marks.get((letter.lower(), key))
        if marked is None and (method, key) == ("telex", "w"):
            marked = _TELEX_HORNS.get(letter.lower())
        if marked is not None:
            letters[index] = marked if letter.islower() else marked.upper()
            return True
    return False


def _vowel_at(letters: list[str]) -> int | None:
    found = [index for index, letter in enumerate(letters) if letter.lower() in _VOWELS]
    return found[-1] if found else None


_UK = str.maketrans('|"@#~', '~@"£¬')
_DE = str.maketrans("|yzYZ-/", "'zyZYß-")
_FR = str.maketrans("|aqzwAQZWm,0123456789", "µqawzQAWZ,;à&é\"'(-è_ç")
LAYOUTS = {"uk": _UK, "de": _DE, "fr": _FR}


def on_layout(name: str, text: str) -> str:
    """*text* typed by a scanner set to US keys on a computer with the layout *name*."""
    return text.translate(LAYOUTS[name])


def received_at(sent: bytes, baud: int, listening: int) -> bytes:
    """What a receiver at *listening* gets of *sent* at *baud*, both 8N1, the line idle before and after."""
    levels = [1] * 20
    for byte in sent:
        levels += [0, *(byte >> bit & 1 for bit in range(8)), 1]
    levels += [1] * 20

    def level(moment: float) -> int:  # in seconds
        bit = int(moment * baud)
        return levels[bit] if bit < len(levels) else 1

    end, step = len(levels) / baud, 1 / listening
    got, now, tick = bytearray(), 0.0, step / 16
    while now < end:
        if level(now):
            now += tick
            continue
        got.append(sum(level(now + (bit + 1.5) * step) << bit for bit in range(8)))
        now += 9.5 * step
        while now < end and not level(now):  # a broken stop bit: wait for the line to rest
            now += tick
    return bytes(got)
