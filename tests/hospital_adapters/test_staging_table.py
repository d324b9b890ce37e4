"""The staging table in real databases: PostgreSQL, MariaDB and SQLite, through a line that can be cut."""

import asyncio
import contextlib
import itertools
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hospital_adapters.staging_table import StagingTableAdapter, create
from hospital_adapters.staging_table_schema import DIALECTS, READ_BACK, ddl, table
from kiosk.errors import ConfigError, HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import DeskLookups, Encounter, Receipt, TicketLine, VisitCount
from kiosk.model import EligibilityClass, PartialDate, Sex
from kiosk.ports import AdapterContext
from tests.contracts.hospital import RemoteAdapterContract, insured, outcome_of
from tests.hospital_adapters import invented
from tests.peers.databases import mariadb, postgresql

TODAY = date(2026, 1, 5)
_numbers = itertools.count(1)
SHORT = {"connect": 1, "statement": 2}


@pytest.fixture(scope="module")
def postgres_port() -> Iterator[int]:
    with postgresql() as port:
        yield port


@pytest.fixture(scope="module")
def mariadb_port() -> Iterator[int]:
    with mariadb() as port:
        yield port


class Cut:
    """A line to a database server that can be cut: at once, or when the client says COMMIT."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.away = False
        self.lose: bytes | None = None
        self._losing = False
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, work: Callable[..., None], *given: Any) -> None:
        self._threads.append(threading.Thread(target=work, args=given, daemon=True))
        self._threads[-1].start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._drop()
        for thread in self._threads:
            thread.join(5)

    def go_away(self) -> None:
        self.away = True
        self._drop()

    def _drop(self) -> None:
        for line in self._open:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                if self.away:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._target))
                self._open += [near, far]
                self._start(self._pump, near, far, True)
                self._start(self._pump, far, near, False)

    def _pump(self, source: socket.socket, sink: socket.socket, asks: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if asks and self.lose is not None and self.lose in data.upper().replace(b"AUTOCOMMIT", b""):
                    self.lose, self._losing = None, True
                elif not asks and self._losing:  # the database has done it; its answer goes nowhere
                    self._losing = False
                    break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class StagingPeer:
    """The table in one database, and the site's own account to it."""

    garbage = ()
    secrets = ("0991900", "VĂN THỬ", "bi-mat")

    def __init__(self, url: str, line: Cut | None, **settings: Any) -> None:
        self.site = sa.create_engine(url, poolclass=sa.NullPool)
        self.table = table("kiosk_visit")
        self.table.metadata.create_all(self.site)
        self._line = line
        near = sa.make_url(url)
        if line is not None:
            near = near.set(port=line.port)
        wanted = {"url": near.render_as_string(False), **SHORT, **settings}
        self.adapter: StagingTableAdapter = create(wanted, AdapterContext("99001", lambda name: "bi-mat"))

    def encounter(self, serial: int) -> Encounter:
        return invented.encounter(serial)

    def run(self, statement: Any) -> Any:
        with self.site.begin() as connection:
            result = connection.execute(statement)
            return result.all() if result.returns_rows else None

    def rows(self, checkin_id: str) -> list[sa.Row[Any]]:
        return self.run(sa.select(self.table).where(self.table.c.checkin_id == checkin_id))

    async def registered(self, checkin_id: str) -> int:
        return sum(row.state != "cancelled" for row in self.rows(checkin_id))

    async def go_away(self) -> None:
        if self._line is not None:
            self._line.go_away()
        else:
            Path(self.site.url.database).rename(self.site.url.database + ".away")
            Path(self.site.url.database).mkdir()

    async def come_back(self) -> None:
        if self._line is not None:
            self._line.away = False
        else:
            Path(self.site.url.database).rmdir()
            Path(self.site.url.database + ".away").rename(self.site.url.database)

    async def refuse_next(self) -> None:
        if self.site.dialect.name == "sqlite":
            self.run(
                sa.text("CREATE TRIGGER no BEFORE INSERT ON kiosk_visit BEGIN SELECT RAISE(ABORT, 'VĂN THỬ: no'); END")
            )
        else:
            self.run(sa.text("ALTER TABLE kiosk_visit ADD CONSTRAINT no_one CHECK (full_name = 'X')"))

    async def lose_next_answer(self) -> None:
        assert self._line is not None
        self._line.lose = b"COMMIT"

    async def answer_next_with(self, garbage: str) -> None:
        raise NotImplementedError


@pytest.fixture(params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, Cut]]:
    """A database of its own on a real server, and the line to it."""
    name = f"his{next(_numbers)}"
    if request.param == "postgresql":
        port = request.getfixturevalue("postgres_port")
        url = f"postgresql+psycopg://postgres@127.0.0.1:{port}"
        make = f"CREATE DATABASE {name}"
    else:
        port = request.getfixturevalue("mariadb_port")
        url = f"mysql+pymysql://root@127.0.0.1:{port}"
        make = f"CREATE DATABASE {name} CHARACTER SET utf8mb4"
    admin = sa.create_engine(
        url + ("/postgres" if request.param == "postgresql" else ""),
        poolclass=sa.NullPool,
        isolation_level="AUTOCOMMIT",
    )
    with admin.connect() as connection:
        connection.execute(sa.text(make))
    line = Cut(port)
    yield f"{url}/{name}", line
    line.close()


class TestServers(RemoteAdapterContract):
    """PostgreSQL and MariaDB."""

    @pytest.fixture
    async def peer(self, server: tuple[str, Cut]) -> AsyncIterator[StagingPeer]:
        peer = StagingPeer(*server)
        yield peer
        await peer.adapter.close()
        peer.site.dispose()


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[StagingPeer]:
    peer = StagingPeer(f"sqlite:///{tmp_path}/his.db", None)
    yield peer
    await peer.adapter.close()
    peer.site.dispose()


class TestSqlite(RemoteAdapterContract):
    """A file; it has no line that could be cut in the middle of a commit."""

    test_a_lost_answer_is_unknown_and_never_repeated_blindly = None  # type: ignore[assignment]

    @pytest.fixture
    def peer(self, sqlite: StagingPeer) -> StagingPeer:
        return sqlite


async def test_every_part_of_the_visit_stands_in_its_column(sqlite: StagingPeer) -> None:
    encounter = insured(sqlite.encounter(1))
    who = replace(encounter.identity, old_id="099000108", address="Ấp Thử 1, Xã Tân Thành, Tỉnh Cần Thơ")
    await sqlite.adapter.push(replace(encounter, identity=who, follows="H7", lookup_receipt="7ZK3M-0QX9T"))
    (row,) = sqlite.rows(encounter.checkin_id)
    assert (row.happened_at, row.day) == ("2026-01-05 07:12:31", "2026-01-05")
    assert (row.personal_id, row.old_id, row.full_name) == (who.personal_id, "099000108", who.full_name.upper())
    assert (row.birth_date, row.sex, row.insured, row.status) == ("1990-09-02", "M", 1, "insured")
    assert (row.card_number, row.registered_facility, row.valid_to) == ("GD4929900000001", "99001", "2026-12-31")
    assert (row.follows, row.lookup_receipt, row.state, row.revision) == ("H7", "7ZK3M-0QX9T", "new", 1)
    assert row.province_code == "92"


async def test_what_the_hospital_writes_back_is_found(sqlite: StagingPeer) -> None:
    encounter = sqlite.encounter(1)
    receipt = await sqlite.adapter.push(encounter)
    assert (receipt.visit_id, receipt.number) == (encounter.checkin_id, None)
    changes = {"visit_id": "V77", "patient_code": "P9", "queue_number": " 12 ", "room": "Phòng 3"}
    sqlite.run(sqlite.table.update().values(**changes))
    ((checkin_id, found),) = await sqlite.adapter.find_visits(encounter.identity, None, TODAY)
    assert checkin_id == encounter.checkin_id
    assert (found.visit_id, found.patient_code, found.number, found.tickets[0].room) == ("V77", "P9", "12", "Phòng 3")
    assert await sqlite.adapter.find_visits(sqlite.encounter(2).identity, None, TODAY) == ()


async def test_a_row_that_the_hospital_refused_says_so(sqlite: StagingPeer) -> None:
    encounter = sqlite.encounter(1)
    assert (await sqlite.adapter.push(encounter)).refused is False
    for state, refused in (("taken", False), (" Rejected ", True), ("rejected?", False)):
        sqlite.run(sqlite.table.update().values(his_state=state))
        ((_, found),) = await sqlite.adapter.find_visits(encounter.identity, None, TODAY)
        assert (found.refused, found.raw_status) == (refused, state.strip())


async def test_an_amendment_is_a_revision_and_an_unknown_row_is_refused(sqlite: StagingPeer) -> None:
    encounter = replace(sqlite.encounter(1), eligibility=EligibilityClass.CANNOT_SAY)
    receipt = await sqlite.adapter.push(encounter)
    await sqlite.adapter.amend(receipt, insured(encounter))
    (row,) = sqlite.rows(encounter.checkin_id)
    assert (row.state, row.revision, row.card_number) == ("amended", 2, "GD4929900000001")
    with pytest.raises(HospitalRejected) as refused:
        await sqlite.adapter.amend(receipt, sqlite.encounter(2))
    assert refused.value.reason == "staging_table.no_row"
    await sqlite.adapter.cancel(receipt, "người bệnh về")
    (row,) = sqlite.rows(encounter.checkin_id)
    assert (row.state, row.reason, row.revision) == ("cancelled", "người bệnh về", 3)
    assert await sqlite.adapter.find_visits(encounter.identity, None, TODAY) == ()


@pytest.mark.parametrize(
    ("name", "reason"),
    [("A" * 201, "staging_table.too_long"), ("LÝ\x00", "staging_table.text"), ("LÝ\ud800", "staging_table.text")],
)
async def test_what_no_column_can_hold_is_refused_and_never_cut(sqlite: StagingPeer, name: str, reason: str) -> None:
    encounter = sqlite.encounter(1)
    with pytest.raises(HospitalRejected) as refused:
        await sqlite.adapter.push(replace(encounter, identity=replace(encounter.identity, full_name=name)))
    assert refused.value.reason == reason and sqlite.rows(encounter.checkin_id) == []


async def test_names_are_kept_letter_by_letter(server: tuple[str, Cut]) -> None:
    peer = StagingPeer(*server)
    for serial, name in enumerate(("ĐỖ THỊ ƯỚM", "O'BRIEN; DROP TABLE X--", '𠮷 \\ % _ " ;')):
        encounter = peer.encounter(serial)
        await peer.adapter.push(replace(encounter, identity=replace(encounter.identity, full_name=name)))
        assert peer.rows(encounter.checkin_id)[0].full_name == name
    await peer.adapter.close()


async def test_ten_at_once_write_one_row(server: tuple[str, Cut]) -> None:
    peer = StagingPeer(*server)
    encounter = peer.encounter(1)
    receipts = await asyncio.gather(*(peer.adapter.push(encounter) for _ in range(10)))
    assert len(set(receipts)) == 1 and await peer.registered(encounter.checkin_id) == 1
    await peer.adapter.close()


async def test_each_of_thirty_is_written_once_though_every_third_commit_loses_its_answer(
    server: tuple[str, Cut],
) -> None:
    peer, line = StagingPeer(*server), server[1]
    for serial in range(30):
        encounter = peer.encounter(serial)
        line.lose = b"COMMIT" if serial % 3 == 0 else None
        outcome = await outcome_of(peer.adapter.push(encounter), peer.secrets)
        assert isinstance(outcome, HospitalOutcomeUnknown) is (serial % 3 == 0)
        assert (await peer.adapter.push(encounter)).registration_id == encounter.checkin_id
        assert await peer.registered(encounter.checkin_id) == 1
    assert peer.run(sa.select(sa.func.count()).select_from(peer.table))[0][0] == 30
    await peer.adapter.close()


async def test_a_locked_table_ends_in_time_as_not_registered(server: tuple[str, Cut]) -> None:
    peer = StagingPeer(*server)
    lock = {"postgresql": "LOCK TABLE kiosk_visit IN ACCESS EXCLUSIVE MODE", "mysql": "LOCK TABLES kiosk_visit WRITE"}
    encounter = peer.encounter(1)
    with peer.site.connect() as holder:
        holder.execute(sa.text(lock[peer.site.dialect.name]))
        outcome = await outcome_of(peer.adapter.push(encounter), peer.secrets)
        assert isinstance(outcome, HospitalUnavailable)
    assert await peer.registered(encounter.checkin_id) == 0
    await peer.adapter.close()


async def test_check_names_what_is_missing_and_leaves_no_row(server: tuple[str, Cut]) -> None:
    peer = StagingPeer(*server)
    assert (await peer.adapter.check()).problems == ()
    assert peer.run(sa.select(sa.func.count()).select_from(peer.table))[0][0] == 0
    peer.run(sa.text("ALTER TABLE kiosk_visit DROP COLUMN slip"))
    (problem,) = (await peer.adapter.check()).problems
    assert "a column is missing" in problem
    await peer.adapter.close()


async def test_latin_letters_only_are_a_problem_that_check_names(mariadb_port: int) -> None:
    url = f"mysql+pymysql://root@127.0.0.1:{mariadb_port}"
    with sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(sa.text("CREATE DATABASE latin CHARACTER SET latin1"))
    peer = StagingPeer(f"{url}/latin", None)
    health = await peer.adapter.check()
    assert not health.ok and health.problems
    await peer.adapter.close()


async def test_views_of_the_site(tmp_path: Path) -> None:
    views = {
        "services_view": "v_services",
        "visit_count_view": "v_visits",
        "lookups_view": "v_lookups",
        "read_view": "v_back",
    }
    peer = StagingPeer(f"sqlite:///{tmp_path}/his.db", None, **views)
    back = ", ".join(("checkin_id", "personal_id", "old_id", "full_name", "day", "state", *READ_BACK))
    for statement in (
        "CREATE VIEW v_services AS SELECT '101' AS id, 'Khám Nội' AS name, 'Khoa Nội' AS department, 1 AS insured, "
        "45000 AS price UNION ALL SELECT '201', 'Khám theo yêu cầu', NULL, 0, NULL",
        "CREATE VIEW v_visits AS SELECT '2026-01-05' AS day, 120 AS bhyt_visits",
        "CREATE VIEW v_lookups AS SELECT '2026-01-05' AS day, 9 AS lookups, 8 AS visits_looked_up, 7 AS visits_success",
        f"CREATE VIEW v_back AS SELECT {back} FROM kiosk_visit",
    ):
        peer.run(sa.text(statement))
    assert (await peer.adapter.check()).problems == ()
    menu = await peer.adapter.services(TODAY)
    assert [(s.id, s.insured, s.price and int(s.price)) for s in menu] == [("101", True, 45000), ("201", False, None)]
    assert await peer.adapter.visit_count(TODAY) == VisitCount(TODAY, 120)
    assert await peer.adapter.visit_count(date(2026, 1, 6)) is None
    assert await peer.adapter.lookups(TODAY) == DeskLookups(TODAY, 9, 8, 7)
    await peer.adapter.push(peer.encounter(1))
    assert len(await peer.adapter.find_visits(peer.encounter(1).identity, None, TODAY)) == 1
    await peer.adapter.close()


BACK = "checkin_id, personal_id, old_id, full_name, day, state"


async def with_view(tmp_path: Path, view: str, **settings: Any) -> StagingPeer:
    peer = StagingPeer(f"sqlite:///{tmp_path}/his.db", None, **({"read_view": "v_back"} | settings))
    peer.run(sa.text(view))
    return peer


async def test_a_site_may_keep_its_ids_and_numbers_as_numbers(tmp_path: Path) -> None:
    """What is kept of a receipt must be readable again: a number where a text belongs would break every list."""
    back = "7701 AS visit_id, 12 AS patient_code, 8.0 AS queue_number, 3 AS room, 1 AS his_state, NULL AS his_message"
    peer = await with_view(tmp_path, f"CREATE VIEW v_back AS SELECT {BACK}, {back} FROM kiosk_visit")
    receipt = await peer.adapter.push(peer.encounter(1))
    assert receipt == Receipt("7701", "12", peer.encounter(1).checkin_id, (TicketLine("8", "3"),), raw_status="1")
    await peer.adapter.close()


async def test_a_view_that_shows_only_what_was_taken_hides_no_visit_of_ours(tmp_path: Path) -> None:
    back = ", ".join(READ_BACK)
    peer = await with_view(
        tmp_path, f"CREATE VIEW v_back AS SELECT {BACK}, {back} FROM kiosk_visit WHERE his_state = 'taken'"
    )
    encounter = peer.encounter(1)
    first = await peer.adapter.push(encounter)
    assert (first.visit_id, first.number) == (encounter.checkin_id, None)
    assert await peer.adapter.push(encounter) == first, "a repeat after a lost answer"
    assert await peer.registered(encounter.checkin_id) == 1
    assert (await peer.adapter.amend(first, insured(encounter))).registration_id == encounter.checkin_id
    peer.run(peer.table.update().values(his_state="taken", queue_number="9"))
    assert (await peer.adapter.push(encounter)).number == "9"
    await peer.adapter.cancel(first, "về")
    assert await peer.registered(encounter.checkin_id) == 0
    await peer.adapter.close()


async def test_a_view_that_shows_a_visit_twice_stops_nothing(tmp_path: Path) -> None:
    both = f"SELECT {BACK}, {', '.join(READ_BACK)} FROM kiosk_visit"
    peer = await with_view(tmp_path, f"CREATE VIEW v_back AS {both} UNION ALL {both}")
    assert (await peer.adapter.push(peer.encounter(1))).visit_id == peer.encounter(1).checkin_id
    await peer.adapter.close()


@pytest.mark.parametrize("junk", ["'abc'", "'NaN'", "9e999", "-5", "'1.5'", "x'00ff'", "NULL", "''"])
async def test_junk_in_a_view_is_a_value_that_is_missing(tmp_path: Path, junk: str) -> None:
    names = {"read_view": None, "services_view": "v_s", "visit_count_view": "v_v", "lookups_view": "v_l"}
    peer = await with_view(
        tmp_path,
        f"CREATE VIEW v_s AS SELECT 1 AS id, 'Khám' AS name, {junk} AS department, 'N' AS insured, "
        f"{junk} AS price UNION ALL SELECT {junk}, {junk}, NULL, '1', 5",
        **names,
    )
    peer.run(sa.text(f"CREATE VIEW v_v AS SELECT '2026-01-05' AS day, {junk} AS bhyt_visits"))
    peer.run(
        sa.text(
            f"CREATE VIEW v_l AS SELECT '2026-01-05' AS day, {junk} AS lookups, 1 AS visits_looked_up, "
            "1 AS visits_success"
        )
    )
    menu = await peer.adapter.services(TODAY)
    assert (menu[0].id, menu[0].insured) == ("1", False) and menu[0].price in (None, Decimal("1.5"))
    assert all(type(row.id) is str and row.name and row.insured for row in menu[1:])
    for call in (peer.adapter.visit_count, peer.adapter.lookups):
        outcome = await outcome_of(call(TODAY), ())
        assert isinstance(outcome, HospitalUnavailable) and outcome.reason == "staging_table.not_a_count"
    await peer.adapter.close()


async def test_the_site_may_say_for_whom_a_service_is(tmp_path: Path) -> None:
    menu = (
        "CREATE VIEW v_s AS SELECT 'SAN' AS id, 'Khám thai' AS name, NULL AS department, 1 AS insured, NULL AS price, "
        "14 AS age_from, NULL AS age_to, 'f' AS sex UNION ALL SELECT 'NHI', 'Khám Nhi', NULL, 1, NULL, NULL, 15, '?'"
    )
    peer = await with_view(tmp_path, menu, read_view=None, services_view="v_s", services_limits=True)
    found = [(row.id, row.age_from, row.age_to, row.sex) for row in await peer.adapter.services(TODAY)]
    assert found == [("SAN", 14, None, Sex.FEMALE), ("NHI", None, 15, None)]
    assert (await peer.adapter.check()).problems == ()
    peer.run(sa.text("DROP VIEW v_s"))
    peer.run(sa.text("CREATE VIEW v_s AS SELECT 1 AS id, 'x' AS name, '' AS department, 1 AS insured, 1 AS price"))
    assert (await peer.adapter.check()).problems, "the columns are missing"
    await peer.adapter.close()


async def test_a_year_alone_and_a_person_without_numbers(sqlite: StagingPeer) -> None:
    encounter = sqlite.encounter(1)
    nobody = replace(encounter.identity, personal_id=None, birth_date=PartialDate(1948))
    await sqlite.adapter.push(replace(encounter, identity=nobody))
    assert sqlite.rows(encounter.checkin_id)[0].birth_date == "1948"
    assert len(await sqlite.adapter.find_visits(nobody, None, TODAY)) == 1


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_table_can_be_made_in_every_database(dialect: str) -> None:
    statement = ddl(dialect)
    assert statement.startswith("CREATE TABLE kiosk_visit (") and statement.endswith(";")
    assert all(f"\t{column.name} " in statement for column in table("kiosk_visit").columns)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"url": "postgresql+psycopg://kiosk:geheim@127.0.0.1/his"}, "password_file"),
        ({"url": "postgresql://kiosk@127.0.0.1/his"}, "expected one of"),
        ({"url": "nonsense"}, "expected a URL"),
        ({"url": "sqlite://"}, "expected a file"),
        ({"url": "sqlite:////x.db", "table": "a; drop"}, "hospital.table"),
        ({"url": "sqlite:////x.db", "tabel": "x"}, "unknown key"),
        ({}, "hospital.url"),
    ],
)
def test_wrong_settings_are_named_without_their_values(settings: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        create(settings, AdapterContext("99001", lambda name: "bi-mat"))
    assert "geheim" not in str(refused.value) and "drop" not in str(refused.value)


async def test_unreachable_is_told_as_such(tmp_path: Path) -> None:
    settings = {"url": "postgresql+psycopg://kiosk@127.0.0.1:9/his", **SHORT}
    adapter = create(settings, AdapterContext("99001", lambda name: "bi-mat"))
    outcome = await outcome_of(adapter.push(invented.encounter(1)), ("0991900",))
    assert isinstance(outcome, HospitalUnavailable) and not isinstance(outcome, HospitalOutcomeUnknown)
    await adapter.close()
