"""Headers and signatures that the C06 simulator takes and refuses, over real HTTP."""

import time

import pytest

from simulators.his_c06_wire import sign

VECTORS = [
    ([], "c0975d4197c94bf336e103054238c5226089524af5d5945c55a34ea9c77dd3d3"),
    (["KNOI"], "95ed6ae62939993f20495934c1c61bc023cfd87198c570920df3c5ea0b96833e"),
    ([None], "29e6ee64afc32804a7575a15c8739d64efad8a40ebd6d68f867b4575eedd956b"),
    (["099190000001", "CCCD"], "17973cd3030c1ac9ed2047291438e1fba2d1eb14755e21a948399eac52ec4374"),
    (["BN000001"], "7afa4e6093d10260c5e089119da05247aa09d21f307b2bd8951c7f38fa41e554"),
    (
        ["KNOI", "2026-01-01 07:00:00", "2026-01-01 17:00:00"],
        "88ae4ccb468f42791f680dffc8b9882ae43b8c3fbfdcd53ec58417452165285e",
    ),
]


def asked(number, doc_type="CCCD", name="AI ĐÓ", sex="1"):
    return {"SO_GTTT": number, "LOAI_GTTT": doc_type, "HO_TEN": name, "GIOI_TINH": sex}


@pytest.mark.parametrize(("values", "expected"), VECTORS)
def test_signature_vectors(values, expected):
    assert sign("sim-c06-secret", "KIOSK-TEST", "1767243600000", values) == expected


@pytest.mark.parametrize(
    ("path", "vector"),
    [
        ("loai-kham", 0),
        ("dichvu?MA_KHOA=KNOI", 1),
        ("dichvu?ID_KHOA=11", 2),
        ("benhnhan?SO_GTTT=099190000001&LOAI_GTTT=CCCD", 3),
        (
            "khoa/dichvu-cotontai?MA_KHOA=KNOI&THOI_GIAN_BAT_DAU=2026-01-01%2007%3A00%3A00"
            "&THOI_GIAN_KET_THUC=2026-01-01%2017%3A00%3A00",
            5,
        ),
    ],
)
def test_vectors_open_the_calls(his_c06, path, vector):
    his = his_c06()
    his.sim("clock", {"now": "2026-01-01T12:00:00+07:00"})
    headers = {"x-merchant-id": "KIOSK-TEST", "x-timestamp": "1767243600000", "x-sign": VECTORS[vector][1]}
    assert his.http.get(path, headers=headers).json()["code"] == "000"


def test_registration_signs_the_patient_code(his_c06, c06_body):
    his = his_c06()
    his.sim("clock", {"now": "2026-01-01T12:00:00+07:00"})
    headers = {"x-merchant-id": "KIOSK-TEST", "x-timestamp": "1767243600000", "x-sign": VECTORS[4][1]}
    assert his.http.post("dangky-kcb", json=c06_body(), headers=headers).json()["code"] == "000"


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"x-sign": ""}, "missing_header"),
        ({"x-merchant-id": "ANOTHER"}, "unknown_merchant"),
        ({"x-timestamp": "20260101120000"}, "bad_timestamp"),
        ({"x-sign": "0" * 64}, "mismatch"),
    ],
)
def test_bad_headers_are_refused(his_c06, change, verdict):
    his = his_c06()
    answer = his.http.get("loai-kham", headers=his.headers([]) | change)
    assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (200, "999", None)
    assert his.sim("calls")["calls"][-1]["sign"] == verdict


def test_upper_case_signature_and_extra_signed_field_are_refused(his_c06):
    his = his_c06()
    good = his.headers([])
    assert his.http.get("loai-kham", headers=good | {"x-sign": good["x-sign"].upper()}).json()["code"] == "999"
    assert his.http.get("khoa?ID_LOAI_KHAM=1", headers=his.headers(["1"])).json()["code"] == "999"


@pytest.mark.parametrize(("off_s", "code"), [(-290, "000"), (290, "000"), (-310, "999"), (310, "999")])
def test_skew(his_c06, off_s, code):
    his = his_c06()
    stamp = int((time.time() + off_s) * 1000)
    assert his.http.get("loai-kham", headers=his.headers([], stamp)).json()["code"] == code


def test_skew_is_a_switch_and_a_simulated_day_does_not_move_it(his_c06):
    his = his_c06(skew_s=2, today="2026-01-05")
    assert his.get("loai-kham")["code"] == "000"
    assert his.http.get("loai-kham", headers=his.headers([], int(time.time() * 1000) - 9000)).json()["code"] == "999"


@pytest.mark.parametrize(("form", "status"), [("body999", 200), ("http401", 401), ("http403_html", 403)])
def test_sign_error_forms(his_c06, form, status):
    his = his_c06(sign_error=form)
    his.secret = "wrong"
    answer = his.http.get("loai-kham", headers=his.headers([]))
    assert answer.status_code == status
    assert ("html" in answer.headers["content-type"]) == (form == "http403_html")


def test_signed_fields_of_the_two_open_calls_are_switches(his_c06, c06_body):
    his = his_c06(sign_bhyt="HO_TEN", sign_dangky_kcb=("SO_GTTT", "ID_DICH_VU"))
    fields = asked("099190000001", name="TRAN")
    assert his.http.get("bhyt", params=fields, headers=his.headers(["TRAN"])).json()["code"] == "000"
    headers = his.headers(["099190000001", "502"])
    assert his.http.post("dangky-kcb", json=c06_body(), headers=headers).json()["code"] == "000"
    assert his.register(c06_body())["code"] == "999"
