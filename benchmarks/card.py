"""Reads of a chip: commands, bytes and processor time, beside what others need. Prints one JSON document.

The card has the file sizes of chip_files.BENCHMARK (DG1 95, DG13 700, DG14 400, DG15 100, EF.SOD 2,200, DG2 15,000
bytes). Access control, Active and Chip Authentication are not counted as commands. Anchors: gmrtd (Go), modelled from
how it reads: SELECT, four bytes of header, then the rest in parts of 256 or in one extended answer; 15 ms of processor
time; bare calls of asn1crypto and cryptography on the bytes of the same EF.SOD; and one bare key agreement on
brainpoolP256r1, of which PACE and Chip Authentication need several: on a busy machine it says what a millisecond is.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from asn1crypto import cms, core
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import BrainpoolP256R1
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from kiosk.emrtd import AccessKey, ChipRead, TrustAnchors, load_anchors, passive_auth, read_chip
from kiosk.emrtd.recording import Exchange, Trace
from simulators.chip_card import VirtualCard
from simulators.chip_files import BENCHMARK, BENCHMARK_CSCA, CardData, personalise
from simulators.chip_infos import PaceInfo
from simulators.chip_person import card_person
from simulators.chip_pki import TestPki
from simulators.chip_quirks import Quirks
from simulators.vss_people import PEOPLE

FILES = ("DG1", "EF.SOD", "DG13", "DG14", "DG15", "DG2")
IDENTITY = FILES[:-1]
USEFUL = {"3DES": 231, "AES-128": 223}
"""Bytes of a file in a protected answer of 256."""
READS = 40
BUDGET_MS = 15
NOW = datetime.now(UTC)
PEER = ec.generate_private_key(BrainpoolP256R1()).public_key()


class InProcess:
    """A card in this process. ``host``: processor seconds of the reading side, by what it was about."""

    def __init__(self, card: VirtualCard) -> None:
        self.card_type = card.atr.hex()
        self.host = dict.fromkeys(("access", "files", "proofs", "checks"), 0.0)
        self.reset = card.reset
        self._card = card
        self._doing = "access"
        self._since = time.process_time()

    def transmit(self, apdu: bytes) -> bytes:
        self.host[self._doing] += time.process_time() - self._since
        if apdu[0] & 0x0C:
            self._doing = "proofs" if apdu[1] in (0x22, 0x88) or self._doing == "proofs" else "files"
        answer = self._card.transmit(apdu)
        self._since = time.process_time()
        return answer

    def end(self) -> dict[str, float]:
        """Milliseconds by part; what came after the last command is ``checks``."""
        self.host["checks"] += time.process_time() - self._since
        return {name: seconds * 1000 for name, seconds in self.host.items()}


def read(
    data: CardData, quirks: Quirks, anchors: TrustAnchors | None = None, *, photo: bool = True
) -> tuple[ChipRead, list[Exchange], dict[str, float]]:
    """A read, what went over the wire until the proofs, and milliseconds of processor time without the card's."""
    connection = InProcess(VirtualCard(data, quirks))
    trace = Trace(connection)
    done = read_chip(trace, AccessKey(can=data.can), anchors=anchors, now=NOW, photo=photo)
    took = connection.end()
    protected = [each for each in trace.exchanges if each.header[:1] == b"\x0c"]
    proofs = next(at for at, each in enumerate(protected) if each.header[1] in (0x88, 0x22))
    return done, protected[:proofs], took


def commands(data: CardData, cipher: str, useful: int | None) -> dict[str, object]:
    """Counts for one cipher; *useful*: bytes of a file in one answer, None for extended ones."""
    quirks = Quirks(extended=0 if useful else 32_768)
    done, exchanges, _ = read(data, quirks)
    _, identity, _ = read(data, quirks, photo=False)
    sizes = {name: len(done.files[name]) for name in FILES}

    def model(names: tuple[str, ...]) -> int:
        return sum(2 + (-(-(sizes[name] - 4) // useful) if useful else 1) for name in names)

    total = sum(each.sent + each.received for each in exchanges)
    return {
        "cipher": cipher,
        "answers": "short" if useful else "extended",
        "commands": len(exchanges),
        "gmrtd_model": model(FILES),
        "ratio": round(len(exchanges) / model(FILES), 2),
        "identity_only": len(identity),
        "identity_only_gmrtd_model": model(IDENTITY),
        "bytes": total,
        "file_bytes_over_bytes": round(sum(sizes.values()) / total, 3),
    }


class _Hash(core.Sequence):
    _fields = [("number", core.Integer), ("value", core.OctetString)]  # noqa: RUF012 - as asn1crypto wants it


class _Hashes(core.SequenceOf):
    _child_spec = _Hash


class _SecurityObject(core.Sequence):
    _fields = [("version", core.Integer), ("algorithm", core.Any), ("hashes", _Hashes)]  # noqa: RUF012


def bare(files: dict[str, bytes]) -> None:
    """Hashes and signature by bare library calls, for this one algorithm."""
    sod = files["EF.SOD"]
    signed = cms.ContentInfo.load(sod[4:])["content"]
    signer = signed["signer_infos"][0]
    content = signed["encap_content_info"]["content"].contents
    attributes = signer["signed_attrs"]
    digest = next(each["values"][0].native for each in attributes if each["type"].native == "message_digest")
    assert digest == sha256(content).digest()
    certificate = signed["certificates"][0].chosen
    assert certificate.serial_number == signer["sid"].chosen["serial_number"].native
    key = load_der_public_key(certificate.public_key.dump())
    key.verify(signer["signature"].native, attributes.untag().dump(), PKCS1v15(), SHA256())
    for each in _SecurityObject.load(content)["hashes"]:
        name = f"DG{each['number'].native}"
        assert name not in files or each["value"].native == sha256(files[name]).digest()


def milliseconds(work: Callable[[], object]) -> float:
    """Processor time of one call: the best of ten rounds of twenty."""

    def once() -> float:
        begun = time.process_time()
        for _ in range(20):
            work()
        return (time.process_time() - begun) * 50

    return min(once() for _ in range(10))


def verification(done: ChipRead) -> dict[str, float]:
    """Hashes and signature of EF.SOD, ours and by bare calls."""
    files = {name: done.files[name] for name in FILES}
    bare(files)
    ours, theirs = milliseconds(lambda: passive_auth.check(files, None, NOW)), milliseconds(lambda: bare(files))
    return {
        "sod_verification_ms": round(ours, 3),
        "bare_calls_ms": round(theirs, 3),
        "sod_over_bare_ratio": round(ours / theirs, 2),
    }


def processor(data: CardData, anchors: TrustAnchors) -> dict[str, float]:
    """Milliseconds of a whole read with portrait: access control, files, checks; the proofs stand apart."""
    read(data, Quirks(), anchors)
    agreement = milliseconds(lambda: ec.generate_private_key(BrainpoolP256R1()).exchange(ec.ECDH(), PEER))
    figures: dict[str, float] = {"bare_key_agreement_ms": round(agreement, 2), "budget_ms": BUDGET_MS}
    for name, quirks in (("short", Quirks()), ("extended", Quirks(extended=32_768))):
        runs = [read(data, quirks, anchors)[2] for _ in range(READS)]
        parts = {part: statistics.median(run[part] for run in runs) for part in runs[0]}
        counted = parts["files"] + parts["checks"]
        figures |= {f"{name}_{part}_ms": round(spent, 1) for part, spent in parts.items()}
        figures[f"{name}_files_and_checks_over_budget"] = round(counted / BUDGET_MS, 2)
        figures[f"{name}_with_access_over_budget"] = round((counted + parts["access"]) / BUDGET_MS, 2)
    return figures


def main() -> None:
    """Run it."""
    pki = TestPki(NOW, BENCHMARK_CSCA)
    person = card_person(PEOPLE[0], NOW.date())
    cards = {
        cipher: personalise(person, pki, replace(BENCHMARK, pace=(PaceInfo("ECDH-GM", cipher, 13),)), NOW)
        for cipher in USEFUL
    }
    with tempfile.TemporaryDirectory() as folder:
        anchors = load_anchors(pki.write_anchors(Path(folder)))
    done, _, _ = read(cards["AES-128"], Quirks(), anchors)
    assert done.verdict == "genuine"
    print(
        json.dumps(
            {
                "file_bytes": {name: len(done.files[name]) for name in FILES},
                "commands": [
                    commands(cards[cipher], cipher, useful) for cipher in USEFUL for useful in (USEFUL[cipher], None)
                ],
                **processor(cards["AES-128"], anchors),
                **verification(done),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
