"""What people say about a finding: an explanation, or that it is settled; every word stays."""

from datetime import datetime

import sqlalchemy as sa

from province.findings.finding import FindingRefused, State
from province.findings.listing import Listed, findings
from province.findings_tables import finding_note, found
from province.months.rules import MonthRefused, kept_text


def finding_of(connection: sa.Connection, key: str) -> Listed:
    """The finding with this key. Raises FindingRefused `unknown_finding`."""
    listed = findings(connection, key=key) if key.isascii() and key.isalnum() else []
    if not listed:
        raise FindingRefused("unknown_finding")
    return listed[0]


def say(connection: sa.Connection, key: str, state: str, by: str, text: str, now: datetime) -> Listed:
    """Keep what *by* says (at most 500 characters) and the state from then on; returns the finding as it is then.

    Whoever may say what is the caller's to check. Raises FindingRefused: `unknown_finding`, `unknown_word`,
    `reason_needed`, `bad_text`, and `already_settled` for an explanation of what the province has settled.
    """
    if state not in list(State):
        raise FindingRefused("unknown_word", f"state: {', '.join(State)}")
    try:
        words, name = kept_text(text), kept_text(by)
    except MonthRefused as error:
        raise FindingRefused(error.code, error.detail) from None
    if not words or not name:
        raise FindingRefused("reason_needed")
    before = finding_of(connection, key)
    if before.state is State.SETTLED and state == State.EXPLAINED:
        raise FindingRefused("already_settled")
    row = {"key": key, "noted_at": now, "noted_by": name, "state": state, "text": words}
    connection.execute(sa.insert(finding_note).values(row))
    connection.execute(sa.update(found).where(found.c.key == key).values(state=state))
    return finding_of(connection, key)
