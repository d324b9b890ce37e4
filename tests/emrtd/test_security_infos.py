"""SecurityInfos: what is printed in the reference and in worked examples, and what no chip should send."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import example, given
from hypothesis import strategies as st

from kiosk.emrtd import key_agreement, oids, security_infos, tlv
from kiosk.emrtd.ciphers import CipherSuite
from kiosk.emrtd.curves import CURVES
from kiosk.emrtd.dh_groups import GROUPS, DhGroup
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.key_agreement import EcGroup
from kiosk.emrtd.security_infos import (
    ActiveAuthenticationInfo,
    ChipAuthenticationInfo,
    ChipAuthenticationPublicKeyInfo,
    Mapping,
    PaceDomainParameterInfo,
    PaceInfo,
    TerminalAuthenticationInfo,
    UnknownInfo,
    pace_infos,
    parse,
)

CITIZEN_CARD = bytes.fromhex("31143012060A04007F0007020204020202010202010D")
GERMAN_ID_CARD = bytes.fromhex(  # EF.CardAccess of BSI TR-03110's test card ("ePA - BDr GmbH - Testkarte v2.0")
    "318182300D060804007F00070202020201023012060A04007F000702020302020201020201413012060A04007F0007020204020202010202"
    "010D301C060904007F000702020302300C060704007F0007010202010D020141302B060804007F0007020206161F655041202D2042447220"
    "476D6248202D20546573746B617274652076322E3004491715411928800A01B421FA07000000000000000000000000000000000000201010"
    "291010"
)


def entry(oid: str, *values: bytes) -> bytes:
    return tlv.encode(0x30, tlv.encode(0x06, oids.content(oid)) + b"".join(values))


def number(value: int) -> bytes:
    return tlv.encode(0x02, value.to_bytes(max(1, value.bit_length() // 8 + 1), "big"))


def infos(*entries: bytes) -> bytes:
    return tlv.encode(0x31, b"".join(entries))


def pace(mapping: int, cipher: int, parameter_id: int | None) -> bytes:
    oid = f"0.4.0.127.0.7.2.2.4.{mapping}.{cipher}"
    return entry(oid, number(2), *([] if parameter_id is None else [number(parameter_id)]))


def test_the_card_access_of_citizen_cards_is_understood() -> None:
    (info,) = parse(CITIZEN_CARD)
    assert info == PaceInfo("0.4.0.127.0.7.2.2.4.2.2", 2, 13)
    assert isinstance(info, PaceInfo)
    assert (info.mapping, info.suite, info.elliptic) == (Mapping.GM, CipherSuite.AES128, True)
    assert info.group().name == "brainpoolP256r1"
    assert pace_infos(CITIZEN_CARD) == (info,)
    assert not pace_infos(CITIZEN_CARD)[0].ambiguous


def test_a_card_access_with_everything_is_understood() -> None:
    terminal, chip, offer, parameters, card_info = parse(GERMAN_ID_CARD[: 3 + 0x82])
    assert terminal == TerminalAuthenticationInfo("0.4.0.127.0.7.2.2.2", 2)
    assert chip == ChipAuthenticationInfo("0.4.0.127.0.7.2.2.3.2.2", 2, 0x41)
    assert offer == PaceInfo("0.4.0.127.0.7.2.2.4.2.2", 2, 13)
    assert isinstance(parameters, UnknownInfo)
    assert parameters.oid == "0.4.0.127.0.7.2.2.3.2"
    assert isinstance(card_info, UnknownInfo)
    assert card_info.oid == "0.4.0.127.0.7.2.2.6"


def test_data_group_14_is_understood() -> None:
    key = ec.generate_private_key(ec.BrainpoolP256R1()).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    content = infos(
        entry("0.4.0.127.0.7.2.2.1.2", spki, number(7)),
        entry("0.4.0.127.0.7.2.2.3.2.4", number(1), number(7)),
        entry("2.23.136.1.1.5", number(1), tlv.encode(0x06, oids.content("0.4.0.127.0.7.1.1.4.1.3"))),
    )
    for data in (content, tlv.encode(0x6E, content), tlv.encode(0x6E, content) + bytes(20)):
        public, protocol, active = parse(data)
        assert public == ChipAuthenticationPublicKeyInfo("0.4.0.127.0.7.2.2.1.2", spki, 7)
        assert protocol == ChipAuthenticationInfo("0.4.0.127.0.7.2.2.3.2.4", 1, 7)
        assert isinstance(protocol, ChipAuthenticationInfo)
        assert (protocol.elliptic, protocol.suite) == (True, CipherSuite.AES256)
        assert active == ActiveAuthenticationInfo("2.23.136.1.1.5", 1, "0.4.0.127.0.7.1.1.4.1.3")


BROKEN = {
    "no-oid": tlv.encode(0x30, number(2)),
    "no-sequence": tlv.encode(0x04, b"\x01"),
    "empty": tlv.encode(0x30, b""),
    "no-version": entry("0.4.0.127.0.7.2.2.4.2.2"),
    "text-version": entry("0.4.0.127.0.7.2.2.4.2.2", tlv.encode(0x0C, b"2")),
    "huge-version": entry("0.4.0.127.0.7.2.2.4.2.2", tlv.encode(0x02, bytes(9))),
    "bad-oid": tlv.encode(0x30, tlv.encode(0x06, b"\x80") + number(2)),
    "long-oid": tlv.encode(0x30, tlv.encode(0x06, b"\x81" * 60 + b"\x01") + number(2)),
    "unknown-cipher": pace(2, 9, 13),
    "unknown-mapping": pace(9, 2, 13),
    "cam-3des": pace(6, 1, 13),
    "deeper": entry("0.4.0.127.0.7.2.2.4.2.2.1", number(2)),
    "no-key": entry("0.4.0.127.0.7.2.2.1.2", number(2)),
    "no-algorithm": entry("2.23.136.1.1.5", number(1)),
    "cut-off-inside": tlv.encode(0x30, b"\x06\x0a\x04\x00"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_entry_is_kept_and_loses_no_other(name: str) -> None:
    before, broken, after = parse(infos(pace(2, 2, 13), BROKEN[name], pace(2, 4, 12)))
    assert isinstance(broken, UnknownInfo)
    assert broken.raw == BROKEN[name]
    assert (before, after) == (PaceInfo("0.4.0.127.0.7.2.2.4.2.2", 2, 13), PaceInfo("0.4.0.127.0.7.2.2.4.2.4", 2, 12))


def test_entries_before_a_cut_are_kept() -> None:
    content = pace(2, 2, 13) + pace(2, 4, 12)[:-1]
    first, rest = parse(tlv.encode(0x31, content))
    assert first == PaceInfo("0.4.0.127.0.7.2.2.4.2.2", 2, 13)
    assert rest == UnknownInfo(None, pace(2, 4, 12)[:-1])


@pytest.mark.parametrize("data", ["", "31", "3001", "6E00", "6E023000", "3003020101", "31FF"])
def test_what_is_no_set_is_a_data_error(data: str) -> None:
    with pytest.raises(DataError):
        parse(bytes.fromhex(data))


def test_an_empty_set_offers_nothing() -> None:
    assert parse(bytes.fromhex("3100")) == pace_infos(bytes.fromhex("31820000")) == ()


def test_a_file_of_endless_entries_is_cut() -> None:
    assert len(parse(infos(*[b"\x30\x00"] * 5000))) == 100


@given(st.binary(max_size=300) | st.binary(max_size=250).map(infos))
@example(infos(entry("0.4.0.127.0.7.2.2.4.2.2", number(2), number(2**40))))
def test_arbitrary_files_never_raise_anything_else(data: bytes) -> None:
    try:
        found = parse(data)
        offered = pace_infos(data)
    except DataError:
        return
    assert all(info.group() for info in offered)
    assert len(found) >= len(offered)


def shuffled_entries() -> st.SearchStrategy[list[tuple[int, int, int | None]]]:
    one = st.tuples(st.integers(0, 7), st.integers(0, 5), st.none() | st.integers(0, 40))
    return st.lists(one, max_size=8)


@given(shuffled_entries())
def test_only_what_works_is_offered_and_the_best_first(entries: list[tuple[int, int, int | None]]) -> None:
    offered = pace_infos(infos(*(pace(*one) for one in entries)))
    assert all(info.mapping is not Mapping.IM and info.group() for info in offered)
    order = [(info.mapping is not Mapping.CAM, not info.elliptic, -info.suite.key_bytes) for info in offered]
    assert order == sorted(order)


def test_the_order_of_ways_is_cam_then_ecdh_then_dh_with_the_stronger_cipher_first() -> None:
    data = infos(pace(1, 4, 2), pace(2, 1, 13), pace(4, 4, 13), pace(2, 4, 13), pace(2, 2, 13), pace(6, 2, 13))
    assert [info.oid[-3:] for info in pace_infos(data)] == ["6.2", "2.4", "2.2", "2.1", "1.4"]
    assert all(info.ambiguous for info in pace_infos(data))


@pytest.mark.parametrize(
    "one", [(2, 2, 0), (1, 2, 13), (2, 2, 3), (2, 2, 40), (2, 2, None), (3, 2, 0), (4, 2, 13)],
    ids=["ecdh-over-dh", "dh-over-ec", "reserved", "proprietary", "nothing", "dh-im", "ecdh-im"],
)  # fmt: skip
def test_ways_that_cannot_work_are_left_out(one: tuple[int, int, int | None]) -> None:
    assert pace_infos(infos(pace(*one))) == ()


@pytest.mark.parametrize("parameter_id", [*range(3), *range(10, 19)])
def test_standardized_parameters_are_known(parameter_id: int) -> None:
    (info,) = pace_infos(infos(pace(1 if parameter_id < 3 else 2, 2, parameter_id)))
    expected = GROUPS[parameter_id] if parameter_id < 3 else EcGroup(CURVES[parameter_id - 10])
    assert info.group() == expected


@pytest.mark.parametrize("parameter_id", [None, 200])
def test_parameters_that_the_file_writes_out_are_used(parameter_id: int | None) -> None:
    named = tlv.encode(0x30, bytes.fromhex("06072A8648CE3D0201" + "06092B2403030208010107"))
    value = [] if parameter_id is None else [number(parameter_id)]
    data = infos(pace(2, 2, parameter_id), entry("0.4.0.127.0.7.2.2.4.2", named, *value))
    (info,) = pace_infos(data)
    assert info.group().name == "brainpoolP256r1"
    assert parse(data)[1] == PaceDomainParameterInfo("0.4.0.127.0.7.2.2.4.2", named, parameter_id)


def test_the_same_offer_is_equal_wherever_it_stands() -> None:
    """What EF.CardAccess and DG14 say is compared to notice tampering."""
    several = infos(pace(2, 2, 13), pace(2, 4, 12))
    assert set(pace_infos(several)) == set(parse(several))


def test_standardized_parameters_may_be_named_in_an_algorithm() -> None:
    algorithm = entry("0.4.0.127.0.7.1.2", number(13))
    assert key_agreement.from_algorithm(algorithm).name == "brainpoolP256r1"
    with pytest.raises(DataError):
        key_agreement.from_algorithm(entry("0.4.0.127.0.7.1.2", number(99)))


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.BrainpoolP384R1(), ec.SECP224R1()], ids=lambda curve: curve.name)
def test_public_keys_over_curves_are_read(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve).public_key()
    group, public = key_agreement.from_spki(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    assert isinstance(group, EcGroup)
    assert isinstance(curve, group.curve.crypto or ())
    assert public == key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def dh_key(public: int, *parameters: int) -> bytes:
    """A SubjectPublicKeyInfo over a prime field: X9.42 with p, g and q, PKCS #3 with p and g (RFC 3279 2.3.3)."""
    oid = "1.2.840.10046.2.1" if len(parameters) == 3 else "1.2.840.113549.1.3.1"
    algorithm = entry(oid, tlv.encode(0x30, b"".join(map(number, parameters))))
    return tlv.encode(0x30, algorithm + tlv.encode(0x03, b"\x00" + number(public)))


@pytest.mark.parametrize("known", GROUPS, ids=lambda group: group.name)
@pytest.mark.parametrize("with_order", [True, False], ids=["X9.42", "PKCS3"])
def test_public_keys_over_prime_fields_are_read(known: DhGroup, with_order: bool) -> None:
    assert known.q is not None
    parameters = (known.p, known.g, known.q) if with_order else (known.p, known.g)
    group, key = key_agreement.from_spki(dh_key(pow(known.g, 65537, known.p), *parameters))
    assert group is known
    assert key == known.public_key(65537)


def test_a_group_of_the_chips_own_is_used_when_it_is_sane() -> None:
    safe = int(  # RFC 3526 3, the 2048-bit group; 2 generates the subgroup of order (p-1)/2
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
        "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"
        "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D"
        "670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
        "3995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF", 16,
    )  # fmt: skip
    group, key = key_agreement.from_spki(dh_key(pow(2, 77, safe), safe, 2))
    assert group == DhGroup("the chip's own group", safe, 2)
    assert group.agree(5, key) == pow(2, 5 * 77, safe).to_bytes(256, "big")
    for bad in (safe - 1, safe >> 1500, safe << 3000 | 1):
        with pytest.raises(DataError):
            DhGroup("bad", bad, 2)
    with pytest.raises(DataError):
        DhGroup("bad", safe, 2, q=2**200 + 1)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_the_standardized_dh_groups_have_their_order(group: DhGroup) -> None:
    assert group.q is not None
    assert pow(group.g, group.q, group.p) == 1
    assert group.g != 1
    assert all(pow(base, number - 1, number) == 1 for number in (group.p, group.q) for base in (2, 3, 5))


@given(st.binary(max_size=200))
def test_arbitrary_keys_never_raise_anything_else(data: bytes) -> None:
    for read in (key_agreement.from_spki, key_agreement.from_algorithm):
        with pytest.raises(DataError):
            read(data)


def test_the_module_knows_where_pace_and_chip_authentication_are_in_the_tree() -> None:
    assert oids.dotted(bytes.fromhex("04007F000702020402")) == f"{security_infos.PACE}.2"
    assert oids.dotted(oids.content(security_infos.CHIP_AUTHENTICATION)) == "0.4.0.127.0.7.2.2.3"
