"""What an input method makes of keys, written from its rules and from no code of the kiosk: Telex and VNI, each word by
itself, with free marking, so that any key that could mean a mark does."""

import re
import unicodedata

_TELEX = {"s": "\u0301", "f": "\u0300", "r": "\u0309", "x": "\u0303", "j": "\u0323"}
_VNI = {"1": "\u0301", "2": "\u0300", "3": "\u0309", "4": "\u0303", "5": "\u0323"}
_VOWELS = frozenset("aăâeêioôơuưy")
_HATS = {"a": "â", "e": "ê", "o": "ô"}
_HOOKS = {"a": "ă", "o": "ơ", "u": "ư"}
_VNI_MARKS = {"6": _HATS, "7": {"o": "ơ", "u": "ư"}, "8": {"a": "ă"}, "9": {"d": "đ"}}


def telex(keys: str, *, modern: bool = False) -> str:
    """The text that a Telex method shows."""
    return re.sub(r"[A-Za-z0-9\[\]{}]+", lambda word: _word(word.group(), _telex_mark, _TELEX, modern), keys)


def vni(keys: str, *, modern: bool = False) -> str:
    """The text that a VNI method shows."""
    return re.sub(r"[A-Za-z0-9]+", lambda word: _word(word.group(), _vni_mark, _VNI, modern), keys)


def _word(keys, mark, tones, modern):
    letters: list[str] = []
    tone = ""
    for key in keys:
        small = key.lower()
        if small in tones and any(letter.lower() in _VOWELS for letter in letters):
            tone = tones[small]
        elif not mark(letters, small):
            letters.append(key)
    return _with_tone(letters, tone, modern) if tone else "".join(letters)


def _telex_mark(letters, key):
    if key in "[]{}":
        letters.append({"[": "ơ", "]": "ư", "{": "Ơ", "}": "Ư"}[key])
        return True
    if key == "w":
        return _change(letters, _HOOKS) or letters.append("ư") is None
    if key == "d":
        return _change(letters, {"d": "đ"})
    return key in _HATS and _change(letters, {key: _HATS[key]})


def _vni_mark(letters, key):
    return key in _VNI_MARKS and _change(letters, _VNI_MARKS[key])


def _change(letters, marks):
    """Mark the last letter that can be marked."""
    for place in range(len(letters) - 1, -1, -1):
        marked = marks.get(letters[place].lower())
        if marked is not None:
            letters[place] = marked.upper() if letters[place].isupper() else marked
            return True
    return False


def _with_tone(letters, tone, modern):
    place = _place("".join(letters).lower(), modern)
    letters[place] = unicodedata.normalize("NFC", letters[place] + tone)
    return "".join(letters)


def _place(word, modern):
    """Which letter bears the tone, by the spelling rules."""
    start = 2 if re.match(r"qu|gi(?=[aăâeêioôơuưy])", word) else 0
    vowels = [at for at, letter in enumerate(word) if letter in _VOWELS and at >= start]
    marked = [at for at in vowels if word[at] in "ăâêôơư"]
    if marked:
        return marked[-1]
    closed = vowels[-1] < len(word) - 1
    if closed or len(vowels) == 1:
        return vowels[-1]
    if len(vowels) == 3:
        return vowels[1]
    return vowels[1] if modern and word[vowels[0] : vowels[1] + 1] in ("oa", "oe", "uy") else vowels[0]
