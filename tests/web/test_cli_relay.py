"""``kioskctl relay`` and ``relay-key``: what is told once, and what refuses the start."""

import json
from pathlib import Path

from click.testing import CliRunner

from kiosk import relay_config
from kiosk.cli import main


def test_a_new_key_is_told_once_with_what_the_relay_keeps_of_it() -> None:
    made = [json.loads(CliRunner().invoke(main, ["relay-key", "kiosk-1"]).stdout) for _ in range(2)]
    assert [one["station"] for one in made] == ["kiosk-1"] * 2
    assert made[0]["key"] != made[1]["key"]
    for one in made:
        assert relay_config.fingerprint(one["key"]) == one["key_sha256"]


def test_a_wrong_file_ends_the_command_with_the_name_of_the_key(tmp_path: Path) -> None:
    path = tmp_path / "relay.toml"
    path.write_text('[relay]\nfacility = "93002"\n', "utf-8")
    done = CliRunner().invoke(main, ["relay", "--config", str(path)])
    assert done.exit_code == 1
    assert "relay.listen" in done.stderr
    assert "error" in json.loads(done.stdout)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["relay", "--config", str(tmp_path / "relay.toml")])
    assert done.exit_code == 1
    assert "relay.toml" in done.stderr
