"""OpenSSL's command line as the foreign judge of certificates, revocation lists and signatures."""

import subprocess
from datetime import datetime
from pathlib import Path

from asn1crypto import pem

from simulators.chip_files import SOD, CardData


def openssl(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run one command; what it prints for people is in `stdout` and `stderr`."""
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, timeout=20, check=False)


def pem_file(path: Path, *certificates: bytes) -> str:
    path.write_bytes(b"".join(pem.armor("CERTIFICATE", one) for one in certificates))
    return str(path)


def certificate_of(signed: bytes, folder: Path) -> str:
    """The signer's certificate inside a CMS structure, as a PEM file."""
    path = folder / "signer.pem"
    openssl("cms", "-verify", "-noverify", "-inform", "DER", "-signer", str(path), data=signed)
    return str(path)


def chain_error(signer: str, anchors: str, *more: str, at: datetime | None = None) -> str:
    """What OpenSSL has against the certificate in the file `signer`; empty when nothing."""
    moment = ("-attime", str(int(at.timestamp()))) if at else ()
    done = openssl("verify", "-CAfile", anchors, *moment, *more, signer)
    assert (done.returncode == 0) == (b": OK" in done.stdout)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).decode()


def signed_content(signed: bytes) -> bytes | None:
    """The content of a CMS structure whose signature and digest hold, whoever signed; else None."""
    done = openssl("cms", "-verify", "-noverify", "-binary", "-inform", "DER", data=signed)
    return done.stdout if done.returncode == 0 else None


def signature_of(data: CardData) -> bytes:
    """The CMS structure in EF.SOD, under its tag 77 and a length of three bytes."""
    sod = data.files[SOD]
    assert sod[:2] == b"\x77\x82"
    return sod[4:]
