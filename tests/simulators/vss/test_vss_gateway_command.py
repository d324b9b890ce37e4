"""`kiosk-sim gateway`: settings from the environment, the running process."""

import json
import os
import signal
import subprocess
import sys
from datetime import date

import httpx
import pytest
from click.testing import CliRunner

from simulators.cli import main
from simulators.vss_settings import Settings


def test_settings_come_from_the_environment() -> None:
    settings = Settings.from_env(
        {
            "SIM_TODAY": "2026-11-02",
            "SIM_TOKEN_TTL": "5",
            "SIM_BIND_IP": "0",
            "SIM_FORWARDED_FOR": "1",
            "SIM_401_SHAPE": "body",
            "SIM_DOB8": "1",
            "SIM_FACILITY": "93002",
            "SIM_OTHER": "of another simulator",
        }
    )
    assert settings == Settings(
        today=date(2026, 11, 2),
        token_ttl_s=5,
        bind_ip=False,
        trust_forwarded_for=True,
        refusal_shape="body",
        eight_digit_dates=True,
        facility="93002",
    )
    assert Settings.from_env({"SIM_TODAY": ""}) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIM_TODAY", "2026-13-01"),
        ("SIM_TOKEN_TTL", "0"),
        ("SIM_BIND_IP", "maybe"),
        ("SIM_401_SHAPE", "other"),
        ("SIM_FACILITY", "9900"),
    ],
)
def test_wrong_setting_stops_the_start_by_name(name: str, value: str) -> None:
    result = CliRunner().invoke(main, ["gateway", "--port", "0"], env={name: value})
    assert result.exit_code == 1
    assert name in result.stderr


def test_help_lists_needs_and_settings() -> None:
    text = CliRunner().invoke(main, ["gateway", "--help"]).output
    names = {str(field.validation_alias) for field in Settings.model_fields.values()}
    assert {name for name in names if name in text} == names
    assert "Needs nothing but a free port" in text


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_process_announces_itself_and_ends_on_a_signal(ending: signal.Signals) -> None:
    environment = os.environ | {"SIM_FACILITY": "93002", "SIM_TODAY": "2026-11-02"}
    command = [sys.executable, "-m", "simulators", "gateway", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        ready = json.loads(process.stdout.readline())
        assert ready["simulator"] == "gateway"
        health = httpx.get(f"{ready['url']}/_sim/health").json()
        assert health == {"status": "ok", "today": "2026-11-02", "facility": "93002"}
        port = ready["url"].rpartition(":")[2]
        taken = CliRunner().invoke(main, ["gateway", "--port", port])
        assert (taken.exit_code, "in use" in taken.stderr) == (1, True)
        process.send_signal(ending)
        rest = process.stdout.read()
        errors = process.stderr.read()
        assert process.wait(10) in (0, -ending)
    assert rest == b""
    assert b"Traceback" not in errors
