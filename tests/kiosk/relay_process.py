"""A facility's relay as a process, with the keys of its stations, over TLS or plainly on loopback."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kiosk.relay_config import new_key

FACILITY = "93002"
PATIENCE = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certify(cert: Path, key: Path) -> None:
    """A certificate of its own authority for 127.0.0.1."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(private, hashes.SHA256())
    )
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))


class RelayProcess:
    """The relay under *folder*, asking the gateway at *gateway*; ``start``, ``kill``, ``stop``."""

    def __init__(self, folder: Path, gateway: str, stations: tuple[str, ...], *, tls: bool = True) -> None:
        self.folder = folder / "relay"
        self.folder.mkdir()
        self.port = free_port()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.ca_file = self.folder / "relay.pem"
        self.keys: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        certify(self.ca_file, self.folder / "relay.key")
        self.trust = ssl.create_default_context(cafile=str(self.ca_file))
        (self.folder / "vss-password").write_text("sim-secret\n")
        (self.folder / "officers").write_text("NGUYỄN CÁN BỘ THỬ;099085000001\n", "utf-8")
        certificate = f'cert_file = "{self.ca_file}"\nkey_file = "relay.key"\nhosts = ["127.0.0.1"]\n' if tls else ""
        text = (
            f'[relay]\nfacility = "{FACILITY}"\nlisten = "127.0.0.1:{self.port}"\n'
            f'data = "{self.folder / "data"}"\n{certificate}'
            f'[insurance]\nurl = "{gateway}"\naccount = "{FACILITY}_BV"\npassword_file = "vss-password"\n'
            'officers_file = "officers"\nconnect_timeout = 1\nread_timeout = 0.8\ntotal_timeout = 3\n'
            "retry_pause = 0.02\nmax_in_flight = 8\nper_second = 100\n"
        )
        for station in stations:
            self.keys[station], kept = new_key()
            (folder / f"key-{station}").write_text(self.keys[station] + "\n")
            text += f'[[station]]\nid = "{station}"\nkey_sha256 = "{kept}"\n'
        self.config_path = self.folder / "relay.toml"
        self.config_path.write_text(text, "utf-8")

    def table(self, station: str, **more: Any) -> dict[str, Any]:
        """The table ``[insurance]`` of a station that asks here; its key lies beside its configuration."""
        ca = {"ca_file": str(self.ca_file)} if self.url.startswith("https") else {}
        return {"adapter": "relay", "url": self.url, "key_file": f"key-{station}", **ca, **more}

    def client(self, station: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.keys[station]}"} if station else {}
        return httpx.Client(base_url=self.url, headers=headers, verify=self.trust, trust_env=False, timeout=20)

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8")

    def start(self) -> RelayProcess:
        command = [sys.executable, "-m", "kiosk", "relay", "--config", str(self.config_path)]
        with (self.folder / "log").open("ab") as stream:
            self._process = subprocess.Popen(command, stdout=stream, stderr=stream, process_group=0)
        deadline = time.monotonic() + PATIENCE
        with self.client() as client:
            while True:
                try:
                    if client.get("/readyz").status_code == 200:
                        return self
                except httpx.TransportError:
                    pass
                assert self._process.poll() is None, self.log()
                assert time.monotonic() < deadline, self.log()
                time.sleep(0.05)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> int | None:
        """End it gently; returns what it said at its end."""
        if self._process is None:
            return None
        self._process.terminate()
        ended = self._process.wait(PATIENCE)
        self._process = None
        return ended
