"""What is shut or full: reading slots, and that nobody waits long or is turned away because nothing is known."""

import asyncio
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_adapters import c06_settings
from hospital_adapters.c06 import C06Adapter
from hospital_adapters.c06_availability import any_place
from hospital_adapters.c06_tree import flatten
from kiosk.hospital_model import Availability
from simulators.his_c06 import Settings as SimSettings
from tests.hospital_adapters.c06_peer import SECRET, C06Peer

TODAY = date(2026, 1, 5)


def slot(most: Any, used: Any, day: str = "2026-01-05") -> dict[str, Any]:
    return {"ID": "K1", "NGAY": day, "SL_TOI_DA": most, "SL_HIEN_TAI": used}


@pytest.mark.parametrize(
    ("slots", "place"),
    [
        ([slot(20, 3)], True),
        ([slot(20, 20)], False),
        ([slot("20", "21")], False),
        ([slot(20, 20), slot(20, 19)], True),
        ([slot(20, 20), slot(None, 5)], None),
        ([slot(0, 0)], None),
        ([slot(20, None)], None),
        ([slot(20, 1, "06/01/2026")], None),
        ([slot(20, 20, "20260105"), slot(20, 1, "2026-01-06")], False),
        ([], None),
    ],
)
def test_slots_are_full_only_when_they_say_so(slots: list[Any], place: bool | None) -> None:
    assert any_place({"KHUNG_THOI_GIAN": slots}, TODAY) is place
    assert any_place([{"KHUNG_THOI_GIAN": [one]} for one in slots], TODAY) is place


@pytest.mark.parametrize("data", [None, [], {}, "x", [None], {"KHUNG_THOI_GIAN": 5}, [{"KHUNG_THOI_GIAN": ["x"]}]])
def test_no_slots_say_nothing(data: Any) -> None:
    assert any_place(data, TODAY) is None


def adapter_at(peer: C06Peer, now: list[float], **keys: Any) -> C06Adapter:
    wanted = {"url": peer.url, "merchant": "KIOSK-TEST", "secret_file": "x", "asks_availability": True} | keys
    return C06Adapter(c06_settings.load(wanted), SECRET, "99001", monotonic=lambda: now[0])


async def shut(adapter: C06Adapter) -> set[str]:
    return {row.code for row in await adapter.services(TODAY) if row.available is Availability.NO}


async def test_what_was_said_is_believed_for_five_minutes_and_asked_again_after_one() -> None:
    now = [0.0]
    async with C06Peer(SimSettings(today=TODAY)) as peer:
        adapter = adapter_at(peer, now)
        assert await shut(adapter) == {"SAN02"}
        now[0] = 59.0
        assert await shut(adapter) == {"SAN02"}
        assert len(await peer.calls("khoa/dichvu-cotontai")) == 5
        await peer.mode("khoa/dichvu-cotontai", "http_500_before", times=None)
        for now[0] in (61.0, 130.0, 299.0):
            assert await shut(adapter) == {"SAN02"}
        now[0] = 301.0
        assert await shut(adapter) == set()
        await peer.mode("khoa/dichvu-cotontai", None)
        now[0] = 362.0
        assert await shut(adapter) == {"SAN02"}
        await adapter.close()


@pytest.mark.parametrize("mode", ["hang_before", "c999", "null_data", "html_200", "null_fields"])
async def test_a_menu_never_fails_for_what_is_not_known(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hospital_adapters.c06_availability._WAIT_S", 0.3)
    async with C06Peer(SimSettings(today=TODAY)) as peer:
        adapter = adapter_at(peer, [0.0], asks_slots=True, asks_availability=False)
        await peer.mode("dichvu-lichkham", mode, times=None)
        async with asyncio.timeout(10):
            menu = await adapter.services(TODAY)
        assert len(menu) == 12 and {row.available for row in menu} == {Availability.UNKNOWN}
        await adapter.close()


@pytest.mark.parametrize(("own", "price"), [(None, 45000), (60000, 60000), (0, 0)])
def test_a_service_without_a_price_has_the_one_of_its_room(own: int | None, price: int) -> None:
    leaf = {"MA_DICH_VU": "NOI01", "DON_GIA_DICH_VU": own, "ID_LOAI_KHAM": "9"}
    place = {"ID_PHONG_KHAM": "P1", "DON_GIA_PHONG_KHAM": 45000, "DICH_VU": [leaf, "x"]}
    tree = [{"ID_LOAI_KHAM": "1", "KHOA": [{"ID_KHOA": "11", "MA_KHOA": "KNOI", "PHONG_KHAM": [place]}]}]
    types, departments, [service] = flatten(tree)
    assert (types, departments) == ([{"ID_LOAI_KHAM": "1"}], [{"ID_KHOA": "11", "MA_KHOA": "KNOI"}])
    assert service["DON_GIA_DICH_VU"] == price
    above = {"ID_LOAI_KHAM": "1", "ID_KHOA": "11", "MA_KHOA": "KNOI", "ID_PHONG_KHAM": "P1"}
    assert {name: service[name] for name in above} == above


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["KHOA", "PHONG_KHAM", "DICH_VU", "ID_KHOA", "MA_DICH_VU", "KHUNG_THOI_GIAN", "NGAY", "SL_TOI_DA"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_slots_of_any_shape_are_read(data: Any) -> None:
    assert any_place(data, TODAY) in (True, False, None)


@given(st.lists(JSON, max_size=3))
def test_trees_of_any_shape_are_laid_flat(tree: list[Any]) -> None:
    for rows in flatten(tree):
        assert all(isinstance(row, dict) for row in rows)
