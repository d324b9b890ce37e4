"""The routes of the staff screen over HTTP, and the accounts behind them."""

import asyncio

from kiosk.model import local_day
from tests.kiosk.world import PEOPLE, qr, until

PASSWORD = "một mật khẩu đủ dài"


async def waiting(staff, status: str = "needs_staff") -> list[dict]:
    answer = await staff.get("/api/v1/staff/check-ins", params={"status": status})
    assert answer.status_code == 200
    return answer.json()["check_ins"]  # type: ignore[no-any-return]


async def act(staff, checkin_id: str, action: str, status: int = 200, **body: object) -> dict:
    answer = await staff.post(f"/api/v1/staff/check-ins/{checkin_id}/{action}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def test_a_session_begins_at_login_and_ends_at_logout(kiosk):
    staff = kiosk.client(kiosk.origin)
    nothing = {"signed_in": False, "user": None, "locked": False, "must_change": False, "roles": []}
    assert (await staff.get("/api/v1/staff/session")).json() == nothing | {"setup_needed": False}
    bad = await staff.post("/api/v1/staff/login", json={"name": "demo", "password": "wrong"})
    assert (bad.status_code, bad.json()) == (401, {"error": "BAD_LOGIN"})
    nobody = await staff.post("/api/v1/staff/login", json={"name": "nobody", "password": "demo"})
    assert (nobody.status_code, nobody.json()) == (401, {"error": "BAD_LOGIN"})
    good = await staff.post("/api/v1/staff/login", json={"name": " demo ", "password": "demo"})
    cookie = good.headers["set-cookie"]
    for part in ("staff=", "HttpOnly", "SameSite=strict", "Path=/api/v1"):
        assert part in cookie
    assert (await staff.get("/api/v1/staff/session")).json()["user"] == "demo"
    kept = {"Cookie": cookie.partition(";")[0]} | kiosk.origin
    assert (await kiosk.bare.get("/api/v1/staff/check-ins", headers=kept)).status_code == 200
    await staff.post("/api/v1/staff/logout", json={})
    assert (await kiosk.bare.get("/api/v1/staff/check-ins", headers=kept)).status_code == 401
    assert (await staff.get("/api/v1/staff/session")).json()["signed_in"] is False


async def test_a_session_ends_by_itself(kiosk, monkeypatch):
    staff = await kiosk.signed_in()
    monkeypatch.setattr("kiosk.web.staff_sessions._IDLE_SECONDS", 0.0)
    await asyncio.sleep(0.01)
    assert (await staff.get("/api/v1/staff/check-ins")).status_code == 401
    assert len(kiosk.daemon._accounts.sessions) == 0


async def test_guessing_is_braked_however_the_name_is_padded_and_however_many_try_at_once(kiosk):
    staff = kiosk.client(kiosk.origin)

    async def guess(number: int) -> int:
        body = {"name": " " * number + "demo" + " " * number, "password": f"guess {number}"}
        return (await staff.post("/api/v1/staff/login", json=body)).status_code

    statuses = await asyncio.gather(*(guess(number) for number in range(15)))
    assert sorted(statuses) == [401] * 5 + [429] * 10
    braked = await staff.post("/api/v1/staff/login", json={"name": "demo", "password": "demo"})
    assert (braked.status_code, braked.json()) == (429, {"error": "TOO_MANY"})
    assert int(braked.headers["retry-after"]) > 0
    other = await staff.post("/api/v1/staff/login", json={"name": "other", "password": "x"})
    assert other.status_code == 401


async def test_who_signs_in_is_not_braked_by_earlier_slips(kiosk):
    staff = kiosk.client(kiosk.origin)
    for _ in range(3):
        for password, status in (("wrong", 401), ("demo", 200)):
            body = {"name": "demo", "password": password}
            assert (await staff.post("/api/v1/staff/login", json=body)).status_code == status
    await kiosk.signed_in()


async def test_the_first_account_is_made_once_with_the_code_of_the_file(serve, staff_listener):
    async with serve(demo=False, staff=staff_listener.table) as kiosk, staff_listener.client() as staff:
        code = (kiosk.data / "staff-setup-code").read_text().strip()
        assert (kiosk.data / "staff-setup-code").stat().st_mode & 0o777 == 0o600
        assert (await staff.get("/api/v1/staff/session")).json()["setup_needed"] is True
        for body, status, error in (
            ({"code": "wrong", "name": "an", "password": PASSWORD}, 403, "BAD_CODE"),
            ({"code": code, "name": "an", "password": "short"}, 422, "WEAK_PASSWORD"),
            ({"code": code, "name": " ", "password": PASSWORD}, 422, "BAD_NAME"),
        ):
            refused = await staff.post("/api/v1/staff/setup", json=body)
            assert (refused.status_code, refused.json()) == (status, {"error": error})
        bodies = [{"code": code, "name": name, "password": PASSWORD} for name in ("an", "bình", "chi")]
        made = await asyncio.gather(*(staff.post("/api/v1/staff/setup", json=body) for body in bodies))
        assert sorted(answer.status_code for answer in made) == [201, 403, 403]
        assert (await staff.get("/api/v1/staff/session")).json()["signed_in"] is True
        late = await staff.post("/api/v1/staff/setup", json=bodies[0])
        assert (late.status_code, late.json()) == (403, {"error": "NOT_NEEDED"})
        assert "Secure" in next(answer for answer in made if answer.status_code == 201).headers["set-cookie"]


async def test_set_up_codes_cannot_be_guessed(serve, staff_listener):
    async with serve(demo=False, staff=staff_listener.table), staff_listener.client() as staff:
        body = {"code": "guess", "name": "an", "password": PASSWORD}
        statuses = [(await staff.post("/api/v1/staff/setup", json=body)).status_code for _ in range(8)]
        assert statuses == [403] * 5 + [429] * 3


async def test_the_demo_login_works_in_the_demo_only(serve, staff_listener):
    async with serve(demo=False, staff=staff_listener.table), staff_listener.client() as staff:
        body = {"name": "demo", "password": "demo"}
        assert (await staff.post("/api/v1/staff/login", json=body)).status_code == 401


async def test_a_check_in_as_staff_see_it(kiosk):
    staff = await kiosk.signed_in()
    await kiosk.register(qr(1))
    (seen,) = await waiting(staff, "all")
    assert seen["identity"] == {"name": "T. T. Mẫu", "birth_year": 1990, "number": "•••••••••001", "sex": "F"}
    assert seen["eligibility"]["class"] == "insured" and seen["eligibility"]["origin"] == "live"
    assert seen["eligibility"]["coverage"]["number"].endswith("•001")
    hints = {"level": "80 % (mức trên thẻ, tạm tính)", "province": None, "doubts": ["H_UNKNOWN_PROVINCE"]}
    assert seen["card_hints"] == hints  # who the card's holder is by law stays hidden
    assert seen["hospital"]["state"] == "accepted" and seen["hospital"]["outbox_state"] == "done"
    assert seen["ticket"] == {"number": "1", "issued_by": "his", "kiosk_number": None, "his_number": "1"}
    assert seen["needs_staff"] is None and seen["patient_match"] == "one"
    assert (seen["method"], seen["lane"], seen["holder_check"]) == ("QR_CCCD", "self", "none")
    assert "099190000001" not in str(seen) and "9900000001" not in str(seen) and "Ấp" not in str(seen)
    alone = await staff.get(f"/api/v1/staff/check-ins/{seen['checkin_id']}")
    able = {"can_reprint": False, "can_withdraw": False, "can_choose_patient": False}
    assert alone.json() == seen | {"portrait": False} | able
    assert (await staff.get("/api/v1/staff/check-ins/nobody")).json() == {"error": "NO_SUCH_CHECK_IN"}


async def test_the_full_person_is_shown_on_demand_and_kept_in_the_audit(kiosk):
    staff = await kiosk.signed_in()
    await kiosk.register(qr(1))
    (seen,) = await waiting(staff, "all")
    revealed = (await act(staff, seen["checkin_id"], "reveal"))["identity"]
    assert (revealed["personal_id"], revealed["full_name"]) == ("099190000001", "Trần Thị Mẫu")
    assert revealed["address"].startswith("Ấp Thử 1") and revealed["birth_date"] == "1990-09-02"
    assert revealed["card_object"] == "DN – người làm việc trong doanh nghiệp"
    (seen,) = await waiting(staff, "all")
    assert [(entry["who"], entry["action"]) for entry in seen["audit"]] == [("demo", "revealed")]


async def test_search_finds_by_name_without_accents_and_by_tail(kiosk):
    staff = await kiosk.signed_in()
    await kiosk.register(qr(1))
    await kiosk.answer("cancel")
    await kiosk.identify(qr(26))

    async def found(**query: str) -> int:
        answer = await staff.post("/api/v1/staff/check-ins/search", json=query)
        return len(answer.json()["check_ins"])

    assert await found(name="tran thi") == 1 and await found(name="MẪU") == 1
    assert await found(number_tail="001") == 2, "a card number and a ticket both end so"
    assert await found(number_tail="0001") == 1 and await found(number_tail="k-001") == 1
    assert await found(name="mẫu", number_tail="026") == 0
    assert await found() == 0 and await found(name="  ") == 0


async def test_lists_of_another_day_are_empty(kiosk):
    staff = await kiosk.signed_in()
    await kiosk.register(qr(1))
    past = await staff.get("/api/v1/staff/check-ins", params={"date": "2020-01-01"})
    assert past.json() == {"check_ins": []}
    assert (await staff.get("/api/v1/staff/check-ins", params={"date": "hôm qua"})).status_code == 422


async def test_a_child_is_typed_in_and_registered(kiosk, hospital):
    staff = await kiosk.signed_in()
    child = PEOPLE[2]
    body = {
        "number": child.card,
        "full_name": child.name,
        "birth_date": child.birth_date(local_day(kiosk.parts.checkins.clock())),
        "sex": "M",
    }
    typed = await staff.post("/api/v1/staff/check-ins", json=body)
    assert typed.status_code == 201
    entered = typed.json()
    assert (entered["eligibility"]["class"], entered["needs_staff"]["reason"]) == ("insured", "manual_entry")
    again = await staff.post("/api/v1/staff/check-ins", json=body)
    assert (again.status_code, again.json()["checkin_id"]) == (200, entered["checkin_id"])
    services = (await staff.get("/api/v1/staff/services")).json()["services"]
    chosen = next(service for service in services if service["id"] == "507")
    assert chosen["insured"] is True and chosen["price"] == 45000
    done = await act(staff, entered["checkin_id"], "override", decision="insured", service_id="507", reason="")
    assert done["hospital"]["state"] == "accepted" and done["needs_staff"] is None
    assert done["ticket"]["number"] == done["hospital"]["receipt"]["number"]
    assert len(hospital.visits()) == 1
    refused = await act(staff, entered["checkin_id"], "override", 409, decision="insured", service_id="507")
    assert refused == {"error": "ALREADY_REGISTERED"}


async def test_an_entry_that_is_refused_says_why(kiosk):
    staff = await kiosk.signed_in()
    for body, error in (
        ({"number": "123"}, "BAD_NUMBER"),
        ({"number": "099999999999"}, "NAME_AND_BIRTH_DATE_NEEDED"),
        ({"number": "099190000001", "full_name": "A", "birth_date": "hôm qua"}, "BAD_DATE"),
    ):
        answer = await staff.post("/api/v1/staff/check-ins", json=body)
        assert (answer.status_code, answer.json()) == (422, {"error": error})


async def test_a_lost_answer_is_solved_both_ways(kiosk, hospital):
    staff = await kiosk.signed_in()
    hospital.mode("reset_after", times=1)
    await kiosk.register(qr(1))
    await kiosk.answer("cancel")
    hospital.mode("reset_before", times=1)
    await kiosk.register(qr(6))
    lost, absent = await waiting(staff)
    assert {item["needs_staff"]["reason"] for item in (lost, absent)} == {"hospital_outcome_unknown"}
    override = await act(staff, lost["checkin_id"], "override", 409, decision="insured", service_id="502")
    assert override == {"error": "OUTCOME_UNKNOWN"}
    (visit,) = hospital.visits()
    assert await act(staff, lost["checkin_id"], "amend", 422) == {"error": "VISIT_ID_NEEDED"}
    found = await act(staff, lost["checkin_id"], "amend", visit_id=visit["MA_LK"], number=str(visit["number"]))
    assert found["hospital"]["receipt"]["visit_id"] == visit["MA_LK"] and found["needs_staff"] is None
    assert (found["ticket"]["his_number"], found["ticket"]["kiosk_number"]) == (str(visit["number"]), "K-001")
    assert (await act(staff, absent["checkin_id"], "push", 422))["error"] == "BAD_REQUEST"
    assert (await act(staff, absent["checkin_id"], "push", 422, confirmed_absent=False))["error"] == "BAD_REQUEST"
    pushed = await act(staff, absent["checkin_id"], "push", confirmed_absent=True)
    assert pushed["hospital"]["state"] == "accepted" and pushed["needs_staff"] is None
    assert len(hospital.visits()) == 2
    assert await waiting(staff) == []


async def test_late_coverage_is_entered_by_hand_and_closed(serve, gateway, hospital):
    async with serve(insurance={"recheck_after": [600]}) as kiosk:
        staff = await kiosk.signed_in()
        gateway.mode("http_500_html", endpoint="*")
        await kiosk.register(qr(1))
        assert await waiting(staff) == []
        gateway.mode("normal", endpoint="*")
        (seen,) = await waiting(staff, "all")
        asked = await act(staff, seen["checkin_id"], "recheck")
        assert asked["eligibility"]["class"] == "insured" and asked["eligibility"]["origin"] == "pending"
        assert asked["needs_staff"]["reason"] == "coverage_to_enter"
        closed = await act(staff, seen["checkin_id"], "amend", done=True)
        assert closed["needs_staff"] is None and await waiting(staff) == []


async def test_staff_ask_again_with_the_number_of_a_paper_card(kiosk, gateway):
    gateway.mode("code:050")
    staff = await kiosk.signed_in()
    await kiosk.identify(qr(1))
    (seen,) = await waiting(staff, "all")
    assert seen["eligibility"]["class"] == "needs_staff"
    checkin_id, before = seen["checkin_id"], len(gateway.lookups())
    refused = await act(staff, checkin_id, "recheck", 422, number="12345")
    assert refused == {"error": "BAD_NUMBER"} and len(gateway.lookups()) == before
    gateway.mode("normal")
    found = await act(staff, checkin_id, "recheck", number=PEOPLE[1].card)
    assert found["eligibility"]["class"] == "insured"
    (call,) = gateway.lookups()[before:]
    assert (call["query_kind"], call["card"]) == ("BHYT_15", f"***{PEOPLE[1].card[-3:]}")
    entry = found["audit"][-1]
    assert (entry["who"], entry["action"], entry["detail"]) == ("demo", "rechecked", {"key_kind": "BHYT_15"})
    kinds = "SELECT json_extract(eligibility, '$.key_kind') FROM lookup ORDER BY id"
    assert (await kiosk.parts.store.read(lambda c: c.exec_driver_sql(kinds).scalars().all()))[-1] == "BHYT_15"
    gateway.mode("normal")
    stranger = await act(staff, checkin_id, "recheck", number=PEOPLE[3].card)
    assert stranger["eligibility"]["class"] == "needs_staff"


async def test_cancel_and_note(kiosk):
    staff = await kiosk.signed_in()
    await kiosk.identify(qr(26))
    (item,) = await waiting(staff)
    noted = await act(staff, item["checkin_id"], "note", text="đã gọi tên")
    assert noted["audit"][-1]["detail"] == {"text": "đã gọi tên"}
    assert (await act(staff, item["checkin_id"], "note", 422, text=""))["error"] == "BAD_REQUEST"
    cancelled = await act(staff, item["checkin_id"], "cancel", reason="về")
    assert cancelled["closed_reason"] == "cancelled" and await waiting(staff) == []
    closed = await act(staff, item["checkin_id"], "override", 409, decision="insured", service_id="502")
    assert closed == {"error": "CLOSED"}
    wrong = await act(staff, item["checkin_id"], "override", 422, decision="insured", service_id="999")
    assert wrong == {"error": "NO_SUCH_SERVICE"}


async def test_the_status_tells_what_is_around(kiosk, gateway):
    staff = await kiosk.signed_in()
    gateway.mode("officer_054")
    await kiosk.register(qr(1))

    async def told() -> dict:
        return (await staff.get("/api/v1/staff/status")).json()  # type: ignore[no-any-return]

    status = await told()
    assert status["gateway"] == {"ok": False, "reason": "officer_unknown"}
    assert status["hospital"] == {"ok": True, "reason": None}
    assert status["province"]["enrolled"] is False and status["province"]["waiting"] == 2
    assert status["facility"] == "93002" and status["capabilities"]["amend"] is False
    rows = {(row["destination"], row["state"]) for row in status["outbox"]}
    assert ("gateway", "waiting") in rows

    async def calm() -> bool:
        return {row["state"] for row in (await told())["outbox"]} == {"waiting"}

    await until(calm)
