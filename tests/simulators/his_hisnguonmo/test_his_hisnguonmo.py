"""The hisnguonmo simulator over real HTTP: sign-in, envelopes, look-up, catalogues, both registrations."""

import base64
import json

import pytest
from click.testing import CliRunner

from simulators.cli import main
from simulators.his_hisnguonmo import Settings

FIND = "api/HisPatient/GetInformationForKiosk"
OWN = "api/HisServiceReq/ExamRegisterKiosk"
PARTNER = "api/HisServiceReq/RegisterKiosk"
INSURED = {"HeinCardNumber": "DN4999900000555", "HeinOrgCode": "99001", "HeinCardFromTime": 20260101000000}


def numbers(answer):
    return [row["NUM_ORDER"] for row in answer["Data"]["ServiceReqs"]]


def refused(answer):
    return answer["Success"], answer["Data"], answer["Param"]["HasException"]


@pytest.mark.parametrize(("login_error", "status"), [("http401", 401), ("body", 200)])
def test_a_wrong_account(hisnguonmo, login_error, status):
    his = hisnguonmo(login_error=login_error)
    for pair in ("HIS:kiosk:wrong", "HIS:other:sim-hisnguonmo-secret", "OTHER:kiosk:sim-hisnguonmo-secret", "kiosk"):
        answer = his.login(pair)
        assert (answer.status_code, answer.json()["Success"]) == (status, False)
    for header in ("Basic %%%", "Bearer abc", ""):
        assert his.http.get("api/Token/Login", headers={"Authorization": header}).status_code == status


def test_tokens(hisnguonmo):
    his = hisnguonmo()
    first = his.token
    his.login()
    assert his.token != first
    wrong = {"TokenCode": "0" * 64}, {"ApplicationCode": "OTHER"}
    for headers in wrong:
        assert his.http.get(FIND, headers=his.headers | headers).status_code == 401
    his.sim("forget-tokens", {})
    assert his.http.get(FIND, headers=his.headers).status_code == 401


def test_a_token_ends(hisnguonmo):
    his = hisnguonmo(token_ttl=1e-6)
    assert his.http.get(FIND, headers=his.headers).status_code == 401


@pytest.mark.parametrize(
    "param", [None, "", "%%%", "bm90IGpzb24=", "W10=", base64.b64encode(b'{"ApiData":5}').decode(), "e30="]
)
def test_what_is_no_envelope_in_a_query(hisnguonmo, param):
    his = hisnguonmo()
    params = {} if param is None else {"param": param}
    assert his.http.get(FIND, params=params, headers=his.headers).status_code == 400


def test_what_is_no_envelope_in_a_body(hisnguonmo, own_body):
    his = hisnguonmo()
    assert his.http.post(OWN, json=own_body(), headers=his.headers).status_code == 400
    assert his.http.post(OWN, json={"CommonParam": 5, "ApiData": own_body()}, headers=his.headers).status_code == 400
    content = json.dumps({"ApiData": own_body()})
    typed = his.headers | {"content-type": "text/plain"}
    assert his.http.post(OWN, content=content, headers=typed).status_code == 415
    assert his.new_visits() == []


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ({"CCCD_NUMBER__EXACT": "099190000001"}, "0000000001"),
        ({"PATIENT_CODE__EXACT": "0000000002"}, "0000000002"),
        ({"CMND_NUMBER__EXACT": "099000108"}, "0000000008"),
        ({"HEIN_CARD_NUMBER__EXACT": "DN4999900000001"}, "0000000001"),
        ({"PHONE__EXACT": "0900000001"}, "0000000001"),
        ({"CCCD_NUMBER__EXACT": "099186000109"}, "0000000019"),
        ({"CCCD_NUMBER__EXACT": "099188000108"}, None),
    ],
)
def test_look_up(hisnguonmo, filters, code):
    answer = hisnguonmo().find(**filters)
    assert answer["Success"] is True
    assert (answer["Data"] or {}).get("PATIENT_CODE") == code


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"CCCD_NUMBER__EXACT": "09919000001"},
        {"PATIENT_CODE__EXACT": "1"},
        {"CCCD_NUMBER__EXACT": 99190000001},
        {"CCCD_NUMBER": "099190000001"},
        {"CCCD_NUMBER__EXACT": "099190000001", "PHONE__EXACT": "0900000001"},
    ],
)
def test_wrong_filters_are_refused(hisnguonmo, filters):
    assert refused(hisnguonmo().get(FIND, filters)) == (False, None, False)


def test_rows_of_people(hisnguonmo):
    his = hisnguonmo()
    year_only = his.find(CCCD_NUMBER__EXACT="099048000005")["Data"]
    assert (year_only["DOB"], year_only["IS_HAS_NOT_DAY_DOB"], year_only["GENDER_ID"]) == (19480101000000, 1, 2)
    bare = his.find(CCCD_NUMBER__EXACT="099201000110")["Data"]
    assert (bare["PATIENT_CODE"], bare["VIR_PATIENT_NAME"], bare["DOB"]) == ("0000000010", None, None)
    promised = his.find(CCCD_NUMBER__EXACT="099075000003")["Data"]
    assert (promised["AppointmentCode"], promised["AppointmentExamRoomIds"]) == ("000000000777", [102])


def test_person_3_stands_there_every_day(hisnguonmo):
    his = hisnguonmo()
    for day in ("2026-01-05", "2026-01-06"):
        his.sim("config", {"SIM_TODAY": day})
        found = his.find(CCCD_NUMBER__EXACT="099150000004")["Data"]
        [request] = found["ServiceReqs"]
        assert (request["EXECUTE_ROOM_CODE"], request["NUM_ORDER"]) == ("P101", 22)
        assert str(request["INTRUCTION_TIME"]).startswith(day.replace("-", ""))


@pytest.mark.parametrize(("empty_lists", "shown"), [(False, None), (True, [])])
def test_an_ended_visit_shows_no_requests(hisnguonmo, own_body, empty_lists, shown):
    his = hisnguonmo(empty_lists=empty_lists)
    assert his.find(CCCD_NUMBER__EXACT="099190000001")["Data"]["ServiceReqs"] == shown
    code = his.register(own_body())["Data"]["HisPatientProfile"]["HisTreatment"]["TREATMENT_CODE"]
    assert len(his.find(CCCD_NUMBER__EXACT="099200000555")["Data"]["ServiceReqs"]) == 1
    assert his.sim("end", {"treatment": code})["ended"]
    found = his.find(CCCD_NUMBER__EXACT="099200000555")["Data"]
    assert (found["ServiceReqs"], found["IsPause"], found["TreatmentCode"]) == (shown, 1, code)
    assert his.http.post("/_sim/end", json={"treatment": "none"}).status_code == 404


def test_a_visit_of_another_day_shows_no_requests(hisnguonmo, own_body):
    his = hisnguonmo(today="2026-01-05")
    his.register(own_body())
    his.sim("config", {"SIM_TODAY": "2026-01-06"})
    found = his.find(CCCD_NUMBER__EXACT="099200000555")["Data"]
    assert (found["ServiceReqs"], str(found["InDate"])[:8]) == (None, "20260105")


def test_catalogues_fit_each_other(hisnguonmo):
    his = hisnguonmo()
    rooms = {row["ID"]: row for row in his.get("api/HisRoom/GetView", {})["Data"]}
    offered = his.get("api/HisServiceRoom/GetView", {})["Data"]
    kinds = {row["ID"]: row["PATIENT_TYPE_CODE"] for row in his.get("api/HisPatientType/Get", {})["Data"]}
    prices = his.get("api/HisServicePaty/GetView", {})["Data"]
    assert rooms[9002]["ROOM_CODE"] == "KIOSK01" and kinds == {1: "01", 42: "02", 62: "03"}
    assert all(rooms[row["ROOM_ID"]]["ROOM_CODE"] == row["ROOM_CODE"] for row in offered)
    assert {row["SERVICE_ID"] for row in prices} == {row["SERVICE_ID"] for row in offered}
    assert {row["PATIENT_TYPE_ID"] for row in prices} == set(kinds)


def test_a_new_person(hisnguonmo, own_body):
    his = hisnguonmo()
    answer = his.register(own_body(Address="Ấp 2", CommuneName="Xã Vĩnh Tường", ProvinceName="TP Cần Thơ"))
    patient = answer["Data"]["HisPatientProfile"]["HisPatient"]
    assert (patient["PATIENT_CODE"], patient["VIR_PATIENT_NAME"]) == ("0000000101", "CAO VĂN MỚI")
    assert patient["VIR_ADDRESS"] == "Ấp 2, Xã Vĩnh Tường, TP Cần Thơ"
    assert numbers(answer) == [23]
    [visit] = his.new_visits()
    assert visit["TREATMENT_CODE"] == answer["Data"]["HisPatientProfile"]["HisTreatment"]["TREATMENT_CODE"]
    assert visit["requests"][0]["SERVICE_REQ_CODE"] == answer["Data"]["ServiceReqs"][0]["SERVICE_REQ_CODE"]
    assert visit["CCCD_NUMBER"] == "*********555"


def test_there_is_no_key_and_no_same_day_check(hisnguonmo, own_body):
    his = hisnguonmo()
    assert [numbers(his.register(own_body())) for _ in range(2)] == [[23], [24]]
    assert [call["attempt"] for call in his.sim("calls")["calls"] if call["endpoint"] == "ExamRegisterKiosk"] == [1, 2]
    assert len(his.new_visits()) == 2
    assert [row["PATIENT_CODE"] for row in his.sim("patients")["patients"]][:2] == ["0000000102", "0000000101"]


def test_a_known_person_makes_no_row(hisnguonmo, own_body):
    his = hisnguonmo()
    answer = his.register(own_body(kind=1, PatientId=7001, LastName=None, FirstName=None, GenderId=None, **INSURED))
    assert answer["Data"]["HisPatientProfile"]["HisPatient"]["PATIENT_CODE"] == "0000000001"
    assert his.sim("patients")["count"] == 12
    assert his.new_visits()[0]["HEIN_CARD_NUMBER"] == "************555"


def test_a_service_brings_another_and_more_may_be_asked_for(hisnguonmo, own_body):
    his = hisnguonmo()
    body = own_body(service=5002, room=103)
    more = [{"ServiceId": 5003, "RoomId": 201, "PatientTypeId": 42, "Amount": 1}]
    answer = his.register(body | {"AdditionalServices": more})
    assert [row["EXECUTE_ROOM_CODE"] for row in answer["Data"]["ServiceReqs"]] == ["P103", "P201", "P110"]
    assert numbers(answer) == [5, 20, 10]


def test_nothing_of_a_refused_visit_stays(hisnguonmo, own_body):
    his = hisnguonmo()
    for _ in range(2):
        his.register(own_body(service=5002, room=103))
    before = his.sim("patients")["count"]
    answer = his.register(own_body(service=5002, room=103))
    assert refused(answer) == (False, None, False)
    assert "đã đủ số lượt" in answer["Param"]["Messages"][0]
    assert his.sim("patients")["count"] == before and len(his.new_visits()) == 2
    assert numbers(his.register(own_body(service=5001, room=102))) == [1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"RequestRoomId": 101},
        {"RequestRoomId": 5},
        {"RequestRoomId": None},
        {"RoomId": 201},
        {"RoomId": "101"},
        {"RoomId": 101.0},
        {"ServiceId": 999},
        {"PatientTypeId": 62},
        {"PatientTypeId": True},
        {"IsPriority": None},
        {"IsPriority": 1},
        {"IsNotRequireFee": "false"},
        {"CardSDO": None},
        {"AdditionalServices": {}},
        {"RightRouteCode": 5},
    ],
)
def test_wrong_bodies(hisnguonmo, own_body, wrong):
    his = hisnguonmo()
    assert refused(his.register(own_body() | wrong)) == (False, None, False)
    assert his.new_visits() == [] and his.sim("patients")["count"] == 12


@pytest.mark.parametrize(
    "wrong",
    [
        {"FirstName": ""},
        {"FirstName": "Mơ\u0301i"},
        {"LastName": " CAO"},
        {"Dob": None},
        {"Dob": 20000230000000},
        {"Dob": "20000102000000"},
        {"Dob": 20000102},
        {"GenderId": 3},
        {"GenderId": None},
        {"IsHasNotDayDob": True},
        {"IsHasNotDayDob": 2},
        {"CccdNumber": "99200000555"},
        {"CccdNumber": "٠٩٩٢٠٠٠٠٠٥٥٥"},
        {"CccdDate": 2021},
        {"CmndNumber": "1"},
    ],
)
def test_wrong_people(hisnguonmo, own_body, wrong):
    his = hisnguonmo()
    assert refused(his.register(own_body(**wrong))) == (False, None, False)
    assert his.new_visits() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"HeinCardNumber": None},
        {"HeinCardNumber": "dn4999900000555"},
        {"HeinOrgCode": None},
        {"HeinOrgCode": "9900"},
        {"HeinCardFromTime": None},
        {"HeinCardToTime": 20250101000000},
    ],
)
def test_wrong_cards(hisnguonmo, own_body, wrong):
    his = hisnguonmo()
    assert refused(his.register(own_body(kind=1, **(INSURED | wrong)))) == (False, None, False)
    assert his.register(own_body(kind=1, **INSURED))["Success"]


def test_an_unknown_patient_is_an_exception_inside(hisnguonmo, own_body):
    assert refused(hisnguonmo().register(own_body(PatientId=1))) == (False, None, True)


def test_partners(hisnguonmo, partner_body):
    his = hisnguonmo()
    answer = his.register(partner_body(PatientCode="1"), PARTNER)
    assert numbers(answer) == [23]
    assert his.new_visits()[0]["PATIENT_CODE"] == "0000000001"


@pytest.mark.parametrize(
    ("wrong", "broken"),
    [
        ({"PatientCode": "0000000099"}, True),
        ({"PatientCode": "BN1"}, True),
        ({"PatientCode": None}, True),
        ({"ServiceCode": "KB99"}, True),
        ({"RoomCode": "P999"}, True),
        ({"RequestRoomCode": "P101"}, True),
        ({"PatientTypeCode": "99"}, True),
        ({"HeinCardFromTime": "2026-01-01"}, True),
        ({"HeinCardFromTime": "01/01/2026"}, True),
        ({"IsJoin5Year": None}, False),
        ({"HeinCardNumber": None}, False),
        ({"ServiceCode": "KB05"}, False),
        ({"RoomCode": "P201"}, False),
    ],
)
def test_wrong_bodies_of_partners(hisnguonmo, partner_body, wrong, broken):
    his = hisnguonmo()
    assert refused(his.register(partner_body(**wrong), PARTNER)) == (False, None, broken)
    assert his.new_visits() == []


def test_unknown_keys_are_noted(hisnguonmo, own_body, partner_body):
    his = hisnguonmo()
    his.register(own_body(Nickname="x") | {"CheckinId": "1"})
    his.register(partner_body(CccdNumber="099190000001"), PARTNER)
    noted = [call["unknown_keys"] for call in his.sim("calls")["calls"] if call["endpoint"] != "Login"]
    assert noted == [["CheckinId", "Nickname"], ["CccdNumber"]]


def test_calls_name_nobody(hisnguonmo, own_body):
    his = hisnguonmo()
    his.register(own_body())
    his.find(CCCD_NUMBER__EXACT="099190000001")
    shown = json.dumps(his.sim("calls")) + json.dumps(his.sim("registrations")) + json.dumps(his.sim("patients"))
    assert "CAO" not in shown and "099200000555" not in shown and "099190000001" not in shown
    assert "sim-hisnguonmo-secret" not in json.dumps(his.sim("config"))


def test_the_clock_is_the_servers(hisnguonmo, own_body):
    his = hisnguonmo()
    his.sim("clock", {"now": "2026-03-01T07:30:00+07:00"})
    [request] = his.register(own_body())["Data"]["ServiceReqs"]
    assert str(request["INTRUCTION_TIME"]).startswith("2026030107")
    assert his.sim("health") == {"status": "ok", "today": "2026-03-01"}


@pytest.mark.parametrize(
    "environ", [{"SIM_LOGIN_ERROR": "never"}, {"SIM_TOKEN_TTL": "0"}, {"SIM_TODAY": "yesterday"}, {"SIM_USER": ""}]
)
def test_switches_from_the_environment(environ):
    if environ == {"SIM_USER": ""}:
        assert Settings.from_env(environ).user == "kiosk"
        return
    with pytest.raises(ValueError, match=next(iter(environ)).removeprefix("SIM_").lower()):
        Settings.from_env(environ)


@pytest.mark.parametrize("changes", [{"SIM_COLOUR": "red"}, {"SIM_TOKEN_TTL": -1}])
def test_wrong_switches_change_nothing(hisnguonmo, changes):
    his = hisnguonmo()
    before = his.sim("config")
    assert his.http.post("/_sim/config", json=changes).status_code == 422
    assert his.sim("config") == before


def test_the_command_refuses_a_wrong_switch():
    ended = CliRunner().invoke(main, ["his-hisnguonmo", "--port", "0"], env={"SIM_LOGIN_ERROR": "never"})
    assert ended.exit_code == 1 and "login_error" in ended.output


def test_the_command_says_what_it_offers():
    told = CliRunner().invoke(main, ["his-hisnguonmo", "--help"])
    assert told.exit_code == 0 and "SIM_TOKEN_TTL" in told.output and "8095" in told.output
