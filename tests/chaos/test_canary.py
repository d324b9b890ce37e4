"""Personal data and secrets stay inside: canary people go through the real system, then every byte is searched.

Invariant 6; faults-threats-speed.md 4 (PII at rest, logs and metrics, credentials at rest).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import canary
import httpx
import pytest
import sqlalchemy as sa
from canary import Needles
from crowd import CrowdStack, Screen, crowd

from kiosk import tables
from kiosk.store import make_engine, read_or_make_key
from simulators.stack import free_base
from simulators.vss_people import Person, qr_payload
from simulators.vss_tokens import Tokens

pytestmark = pytest.mark.chaos

_WORDS = (
    "Vành Khuyên",
    "Chìa Vôi",
    "Sơn Ca Huyền",
    "Bạc Má Đuôi",
    "Hoạ Mi Nâu",
    "Khướu Đầu",
    "Chích Choè",
    "Bồ Chao Xám",
    "Đớp Ruồi",
)
_PASSWORD = "mat-khau-chim-yen-7361"
_NOTE = "ghi chú về chim hoàng yến"
_PURPOSES = (
    "plain",
    "http_500_html",
    "bad_json",
    "wrong_person",
    "hang",
    "hospital hangs",
    "killed",
    "typed",
    "damaged",
)
_SHORT: dict[str, dict[str, Any]] = {
    "insurance": {
        "per_second": 100,
        "retry_pause": 0.1,
        "connect_timeout": 0.5,
        "read_timeout": 1,
        "total_timeout": 2,
        "recheck_after": [1, 1],
    },
    "hospital": {"timeouts": {"post": 1}},
    "policy": {"number_wait": 2},
    "outbox": {"base": 0.2, "cap": 1},
}


class CanaryPerson(Person):
    """Somebody whose name and address stand nowhere else."""

    @property
    def address(self) -> str:
        """A place of residence with the person's own word."""
        return f"Ấp {self.name.title()} {self.number}, Xã Lông Vũ, Tỉnh Tổ Chim"


def _canaries() -> dict[str, CanaryPerson]:
    """One person for each purpose."""
    people = {}
    for purpose, word, like in zip(_PURPOSES, _WORDS, crowd(len(_WORDS)), strict=True):
        values = vars(like) | {"name": f"TÔN NỮ {word}".upper() if like.sex == "F" else f"TÔN THẤT {word}".upper()}
        # Numbers without the zeros of a small crowd, which could stand in any file.
        tail = f"{864_209 + 7_531 * like.number:06d}"
        values |= {"citizen_id": f"{str(like.citizen_id)[:6]}{tail}", "bhxh_number": f"9713{tail}"}
        people[purpose] = CanaryPerson(**values)
    return people


def _payload(person: Person) -> bytes:
    return qr_payload(person, date.today()) or b""


@dataclass
class Run:
    """A finished run: the bytes of everything that was written, and what must not be among them."""

    people: dict[str, CanaryPerson]
    written: dict[str, bytes] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    inside: bytes = b""
    answers: dict[str, Any] = field(default_factory=dict)

    def keep(self, when: str, folders: list[Path], files: list[Path]) -> None:
        """Read everything below *folders*, and *files*, as they are now."""
        for path in [*canary.files_under(folders), *files]:
            self.written[f"{when}: {path.name}"] = path.read_bytes()

    def wanted(self) -> Needles:
        """All forms of all that must stay inside."""
        texts = {"note": _NOTE, "tried password": _PASSWORD} | self.secrets
        for purpose, person in self.people.items():
            texts |= {f"name ({purpose})": person.name, f"word ({purpose})": person.name.split(" ", 2)[2]}
            texts |= {f"number ({purpose})": person.citizen_id or "", f"address ({purpose})": person.address}
            texts |= {f"card ({purpose})": person.card or "", f"insurance number ({purpose})": person.bhxh_number or ""}
        return canary.needles(texts)


def _mode(stack: CrowdStack, part: str, **wanted: Any) -> None:
    httpx.post(stack.url(part) + "/_sim/mode", json=wanted).raise_for_status()


def _people_pass(stack: CrowdStack, screen: Screen, run: Run) -> None:
    for purpose in ("plain", "http_500_html", "bad_json", "wrong_person", "hang"):
        mode = "normal" if purpose == "plain" else purpose
        _mode(stack, "gateway", endpoint="lookup", mode=mode, times=None, delay_ms=0)
        state = screen.check_in(_payload(run.people[purpose]))
        run.answers[purpose] = state["screen"]
        screen.clear()
    _mode(stack, "gateway", endpoint="lookup", mode="normal", times=None, delay_ms=0)
    _mode(stack, "his", endpoint="dangky-kcb", mode="hang_after", times=1)
    run.answers["hospital hangs"] = screen.check_in(_payload(run.people["hospital hangs"]))["screen"]
    screen.clear()


def _noise(stack: CrowdStack, screen: Screen, run: Run) -> None:
    """Everything that goes wrong on the way in, with the person's data in it."""
    damaged = run.people["damaged"]
    cut_short = _payload(damaged)[:-16]
    stack.tap(cut_short + b"\r")
    screen.until("unreadable")
    assert screen.scan(cut_short).status_code == 422
    url, head = stack.url("kiosk"), {"x-screen-token": stack.token}
    httpx.get(f"{url}/api/v1/station", params={"so": damaged.citizen_id, "ten": damaged.name})
    httpx.post(f"{url}/api/v1/staff/check-ins", headers=head, json={"number": [damaged.name], damaged.name: 1})
    httpx.post(f"{url}/{damaged.citizen_id}", headers=head | {"origin": "http://evil.example"})
    for name in ("demo", damaged.name):
        httpx.post(f"{url}/api/v1/staff/login", headers=head, json={"name": name, "password": _PASSWORD})


def _staff_work(stack: CrowdStack, run: Run) -> None:
    typed = run.people["typed"]
    with stack.staff() as staff:
        entry = {"number": typed.card, "full_name": typed.name.title(), "birth_date": typed.born, "sex": typed.sex}
        made = staff.post("/check-ins", json=entry).raise_for_status().json()["checkin_id"]
        staff.post(f"/check-ins/{made}/note", json={"text": _NOTE}).raise_for_status()
        staff.post("/check-ins/search", json={"name": typed.name}).raise_for_status()
        revealed = staff.post(f"/check-ins/{made}/reveal", json={}).raise_for_status().json()["identity"]
        run.answers["revealed"] = json.dumps(revealed, ensure_ascii=False)
        chosen = {"decision": "self_pay", "service_id": "504", "reason": "patient_pays"}
        staff.post(f"/check-ins/{made}/override", json=chosen).raise_for_status()
        run.secrets["staff session"] = str(staff.cookies["staff"])
        deadline = time.monotonic() + 60
        while staff.get("/status").raise_for_status().json()["province"]["waiting"]:
            assert time.monotonic() < deadline, "the events do not reach the province"
            time.sleep(0.05)


def _look_inside(run: Run, data: Path) -> None:
    """The decrypted tables, which must hold the people, and the keys of the store."""
    engine = make_engine(data / "kiosk.db", read_or_make_key(data), read_only=True)
    with engine.begin() as connection:
        rows = [list(connection.execute(sa.select(table))) for table in (tables.checkin, tables.lookup, tables.audit)]
        settings = {row.name: row.value for row in connection.execute(sa.select(tables.setting))}
    engine.dispose()
    run.inside = "\n".join(str(row) for table in rows for row in table).encode()
    run.secrets["facility key"] = settings["facility_key"]
    run.secrets["province key"] = settings["province_key"]["private"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The whole story, once."""
    folder = tmp_path_factory.mktemp("canary")
    temporary = folder / "temporary"
    temporary.mkdir()
    run = Run(_canaries())
    tokens: list[dict[str, Any]] = []
    stack = CrowdStack(
        folder / "stack",
        free_base(),
        config=_SHORT,
        kiosk_env={"TMPDIR": str(temporary)},
        people=[*run.people.values()],
    )
    data, province = stack.data / "kiosk", stack.data / "province"
    logs = [stack.data / "kiosk.log", stack.data / "province.log"]
    take = Tokens.take

    def noted(self: Tokens, account: str, address: str) -> dict[str, Any]:
        tokens.append(take(self, account, address))
        return tokens[-1]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Tokens, "take", noted)
        with stack.running():
            with stack.screen() as screen:
                _people_pass(stack, screen, run)
                _noise(stack, screen, run)
                _staff_work(stack, run)
                screen.scan(_payload(run.people["killed"])).raise_for_status()
                screen.until("confirm")
            run.written["metrics"] = httpx.get(stack.url("kiosk") + "/metrics").content
            process = Path(f"/proc/{stack.kiosk_pid}")
            run.written["environment"] = (process / "environ").read_bytes()
            run.written["command line"] = (process / "cmdline").read_bytes()
            run.keep("alive", [data, temporary, province], logs)
            stack.kill_kiosk()
            run.keep("killed", [data, temporary, province], logs)
            stack.start_kiosk()
            with stack.screen() as screen:
                screen.check_in(_payload(run.people["killed"]))
            run.secrets["screen token"] = stack.token
            stack.end_kiosk()
        run.keep("over", [data, temporary, province], logs)
    for token in tokens:
        run.secrets |= {f"token {token['id_token'][:4]}": token["id_token"], "access token": token["access_token"]}
    digest = hashlib.md5(b"sim-secret", usedforsecurity=False).hexdigest()
    run.secrets |= {"gateway password": "sim-secret", "its digest": digest, "hospital secret": "sim-c06-secret"}
    run.secrets["store key"] = (data / "store.key").read_text()
    _look_inside(run, data)
    yield run


def test_the_people_were_really_there(run: Run) -> None:
    """Without this, finding nothing would mean nothing."""
    assert run.answers["plain"]["answer"] == "insured"
    assert run.answers["plain"]["ticket"]["issued_by"] == "his"
    for purpose in ("http_500_html", "bad_json", "hang"):
        assert run.answers[purpose]["answer"] == "cannot_say"
    assert run.answers["wrong_person"]["view"] == "needs_staff"
    assert run.answers["hospital hangs"]["view"] == "needs_staff"
    assert run.people["typed"].name.title() in run.answers["revealed"]
    found = canary.hits(run.inside, run.wanted())
    assert {f"{what} ({who})" for what in ("name", "number", "card") for who in ("plain", "hang")} <= set(found)
    assert {f"name ({who})" for who in _PURPOSES if who != "damaged"} <= set(found)
    assert "note" in found


def test_files_of_all_kinds_were_searched(run: Run) -> None:
    names = set(run.written)
    assert {"alive: kiosk.db", "alive: kiosk.db-wal", "alive: kiosk.db-shm", "killed: kiosk.db-wal"} <= names
    assert {"over: kiosk.log", "over: province.log", "over: province.db"} <= names
    assert b'"ready"' in run.written["over: kiosk.log"]
    assert len(run.written["killed: kiosk.db-wal"]) > 100_000


def test_nothing_personal_and_no_secret_is_readable_anywhere(run: Run) -> None:
    own = {"screen-token": "screen token", "store.key": "store key"}
    wanted = run.wanted()
    found = {place: canary.hits(content, wanted) for place, content in run.written.items()}
    found = {
        place: words
        for place, all_words in found.items()
        if (words := [word for word in all_words if word != own.get(place.rpartition(" ")[2])])
    }
    assert found == {}


@pytest.mark.parametrize(
    "written",
    [
        "họ tên: Tôn Thất Vành Khuyên".encode(),
        b"TON THAT VANH KHUYEN",
        "tôn thất vành khuyên".encode("utf-16-le"),
        json.dumps({"name": "Tôn Thất Vành Khuyên"}).encode(),
        b"eyJ4IjoiVMO0biBUaOG6pXQgVsOgbmggS2h1ecOqbiJ9",
        b"GET /?q=T%C3%B4n%20Th%E1%BA%A5t%20V%C3%A0nh%20Khuy%C3%AAn",
    ],
)
def test_the_search_finds_what_it_should(written: bytes) -> None:
    assert canary.hits(written, canary.needles({"name": "TÔN THẤT VÀNH KHUYÊN"})) == ["name"]
