"""Runs short transactions in the site's database, each on a connection of its own, and tells how they ended.

A connection that was kept could be dead by the next visit, and a commit on it would end as unknown where nothing had
happened. Only what breaks while the commit is under way is unknown: before it, the database undoes everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa

from hospital_adapters.staging_table_settings import StagingTableSettings
from kiosk.errors import HospitalError, HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable

T = TypeVar("T")
_BUSY = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError)
_MARGIN_S = 2.0
_NOT_NOW = (1040, 1044, 1045, 1053, 1130, 1203, 1205, 1206, 1213, 1226)
"""MariaDB: too many connections, no access, going down, locks."""
_CLIENT_SIDE = 2000
_CHECKS = (3819, 4025)


class Database:
    """One database. All errors are HospitalErrors with stable reasons; none holds a value, a name or an address."""

    def __init__(self, settings: StagingTableSettings, password: str | None) -> None:
        """Nothing is opened yet. ConfigError is not raised here: a wrong driver shows at the first call."""
        url = sa.make_url(settings.url)
        if password is not None:
            url = url.set(password=password)
        self._limit = settings.connect + 2 * settings.statement + _MARGIN_S
        self._engine = sa.create_engine(
            url, poolclass=sa.NullPool, connect_args=_limits(url.get_backend_name(), settings), hide_parameters=True
        )

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """What *work* gives; nothing is kept. HospitalUnavailable."""
        try:
            return await self._run(work, commit=False)
        except HospitalRejected as refused:
            reason = refused.reason
        except HospitalOutcomeUnknown as lost:
            reason = lost.evidence
        raise HospitalUnavailable(reason)

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """What *work* gives, kept. All three hospital errors."""
        return await self._run(work, commit=True)

    def dispose(self) -> None:
        """Release everything."""
        self._engine.dispose()

    async def _run(self, work: Callable[[sa.Connection], T], *, commit: bool) -> T:
        outcome: Any
        try:
            async with asyncio.timeout(self._limit):
                outcome = await asyncio.to_thread(self._attempt, work, commit)
        except TimeoutError:
            outcome = HospitalOutcomeUnknown("staging_table.timeout")
        if isinstance(outcome, HospitalError):
            raise outcome
        return outcome  # type: ignore[no-any-return]

    def _attempt(self, work: Callable[[sa.Connection], T], commit: bool) -> T | HospitalError:
        """The result, or how it ended: given back instead of raised, so that no foreign error is chained to it."""
        committing = False
        try:
            with self._engine.connect() as connection:
                result = work(connection)
                if commit:
                    committing = True
                    connection.commit()
                    committing = False
                return result
        except HospitalError as error:
            return type(error)(*error.args)
        except sa.exc.IntegrityError:
            return HospitalRejected("staging_table.constraint")
        except sa.exc.DBAPIError as error:
            if committing:
                return HospitalOutcomeUnknown("staging_table.commit_lost")
            if error.connection_invalidated or (isinstance(error, _BUSY) and not _said_no(error)):
                return HospitalUnavailable("staging_table.unreachable")
            if isinstance(error, sa.exc.DataError):
                return HospitalRejected("staging_table.does_not_fit")
            return HospitalRejected("staging_table.refused")
        except (OSError, sa.exc.SQLAlchemyError, ImportError, UnicodeError, ValueError):
            if committing:
                return HospitalOutcomeUnknown("staging_table.commit_lost")
            return HospitalUnavailable("staging_table.unreachable")


def _said_no(error: sa.exc.DBAPIError) -> bool:
    """Whether this is MariaDB's refusal of a statement, which its driver puts among the faults of operation."""
    code = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return (isinstance(code, int) and code not in _NOT_NOW and code < _CLIENT_SIDE) or code in _CHECKS


def _limits(backend: str, settings: StagingTableSettings) -> dict[str, Any]:
    connect, statement = max(1, round(settings.connect)), max(1, round(settings.statement))
    match backend:
        case "postgresql":
            options = f"-c statement_timeout={statement * 1000} -c lock_timeout={statement * 1000}"
            return {"connect_timeout": connect, "options": options, "tcp_user_timeout": (connect + statement) * 1000}
        case "mysql":
            return {
                "connect_timeout": connect,
                "read_timeout": statement,
                "write_timeout": statement,
                "charset": "utf8mb4",
            }
        case "sqlite":
            return {"timeout": statement}
        case "mssql":
            return {"timeout": connect}
        case _:
            return {"tcp_connect_timeout": connect}
