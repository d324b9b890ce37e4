"""Key derivation, MACs and padding against the examples that standards print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.emrtd.ciphers import (
    COUNTER_PASSWORD,
    CipherSuite,
    decrypt,
    derive_key,
    encrypt,
    encrypt_block,
    mac,
    mac_equal,
    pad,
    session_keys,
    unpad,
)


def test_keys_of_3des_have_odd_parity() -> None:
    """ICAO 9303-11 appendix D.1."""
    enc, checksum = session_keys(CipherSuite.DES3, bytes.fromhex("239AB9CB282DAF66231DC5A4DF6BFBAE"))
    assert enc.hex().upper() == "AB94FDECF2674FDFB9B391F85D7F76F2"
    assert checksum.hex().upper() == "7962D9ECE03D1ACD4C76089DCE131543"
    assert {bin(byte).count("1") & 1 for byte in enc + checksum} == {1}


def test_the_password_key_of_a_can() -> None:
    """identity-documents.md 6."""
    key = derive_key(CipherSuite.AES128, b"000456", COUNTER_PASSWORD)
    assert key.hex().upper() == "1637DC4DEAC85D026B723B3569DC7F41"


@pytest.mark.parametrize(
    ("suite", "length"), [(CipherSuite.AES128, 16), (CipherSuite.AES192, 24), (CipherSuite.AES256, 32)]
)
def test_key_lengths(suite: CipherSuite, length: int) -> None:
    assert [len(key) for key in session_keys(suite, b"secret")] == [length, length] == [suite.key_bytes] * 2


def test_the_retail_mac() -> None:
    """ICAO 9303-11 appendix D.3: the cryptogram of EXTERNAL AUTHENTICATE."""
    sealed = bytes.fromhex("72C29C2371CC9BDB65B779B8E8D37B29ECC154AA56A8799FAE2F498F76ED92F2")
    key = bytes.fromhex("7962D9ECE03D1ACD4C76089DCE131543")
    assert mac(CipherSuite.DES3, key, pad(sealed, 8)).hex().upper() == "5F1448EEA8AD90A7"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("", "bb1d6929e9593728"),
        ("6bc1bee22e409f96e93d7e117393172a", "070a16b46b4d4144"),
        ("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411", "dfa66747de9ae630"),
    ],
    ids=["empty", "one-block", "two-and-a-half"],
)
def test_cmac_is_cut_to_eight_bytes(message: str, expected: str) -> None:
    """NIST SP 800-38B appendix D.1."""
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    assert mac(CipherSuite.AES128, key, bytes.fromhex(message)).hex() == expected


def test_one_block_alone() -> None:
    """FIPS 197 appendix B."""
    key, block = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"), bytes.fromhex("3243f6a8885a308d313198a2e0370734")
    assert encrypt_block(CipherSuite.AES128, key, block).hex() == "3925841d02dc09fbdc118597196a0b32"


@pytest.mark.parametrize("suite", list(CipherSuite), ids=lambda suite: suite.name)
@given(data=st.binary(max_size=100), iv=st.booleans())
def test_what_is_encrypted_is_decrypted(suite: CipherSuite, data: bytes, iv: bool) -> None:
    key, block = bytes(range(suite.key_bytes)), suite.block_bytes
    vector = bytes(range(block)) if iv else None
    padded = pad(data, block)
    assert len(padded) % block == 0
    assert 0 < len(padded) - len(data) <= block
    assert unpad(decrypt(suite, key, encrypt(suite, key, padded, vector), vector)) == data


@pytest.mark.parametrize("data", [b"", b"\x00\x00", b"abc", b"\x80\x01"], ids=["empty", "zeros", "none", "behind"])
def test_wrong_padding(data: bytes) -> None:
    assert unpad(data) is None


def test_macs_are_compared_whole() -> None:
    assert mac_equal(b"12345678", b"12345678")
    assert not mac_equal(b"12345678", b"1234567")
    assert not mac_equal(b"12345678", b"12345679")
