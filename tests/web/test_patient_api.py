"""The routes of the patient's screen over HTTP."""

import asyncio
import json

import httpx

from simulators.scanner import SimulatedScanner
from tests.kiosk.world import capped, card, qr, until


async def test_from_card_to_ticket(kiosk):
    idle = await kiosk.state()
    assert (idle["station"], idle["facility"], idle["phase"]) == ("kiosk-1", "93002", "idle")
    scanned = await kiosk.scan(qr(1))
    assert scanned.status_code == 202
    confirm = await kiosk.state()
    assert confirm["checkin_id"] == scanned.json()["checkin_id"]
    assert confirm["screen"]["name"] == "Trần Thị Mẫu" and "099190000001" not in str(confirm)
    said_yes = await kiosk.answer("confirm")
    assert (said_yes.status_code, said_yes.json()["phase"]) == (200, "checking")
    choose = await kiosk.view("choose_service")
    assert choose["screen"]["answer"] == "insured"
    await kiosk.answer("service", service_id="502")
    done = await kiosk.view("done")
    assert done["screen"]["ticket"]["number"] == "1"
    assert (await kiosk.answer("cancel")).status_code == 200
    assert (await kiosk.view("idle"))["checkin_id"] is None


async def test_the_listed_and_the_short_paths_are_one_station(kiosk):
    await kiosk.scan(qr(1))
    short, listed = [await kiosk.tool.get(path) for path in ("/api/v1/station", "/api/v1/stations/kiosk-1")]
    assert short.json() == listed.json()


async def test_refusals_of_scans_and_answers(kiosk):
    unreadable = await kiosk.scan(b"hello\r")
    assert (unreadable.status_code, unreadable.json()) == (422, {"error": "UNKNOWN_FORMAT"})
    damaged = await kiosk.scan(card("099190000001", "Tr\ufffdn Thị", "02091990", "Nữ"))
    assert (damaged.status_code, damaged.json()) == (422, {"error": "NAME_DAMAGED"})
    await kiosk.scan(qr(1))
    busy = await kiosk.scan(qr(13))
    assert (busy.status_code, busy.json()) == (409, {"error": "BUSY"})
    for body in ({"checkin_id": "x", "answer": "confirm"}, {"checkin_id": "x", "answer": "cancel"}):
        late = await kiosk.tool.post("/api/v1/station/answer", json=body)
        assert (late.status_code, late.json()) == (409, {"error": "WRONG_PHASE"})
    wrong = await kiosk.answer("another_examination")
    assert (wrong.status_code, wrong.json()) == (409, {"error": "WRONG_PHASE"})
    assert (await kiosk.state())["screen"]["view"] == "confirm"


async def test_fifty_taps_at_once_are_one_visit(kiosk, hospital):
    await kiosk.identify(qr(1))
    answers = await asyncio.gather(*(kiosk.answer("service", service_id="502") for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 49
    await kiosk.view("done")
    assert len(hospital.visits()) == 1


async def test_the_stream_tells_each_change_at_once(kiosk):
    seen: list[str] = []

    async def follow() -> None:
        async with kiosk.tool.stream("GET", "/api/v1/station/stream", timeout=30) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert stream.headers["cache-control"] == "no-store"
            async for line in stream.aiter_lines():
                if line.startswith("data:"):
                    state = json.loads(line[5:])
                    seen.append(state["screen"]["view"])
                    if seen[-1] == "done":
                        return

    following = asyncio.create_task(follow())

    async def connected() -> bool:
        return bool(seen)

    await until(connected)
    await kiosk.register(qr(1))
    async with asyncio.timeout(10):
        await following
    assert list(dict.fromkeys(seen)) == ["idle", "confirm", "checking", "choose_service", "done"]


async def test_many_screens_may_watch_and_leave(kiosk):
    for _ in range(5):
        streams = [kiosk.tool.stream("GET", "/api/v1/station/stream") for _ in range(5)]
        opened = [await stream.__aenter__() for stream in streams]
        assert {answer.status_code for answer in opened} == {200}
        for stream in streams:
            await stream.__aexit__(None, None, None)
    assert (await kiosk.bare.get("/healthz")).json()["status"] == "ok"


async def test_ready_says_why_not(kiosk):
    assert (await kiosk.bare.get("/readyz")).json() == {"ready": True, "reasons": []}
    kiosk.parts.station.break_down("store")
    answer = await kiosk.bare.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "reasons": ["store"]})


async def test_a_full_disk_sends_people_to_the_desk_and_heals_by_itself(kiosk):
    with capped(kiosk.parts.store):
        for number in range(200):  # until the last pages are full
            answer = await kiosk.scan(card(f"099085{number:06d}", "Nguyễn Thị " + "Dài " * 20, "01021985"))
            if answer.status_code == 503:
                break
            await kiosk.answer("reject")
            await kiosk.view("idle", "out_of_order")
            if (await kiosk.state())["phase"] == "out_of_order":
                break
        assert (await kiosk.state())["screen"]["view"] == "out_of_order"
        refused = await kiosk.scan(qr(1))
        assert refused.status_code == 409
    shown = await kiosk.view("idle")
    assert "Dài" not in str(shown)
    await kiosk.register(qr(1))


async def test_a_missing_scanner_is_on_the_screen_and_in_ready(serve, tmp_path):
    async with serve(scanner={"port": str(tmp_path / "absent")}) as kiosk:
        assert (await kiosk.state())["screen"]["reader_ok"] is False
        assert (await kiosk.bare.get("/readyz")).json()["reasons"] == ["scanner"]
        metrics = (await kiosk.bare.get("/metrics")).text
        assert 'kiosk_reader_attached{reader="scanner"} 0.0' in metrics


async def test_staff_are_told_of_a_scanner_that_drops_accents(serve, tmp_path):
    dropped = card("099190000001", "Trn Th Mu", "02091990", "N")
    with SimulatedScanner(tmp_path / "usb-scanner") as scanner:
        async with serve(scanner={"port": str(scanner.link)}) as kiosk:
            staff = await kiosk.signed_in()

            async def fault() -> str | None:
                return (await staff.get("/api/v1/staff/status")).json()["scanner_fault"]

            await kiosk.scan(dropped)
            await kiosk.scan(dropped)
            assert await fault() is None
            await kiosk.scan(dropped)
            assert await fault() == "accents"

            async def works() -> bool:
                return (await kiosk.state())["screen"]["reader_ok"]

            async def cleared() -> bool:
                return await fault() is None

            await until(works)
            scanner.tap(qr(1).strip())  # a sound card, through the serial line
            await until(cleared)


async def test_a_stop_lets_a_registration_end(serve, hospital):
    async with serve() as kiosk:
        await kiosk.identify(qr(1))
        hospital.control.post(
            "/_sim/mode", json={"endpoint": "dangky-kcb", "mode": "slow", "delay_ms": 700, "times": 1}
        )
        await kiosk.answer("service", service_id="502")

        async def sent() -> bool:
            return hospital.calls("dangky-kcb") == 1

        await until(sent)
    async with serve() as kiosk:
        rows = (await (await kiosk.signed_in()).get("/api/v1/staff/check-ins")).json()["check_ins"]
        assert [row["hospital"]["state"] for row in rows] == ["accepted"]
        assert len(hospital.visits()) == 1


async def test_metrics_name_nobody(kiosk):
    await kiosk.register(qr(1))
    text = (await kiosk.bare.get("/metrics")).text
    assert 'kiosk_lookups_total{class="insured",method="QR_CCCD",result_code="000"} 1.0' in text
    for personal in ("099190000001", "Mẫu", "9900000001"):
        assert personal not in text


async def test_slow_clients_keep_nobody_waiting(kiosk):
    port = int(kiosk.url.rpartition(":")[2])
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
    try:
        for _, writer in idle[:50]:
            writer.write(b"POST /api/v1/station/scan HTTP/1.1\r\nHost: x\r\nContent-Le")
        async with httpx.AsyncClient(base_url=kiosk.url, timeout=5) as client:
            assert (await client.get("/healthz")).status_code == 200
        await kiosk.register(qr(1))
    finally:
        for _, writer in idle:
            writer.close()
