"""A busy hospital's whole day is on the list, and its first patient is found."""

from datetime import UTC, datetime

import sqlalchemy as sa

from kiosk import records
from kiosk.model import Identity, PartialDate


async def test_seven_hundred_people_are_all_listed_and_found(serve):
    def work(connection: sa.Connection) -> None:
        for number in range(700):
            records.insert(
                connection,
                checkin_id=f"c{number:03d}",
                station="kiosk-1",
                happened_at=datetime.now(UTC),
                person_key=f"k{number}",
                document_kind="CCCD_QR",
                method="QR_CCCD",
                lane="self",
                carrier="unknown",
                holder_check="none",
                warnings=(),
                identity=Identity(f"099190{number:06d}", None, f"Người Thứ {number}", PartialDate(1990)),
                key_kind="PERSONAL_12",
                key_number=f"099190{number:06d}",
            )
            records.add_audit(connection, datetime.now(UTC), "an", "note", f"c{number:03d}", {"text": str(number)})

    async with serve() as kiosk:
        await kiosk.parts.store.run(work)
        staff = await kiosk.signed_in()
        listed = (await staff.get("/api/v1/staff/check-ins")).json()["check_ins"]
        assert len(listed) == 700
        assert all(item["audit"][0]["detail"]["text"] == str(int(item["checkin_id"][1:])) for item in listed)
        found = (await staff.post("/api/v1/staff/check-ins/search", json={"number_tail": "000000"})).json()["check_ins"]
        assert [item["checkin_id"] for item in found] == ["c000"]
