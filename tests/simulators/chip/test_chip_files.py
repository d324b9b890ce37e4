"""The files of simulated cards: the reference's bytes, and foreign decoders for everything else."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import new as new_hash

import pytest
from asn1crypto import cms, keys
from asn1crypto.algos import DigestAlgorithm
from asn1crypto.core import ObjectIdentifier, Sequence, SetOf
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from PIL import Image

from kiosk.emrtd.mrz import parse
from simulators.chip_dg13 import dg13_entries
from simulators.chip_files import (
    BAC_ONLY,
    BENCHMARK,
    BENCHMARK_CSCA,
    CAM,
    CARD_ACCESS,
    CARD_SECURITY,
    CC_2024,
    CCCD_2021,
    COM,
    DG1,
    DG2,
    DG3,
    DG13,
    DG14,
    DG15,
    PASSPORT,
    SOD,
    Profile,
    personalise,
)
from simulators.chip_infos import ActiveAuthentication, ChipAuthentication, PaceInfo
from simulators.chip_keys import Scheme
from simulators.chip_mrz import mrz_lines
from simulators.chip_person import CardPerson, card_person
from simulators.chip_pki import TestPki
from simulators.vss_people import PEOPLE, qr_payload
from tests.simulators.chip.openssl_oracle import certificate_of, chain_error, openssl, pem_file, signature_of
from tests.simulators.chip.openssl_oracle import signed_content as content_of

NOW = datetime.now(UTC)
TODAY = date(2026, 11, 2)
MAU = CardPerson(
    citizen_id="093190000456",
    full_name="Trần Thị Mẫu",
    birth_date="1990-02-01",
    sex="F",
    address="Ấp Thử Nghiệm, Xã Mẫu",
    issued_on=date(2021, 7, 5),
    expires_on=date(2030, 2, 1),
    old_id="364000123",
)
CARD_HOLDERS = [person for person in PEOPLE if person.citizen_id]
NAMED = replace(CCCD_2021, signer=Scheme("secp256r1"))
SIGNERS = (
    Scheme("brainpoolP256r1", "sha224"),
    Scheme("brainpoolP512r1", "sha512"),
    Scheme("secp384r1", "sha384"),
    Scheme("rsa-2048", "sha256"),
    Scheme("rsa-2048", "sha512", pss=True),
)


@pytest.fixture(scope="module")
def pki():
    return TestPki(NOW, Scheme("secp384r1", "sha384"))


@pytest.fixture(scope="module")
def card(pki):
    return personalise(MAU, pki, NAMED)


def test_the_examples_of_the_reference_come_out_byte_for_byte(card):
    assert card.mrz == (
        "IDVNM1900004563093190000456<<3",
        "9002018F3002016VNM<<<<<<<<<<<4",
        "TRAN<<THI<MAU<<<<<<<<<<<<<<<<<",
    )
    assert card.can == "000456"
    assert card.files[DG1] == bytes.fromhex("61 5D 5F1F 5A") + "".join(card.mrz).encode()
    access = "31 14 30 12 06 0A 04 00 7F 00 07 02 02 04 02 02 02 01 02 02 01 0D"
    assert card.master_files == {CARD_ACCESS: bytes.fromhex(access)}
    entries = dg13_entries(MAU)
    for index, expected in {
        1: "30 11 02 01 01 13 0C 30 39 33 31 39 30 30 30 30 34 35 36",
        2: "30 17 02 01 02 0C 12 54 72 E1 BA A7 6E 20 54 68 E1 BB 8B 20 4D E1 BA AB 75",
        4: "30 09 02 01 04 0C 04 4E E1 BB AF",
        12: "30 0F 02 01 0C 0C 0A 30 31 2F 30 32 2F 32 30 33 30",
        13: "30 28 02 01 0D 30 11 0C 0F 54 72 E1 BA A7 6E 20 56 C4 83 6E 20 43 68 61"
        "30 10 0C 0E 4C C3 AA 20 54 68 E1 BB 8B 20 4D E1 BA B9",
        14: "30 03 02 01 0E",
        15: "30 0E 02 01 0F 13 09 33 36 34 30 30 30 31 32 33",
        16: "30 15 02 01 10 13 10 30 31 32 33 34 35 36 37 38 39 41 42 43 44 45 46",
    }.items():
        assert entries[index - 1] == bytes.fromhex(expected)


def test_a_card_without_expiry_and_one_with_a_year_of_birth_only():
    forever = replace(MAU, citizen_id="093050000789", birth_date="1950-01-01", sex="M", expires_on=None)
    assert mrz_lines(forever, "TD1")[:2] == ("IDVNM0500007897093050000789<<7", "5001013M9912315VNM<<<<<<<<<<<2")
    assert "Không thời hạn".encode() in dg13_entries(forever)[11]
    year_only = replace(MAU, birth_date="1948")
    assert mrz_lines(year_only, "TD1")[1].startswith("48<<<<2F")  # 7 * 4 + 3 * 8 = 52
    assert dg13_entries(year_only)[2] == bytes.fromhex("30 09 02 01 03 13 04") + b"1948"


def test_names_lose_their_accents_and_what_does_not_fit():
    long = replace(MAU, full_name="Nguyễn Phước Đặng Hoàng Thị Quỳnh Như")
    assert mrz_lines(long, "TD1")[2] == "NGUYEN<<PHUOC<DANG<HOANG<THI<Q"
    assert mrz_lines(replace(MAU, full_name="Ý Lan"), "TD1")[2] == "Y<<LAN" + "<" * 24


@pytest.mark.parametrize("person", CARD_HOLDERS, ids=lambda person: str(person.number))
def test_cards_of_the_simulated_people_agree_with_their_qr_and_are_valid(person):
    owner = card_person(person, TODAY)
    number, _, name, born, sex, address, issued, *_ = qr_payload(person, TODAY).decode().rstrip("\r").split("|")
    values = texts(openssl("asn1parse", "-inform", "DER", data=b"".join(dg13_entries(owner))).stdout.decode())
    assert values == texts_of(owner)
    assert [values[0], values[1], values[3], values[8]] == [number, name, sex, address]
    assert values[2].replace("/", "") == born
    assert values[10].replace("/", "") == issued
    assert owner.expires_on is None or owner.expires_on > TODAY
    assert all(set(line) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<") for line in mrz_lines(owner, "TD1"))


def texts(listing):
    """The strings that `openssl asn1parse` lists, in order."""
    return [line.split("STRING", 1)[1].split(":", 1)[1].rstrip() for line in listing.splitlines() if "STRING" in line]


def texts_of(owner):
    def day(value):
        return f"{value:%d/%m/%Y}" if value else "Không thời hạn"

    return [
        owner.citizen_id,
        owner.full_name,
        "/".join(reversed(owner.birth_date.split("-"))),
        {"F": "Nữ", "M": "Nam"}[owner.sex],
        owner.nationality,
        owner.ethnicity,
        owner.religion,
        owner.place_of_origin,
        owner.address,
        owner.identifying_marks,
        day(owner.issued_on),
        day(owner.expires_on),
        owner.father,
        owner.mother,
        *owner.spouses,
        owner.old_id,
        owner.chip_id,
    ]


def test_a_person_without_a_number_has_no_card():
    child = next(person for person in PEOPLE if person.citizen_id is None)
    with pytest.raises(ValueError, match="no citizen card"):
        card_person(child, TODAY)


def test_long_texts_of_dg13_take_long_lengths(pki):
    address = "Số 123/45/6 đường Nguyễn Văn Cừ nối dài, khu phố Bình Thường, Phường Thử Nghiệm, Thành phố Mô Phỏng " * 3
    long = replace(MAU, address=address)
    size = len(address.encode())
    assert size > 255
    residence = dg13_entries(long)[8]
    head = b"\x30\x82" + (size + 7).to_bytes(2, "big") + b"\x02\x01\x09\x0c\x82" + size.to_bytes(2, "big")
    assert residence == head + address.encode()
    assert address in openssl("asn1parse", "-inform", "DER", data=personalise(long, pki).files[DG13]).stdout.decode()


@pytest.mark.parametrize("size", [0, 3_000, 8_191, 15_000, 40_000])
@pytest.mark.parametrize("form", ["jpeg", "jp2"])
def test_the_portrait_decodes_and_dg2_has_the_size_wanted(pki, form, size):
    data = personalise(MAU, pki, replace(NAMED, portrait=form, dg2_size=size))
    dg2 = data.files[DG2]
    assert len(dg2) == size if size else len(dg2) < 3_000
    assert dg2.endswith(data.portrait)
    with Image.open(io.BytesIO(data.portrait)) as image:
        image.load()
        assert (image.format, image.size, image.mode) == ({"jpeg": "JPEG", "jp2": "JPEG2000"}[form], (240, 320), "RGB")
        assert len(image.getcolors(100_000)) > 50
    record = dg2[dg2.index(b"FAC\x00") :]
    assert record[:8] == b"FAC\x00010\x00"
    assert int.from_bytes(record[8:12], "big") == len(record)
    assert record[14:18] == (len(record) - 14).to_bytes(4, "big")
    assert record[14 + 20 : 14 + 26] == bytes([1, form == "jp2", 0, 240, 1, 64])


@pytest.mark.parametrize(
    ("profile", "tags"),
    [(NAMED, "61 75 63 6D 6E 6F"), (CC_2024, "61 75 63 6E 6F"), (replace(NAMED, dg3=False, dg14=False), "61 75 6D 6F")],
    ids=["2021", "2024", "few"],
)
def test_ef_com_lists_what_is_there(pki, profile, tags):
    files = personalise(MAU, pki, profile).files
    listed = bytes.fromhex(tags)
    assert files[COM].endswith(b"\x5c" + bytes((len(listed),)) + listed)
    assert files[COM][2:15] == b"\x5f\x01\x040107\x5f\x36\x06040"
    assert {file[0] for fid, file in files.items() if fid not in (COM, SOD)} == set(listed)


def test_a_card_may_lack_ef_com(pki):
    assert COM not in personalise(MAU, pki, replace(NAMED, com=False)).files


def infos_of(encoded):
    """SecurityInfos as (object identifier, the whole info in DER)."""
    infos = SetOf.load(encoded, spec=Sequence)
    return [(ObjectIdentifier.load(info.contents).dotted, info.dump()) for info in infos]


@pytest.mark.parametrize("explicit", [True, False], ids=["explicit", "named"])
@pytest.mark.parametrize("curve", ["secp256r1", "brainpoolP384r1", "secp521r1"])
def test_dg14_and_dg15_carry_the_public_keys_of_the_chip(pki, curve, explicit):
    profile = replace(
        NAMED,
        chip_authentication=ChipAuthentication(curve, "AES-256", explicit, key_id=7),
        active_authentication=ActiveAuthentication(curve, "sha384", explicit=explicit),
    )
    data = personalise(MAU, pki, profile)
    infos = dict(infos_of(data.files[DG14][data.files[DG14].index(b"\x31") :]))
    assert set(infos) == {
        "0.4.0.127.0.7.2.2.1.2",
        "0.4.0.127.0.7.2.2.3.2.4",
        "0.4.0.127.0.7.2.2.4.2.2",
        "2.23.136.1.1.5",
    }
    assert infos["0.4.0.127.0.7.2.2.3.2.4"].endswith(bytes.fromhex("020101 020107"))
    assert infos["2.23.136.1.1.5"].endswith(bytes.fromhex("060a 04007f00070101040104"))
    assert infos["0.4.0.127.0.7.2.2.4.2.2"] == data.master_files[CARD_ACCESS][2:]
    public = infos["0.4.0.127.0.7.2.2.1.2"]
    assert public.endswith(point(data.ca_key) + b"\x02\x01\x07")
    assert data.files[DG15].endswith(point(data.aa_key))
    spki = data.files[DG15][data.files[DG15].index(b"\x30") :]
    form = keys.PublicKeyInfo.load(spki)["algorithm"]["parameters"].name
    assert form == ("specified" if explicit else "named")
    assert openssl("ec", "-pubin", "-inform", "DER", "-noout", data=spki).returncode == 0


def point(key):
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def test_early_chips_name_no_cipher_and_rsa_needs_no_algorithm(pki):
    profile = replace(
        NAMED,
        chip_authentication=ChipAuthentication("brainpoolP256r1", None),
        active_authentication=ActiveAuthentication("rsa-1024", "sha1"),
    )
    data = personalise(MAU, pki, profile)
    names = [name for name, _ in infos_of(data.files[DG14][4:])]
    assert names == ["0.4.0.127.0.7.2.2.1.2", "0.4.0.127.0.7.2.2.4.2.2"]
    key = data.aa_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert data.files[DG15] == b"\x6f\x81" + bytes((len(key),)) + key


@pytest.mark.parametrize("hash_name", ["sha1", "sha224", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("signer", SIGNERS, ids=lambda scheme: f"{scheme.key}-{scheme.hash}{'-pss' * scheme.pss}")
def test_ef_sod_holds_in_openssl_for_every_algorithm(pki, signer, hash_name, tmp_path):
    data = personalise(MAU, pki, replace(CC_2024, dg2_size=0, signer=signer, hash=hash_name))
    signed = signature_of(data)
    hashed = hashes_in(content_of(signed), hash_name)
    groups = {1: DG1, 2: DG2, 3: DG3, 14: DG14, 15: DG15}
    assert hashed == {number: new_hash(hash_name, data.files[fid]).digest() for number, fid in groups.items()}
    anchors = pem_file(tmp_path / "csca.pem", pki.csca.certificate)
    assert chain_error(certificate_of(signed, tmp_path), anchors) == ""


def hashes_in(content, hash_name):
    fields = Sequence.load(content)
    assert DigestAlgorithm.load(fields[1].dump())["algorithm"].native == hash_name
    return {pair.native["0"]: pair.native["1"] for pair in SetOf.load(b"\x31" + fields[2].dump()[1:], spec=Sequence)}


def test_ef_sod_with_written_out_parameters_verifies(pki):
    data = personalise(MAU, pki)
    assert content_of(signature_of(data)) is not None
    assert b"\x06\x07\x2a\x86\x48\xce\x3d\x01\x01" in data.files[SOD]


@pytest.mark.parametrize("named_by", ["issuer", "key"])
@pytest.mark.parametrize("time", [True, False], ids=["time", "timeless"])
@pytest.mark.parametrize("version", [0, 1])
def test_ef_sod_comes_in_the_forms_of_the_standard(pki, version, time, named_by):
    moment = NOW - timedelta(days=40)
    profile = replace(NAMED, lds_version=version, signing_time=time, named_by=named_by)
    data = personalise(MAU, pki, profile, moment)
    info = cms.ContentInfo.load(signature_of(data))["content"]["signer_infos"][0]
    attributes = {attribute["type"].native: attribute["values"][0].native for attribute in info["signed_attrs"]}
    assert attributes["content_type"] == "2.23.136.1.1.1"
    assert attributes.get("signing_time") == (moment.replace(microsecond=0) if time else None)
    assert info["sid"].name == {"issuer": "issuer_and_serial_number", "key": "subject_key_identifier"}[named_by]
    content = content_of(signature_of(data))
    assert Sequence.load(content)[0].native == version
    assert content.endswith(b"\x30\x0e\x13\x040108\x13\x06040000") == bool(version)
    assert data.signed_at == moment


def test_chip_authentication_mapping_brings_a_signed_key(pki, tmp_path):
    data = personalise(MAU, pki, replace(CAM, signer=Scheme("secp256r1")))
    signed = data.master_files[CARD_SECURITY]
    anchors = pem_file(tmp_path / "csca.pem", pki.csca.certificate)
    assert chain_error(certificate_of(signed, tmp_path), anchors) == ""
    assert cms.ContentInfo.load(signed)["content"]["encap_content_info"]["content_type"].dotted == "0.4.0.127.0.7.3.2.1"
    infos = infos_of(content_of(signed))
    assert [name for name, _ in infos[:2]] == ["0.4.0.127.0.7.2.2.4.6.2", "0.4.0.127.0.7.2.2.4.2.2"]
    assert infos[2][1].endswith(point(data.pace_cam_key))
    assert data.master_files[CARD_ACCESS].count(b"\x02\x01\x0d") == 2


def test_chips_without_pace_have_no_card_access(pki):
    assert personalise(MAU, pki, BAC_ONLY).master_files == {}


def test_every_pace_info_has_its_identifier():
    infos = [
        PaceInfo("DH-GM", "AES-128", 0),
        PaceInfo("ECDH-GM", "3DES", 12),
        PaceInfo("ECDH-IM", "AES-256", 18),
        PaceInfo("ECDH-CAM", "AES-192", 16),
    ]
    assert [info.protocol[len("0.4.0.127.0.7.2.2.4.") :] for info in infos] == ["1.2", "2.1", "4.4", "6.3"]
    assert infos[3].curve == "brainpoolP384r1"


def test_a_passport_has_two_lines_of_44(pki):
    data = personalise(MAU, pki, PASSPORT)
    assert data.mrz == (
        "P<VNMTRAN<<THI<MAU<<<<<<<<<<<<<<<<<<<<<<<<<<",
        "X9900001<0VNM9002018F3002016093190000456<<34",
    )
    assert parse("\n".join(data.mrz), today=TODAY).valid
    assert data.files[DG1][:5] == bytes.fromhex("61 5B 5F1F 58")
    assert DG13 not in data.files


def test_the_benchmark_card_has_the_sizes_that_reads_are_measured_with():
    data = personalise(MAU, TestPki(NOW, BENCHMARK_CSCA), BENCHMARK)
    wanted = {DG1: 95, DG2: 15_000, DG13: 700, DG14: 400, DG15: 100, SOD: 2_200}
    sizes = {fid: len(data.files[fid]) for fid in wanted}
    assert (sizes[DG1], sizes[DG2], sizes[DG13]) == (95, 15_000, 700)
    assert all(abs(sizes[fid] - size) <= max(6, size * 0.02) for fid, size in wanted.items())


def test_profiles_are_free_of_what_they_leave_out(pki):
    bare = Profile(pace=(), chip_authentication=None, active_authentication=None, dg3=False, dg13=False, dg14=False)
    data = personalise(MAU, pki, bare)
    assert set(data.files) == {COM, DG1, DG2, SOD}
    assert (data.aa_key, data.ca_key, data.pace_cam_key) == (None, None, None)


def test_a_card_shown_as_text_tells_nothing_of_its_owner(card):
    shown = repr(card)
    assert all(secret not in shown for secret in (MAU.citizen_id, MAU.full_name, card.can, card.mrz[2], "TRAN", "Mẫu"))
