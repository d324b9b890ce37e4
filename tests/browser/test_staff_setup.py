"""The first account, on a kiosk that is no demo: over TLS, with the code from the data folder."""

import os
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import Page, expect

from simulators.stack import Stack, free_base
from tests.browser.screens import DESK, until


def make_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, encoding = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(encoding))
    (folder / "key.pem").write_bytes(key.private_bytes(encoding, pem, serialization.NoEncryption()))
    (folder / "key.pem").chmod(0o600)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def fresh_kiosk(stack: Stack, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A daemon of its own with the staff listener: its address and its data folder."""
    base = free_base()
    certificate, key = make_certificate(tmp_path)
    data = tmp_path / "data"
    text = stack.config_path.read_text("utf-8").replace("demo = true\n", "")
    text = text.replace(str(stack.data / "kiosk"), str(data)).replace(stack.url("kiosk")[7:], f"127.0.0.1:{base}")
    text = text.replace(str(stack.data / "dev" / "scanner"), "")
    text += f'\n[staff]\nlisten = "127.0.0.1:{base + 10}"\nhosts = ["localhost"]\n'
    text += f'cert_file = "{certificate}"\nkey_file = "{key}"\n'
    for secret in ("vss-password", "c06-secret", "officers"):
        (tmp_path / secret).write_bytes((stack.data / secret).read_bytes())
        (tmp_path / secret).chmod(0o600)
    (tmp_path / "kiosk.toml").write_text(text, "utf-8")
    command = [sys.executable, "-m", "kiosk", "run", "--config", str(tmp_path / "kiosk.toml")]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=dict(os.environ))
    try:
        trust = ssl.create_default_context(cafile=str(certificate))
        url = f"https://localhost:{base + 10}"

        def serves() -> bool:
            assert process.poll() is None, (tmp_path / "log").read_text("utf-8")
            try:
                return httpx.get(url + "/staff", verify=trust).status_code == 200
            except httpx.TransportError:
                return False

        until(serves, seconds=40)
        yield url, data
    finally:
        process.terminate()
        process.wait(35)


def test_the_first_account_is_made_with_the_code_of_the_data_folder(
    fresh_kiosk: tuple[str, Path], open_page: Callable[[str, dict[str, int]], Page]
) -> None:
    url, data = fresh_kiosk
    page = open_page(url + "/staff", DESK)
    expect(page.get_by_role("heading", name="Tạo tài khoản đầu tiên")).to_be_visible()
    page.get_by_label("Mã thiết lập").fill("wrong")
    page.get_by_label("Tên đăng nhập").fill("Tiếp đón 1")
    page.get_by_label("Mật khẩu (ít nhất").fill("một mật khẩu thật dài")
    page.get_by_label("Nhập lại mật khẩu").fill("một mật khẩu khác hẳn")
    page.get_by_role("button", name="Tạo tài khoản").click()
    expect(page.locator("#differs")).to_have_text("Hai lần nhập mật khẩu chưa giống nhau.")
    page.get_by_label("Nhập lại mật khẩu").fill("một mật khẩu thật dài")
    page.get_by_role("button", name="Tạo tài khoản").click()
    expect(page.get_by_role("alert")).to_have_text("Mã thiết lập không đúng.")
    page.get_by_label("Mã thiết lập").fill((data / "staff-setup-code").read_text("ascii").strip())
    page.get_by_role("button", name="Tạo tài khoản").click()
    expect(page.locator("#user")).to_contain_text("Tiếp đón 1")
    expect(page.locator("#rows")).to_contain_text("Không có ai đang chờ nhân viên.")
    page.reload()
    expect(page.locator("#user")).to_contain_text("Tiếp đón 1")
