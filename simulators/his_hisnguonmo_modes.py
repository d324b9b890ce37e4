"""Forced modes of the hisnguonmo simulator: what `POST /_sim/mode` can make one call do.

Before anything is processed, nothing stored: `hang_before`, `reset_before`, `http_500_before`, `http_502_html`,
`http_503` (Retry-After 5), `http_401` (the token is forgotten), `refuse`, `exception_before`.
After normal processing, the registration stored: `hang_after`, `reset_after`, `http_500_after`, `exception_after` and
every mode that spoils the answer: `truncated`, `trailing_comma`, `bom`, `html_200`, `empty_200`, `null_body`,
`null_data`, `array_data`, `no_success`, `success_text`, `wrong_person`, `no_number`, `null_fields`, `extra_fields`.
`slow` waits, then answers normally. Hangs and resets end as those of the C06 simulator.
"""

from typing import Any

from simulators.his_hisnguonmo_data import patients
from simulators.his_hisnguonmo_wire import INVALID, names

BEFORE = names("hang_before reset_before http_500_before http_502_html http_503 http_401 refuse exception_before")
AFTER = names(
    "slow hang_after reset_after http_500_after exception_after truncated trailing_comma bom html_200 empty_200 "
    "null_body null_data array_data no_success success_text wrong_person no_number null_fields extra_fields"
)
MODES = BEFORE | AFTER
_KEPT = names(
    "HisPatientProfile HisPatient HisTreatment ID PATIENT_CODE TREATMENT_CODE ROOM_CODE SERVICE_ID ROOM_ID "
    "PATIENT_TYPE_ID PATIENT_TYPE_CODE SERVICE_CODE"
)


def distorted(mode: str, answer: dict[str, Any]) -> Any:
    """`answer` (an envelope) as `mode` spoils it; unchanged for modes that act elsewhere."""
    data = answer["Data"]
    match mode:
        case "null_body":
            return None
        case "null_data":
            return answer | {"Data": None}
        case "array_data":
            return answer | {"Data": [data]}
        case "no_success":
            return {key: value for key, value in answer.items() if key != "Success"}
        case "success_text":
            return answer | {"Success": "true"}
        case "exception_after":
            return {"Data": None, "Success": False, "Param": _exception()}
        case "no_number":
            return answer | {"Data": _without_number(data)}
        case "wrong_person":
            return answer | {"Data": _of_somebody_else(data)}
        case "null_fields":
            return answer | {"Data": _only_keys(data)}
        case "extra_fields":
            return {"Version": "9.9", **answer, "Data": _with_extras(data)}
    return answer


def distorted_bytes(mode: str, body: bytes) -> bytes:
    """The answer's bytes as `mode` spoils them; unchanged for modes that act elsewhere."""
    match mode:
        case "truncated":
            return body[: len(body) // 2]
        case "trailing_comma":
            return body[:-1] + b",}"
        case "bom":
            return b"\xef\xbb\xbf" + body
    return body


def _exception() -> dict[str, Any]:
    return {"Messages": [], "BugCodes": [INVALID], "HasException": True, "Start": None, "Limit": None, "Count": None}


def _without_number(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: None if key == "NUM_ORDER" else _without_number(value) for key, value in data.items()}
    return [_without_number(item) for item in data] if isinstance(data, list) else data


def _only_keys(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _only_keys(value) if key in _KEPT else None for key, value in data.items()}
    return [_only_keys(item) for item in data] if isinstance(data, list) else data


def _with_extras(data: Any) -> Any:
    if isinstance(data, dict):
        return {"LA": "x", **{key: _with_extras(value) for key, value in data.items()}, "LA_NUA": [None, {"A": 1}]}
    return [_with_extras(item) for item in data] if isinstance(data, list) else data


def _of_somebody_else(data: Any) -> Any:
    if isinstance(data, list):
        return [_of_somebody_else(item) for item in data]
    if not isinstance(data, dict):
        return data
    if "VIR_PATIENT_NAME" not in data:
        return {key: _of_somebody_else(value) for key, value in data.items()}
    other = next(row for row in patients() if row.name and row.code != data["PATIENT_CODE"])
    return data | {
        "ID": other.id,
        "PATIENT_CODE": other.code,
        "LAST_NAME": other.last_name,
        "FIRST_NAME": other.first_name,
        "VIR_PATIENT_NAME": other.name,
        "DOB": other.dob,
        "CCCD_NUMBER": other.citizen,
    }
