"""A read as the JSON of ``kioskctl read-card``."""

import json
from dataclasses import replace

from kiosk.chip_report import chip_json, error_json, failure_json
from kiosk.documents.chip_person import person_of
from kiosk.emrtd.errors import ChannelBroken, ChipLost, WrongKey
from kiosk.emrtd.lds import portrait
from simulators.chip_files import CC_2024
from tests.kiosk.signed_card import card, files_of, read_of

CONTRACT = {
    "identity",
    "identity_source",
    "access",
    "access_note",
    "checks",
    "verdict",
    "issuer",
    "photo",
    "apdus",
    "seconds",
    "warnings",
    "error",
}
IDENTITY = {
    "personal_id",
    "full_name",
    "birth_date",
    "sex",
    "address",
    "issued_on",
    "expires_on",
    "old_id",
    "nationality",
    "ethnicity",
    "place_of_origin",
}


def test_a_read_becomes_the_contract():
    data = card()
    read = read_of(data, None)
    photo = portrait(files_of(data, photo=True)["DG2"])
    report = chip_json(read, person_of(read.files), photo)
    assert json.loads(json.dumps(report)) == report
    assert report.keys() >= CONTRACT and report["identity"].keys() == IDENTITY
    assert report["identity"]["personal_id"] == data.person.citizen_id
    assert report["identity"]["full_name"] == data.person.full_name
    assert report["identity"]["expires_on"] == data.person.expires_on.isoformat()
    assert (report["identity_source"], report["access"], report["verdict"]) == ("DG13", "PACE", "cannot_tell")
    assert report["checks"] == {
        "hashes": "passed",
        "signature": "passed",
        "chain": "no_anchor",
        "active_authentication": "passed",
        "chip_authentication": "passed",
        "downgrade": "passed",
    }
    assert report["photo"] == {"format": "jpeg", "bytes": len(data.portrait)}
    assert (report["apdus"], report["seconds"], report["error"]) == (84, 1.2, None)


def test_what_is_not_known_is_null():
    data = card(CC_2024)
    read = replace(read_of(data, None), access=None, issuer=None)
    report = chip_json(read, person_of(read.files))
    assert (report["identity_source"], report["photo"], report["access"], report["issuer"]) == ("DG1", None, None, None)
    assert (report["identity"]["ethnicity"], report["identity"]["issued_on"]) == (None, None)


def test_an_error_has_the_same_keys():
    report = error_json("NO_CARD", "no card lies on the reader")
    assert report.keys() >= CONTRACT
    lists = {"warnings", "mismatches", "findings"}
    assert {name for name, value in report.items() if value is not None} == {"error", "why"} | lists
    assert [report[name] for name in sorted(lists)] == [[], [], []]


def test_a_failure_tells_its_status_word():
    assert failure_json(WrongKey(0x63C2, "PACE"))["sw"] == "63C2"
    assert (failure_json(ChannelBroken("it ended", 0x6988))["error"]) == "CHIP_ERROR"
    lost = failure_json(ChipLost("gone"))
    assert (lost["error"], lost["sw"], lost["why"]) == ("CARD_LOST", None, "gone")
