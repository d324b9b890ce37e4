"""What the checks of a chip's data can find: stable codes, without personal data, for staff texts and records."""

from __future__ import annotations

from enum import StrEnum


class Finding(StrEnum):
    """One code each; which check it belongs to stands in the comment of its group."""

    # hashes
    SOD_MISSING = "W_SOD_MISSING"  # the chip has no EF.SOD: nothing is signed
    SOD_MALFORMED = "W_SOD_MALFORMED"  # EF.SOD cannot be understood
    HASH_MISMATCH = "W_HASH_MISMATCH"  # a data group is not the one that was signed
    HASH_NOT_LISTED = "W_HASH_NOT_LISTED"  # a data group that the signed list does not know

    # signature
    SIGNER_UNKNOWN = "W_SIGNER_UNKNOWN"  # no certificate for the signer that is named
    SIGNER_KEY_UNUSABLE = "W_SIGNER_KEY_UNUSABLE"  # the signer's key is malformed or on an unknown curve
    SIGNED_ATTRIBUTES_WRONG = "W_SIGNED_ATTRIBUTES_WRONG"  # digest or content type are not those of the content
    SIGNATURE_WRONG = "W_SIGNATURE_WRONG"  # the signature is not the signer's
    ALGORITHM_REFUSED = "W_ALGORITHM_REFUSED"  # SHA-1, or an algorithm that is not known here

    # chain
    ISSUER_UNKNOWN = "W_ISSUER_UNKNOWN"  # no anchor of the issuer's name and key: foreign, newer, or invented
    CHAIN_BROKEN = "W_CHAIN_BROKEN"  # the anchor it names did not sign the certificate
    CERTIFICATE_USAGE = "W_CERTIFICATE_USAGE"  # a certificate that is not for signing documents
    DS_REVOKED = "W_DS_REVOKED"  # the signer or a link certificate is on the revocation list
    DS_NOT_VALID = "W_DS_NOT_VALID"  # signed outside the validity of the signer's certificate
    DS_EXPIRED = "W_DS_EXPIRED"  # expired today, and no signing time to say that it was valid then
    CSCA_NOT_VALID = "W_CSCA_NOT_VALID"  # signed outside the validity of the issuer's certificate
    SIGNED_IN_FUTURE = "W_SIGNED_IN_FUTURE"  # signed, or the certificate begins, after now
    CRL_STALE = "W_CRL_STALE"  # the revocation list should have been replaced by now

    # the keys against copies
    ANTI_CLONE_KEY_MISSING = "W_ANTI_CLONE_KEY_MISSING"  # DG14 or DG15 is signed for, but not on the chip
    ANTI_CLONE_KEY_UNSIGNED = "W_ANTI_CLONE_KEY_UNSIGNED"  # DG14 or DG15 is on the chip, but not signed for

    # access
    PACE_TO_BAC = "W_PACE_TO_BAC"  # the chip offers PACE, and BAC was used
    CARD_ACCESS_DIFFERS = "W_CARD_ACCESS_DIFFERS"  # EF.CardAccess does not offer what DG14 signs for
    CAM_FAILED = "W_CAM_FAILED"  # the proof inside PACE is not made with the key of EF.CardSecurity

    # loading of anchors
    ANCHOR_SKIPPED = "W_ANCHOR_SKIPPED"  # a certificate that is no usable authority
    CRL_UNUSABLE = "W_CRL_UNUSABLE"  # a revocation list that no anchor signed, or with unknown critical parts
    MASTER_LIST_UNVERIFIED = "W_MASTER_LIST_UNVERIFIED"  # taken on the operator's word: no anchor for its signer
