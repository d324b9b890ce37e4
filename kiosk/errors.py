"""The error tree. No foreign error (httpx, pyserial, SQL) leaves the module that called the library.

::

    KioskError                     code: stable, upper case
    ├── ReaderUnavailable          READER_UNAVAILABLE    the device is gone or cannot be opened
    ├── GatewayUnavailable         GATEWAY_UNAVAILABLE   no usable answer came from the insurance gateway
    ├── GatewayMisconfigured       GATEWAY_MISCONFIGURED account, officer or address refused: an operator must act
    ├── HospitalError
    │   ├── HospitalUnavailable    HOSPITAL_UNAVAILABLE  surely not registered; may be repeated freely
    │   ├── HospitalOutcomeUnknown HOSPITAL_UNKNOWN      may or may not be registered; never repeated blindly
    │   └── HospitalRejected       HOSPITAL_REJECTED     the hospital said no; a human must look
    ├── ProvinceUnavailable        PROVINCE_UNAVAILABLE  the hub did not take the batch; repeat
    ├── RegisterUnavailable        REGISTER_UNAVAILABLE  the facility's relay did not take what a station told
    ├── TokenVerifierUnavailable   VNEID_UNAVAILABLE     nobody could say whose changing VNeID code this is
    ├── StoreError
    │   ├── StoreFull              STORE_FULL            the disk took nothing; nothing was promised
    │   ├── StoreBusy              STORE_BUSY            another process holds the file
    │   └── StoreUnusable          STORE_UNUSABLE        wrong key, damaged file or unsafe settings
    └── ConfigError                CONFIG                the start is refused, with the key's name

A refusal of a *person* (card expired, wrong name) is never an exception: it is an Eligibility.
Messages carry no personal data: they reach logs.
"""

from __future__ import annotations


class KioskError(Exception):
    """Root of all errors of this project; ``code`` is stable and safe to show."""

    code = "KIOSK_ERROR"


class ReaderUnavailable(KioskError):
    """A reading device is missing, taken or broke off."""

    code = "READER_UNAVAILABLE"


class GatewayUnavailable(KioskError):
    """The insurance gateway gave no usable answer.

    ``reason``: a ``NET_*`` or result code; ``reached``: True when a request surely arrived there.
    """

    code = "GATEWAY_UNAVAILABLE"

    def __init__(self, reason: str, *, reached: bool = False) -> None:
        """Keep the machine-readable *reason*."""
        super().__init__(reason)
        self.reason = reason
        self.reached = reached


class GatewayMisconfigured(KioskError):
    """The gateway refuses this facility's account or officer; asking again changes nothing."""

    code = "GATEWAY_MISCONFIGURED"

    def __init__(self, reason: str) -> None:
        """Keep the machine-readable *reason* (a result code such as ``401`` or ``054``)."""
        super().__init__(reason)
        self.reason = reason


class HospitalError(KioskError):
    """Anything that kept a hospital system from confirming."""

    code = "HOSPITAL_ERROR"


class HospitalUnavailable(HospitalError):
    """Nothing was processed there: repeating is safe. ``retry_after`` in seconds if the hospital said so."""

    code = "HOSPITAL_UNAVAILABLE"

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        """Keep the *reason* code and the hint."""
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class HospitalOutcomeUnknown(HospitalError):
    """The request was sent and the answer lost. ``evidence`` is a short code such as ``c06.read_timeout``."""

    code = "HOSPITAL_UNKNOWN"

    def __init__(self, evidence: str) -> None:
        """Keep the *evidence*."""
        super().__init__(evidence)
        self.evidence = evidence


class HospitalRejected(HospitalError):
    """The hospital refused. ``reason`` is a code such as ``c06.999``; ``text`` its own words, for staff only."""

    code = "HOSPITAL_REJECTED"

    def __init__(self, reason: str, text: str = "") -> None:
        """Keep *reason*; *text* stays out of the exception's message because it may name a person."""
        super().__init__(reason)
        self.reason = reason
        self.text = text


class ProvinceUnavailable(KioskError):
    """The province hub did not confirm a batch; ``retry_after`` in seconds if it said so."""

    code = "PROVINCE_UNAVAILABLE"

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        """Keep the *reason* code and the hint."""
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class RegisterUnavailable(KioskError):
    """The facility's register of the day did not answer; ``reason`` as of a relay that cannot be asked."""

    code = "REGISTER_UNAVAILABLE"

    def __init__(self, reason: str) -> None:
        """Keep the *reason* code."""
        super().__init__(reason)
        self.reason = reason


class TokenVerifierUnavailable(KioskError):
    """The service that verifies changing VNeID codes gave no usable answer."""

    code = "VNEID_UNAVAILABLE"


class StoreError(KioskError):
    """The local store could not do what was asked; nothing of it was done."""

    code = "STORE_ERROR"


class StoreFull(StoreError):
    """The disk took nothing: no acknowledgement may be given."""

    code = "STORE_FULL"


class StoreBusy(StoreError):
    """Another process holds the store."""

    code = "STORE_BUSY"


class StoreUnusable(StoreError):
    """Wrong key, damaged file, or settings that would not keep a promise (such as synchronous=NORMAL)."""

    code = "STORE_UNUSABLE"


class ConfigError(KioskError):
    """The configuration is wrong; the message names the key and what was expected."""

    code = "CONFIG"
