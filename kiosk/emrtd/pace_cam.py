"""Chip Authentication Mapping: while PACE runs, the chip proves that it has the private key of EF.CardSecurity.

A copied chip can send the file but not the proof. The proof counts only when the signature of EF.CardSecurity has been
verified; that is passive authentication's work. Source: ICAO 9303-11 4.4.3.3.3 and 4.4.3.5.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kiosk.emrtd import key_agreement
from kiosk.emrtd.ciphers import CipherSuite, decrypt, encrypt_block, unpad
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.key_agreement import EcGroup, Group
from kiosk.emrtd.security_infos import ChipAuthenticationPublicKeyInfo, SecurityInfo


@dataclass(frozen=True, slots=True)
class CamProof:
    """What a chip sent in PACE with Chip Authentication Mapping.

    ``mapping_key``: its ephemeral key of the mapping, PK_Map,IC (encoded); ``data``: the chip authentication data
    CA_IC, None when the chip sent none that can be read, which proves nothing.
    """

    group: Group
    mapping_key: bytes
    data: int | None = field(repr=False)

    def verify(self, card_security: Iterable[SecurityInfo]) -> bool:
        """Whether the chip has the private key of one of the public keys in *card_security*.

        *card_security*: ``security_infos.parse`` of the signed content of EF.CardSecurity, whose signature the caller
        has checked. The chip's key must be on the curve of this PACE: PK_Map,IC = CA_IC * PK_IC.
        """
        if self.data is None or not isinstance(self.group, EcGroup):
            return False
        curve = self.group.curve
        for info in card_security:
            if not isinstance(info, ChipAuthenticationPublicKeyInfo):
                continue
            try:
                group, public = key_agreement.from_spki(info.spki)
            except DataError:
                continue  # a key of another protocol, in a form not known here
            if group == self.group:
                point = curve.multiply(self.data, curve.decode(public))
                if point is not None and curve.encode(point) == self.mapping_key:
                    return True
        return False


def proof(group: Group, suite: CipherSuite, k_enc: bytes, mapping_key: bytes, sealed: bytes | None) -> CamProof:
    """Open the encrypted chip authentication data *sealed* (object 8A of the last answer, None when missing).

    Never raises for what the chip sent: PACE itself has succeeded, and only the proof is missing then.
    """
    return CamProof(group, mapping_key, None if sealed is None else _open(group, suite, k_enc, sealed))


def _open(group: Group, suite: CipherSuite, k_enc: bytes, sealed: bytes) -> int | None:
    if not sealed or len(sealed) % suite.block_bytes:
        return None
    iv = encrypt_block(suite, k_enc, b"\xff" * suite.block_bytes)  # E(KS_Enc, -1)
    data = unpad(decrypt(suite, k_enc, sealed, iv))
    return None if data is None or len(data) > group.key_bytes else int.from_bytes(data, "big")
