"""Many visits over a line that loses one exchange in five, to a system without a key: the look-up keeps each one once.

A thousand by `make long`; one hundred in every run.
"""

from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.lossy_line import FATES, lossy_line
from tests.chaos.many_visits import person, visits_for
from tests.hospital_adapters.hisnguonmo_peer import FEE, HisnguonmoPeer, adapter_for

VISITS = [pytest.param(1000, marks=pytest.mark.long, id="1000"), pytest.param(100, id="100")]
SHARE = 0.2
SHORT = {"connect": 1, "get": 0.3, "post": 0.3}


@pytest.mark.chaos
@pytest.mark.parametrize("number", VISITS)
async def test_each_new_person_is_one_patient_with_one_visit(tmp_path: Path, number: int) -> None:
    async with HisnguonmoPeer() as peer, lossy_line(int(peer.url.rpartition(":")[2]), share=SHARE) as line:
        adapter = adapter_for(f"http://127.0.0.1:{line.port}", timeouts=SHORT)
        known = (await peer.sim("patients"))["count"]
        async with visits_for(tmp_path, adapter, workers=8) as visits:
            ids = await visits.accept([person(serial) for serial in range(number)], FEE)
            settled = await visits.settled(ids, within=0.9 * number)
        await adapter.close()
        counted = Counter(row["PATIENT_CODE"] for row in await peer.visits())
        patients = (await peer.sim("patients"))["count"]
    assert sum(line.met[fate] for fate in FATES) > number * SHARE / 2
    assert {checkin.hospital_state for checkin in settled.values()} == {"accepted"}
    assert patients == known + number
    receipts = [checkin.receipt for checkin in settled.values() if checkin.receipt is not None]
    assert counted == {receipt.patient_code: 1 for receipt in receipts} and len(counted) == number
    assert len({checkin.his_number for checkin in settled.values()}) == number, "nobody has another one's number"
