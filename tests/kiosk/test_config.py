"""The configuration file: everything wrong is named, nothing secret is shown."""

import os
from pathlib import Path

import pytest

from kiosk.bootstrap import build, own_token
from kiosk.config import load, parse, read_officers, read_secret
from kiosk.errors import ConfigError
from tests.kiosk.world import tables, toml


@pytest.fixture
def valid(tmp_path: Path) -> dict:
    """The tables of a demo's configuration."""
    return tables(tmp_path, "http://127.0.0.1:9", "http://127.0.0.1:9")


def changed(values: dict, place: str, value: object) -> dict:
    table, _, key = place.partition(".")
    if not key:
        return values | {table: value}
    return values | {table: values.get(table, {}) | {key: value}}


WRONG = [
    ("station.id", "a b"),
    ("station.id", ""),
    ("station.facility", "9300"),
    ("station.facility", 93002),
    ("station.listen", "0.0.0.0:8080"),
    ("station.listen", "kiosk.example:8080"),
    ("station.listen", "127.0.0.1"),
    ("station.listen", "127.0.0.1:0"),
    ("station.listen", "127.0.0.1:65536"),
    ("station.colour", "blue"),
    ("policy.document", "qr_only"),
    ("policy.number_wait", 0),
    ("policy.done_seconds", -1),
    ("scanner.baud", "fast"),
    ("insurance.adapter", "other"),
    ("insurance.encoding", "xml"),
    ("insurance.total_timeout", 16),
    ("insurance.recheck_after", []),
    ("insurance.recheck_after", [14_400]),
    ("insurance.password", "secret-value"),
    ("hospital.unchecked", "maybe"),
    ("hospital.grace", -1),
    ("province.heartbeat_seconds", 0),
    ("outbox.base", 0),
    ("outbox.cap", 86_400),
    ("colour", {"a": 1}),
]


@pytest.mark.parametrize(("place", "value"), WRONG)
def test_a_wrong_or_unknown_key_is_named_and_its_value_is_not(valid, place, value):
    with pytest.raises(ConfigError) as refused:
        parse(changed(valid, place, value))
    told = str(refused.value)
    assert place in told
    if isinstance(value, str) and len(value) > 5:
        assert value not in told


@pytest.mark.parametrize(
    "place", ["station", "insurance", "hospital", "station.data", "insurance.url", "hospital.adapter"]
)
def test_what_is_missing_is_named(valid, place):
    table, _, key = place.partition(".")
    if key:
        del valid[table][key]
    else:
        del valid[table]
    with pytest.raises(ConfigError, match=place):
        parse(valid)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("insurance.url", "https://egw.example"),
        ("hospital.url", "http://10.0.0.5"),
        ("hospital.urls", {"api/x": "http://10.0.0.5"}),
        ("hospital.login_url", "http://10.0.0.5"),
        ("province.url", "https://kpi.example"),
        ("insurance.url", "http://127.0.0.1.example"),
        ("staff", {"listen": "0.0.0.0:8443", "cert_file": "c", "key_file": "k", "hosts": ["kiosk"]}),
    ],
)
def test_the_demo_stays_on_this_machine(valid, place, value):
    with pytest.raises(ConfigError, match="demo"):
        parse(changed(valid, place, value))
    parse(changed(valid, place, value) | {"demo": False})


@pytest.mark.parametrize("missing", ["cert_file", "key_file", "hosts"])
def test_a_staff_listener_needs_its_certificate(valid, missing):
    staff = {"listen": "0.0.0.0:8443", "cert_file": "c", "key_file": "k", "hosts": ["kiosk"]}
    del staff[missing]
    with pytest.raises(ConfigError, match="staff"):
        parse(valid | {"demo": False, "staff": staff})


@pytest.mark.parametrize("listen", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "127.1.2.3:80"])
def test_any_loopback_address_will_do(valid, listen):
    assert parse(changed(valid, "station.listen", listen)).station.listen == listen


def test_the_file_is_read_and_says_where_it_is_not_toml(tmp_path, valid):
    path = tmp_path / "kiosk.toml"
    path.write_text(toml(valid), "utf-8")
    assert load(path) == parse(valid)
    path.write_text("demo = maybe", "utf-8")
    with pytest.raises(ConfigError, match=r"kiosk.toml is not TOML.*line 1"):
        load(path)
    path.write_bytes(b"demo = \xff")
    with pytest.raises(ConfigError, match="not TOML"):
        load(path)
    with pytest.raises(ConfigError, match="cannot read"):
        load(tmp_path / "absent.toml")


def test_the_example_of_the_package_is_valid():
    example = Path(__file__).parents[2] / "systemd" / "kiosk.example.toml"
    assert load(example).demo is False


async def test_secrets_are_in_no_text_that_could_be_shown(tmp_path, valid):
    (tmp_path / "vss-password").write_text("topsecretpassword")
    (tmp_path / "c06-secret").write_text("topsecretmerchant")
    config = parse(valid)
    parts = build(config, tmp_path)
    try:
        told = repr(config) + repr(parts.gateway._questions._settings) + repr(parts) + str(vars(parts.hospital))
        assert "topsecretpassword" not in told and "topsecretmerchant" not in told
        assert "NGUYỄN CÁN BỘ THỬ" not in told and "099085000001" not in told
    finally:
        await parts.close()


@pytest.mark.parametrize("name", ["vss-password", "c06-secret", "officers"])
def test_a_missing_or_unreadable_secret_is_named(tmp_path, valid, name):
    (tmp_path / name).unlink()
    with pytest.raises(ConfigError, match=name):
        build(parse(valid), tmp_path)
    (tmp_path / name).write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=name):
        build(parse(valid), tmp_path)


def test_a_wrong_start_leaves_the_folder_free(tmp_path, valid):
    with pytest.raises(ConfigError):
        build(parse(changed(valid, "hospital.adapter", "acme")), tmp_path)
    assert not (tmp_path / "kiosk" / "kiosk.db").exists()


def test_a_secret_comes_from_the_credentials_folder_first(tmp_path, monkeypatch):
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "one").write_text("from systemd\n")
    (tmp_path / "one").write_text("from beside\n")
    assert read_secret("one", tmp_path) == "from beside"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert read_secret("one", tmp_path) == "from systemd"
    assert read_secret(str(tmp_path / "one"), tmp_path / "elsewhere") == "from beside"


def test_officers_are_read_and_a_wrong_line_is_numbered():
    text = "# trực\nNguyễn Văn A;099085000001\n\n Trần B ; 099085000002 \n"
    assert read_officers(text) == [("Nguyễn Văn A", "099085000001"), ("Trần B", "099085000002")]
    for wrong in ("A;123", "A", ";099085000001", "A;٠٩٩٠٨٥٠٠٠٠٠١"):
        with pytest.raises(ConfigError, match="line 2") as refused:
            read_officers(f"# x\n{wrong}\n")
        assert wrong not in str(refused.value)
    with pytest.raises(ConfigError, match="at least one"):
        read_officers("# nobody\n")


def test_own_tokens_are_for_the_owner_only_and_stay(tmp_path):
    os.umask(0o022)
    token = own_token(tmp_path / "screen-token")
    assert len(token) >= 24 and own_token(tmp_path / "screen-token") == token
    assert (tmp_path / "screen-token").stat().st_mode & 0o777 == 0o600
    assert own_token(tmp_path / "other") != token


def test_the_configuration_of_the_contract_is_accepted_as_it_stands():
    written = Path(__file__).parents[1] / "vectors" / "contract_configuration.toml"
    loaded = load(written)
    assert (loaded.station.facility, loaded.card.adapter, loaded.policy.document) == ("93002", "pcsc", "chip_first")
