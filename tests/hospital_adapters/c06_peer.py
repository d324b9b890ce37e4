"""The C06 adapter beside the C06 simulator over real HTTP, and a bare server for what a simulator cannot do."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import httpx

from hospital_adapters.c06 import C06Adapter, create
from kiosk.hospital_model import Encounter, PatientMatch, Receipt, Service
from kiosk.model import Identity, PartialDate, Sex
from kiosk.ports import AdapterContext
from simulators.his_c06 import Settings as SimSettings
from simulators.his_c06 import create_app
from simulators.serve import RunningServer

SECRET = "sim-c06-secret"
TODAY = date(2026, 1, 5)
FAMILY = ("BÙI", "ĐẶNG", "LÝ", "NGÔ", "TẠ", "CAO", "MAI", "TÔ", "LA", "KHA")

INSURED = Service("501", "NOI01", "Khám Nội - phòng 101", "11", "Khoa Nội", "1", True)
SELF_PAY = Service("504", "NOI04", "Khám Nội theo yêu cầu", "11", "Khoa Nội", "2", False)
HASTY = {"connect": 1, "get": 0.5, "post": 0.5}
"""Time-outs for tests in which the other side never answers."""

PEOPLE = {
    1: Identity("099190000001", None, "Trần Thị Mẫu", PartialDate(1990, 9, 2), Sex.FEMALE),
    2: Identity("099075000003", None, "Phạm Văn Thí Dụ", PartialDate(1975, 3, 15), Sex.MALE),
    3: Identity("099150000004", None, "Võ Thị Mô Phỏng", PartialDate(1950, 10, 20), Sex.FEMALE),
    4: Identity("099048000005", None, "Huỳnh Văn Năm", PartialDate(1948), Sex.MALE),
    5: Identity("099077000013", None, "Đỗ Văn Hết", PartialDate(1977, 1, 13), Sex.MALE),
    6: Identity("099199000014", None, "Hồ Thị Không", PartialDate(1999, 2, 14), Sex.FEMALE),
    7: Identity("099080000030", None, "Sơn Văn Lệch", PartialDate(1980, 10, 30), Sex.MALE),
    8: Identity("099188000108", "099000108", "Lưu Thị Số Cũ", PartialDate(1988, 8, 18), Sex.FEMALE),
    9: Identity("099186000109", None, "Kim Văn Trùng", PartialDate(1986, 6, 9), Sex.MALE),
    10: Identity("099201000110", None, "Thái Văn Trống", PartialDate(2001, 1, 10), Sex.MALE),
}
"""The ten people of his-kiosk-c06.md section 11, as their cards name them."""


def adapter_for(url: str, **settings: Any) -> C06Adapter:
    """An adapter as the entry point makes it."""
    wanted = {"url": url, "merchant": "KIOSK-TEST", "secret_file": "c06-secret"}
    return create(wanted | settings, AdapterContext("99001", lambda name: {"c06-secret": SECRET + "\n"}[name]))


class C06Peer:
    """RemotePeer of the contract: simulator, adapter and the simulator's own routes."""

    garbage = (
        "reset_before",
        "reset_after",
        "http_500_before",
        "http_500_after",
        "http_502_html",
        "http_503",
        "c999",
        "c404",
        "truncated",
        "trailing_comma",
        "bom",
        "html_200",
        "empty_200",
        "null_data",
        "array_data",
        "no_code",
        "code_int",
        "unknown_code",
        "wrong_person",
        "no_stt",
        "null_fields",
        "extra_fields",
        "duplicate",
        "bad_signature",
    )
    secrets = ("0991900", "VĂN THỬ", SECRET, "TRẦN THỊ MẪU", "SO_GTTT=", "DN4999")

    def __init__(self, sim: SimSettings | None = None, **settings: Any) -> None:
        self._app = create_app(sim or SimSettings())
        self._server: RunningServer | None = RunningServer(self._app).start()
        self.url = self._server.url
        self.adapter = adapter_for(self.url, **settings)
        self.room = INSURED
        # Making a trust store takes longer than most tests; here it has nothing to trust.
        self._client = httpx.AsyncClient(base_url=self.url + "/_sim/", trust_env=False, verify=False)

    async def __aenter__(self) -> "C06Peer":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.adapter.close()
        await self._client.aclose()
        await self.go_away()

    async def take_room(self, code: str) -> None:
        """Register in this room of the menu from now on: ids differ between the profiles."""
        self.room = next(row for row in await self.adapter.services(TODAY) if row.code == code)

    def encounter(self, serial: int, service: Service | None = None) -> Encounter:
        name = f"{FAMILY[serial % 10].title()} Văn Thử {chr(ord('A') + serial // 10)}"
        person = Identity(f"0991900{serial + 50000:05d}", None, name, PartialDate(1990, 9, 2), Sex.MALE)
        return visit(person, checkin_id=f"0198c0de-0000-7000-8000-{serial:012d}", service=service or self.room)

    async def registered(self, checkin_id: str) -> int:
        return sum(row["DU_PHONG"] == f"CK1;id={checkin_id}" for row in await self.registrations())

    async def registrations(self) -> list[dict[str, Any]]:
        return (await self.sim("registrations"))["registrations"]

    async def calls(self, endpoint: str) -> list[dict[str, Any]]:
        return [call for call in (await self.sim("calls"))["calls"] if call["endpoint"] == endpoint]

    async def sim(self, route: str, **body: Any) -> dict[str, Any]:
        answer = await (self._client.post(route, json=body) if body else self._client.get(route))
        return answer.raise_for_status().json()

    async def mode(self, endpoint: str, mode: str | None, times: int | None = 1) -> None:
        await self.sim("mode", endpoint=endpoint, mode=mode, times=times)

    async def push(self, number: int, service: Service = INSURED, **changes: Any) -> Receipt:
        """Look one of the ten up and register them, as the check-in does."""
        found = await self.adapter.find_patient(PEOPLE[number])
        encounter = visit(PEOPLE[number], checkin_id=f"person-{number}", service=service, patient=found)
        return await self.adapter.push(replace(encounter, **changes))

    async def go_away(self) -> None:
        if self._server is not None:
            await asyncio.to_thread(self._server.stop)
            self._server = None

    async def come_back(self) -> None:
        self._server = RunningServer(self._app, port=int(self.url.rpartition(":")[2])).start()

    async def refuse_next(self) -> None:
        await self.mode("dangky-kcb", "c999")

    async def lose_next_answer(self) -> None:
        await self.mode("dangky-kcb", "reset_after")

    async def answer_next_with(self, garbage: str) -> None:
        await self.mode("*", garbage, times=2)


def peer_of(profile: str, sim: dict[str, Any] | None = None, **settings: Any) -> C06Peer:
    """A simulator and an adapter of the same profile."""
    return C06Peer(
        SimSettings(today=TODAY).changed({"profile": profile} | (sim or {})), **{"profile": profile, **settings}
    )


async def room(peer: C06Peer, code: str) -> Service:
    return next(row for row in await peer.adapter.services(TODAY) if row.code == code)


def visit(
    person: Identity, checkin_id: str = "01JGZ5T3Q8W4", service: Service = INSURED, patient: PatientMatch | None = None
) -> Encounter:
    happened_at = datetime.fromisoformat("2026-01-05T00:12:31.987+00:00")
    return Encounter(checkin_id, "99001", happened_at, person, service, patient)


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@contextlib.asynccontextmanager
async def bare_server(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A socket server on a free port of 127.0.0.1 that does nothing but *handler*; gives the port."""

    served: set[asyncio.Task[Any]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(asyncio.create_task(guarded(reader, writer)))

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await handler(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
        # Each handler ends when its client has gone; a loop that closes before that leaks the socket.
        if served:
            await asyncio.wait_for(asyncio.gather(*served), 10)


def answering(head: str, body: bytes = b"", length: int | None = None) -> Handler:
    """Read the request's head, then answer with this status line and headers."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        sizes = [line.split(b":")[1] for line in request.lower().split(b"\r\n") if line.startswith(b"content-length")]
        await reader.readexactly(int(sizes[0]) if sizes else 0)
        size = len(body) if length is None else length
        writer.write(f"HTTP/1.1 {head}\r\nContent-Length: {size}\r\n\r\n".encode() + body)
        await writer.drain()

    return handler
