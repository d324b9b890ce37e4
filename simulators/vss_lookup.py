"""How the gateway judges a question: parameters, officer, card, name, birth date (insurance-gateway.md 8.2). Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from simulators.vss_people import Person

OFFICER_ID = "099085000001"
OFFICER_NAME = "NGUYỄN CÁN BỘ THỬ"

KEY_KINDS = {10: "BHXH_10", 12: "PERSONAL_12", 15: "BHYT_15", 17: "BHYT_17"}
"""What `maThe` may hold, by length (insurance-gateway.md 2.3)."""

_REQUIRED = ("maThe", "hoTen", "ngaySinh", "hoTenCb", "cccdCb")
_HEAD_LENGTH = 5
_FULL_DATE = re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4}")
_MONTH_YEAR = re.compile(r"(?:0[1-9]|1[0-2])/[0-9]{4}")
_YEAR = re.compile(r"[0-9]{4}")
_EIGHT_DIGITS = re.compile(r"[0-9]{8}")


@dataclass(frozen=True)
class Judgement:
    """`code` empty: nothing is wrong with the question and the own code of `person` answers; else what is wrong."""

    code: str
    person: Person | None = None


class Register:
    """The insurer's records of `people`, found by any form of `maThe`. Those without a BHXH number have none."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._by_number: dict[str, Person] = {}
        for person in people:
            if person.bhxh_number is not None:
                self._by_number[person.bhxh_number] = person
                if person.citizen_id is not None:
                    self._by_number[person.citizen_id] = person

    def find(self, key: str) -> Judgement:
        """The holder of `key` (10, 12, 15 or 17 characters), or the code that says what is wrong with it."""
        head, tail = (key[:_HEAD_LENGTH], key[_HEAD_LENGTH:]) if KEY_KINDS[len(key)].startswith("BHYT") else ("", key)
        person = self._by_number.get(tail)
        if not head:
            return Judgement("", person) if person else Judgement("050")
        if person is None:
            return Judgement("051")
        code = _wrong_part(head, person)
        return Judgement(code) if code else Judgement("", person)


def judge(fields: Mapping[str, str], register: Register, today: date, *, eight_digit_dates: bool) -> Judgement:
    """What the gateway makes of the five body `fields` (exact names; others are ignored).

    In this order: 205 parameters, 054 and 055 officer, 050 to 053 card, 060 and 061 name, 070 birth date.
    `eight_digit_dates` lets `ddmmyyyy` pass (SIM_DOB8).
    """
    given = {name: fields.get(name, "").strip() for name in _REQUIRED}
    sent_birth = _partial_date(given["ngaySinh"], eight_digit_dates)
    if not all(given.values()) or len(given["maThe"]) not in KEY_KINDS or sent_birth is None:
        return Judgement("205")
    if given["cccdCb"] != OFFICER_ID:
        return Judgement("054")
    if _folded(given["hoTenCb"]) != _folded(OFFICER_NAME):
        return Judgement("055")
    found = register.find(given["maThe"])
    if found.person is None:
        return found
    name_code = _name_code(given["hoTen"], found.person.name)
    if name_code:
        return Judgement(name_code, found.person)
    if not _same_birth(sent_birth, found.person.birth_date(today)):
        return Judgement("070", found.person)
    return found


def own_code(person: Person, key: str, asked_before: int) -> str:
    """The person's own result code for a question by `key`, after `asked_before` earlier ones."""
    if person.code_by_citizen_id is not None and KEY_KINDS.get(len(key)) == "PERSONAL_12":
        return person.code_by_citizen_id
    return person.first_code if person.first_code is not None and asked_before == 0 else person.code


def _wrong_part(head: str, person: Person) -> str:
    heads = [card.head for card in (person.new_card,) if card] + [person.card_head or ""]
    for code, part in (("051", slice(0, 2)), ("052", slice(3, 5)), ("053", slice(2, 3))):
        heads = [own for own in heads if own[part] == head[part]]
        if not heads:
            return code
    return ""


def _name_code(sent: str, held: str) -> str:
    sent_words, held_words = _folded(sent).split(), _folded(held).split()
    if sent_words == held_words:
        return ""
    return "061" if [word[0] for word in sent_words] == [word[0] for word in held_words] else "060"


def _folded(text: str) -> str:
    """Capitals, single blanks, no diacritics: names that differ only in those are equal."""
    decomposed = unicodedata.normalize("NFD", text.upper().replace("Đ", "D"))
    return " ".join("".join(char for char in decomposed if not unicodedata.combining(char)).split())


def _partial_date(sent: str, eight_digit_dates: bool) -> str | None:
    """The date as `YYYY-MM-DD`, `YYYY-MM` or `YYYY`; None when the form is not accepted or the day does not exist."""
    if _EIGHT_DIGITS.fullmatch(sent) and eight_digit_dates:
        sent = f"{sent[:2]}/{sent[2:4]}/{sent[4:]}"
    if _FULL_DATE.fullmatch(sent):
        try:
            return datetime.strptime(sent, "%d/%m/%Y").date().isoformat()  # noqa: DTZ007 - a birth day has no zone
        except ValueError:
            return None
    if _MONTH_YEAR.fullmatch(sent) or _YEAR.fullmatch(sent):
        return "-".join(reversed(sent.split("/")))
    return None


def _same_birth(sent: str, held: str) -> bool:
    """Equal as far as both are known; ISO forms make that a common prefix."""
    known = min(len(sent), len(held))
    return sent[:known] == held[:known]
