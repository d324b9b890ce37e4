"""The example of docs/adapters.md, taken out of the page and held to the contract of every adapter."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest
from fastapi import FastAPI, Request, Response

from kiosk.errors import ConfigError
from kiosk.hospital_model import Encounter
from kiosk.ports import AdapterContext
from simulators.serve import RunningServer
from tests.contracts.hospital import RemoteAdapterContract
from tests.hospital_adapters import invented

PAGE = Path(__file__).parents[2] / "docs" / "adapters.md"
SETTINGS = {"url": "http://127.0.0.1:9", "token_file": "acme-token"}
CONTEXT = AdapterContext("99001", lambda name: {"acme-token": "acme-secret"}[name])


def example() -> ModuleType:
    source = re.search(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert source is not None
    module = ModuleType("acme")
    exec(compile(source[1], str(PAGE), "exec"), module.__dict__)
    return module


class Acme:
    """The hospital system of the example, with the faults that the contract asks for."""

    def __init__(self) -> None:
        self.visits: dict[str, dict[str, object]] = {}
        self.next: str | None = None
        self.app = FastAPI()
        self.app.post("/visits")(self.take)
        self.app.get("/status")(self.status)

    async def status(self) -> Response:
        return self.nonsense() or Response("{}")

    async def take(self, request: Request) -> Response:
        body = await request.json()
        if self.next == "refuse":
            self.next = None
            return Response("phòng đã đủ người", 409)
        number = len(self.visits) + 1
        kept = self.visits.setdefault(body["key"], {"visit": f"A{number}", "ticket": number})
        return self.nonsense() or Response(json.dumps(kept), 201, media_type="application/json")

    def nonsense(self) -> Response | None:
        how, self.next = self.next, None
        answers = {
            "lost": ("", 500),
            "html": ("<html>", 200),
            "empty": ("", 200),
            "list": ("[]", 200),
            "odd": ("{}", 302),
        }
        return Response(*answers[how]) if how else None


class AcmePeer:
    garbage = ("lost", "html", "empty", "list", "odd")
    secrets = ("0991900", "VĂN THỬ", "acme-secret")

    def __init__(self) -> None:
        self.acme = Acme()
        self._server: RunningServer | None = RunningServer(self.acme.app).start()
        self.url = self._server.url
        self.adapter = example().create({**SETTINGS, "url": self.url}, CONTEXT)

    def encounter(self, serial: int) -> Encounter:
        return invented.encounter(serial)

    async def registered(self, checkin_id: str) -> int:
        return int(checkin_id in self.acme.visits)

    async def go_away(self) -> None:
        if self._server is not None:
            await asyncio.to_thread(self._server.stop)
            self._server = None

    async def come_back(self) -> None:
        self._server = RunningServer(self.acme.app, port=int(self.url.rpartition(":")[2])).start()

    async def refuse_next(self) -> None:
        self.acme.next = "refuse"

    async def lose_next_answer(self) -> None:
        self.acme.next = "lost"

    async def answer_next_with(self, garbage: str) -> None:
        self.acme.next = garbage


class TestAcme(RemoteAdapterContract):
    @pytest.fixture
    async def peer(self) -> AsyncIterator[AcmePeer]:
        peer = AcmePeer()
        yield peer
        await peer.adapter.close()
        await peer.go_away()


def test_the_page_names_only_settings_that_the_example_takes() -> None:
    acme = example()
    with pytest.raises(ConfigError, match="url and token_file"):
        acme.create({**SETTINGS, "rooms": 3}, CONTEXT)
