"""Masking of what screens and staff lists show of a person (invariant 6)."""

from __future__ import annotations

DOT = "•"


def mask_number(number: str, shown: int = 3) -> str:
    """A citizen or card number with only its last *shown* characters: ``•••••••••456``."""
    if len(number) <= shown:
        return DOT * len(number)
    return DOT * (len(number) - shown) + number[-shown:]


def mask_name(name: str) -> str:
    """A name with each word but the last cut to its first letter: ``T. T. Mẫu``."""
    *family, given = name.split() or [""]
    return " ".join([f"{word[0]}." for word in family] + [given])
