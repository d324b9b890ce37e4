"""`provincectl` as a process (interfaces.md 1), and what it tells systemd."""

import asyncio
import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from province.notify import keep_watchdog_fed, notify

PROVINCECTL = str(Path(sys.executable).parent / "provincectl")
KEY = base64.b64encode(b"\x05" * 32).decode()


@pytest.fixture
def ctl(database_url: str):
    def call(*words: str, ok: bool = True) -> object:
        command = [PROVINCECTL, "--database", database_url, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode == 0) is ok, done.stderr
        return json.loads(done.stdout) if ok else done.stderr

    return call


def test_administration_prints_one_json_document_each(ctl, tmp_path: Path) -> None:
    one = ctl("enrol", "--facility", "93002", "--station", "kiosk-1")
    assert set(one) == {"code", "expires_at"}
    stations = tmp_path / "stations.csv"
    stations.write_text("facility,station\n93002,kiosk-2\n93003,kiosk-1\n", "utf-8")
    many = ctl("enrol", "--file", str(stations))
    assert [(each["facility"], each["station"]) for each in many] == [("93002", "kiosk-2"), ("93003", "kiosk-1")]
    assert len({each["code"] for each in many} | {one["code"]}) == 3
    assert ctl("keys") == {"keys": []}
    made = ctl("api-key", "--scope", "read")
    assert {"key", "scope"} <= set(made) and made["scope"] == "read"
    (row,) = ctl("kpi", "--from", "2026-03-01", "--to", "2026-03-31")["rows"]
    assert (row["level"], row["facilities_active"]) == ("province", 95)
    assert (
        len(ctl("kpi", "--from", "2026-03-01", "--to", "2026-03-02", "--level", "area", "--period", "day")["rows"])
        == 16
    )
    assert "unknown_facility" in ctl("enrol", "--facility", "00000", "--station", "x", ok=False)
    assert "unknown_key" in ctl("revoke", "--key-id", "x", ok=False)
    assert "from must not be after to" in ctl("kpi", "--from", "2026-03-02", "--to", "2026-03-01", ok=False)


def test_a_fresh_hub_may_have_a_registry_of_its_own(ctl, tmp_path: Path) -> None:
    file = tmp_path / "facilities.csv"
    file.write_text(
        "ma_cskcb,name_vi,tier,type,district_code,district_name,commune_code,commune_name,province_code\r\n"
        "99001,Bệnh viện Mẫu,co_ban,hospital,990,Huyện Mẫu,99999,Xã Mẫu,99\r\n",
        "utf-8-sig",
    )
    assert ctl("load-facilities", str(file)) == {"facilities": 1}
    (row,) = ctl("kpi", "--from", "2026-03-01", "--to", "2026-03-31", "--level", "facility")["rows"]
    assert (row["unit_code"], row["unit_name"], row["parent_code"]) == ("99001", "Bệnh viện Mẫu", "990")
    assert "missing columns" in ctl("load-facilities", __file__, ok=False)


def wait_until_ready(process: subprocess.Popen, url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert process.poll() is None and time.monotonic() < deadline
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)


def test_the_demo_runs_takes_its_code_once_and_tells_systemd(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.bind(str(tmp_path / "notify"))
    channel.settimeout(30)
    environment = os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
    command = [PROVINCECTL, "--data", str(tmp_path / "data"), "run", "--port", str(port), "--demo"]
    command += ["--demo-enrol", "93002:kiosk-1:DEMO-CODE"]
    url = f"http://127.0.0.1:{port}"
    with channel, subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert channel.recv(64) == b"READY=1"
            assert channel.recv(64) == channel.recv(64) == b"WATCHDOG=1"
            wait_until_ready(process, url)
            demo = {"Authorization": "Bearer demo"}
            assert httpx.get(f"{url}/api/v1/facilities", headers=demo).status_code == 200
            joining = {"code": "demo-code", "public_key": KEY}
            answers = [httpx.post(f"{url}/api/v1/enrol", json=joining).status_code for _ in range(2)]
            assert answers == [201, 403]
            httpx.get(f"{url}/api/v1/kpi/lookup-rate?from=2026-03-01&to=canary-in-query")
        finally:
            process.send_signal(signal.SIGTERM)
        log = process.stderr.read()
        said = set()
        while b"STOPPING=1" not in said:
            said.add(channel.recv(64))
    assert process.returncode in (0, -signal.SIGTERM)
    lines = [json.loads(line) for line in log.splitlines()]
    assert {"GET", "POST"} <= {line.get("method") for line in lines}
    assert "canary" not in log


def test_the_demo_stays_on_loopback(ctl) -> None:
    assert "loopback" in ctl("run", "--port", "0", "--host", "0.0.0.0", "--demo", ok=False)
    assert "--demo" in ctl("run", "--port", "0", "--demo-enrol", "93002:k:C", ok=False)


async def test_an_abstract_socket_is_reached_too(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"province-notify-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(f"\0{name}")
        channel.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        assert notify("READY=1")
        assert channel.recv(64) == b"READY=1"
        monkeypatch.setenv("WATCHDOG_USEC", "20000")
        feeding = asyncio.create_task(keep_watchdog_fed())
        for _ in range(3):
            assert await asyncio.get_running_loop().sock_recv(channel, 64) == b"WATCHDOG=1"
        feeding.cancel()


async def test_without_systemd_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    assert not notify("READY=1")
    await asyncio.wait_for(keep_watchdog_fed(), 1)
