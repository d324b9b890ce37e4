"""Forged cards, judged by OpenSSL: each is spoilt where it says, and nowhere else."""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import new as new_hash

import pytest
from asn1crypto.core import Sequence, SetOf

from simulators.chip_files import (
    CARD_ACCESS,
    COM,
    DG1,
    DG2,
    DG3,
    DG13,
    DG14,
    DG15,
    SOD,
    CardData,
    personalise,
)
from simulators.chip_forgery import FORGERIES
from simulators.chip_keys import Scheme
from simulators.chip_person import card_person
from simulators.chip_pki import TestPki
from simulators.vss_people import PEOPLE
from tests.simulators.chip.openssl_oracle import certificate_of, chain_error, pem_file, signature_of, signed_content

NOW = datetime.now(UTC)
GROUPS = {1: DG1, 2: DG2, 3: DG3, 13: DG13, 14: DG14, 15: DG15}
CARD_HOLDERS = [person for person in PEOPLE if person.citizen_id]


@dataclass(frozen=True)
class Found:
    """What is wrong with the signed data: groups whose hash differs, groups signed for but absent, ..."""

    wrong: frozenset[int] = frozenset()
    absent: frozenset[int] = frozenset()
    signature: bool = True
    chain: str = ""
    revoked: bool = False


FINDINGS = {
    "dg1_tampered": Found(wrong=frozenset({1})),
    "dg13_tampered": Found(wrong=frozenset({13})),
    "dg2_tampered": Found(wrong=frozenset({2})),
    "dg1_of_another": Found(wrong=frozenset({1})),
    "dg13_of_another": Found(wrong=frozenset({13})),
    "foreign_signer": Found(chain="unable to get local issuer"),
    "impostor_signer": Found(chain="signature failure"),
    "sod_sha1": Found(chain="unable to get local issuer"),
    "expired_signer": Found(chain="certificate has expired"),
    "revoked_signer": Found(revoked=True),
    "sod_signature_flipped": Found(signature=False),
    "sod_removed": Found(signature=False),
    "clone_without_keys": Found(),
    "clone_with_own_keys": Found(wrong=frozenset({14, 15})),
    "clone_stripped": Found(absent=frozenset({14, 15})),
    "card_access_weaker": Found(),
    "card_access_removed": Found(),
    "dg13_bad_entry": Found(),
    "dg13_wrong_lengths": Found(),
    "dg1_number_differs": Found(),
}


def issue(person=PEOPLE[0]):
    pki = TestPki(NOW, Scheme("secp384r1", "sha384"), Scheme("secp256r1"))
    return personalise(card_person(person, NOW.date()), pki)


@pytest.fixture(scope="module")
def sound():
    return issue()


def judged(data: CardData, folder) -> Found:
    if SOD not in data.files:
        return Found(signature=False)
    signed = signature_of(data)
    content = signed_content(signed)
    if content is None:
        return Found(signature=False)
    algorithm = "sha1" if b"\x2b\x0e\x03\x02\x1a" in content else "sha256"
    listed = {pair.native["0"]: pair.native["1"] for pair in listed_hashes(content)}
    present = {number for number in listed if GROUPS[number] in data.files}
    hashes = {number: new_hash(algorithm, data.files[GROUPS[number]]).digest() for number in present}
    folder = data.pki.write_anchors(folder, "pem")
    anchors = pem_file(folder / "anchors.pem", data.pki.csca.certificate)
    signer = certificate_of(signed, folder)
    chain = chain_error(signer, anchors, "-auth_level", "0", at=data.signed_at)
    return Found(
        wrong=frozenset(number for number in present if hashes[number] != listed[number]),
        absent=frozenset(listed) - present,
        chain=next((error for error in CHAIN_ERRORS if error in chain), chain),
        revoked="certificate revoked"
        in chain_error(signer, anchors, "-crl_check", "-CRLfile", str(folder / "csca.crl")),
    )


CHAIN_ERRORS = ("unable to get local issuer", "signature failure", "certificate has expired")


def listed_hashes(content):
    return SetOf.load(b"\x31" + Sequence.load(content)[2].dump()[1:], spec=Sequence)


def test_the_card_to_be_forged_is_sound(sound, tmp_path):
    assert judged(sound, tmp_path) == Found()


@pytest.mark.parametrize("name", FORGERIES)
def test_each_forgery_is_spoilt_where_it_says_and_leaves_the_card_it_was_made_from(sound, name, tmp_path):
    before = (dict(sound.files), dict(sound.master_files))
    forged = FORGERIES[name].function(sound)
    assert judged(forged, tmp_path) == FINDINGS[name]
    assert (sound.files, sound.master_files) == before
    assert (forged.can, forged.mrz, forged.person) == (sound.can, sound.mrz, sound.person)


@pytest.mark.parametrize("name", FORGERIES)
def test_the_expected_verdicts_follow_from_what_was_spoilt(name):
    forgery, found = FORGERIES[name], FINDINGS[name]
    data_wrong = bool(found.wrong) or not found.signature or name in ("sod_sha1", *ACCESS)
    copied = name in ("clone_without_keys", "clone_stripped")
    without = "forged" if data_wrong else "suspected_copy" if copied else "cannot_tell"
    assert forgery.without_anchor == without
    distrusted = bool(found.chain) or found.revoked
    assert forgery.with_anchor == ("forged" if distrusted else "genuine" if without == "cannot_tell" else without)
    assert forgery.photo == (2 in found.wrong)


ACCESS = ("card_access_weaker", "card_access_removed")


@pytest.mark.parametrize("person", CARD_HOLDERS, ids=lambda person: str(person.number))
def test_every_card_can_be_forged(person):
    card = issue(person)
    for name, forgery in FORGERIES.items():
        forged = forgery.function(card)
        changed = (
            forged.files != card.files
            or forged.master_files != card.master_files
            or (forged.aa_key, forged.ca_key) != (card.aa_key, card.ca_key)
        )
        assert changed, name


def test_tampering_changes_one_byte(sound):
    for name, fid in {"dg1_tampered": DG1, "dg13_tampered": DG13, "dg2_tampered": DG2}.items():
        forged = FORGERIES[name].function(sound)
        pairs = zip(forged.files[fid], sound.files[fid], strict=True)
        assert sum(one != other for one, other in pairs) == 1
        assert {other: file for other, file in forged.files.items() if other != fid} == {
            other: file for other, file in sound.files.items() if other != fid
        }


def test_copies_have_no_keys_or_keys_of_their_own(sound):
    bare = FORGERIES["clone_without_keys"].function(sound)
    assert (bare.aa_key, bare.ca_key, bare.files) == (None, None, sound.files)
    own = FORGERIES["clone_with_own_keys"].function(sound)
    for key, true, fid in ((own.aa_key, sound.aa_key, DG15), (own.ca_key, sound.ca_key, DG14)):
        x = key.public_key().public_numbers().x.to_bytes(32, "big")
        assert x in own.files[fid]
        assert key.public_key().public_numbers() != true.public_key().public_numbers()
    stripped = FORGERIES["clone_stripped"].function(sound)
    assert not {DG14, DG15} & set(stripped.files)
    assert stripped.files[COM].endswith(bytes.fromhex("5C 04 61 75 63 6D"))
    assert stripped.aa_key is None


def test_access_is_worse_than_the_issuer_signed(sound):
    weaker = FORGERIES["card_access_weaker"].function(sound)
    assert weaker.master_files[CARD_ACCESS][2:] not in weaker.files[DG14]
    assert sound.master_files[CARD_ACCESS][2:] in weaker.files[DG14]
    assert [info.encoded for info in weaker.profile.pace] == [weaker.master_files[CARD_ACCESS][2:]]
    removed = FORGERIES["card_access_removed"].function(sound)
    assert (removed.master_files, removed.profile.pace) == ({}, ())
    assert FORGERIES["card_access_removed"].error == "ACCESS_DENIED"


def test_spoilt_dg13_is_still_one_file_with_the_good_entries(sound):
    good = sound.files[DG13]
    name = sound.person.full_name.encode()
    for forgery in ("dg13_bad_entry", "dg13_wrong_lengths"):
        file = FORGERIES[forgery].function(sound).files[DG13]
        assert file[:2] == b"\x6d\x82"
        assert int.from_bytes(file[2:4], "big") == len(file) - 4
        assert name in file
        assert file != good


def test_dg1_and_dg13_of_one_card_may_name_two_numbers(sound):
    forged = FORGERIES["dg1_number_differs"].function(sound)
    number = sound.person.citizen_id.encode()
    assert number not in forged.files[DG1]
    assert number in forged.files[DG13]
