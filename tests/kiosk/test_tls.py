"""Whom HTTPS clients trust."""

import ssl

import pytest

from kiosk.tls import client_context


def test_clients_of_https_share_the_systems_authorities():
    trust = client_context("https://gdbhyt.example")
    assert trust is client_context("HTTPS://his.example/")
    assert trust.check_hostname and trust.verify_mode is ssl.CERT_REQUIRED
    assert trust.cert_store_stats()["x509_ca"] > 100


@pytest.mark.parametrize("url", ["http://127.0.0.1:8099", "http://his.example", ""])
def test_a_client_of_plain_http_trusts_nobody(url):
    trust = client_context(url)
    assert trust.check_hostname and trust.verify_mode is ssl.CERT_REQUIRED
    assert trust.cert_store_stats()["x509"] == 0


@pytest.mark.parametrize("url", ["https://his.example", "http://his.example"])
@pytest.mark.parametrize("text", [None, "", "nonsense"])
def test_a_file_without_certificates_is_refused(tmp_path, url, text):
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    for _ in range(2):
        with pytest.raises((OSError, ValueError)):
            client_context(url, path)


def test_a_files_authorities_are_the_only_ones(tmp_path):
    path = tmp_path / "ca.pem"
    one = client_context("https://his.example").get_ca_certs(binary_form=True)[0]
    path.write_text(ssl.DER_cert_to_PEM_cert(one))
    trust = client_context("https://his.example", path)
    assert trust.get_ca_certs(binary_form=True) == [one]
    assert trust is client_context("https://province.example", str(path))
