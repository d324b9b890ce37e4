"""Result codes of the card lookup as data: what each means, its action class, and what the kiosk answers.

Sources: insurance-gateway.md section 3 (codes and action classes), interfaces section 4 (class from action).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from kiosk.model import EligibilityClass


class Action(StrEnum):
    """Action classes of insurance-gateway.md 3, spelled as there. Two letters: the rest of the answer decides."""

    E = "E"
    """Eligible."""
    N = "N"
    """Eligible with new card data."""
    E_OR_N = "E/N"
    """Eligible; which of two cards is for section 3.1 to choose."""
    X = "X"
    """Not eligible."""
    S = "S"
    """Ask staff."""
    X_OR_S = "X/S"
    """Probably not eligible, but another card may exist: staff."""
    R = "R"
    """Retry later, accept as unverified."""
    R_THEN_A = "R -> A"
    """Once: take a new token. Twice: alarm."""
    A = "A"
    """Operator alarm: account, officer or our own request is wrong."""


class Reason(StrEnum):
    """Every value of ``Eligibility.reason`` that a gateway adapter gives. Stable; add, never rename."""

    VALID = "valid"
    """The card is valid on the day of the visit."""
    NEW_CARD = "new_card"
    """Insured, but with another card or other dates than the one asked with."""
    NOT_VALID_ON_DAY = "not_valid_on_day"
    """The gateway knows the person, but no card covers the day of the visit."""
    NO_CARD_DATA = "no_card_data"
    """A good result code without any usable card number."""
    BAD_DATES = "bad_dates"
    """Birth date or validity came in a form that cannot be read safely."""
    HOLDER_MISSING = "holder_missing"
    """A good result code without name or birth date: nobody can tell whose card it is."""
    WRONG_PERSON = "wrong_person"
    """Another number, or both another name and another birth date: someone else's data."""
    NAME_DIFFERS = "name_differs"
    """The holder's name differs by more than accents, case and blanks."""
    BIRTH_DIFFERS = "birth_differs"
    """The holder's birth date differs at the precision both sides know."""
    SEX_DIFFERS = "sex_differs"
    """The holder's sex differs."""

    DEFENCE_CARD = "defence_card"
    """001: the card is managed by the Ministry of Defence; staff looks at the paper card."""
    POLICE_CARD = "police_card"
    """002: the card is managed by the Ministry of Public Security; staff looks at the paper card."""
    EXPIRED = "expired"
    """010: the card has expired."""
    NOT_FOUND = "not_found"
    """050: no card under this number."""
    WRONG_CARD_NUMBER = "wrong_card_number"
    """051: there is no such card number."""
    WRONG_PROVINCE = "wrong_province"
    """052: characters 4 and 5 of the card number are wrong."""
    WRONG_BENEFIT = "wrong_benefit"
    """053: character 3 of the card number is wrong."""
    OFFICER_UNKNOWN = "officer_unknown"
    """054: the officer's citizen number is not registered for this facility."""
    OFFICER_NAME = "officer_name"
    """055: the officer's name does not fit the officer's number."""
    NAME_REFUSED = "name_refused"
    """060: the gateway holds another name."""
    NAME_SPELLING = "name_spelling"
    """061: the gateway holds another spelling of the name."""
    BIRTH_REFUSED = "birth_refused"
    """070: the gateway holds another birth date."""
    SEX_REFUSED = "sex_refused"
    """080: the gateway holds another sex."""
    FACILITY_REFUSED = "facility_refused"
    """090: the gateway holds another facility of first registration."""
    GATEWAY_DATA_ERROR = "gateway_data_error"
    """100: the gateway could not read its own card register."""
    GATEWAY_ERROR = "gateway_error"
    """101, 500: error inside the gateway."""
    WITHDRAWN = "withdrawn"
    """110: the card was withdrawn."""
    REDUCED = "reduced"
    """120: the card was reported as reduced."""
    MOVED_PROVINCE = "moved_province"
    """121: the holder moved to another province; a newer card is likely."""
    MOVED_WITHIN = "moved_within"
    """122: the holder moved within the province; a newer card is likely."""
    RE_REGISTERED = "re_registered"
    """123: the same employer registered the holder again; a newer card is likely."""
    STOPPED = "stopped"
    """124: the holder left the scheme."""
    CHILD_WITHOUT_CARD = "child_without_card"
    """130: child without card; staff makes a temporary code."""
    BAD_REQUEST = "bad_request"
    """205: the gateway found our parameters malformed."""
    ACCOUNT_REFUSED = "account_refused"
    """401 twice in a row, or the login refused with 401."""
    ACCOUNT_BLOCKED = "account_blocked"
    """402: the login was refused; the meaning is not published."""
    NO_RIGHT = "no_right"
    """403: the account has no right to look up."""
    UNKNOWN_CODE = "unknown_code"
    """A result code nobody documented: staff sees the raw code."""

    BAD_KEY = "bad_key"
    """Nothing was asked: the number is not of 10, 12, 15 or 17 characters, or the name is empty."""
    NET_CONNECT = "net_connect"
    """No connection: refused, unreachable, name not resolved, or no answer to the attempt in time."""
    NET_TLS = "net_tls"
    """The certificate or the encryption of the other side was not acceptable."""
    NET_TIMEOUT = "net_timeout"
    """Connected, but no complete answer in time."""
    NET_BROKEN = "net_broken"
    """The connection broke before the answer was complete."""
    HTTP_ERROR = "http_error"
    """An HTTP error page without a result code (maintenance, proxy failure)."""
    BAD_ANSWER = "bad_answer"
    """The body is not a JSON object."""
    NO_CODE = "no_code"
    """A JSON object without a usable ``maKetQua``."""
    ANSWER_TOO_LARGE = "answer_too_large"
    """The body passed the size limit."""
    LOGIN_UNREADABLE = "login_unreadable"
    """The login was answered, but with neither a token nor a known refusal."""
    BREAKER_OPEN = "breaker_open"
    """Nothing was asked: the gateway failed several times in a row a moment ago."""
    NO_OFFICER = "no_officer"
    """Nothing was asked: no officer may be named now, so the insurer would refuse every question."""
    THROTTLED = "throttled"
    """Nothing was asked: too many questions were waiting for their turn."""
    CLOSED = "closed"
    """The adapter was closed before an answer came."""
    RELAY_UNREACHABLE = "relay_unreachable"
    """This facility's relay did not answer the station in time."""
    RELAY_REFUSED = "relay_refused"
    """The relay does not take this station's key."""
    RELAY_ERROR = "relay_error"
    """The relay answered, but nothing that can be used."""
    HIS_UNAVAILABLE = "his_unavailable"
    """The hospital system, which asks for us, did not answer or processed nothing."""
    HIS_ERROR = "his_error"
    """The hospital system refused to ask, or its answer cannot be used."""
    INTERNAL_ERROR = "internal_error"
    """A fault of this software; its kind is in the log."""


@dataclass(frozen=True, slots=True)
class ResultCode:
    """One row of the table.

    ``status``: the patient's answer when nothing else in the gateway's answer changes it. ``has_holder``: the answer
    describes a person, who must be the one asked about. ``kiosk``: what happens, for staff and operators.
    """

    code: str
    meaning: str
    action: Action
    status: EligibilityClass
    reason: Reason
    kiosk: str
    has_holder: bool = False


_INSURED = EligibilityClass.INSURED
_NEW = EligibilityClass.INSURED_NEW_CARD
_NOT = EligibilityClass.NOT_INSURED
_STAFF = EligibilityClass.NEEDS_STAFF
_UNKNOWN = EligibilityClass.CANNOT_SAY
_CONFIG = EligibilityClass.MISCONFIGURED

_ROWS = (
    ResultCode("000", "card data correct", Action.E, _INSURED, Reason.VALID, "check dates and holder, go on", True),
    ResultCode(
        "001", "card managed by Defence", Action.S, _STAFF, Reason.DEFENCE_CARD, "staff checks the paper card", True
    ),
    ResultCode(
        "002", "card managed by Public Security", Action.S, _STAFF, Reason.POLICE_CARD, "staff checks the card", True
    ),
    ResultCode(
        "003", "old card expired, new one issued", Action.N, _NEW, Reason.NEW_CARD, "use the new card if valid", True
    ),
    ResultCode(
        "004", "old card valid, new one issued", Action.E_OR_N, _INSURED, Reason.VALID, "choose between both", True
    ),
    ResultCode("010", "card expired", Action.X, _NOT, Reason.EXPIRED, "show the end date, offer staff", True),
    ResultCode("050", "no card data found", Action.X_OR_S, _STAFF, Reason.NOT_FOUND, "ask for the card number"),
    ResultCode("051", "wrong card number", Action.S, _STAFF, Reason.WRONG_CARD_NUMBER, "read or type again"),
    ResultCode("052", "wrong province in the card number", Action.S, _STAFF, Reason.WRONG_PROVINCE, "staff"),
    ResultCode("053", "wrong benefit digit in the card number", Action.S, _STAFF, Reason.WRONG_BENEFIT, "staff"),
    ResultCode("054", "officer not registered", Action.A, _CONFIG, Reason.OFFICER_UNKNOWN, "alarm; accept unverified"),
    ResultCode("055", "officer's name differs", Action.A, _CONFIG, Reason.OFFICER_NAME, "alarm; accept unverified"),
    ResultCode("060", "wrong name", Action.S, _STAFF, Reason.NAME_REFUSED, "staff compares; never show the name held"),
    ResultCode("061", "wrong name, same initials", Action.S, _STAFF, Reason.NAME_SPELLING, "staff compares"),
    ResultCode("070", "wrong birth date", Action.S, _STAFF, Reason.BIRTH_REFUSED, "staff compares"),
    ResultCode("080", "wrong sex (older lists)", Action.S, _STAFF, Reason.SEX_REFUSED, "staff compares"),
    ResultCode("090", "wrong first facility (older lists)", Action.S, _STAFF, Reason.FACILITY_REFUSED, "staff"),
    ResultCode(
        "100", "card register unreadable", Action.R, _UNKNOWN, Reason.GATEWAY_DATA_ERROR, "one retry; accept unverified"
    ),
    ResultCode("101", "server error", Action.R, _UNKNOWN, Reason.GATEWAY_ERROR, "one retry; accept unverified"),
    ResultCode("110", "card withdrawn", Action.X, _NOT, Reason.WITHDRAWN, "no automatic acceptance; staff", True),
    ResultCode("120", "card reduced", Action.X, _NOT, Reason.REDUCED, "staff; another card may exist", True),
    ResultCode("121", "moved to another province", Action.X_OR_S, _STAFF, Reason.MOVED_PROVINCE, "staff", True),
    ResultCode("122", "moved within the province", Action.X_OR_S, _STAFF, Reason.MOVED_WITHIN, "staff", True),
    ResultCode("123", "registered again, same employer", Action.X_OR_S, _STAFF, Reason.RE_REGISTERED, "staff", True),
    ResultCode("124", "left the scheme", Action.X, _NOT, Reason.STOPPED, "self-pay or staff", True),
    ResultCode("130", "child without card", Action.S, _STAFF, Reason.CHILD_WITHOUT_CARD, "staff: temporary code"),
    ResultCode("205", "malformed parameters", Action.A, _STAFF, Reason.BAD_REQUEST, "our fault: staff for the patient"),
    ResultCode(
        "401", "authentication failed", Action.R_THEN_A, _CONFIG, Reason.ACCOUNT_REFUSED, "new token once, then alarm"
    ),
    ResultCode("402", "login refused", Action.A, _CONFIG, Reason.ACCOUNT_BLOCKED, "alarm; accept unverified"),
    ResultCode("403", "no right", Action.A, _CONFIG, Reason.NO_RIGHT, "alarm; accept unverified"),
    ResultCode("500", "server error", Action.R, _UNKNOWN, Reason.GATEWAY_ERROR, "one retry; accept unverified"),
)

RESULT_CODES: Mapping[str, ResultCode] = MappingProxyType({row.code: row for row in _ROWS})
"""The complete table by ``maKetQua``: section 3, and 402 from the login table of section 1.4.

205 alone departs from "A is misconfigured": its alarm is ours, its patient goes to staff (section 3, row 205).
"""

REPEATABLE = frozenset({"100", "101", "500"})
"""Codes after which the same question may be asked once more (insurance-gateway.md 6)."""


def rule_for(code: str) -> ResultCode:
    """The row of *code* (three characters as the gateway writes them); an unknown code gets a needs_staff row."""
    return RESULT_CODES.get(code) or ResultCode(
        code, "not documented", Action.S, _STAFF, Reason.UNKNOWN_CODE, "show the raw code to staff"
    )
