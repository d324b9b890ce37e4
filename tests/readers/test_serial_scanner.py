"""The serial scanner on a real pseudo-terminal and on a real TCP stream."""

import gc
import logging
import os
import queue
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import serial

from kiosk.errors import ConfigError
from kiosk.readers.serial_scanner import SerialScanner
from kiosk.readers.state import Presence, ReaderState
from simulators.scanner import SimulatedScanner

CARD = "099190000001|364000123|Trần Thị Mẫu|02091990|Nữ|Xã Mẫu, Hậu Giang|05072021".encode()
OTHER = "099075000003||Phạm Văn Thí Dụ|15031975|Nam|Xã Khác, Hậu Giang|06082022".encode()
INSURANCE = b"GD4999900000001|4e67|01/02/1990|2|-|99 - 001|01/01/2020|-|15/12/2019|$"


class Listener:
    """Runs a scanner and keeps what it reports, to be awaited with a deadline."""

    def __init__(self, port: str, **settings: float) -> None:
        self.scans: queue.Queue[bytes] = queue.Queue()
        self.states: queue.Queue[ReaderState] = queue.Queue()
        # A busy test machine may pause longer than the default gap between two packets of one scan.
        self.scanner = SerialScanner(port, 9600, self.scans.put, self.states.put, **{"idle_gap": 0.4, **settings})
        self.scanner.start()

    def scan(self) -> bytes:
        return self.scans.get(timeout=5)

    def presence(self, within: float = 5) -> Presence:
        return self.states.get(timeout=within).presence


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    running: list[Listener] = []

    def start(port: object, **settings: float) -> Listener:
        running.append(Listener(str(port), **settings))
        return running[-1]

    yield start
    for listener in running:
        listener.scanner.stop()


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "usb-simulated-scanner"


class Held:
    """Descriptors and threads of this process, told apart from what earlier tests have left to be collected."""

    def __init__(self) -> None:
        gc.collect()
        self._process = psutil.Process()
        self._threads = set(threading.enumerate())
        self._fds = self._process.num_fds()

    def new_threads(self) -> set[int | None]:
        return {thread.ident for thread in threading.enumerate() if thread not in self._threads}

    def more(self, within: float = 5) -> tuple[int, int]:
        """Descriptors and threads beyond those at the start; what goes away in time is not counted."""
        deadline = time.monotonic() + within
        while True:
            # Fewer than at the start are not ours: a leak can only add to them.
            found = max(0, self._process.num_fds() - self._fds), len(self.new_threads())
            if found == (0, 0) or time.monotonic() > deadline:
                return found
            time.sleep(0.01)


@pytest.mark.parametrize("suffix", [b"\r", b"\n", b"\r\n", b""])
@pytest.mark.parametrize(
    "scan", [CARD, b"]Q1" + CARD, INSURANCE, b"\xff\x00\x80x"], ids=["card", "aim", "bhyt", "bytes"]
)
def test_suffixes(listen, link, suffix, scan):
    with SimulatedScanner(link, suffix=suffix) as device:
        listener = listen(link)
        assert listener.presence() is Presence.ATTACHED
        device.tap(scan)
        assert listener.scan() == scan
        device.tap(OTHER)
        assert listener.scan() == OTHER


def test_pieces_of_random_sizes(listen, link):
    chance = random.Random(7)
    with SimulatedScanner(link) as device:
        listener = listen(link, idle_gap=5)
        assert listener.presence() is Presence.ATTACHED
        stream = (CARD + b"\r\n" + INSURANCE + b"\r" + OTHER + b"\n") * 5
        while stream:
            size = chance.randint(1, 30)
            device.send(stream[:size])
            stream = stream[size:]
        assert [listener.scan() for _ in range(15)] == [CARD, INSURANCE, OTHER] * 5


def test_rubbish_is_discarded_and_the_next_scan_is_good(listen, link):
    with SimulatedScanner(link, packet=512) as device:
        listener = listen(link, idle_gap=0.1)
        assert listener.presence() is Presence.ATTACHED
        device.send(b"\xa5" * 3000 + b"\r")
        deadline = time.monotonic() + 5
        while listener.scans.empty() and time.monotonic() < deadline:
            device.tap(CARD)
            time.sleep(0.3)  # the silence is what is tested
        assert listener.scan() == CARD


def test_scan_cut_by_unplugging_is_dropped(listen, link):
    with SimulatedScanner(link) as device:
        listener = listen(link, idle_gap=60)
        assert listener.presence() is Presence.ATTACHED
        device.send(CARD[:40])
        device.unplug()
        assert listener.presence(within=1) is Presence.GONE
        assert not listener.scanner.state.attached
        device.plug()
        assert listener.presence(within=2) is Presence.ATTACHED
        device.tap(OTHER)
        assert listener.scan() == OTHER
        assert listener.scans.empty()


def test_many_replugs_leak_nothing_and_log_each_fall_and_return_once(listen, link, caplog):
    caplog.set_level(logging.DEBUG)
    before = Held()
    with SimulatedScanner(link) as device:
        listener = listen(link, idle_gap=60, reopen_every=0.02)
        assert listener.presence() is Presence.ATTACHED
        ours, attached = before.new_threads(), Held()
        for _ in range(30):
            device.tap(CARD)
            assert listener.scan() == CARD
            device.unplug()
            assert listener.presence() is Presence.GONE
            device.plug()
            assert listener.presence() is Presence.ATTACHED
        assert attached.more() == (0, 0)
        assert before.new_threads() == ours
        assert len(ours) == 1
    assert listener.presence() is Presence.GONE
    records = [record for record in caplog.records if record.name.startswith("kiosk.") and record.thread in ours]
    messages = [record.getMessage() for record in records]
    assert sum("attached" in message for message in messages) == 31
    assert sum("gone" in message for message in messages) == 31
    assert len(messages) == 62
    assert listener.states.empty()
    assert not any("099190" in message or "Trần" in message for message in caplog.messages)


def test_device_that_comes_later(listen, link):
    listener = listen(link)
    assert listener.presence() is Presence.GONE
    with SimulatedScanner(link) as device:
        assert listener.presence(within=2) is Presence.ATTACHED
        device.tap(CARD)
        assert listener.scan() == CARD
    assert listener.presence() is Presence.GONE
    assert listener.states.empty()


def test_port_is_taken_exclusively(listen, link):
    with SimulatedScanner(link) as device:
        first = listen(link, reopen_every=0.02)
        assert first.presence() is Presence.ATTACHED
        with pytest.raises(serial.SerialException):
            serial.Serial(str(link), exclusive=True)
        second = listen(link, reopen_every=0.02)
        assert second.presence() is Presence.GONE
        device.tap(CARD)
        assert first.scan() == CARD
        assert second.scans.empty()
        first.scanner.stop()
        assert second.presence() is Presence.ATTACHED


def test_path_that_is_no_port(listen, tmp_path):
    plain = tmp_path / "file"
    plain.write_text("")
    assert listen(plain).presence() is Presence.GONE


def test_stopping_gives_everything_back(listen, link):
    with SimulatedScanner(link) as device:
        before = Held()
        listener = listen(link)
        assert listener.presence() is Presence.ATTACHED
        listener.scanner.stop()
        assert before.more(within=0) == (0, 0)
        assert not listener.scanner.state.attached
        device.tap(CARD)
        assert listener.scans.empty()
        serial.Serial(str(link), exclusive=True).close()


def test_failing_listener_does_not_end_the_reading(link, caplog):
    caplog.set_level(logging.DEBUG)
    seen: queue.Queue[bytes] = queue.Queue()

    def on_scan(scan: bytes) -> None:
        seen.put(scan)
        raise RuntimeError(scan.decode())

    attached = threading.Event()
    with SimulatedScanner(link) as device:
        scanner = SerialScanner(str(link), 9600, on_scan, lambda state: attached.set())
        scanner.start()
        try:
            assert attached.wait(5)
            for _ in range(2):
                device.tap(CARD)
                assert seen.get(timeout=5) == CARD
        finally:
            scanner.stop()
    assert "RuntimeError" in caplog.text
    assert "099190000001" not in caplog.text


def test_tcp_stream(listen):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        port = server.getsockname()[1]
        listener = listen(f"socket://127.0.0.1:{port}", reopen_every=0.02)
        for scan in (CARD, OTHER):
            peer, _ = server.accept()
            with peer:
                assert listener.presence() is Presence.ATTACHED
                peer.sendall(scan[:20])
                peer.sendall(scan[20:] + b"\r" + scan[:10])
                assert listener.scan() == scan
            assert listener.presence() is Presence.GONE
        assert listener.scans.empty()


def test_tcp_stream_without_server(listen):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert listen(f"socket://127.0.0.1:{port}").presence() is Presence.GONE


def test_loop_url_attaches(listen):
    assert listen("loop://").presence() is Presence.ATTACHED


@pytest.mark.parametrize(
    ("port", "baud"),
    [
        ("spy:///dev/null", 9600),
        ("SPY:///dev/null", 9600),
        ("socket://127.0.0.1:1?logging=debug", 9600),
        ("nonsense://x", 9600),
        (os.devnull, -1),
    ],
)
def test_settings_that_can_never_work(port, baud):
    with pytest.raises(ConfigError, match=r"scanner\."):
        SerialScanner(port, baud, print)
