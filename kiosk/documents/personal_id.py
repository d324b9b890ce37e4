"""The 12-digit personal number: ``PPP G YY NNNNNN``, without a check digit.

Source: identity-documents.md section 5. The law promises twelve digits and nothing else, so place, sex and year only
ever warn; the CAN rule is from section 6.
"""

import re

from kiosk.model import PartialDate, Sex

UNKNOWN_PREFIX = "W_UNKNOWN_PREFIX"
FOREIGN_PREFIX = "W_FOREIGN_PREFIX"
SEX_MISMATCH = "W_SEX_MISMATCH"
YEAR_MISMATCH = "W_YEAR_MISMATCH"

_ANNEX_I = """
001 002 004 006 008 010 011 012 014 015 017 019 020 022 024 025 026 027 030 031 033 034 035 036 037 038 040 042 044 045
046 048 049 051 052 054 056 058 060 062 064 066 067 068 070 072 074 075 077 079 080 082 083 084 086 087 089 091 092 093
094 095 096
"""

PROVINCE_PREFIXES = frozenset(_ANNEX_I.split())
"""The 63 codes of Circular 07/2016, annex I: issued numbers keep them for ever, whatever provinces merged since."""

SIMULATED_PREFIXES = frozenset({"099"})
"""Not allocated to any province; the invented people of the simulators have it."""

_PERSONAL_NUMBER = re.compile("[0-9]{12}")
_FIRST_FOREIGN = "100"


def is_personal_number(text: str) -> bool:
    """True for exactly twelve ASCII digits."""
    return _PERSONAL_NUMBER.fullmatch(text) is not None


def sex_of(number: str) -> Sex:
    """The sex that the fourth digit of a personal *number* states: even male, odd female."""
    return Sex.FEMALE if int(number[3]) % 2 else Sex.MALE


def birth_year_of(number: str) -> int:
    """The birth year, century included, that digits four to six of a personal *number* state."""
    return 1900 + 100 * (int(number[3]) // 2) + int(number[4:6])


def can_of(number: str) -> str:
    """The chip's card access number: the last six digits of a personal *number* (identity-documents.md 6)."""
    return number[-6:]


def number_warnings(
    number: str,
    *,
    sex: Sex | None = None,
    birth: PartialDate | None = None,
    extra_prefixes: frozenset[str] = frozenset(),
) -> tuple[str, ...]:
    """Where a personal *number* disagrees with the list of provinces and with what else the document says.

    *extra_prefixes* count as allocated (`SIMULATED_PREFIXES` in the demo). Returns W_ codes, never refuses.
    """
    warnings = []
    prefix = number[:3]
    if prefix >= _FIRST_FOREIGN:
        warnings.append(FOREIGN_PREFIX)
    elif prefix not in PROVINCE_PREFIXES | extra_prefixes:
        warnings.append(UNKNOWN_PREFIX)
    if sex is not None and sex is not sex_of(number):
        warnings.append(SEX_MISMATCH)
    if birth is not None and birth.year != birth_year_of(number):
        warnings.append(YEAR_MISMATCH)
    return tuple(warnings)
