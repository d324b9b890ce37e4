"""Many visits over a line that loses one exchange in five: each of them once in the hospital system.

A thousand by `make long`; two hundred in every run.
"""

from collections import Counter
from pathlib import Path

import pytest

from kiosk.hospital_model import Service
from simulators.his_c06 import Settings as SimSettings
from tests.chaos.lossy_line import FATES, lossy_line
from tests.chaos.many_visits import person, visits_for
from tests.hospital_adapters import invented
from tests.hospital_adapters.c06_peer import INSURED, C06Peer, adapter_for
from tests.hospital_adapters.fhir_peer import CHECKIN, FhirPeer
from tests.hospital_adapters.fhir_peer import adapter_for as fhir_adapter

VISITS = [pytest.param(1000, marks=pytest.mark.long, id="1000"), pytest.param(200, id="200")]
SHARE = 0.2
SHORT = {"connect": 1, "get": 0.3, "post": 0.3}


def losses(met: Counter[str]) -> int:
    return sum(met[fate] for fate in FATES)


@pytest.mark.chaos
@pytest.mark.parametrize("number", VISITS)
@pytest.mark.parametrize(
    ("settings", "switches"),
    [
        ({"dedup": "du_phong"}, {"dedup": "du_phong"}),
        ({"history_path": "/lichsu-dangky"}, {"history": "on"}),
    ],
    ids=["with a key", "with a history"],
)
async def test_each_visit_is_once_in_a_c06_hospital(
    tmp_path: Path, number: int, settings: dict, switches: dict
) -> None:
    async with C06Peer(SimSettings().changed(switches)) as peer, _line_to(peer.url) as line:
        adapter = adapter_for(f"http://127.0.0.1:{line.port}", timeouts=SHORT, **settings)
        async with visits_for(tmp_path, adapter, workers=8) as visits:
            ids = await visits.accept([person(serial) for serial in range(number)], INSURED)
            settled = await visits.settled(ids, within=0.6 * number)
        await adapter.close()
        counted = Counter(row["DU_PHONG"] for row in await peer.registrations() if row["DU_PHONG"])
    assert losses(line.met) > number * SHARE / 2
    assert {checkin.hospital_state for checkin in settled.values()} == {"accepted"}
    assert counted == {f"CK1;id={checkin_id}": 1 for checkin_id in ids}
    numbers = [checkin.his_number for checkin in settled.values()]
    assert len(set(numbers)) == number, "nobody has another one's number"


@pytest.mark.chaos
@pytest.mark.parametrize("number", VISITS)
async def test_each_visit_is_once_in_a_fhir_server(tmp_path: Path, number: int) -> None:
    async with FhirPeer() as peer, _line_to(peer.url) as line:
        adapter = fhir_adapter(f"http://127.0.0.1:{line.port}", timeouts=SHORT)
        async with visits_for(tmp_path, adapter, workers=8) as visits:
            ids = await visits.accept([person(serial) for serial in range(number)], invented.encounter(1).service)
            settled = await visits.settled(ids, within=0.6 * number)
        await adapter.close()
        rows = peer.held("Encounter")
        people = peer.held("Patient")
    counted = Counter(each["value"] for row in rows for each in row["identifier"] if each["system"] == CHECKIN)
    assert losses(line.met) > number * SHARE / 2
    assert {checkin.hospital_state for checkin in settled.values()} == {"accepted"}
    assert counted == dict.fromkeys(ids, 1)
    assert len(people) == number, "and each person once"


def _line_to(url: str):
    return lossy_line(int(url.rpartition(":")[2]), share=SHARE)


async def test_one_that_is_refused_is_left_to_staff_and_holds_up_nobody(tmp_path: Path) -> None:
    full = Service("503", "NOI03", "Khám Tim mạch - phòng 103", "11", "Khoa Nội", "1", True)  # one last place
    async with C06Peer() as peer:
        async with visits_for(tmp_path, peer.adapter, workers=1) as visits:
            first = await visits.accept([person(1), person(2)], full)
            others = await visits.accept([person(serial) for serial in range(3, 13)], INSURED)
            settled = await visits.settled([*first, *others])
            rows = await visits.rows()
        assert [settled[one].hospital_state for one in first] == ["accepted", "parked"]
        assert {settled[one].hospital_state for one in others} == {"accepted"}
        assert {row.ref: row.attempts for row in rows} == dict.fromkeys([*first, *others], 1), "each was sent once"
        assert settled[first[1]].staff_reason == "hospital_rejected"
