"""A made-up country for hubs of more than one province: codes and names that no real place has.

Real facility codes are five digits that begin with the province's two; these begin with a letter.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from province.facilities import load_registry
from province.store import Store

PER_PROVINCE: Final = 383
"""So that 13,000 facilities are in 34 provinces, as after July 2025 (health-data-standards.md 2)."""

_PER_AREA: Final = 20
_TYPES: Final = (
    ("hospital", "Bệnh viện Mô phỏng"),
    ("district_medical_centre", "Trung tâm Y tế Mô phỏng"),
    ("regional_polyclinic", "Phòng khám Đa khoa khu vực Mô phỏng"),
    ("private_clinic", "Phòng khám Mô phỏng"),
)
"""The first facilities of an area by type, and what such a facility is called; all others are health stations."""

_STATION: Final = ("commune_health_station", "Trạm Y tế Mô phỏng")
_FACILITY_COLUMNS: Final = (
    *("ma_cskcb", "name_vi", "tier", "type", "district_code", "district_name"),
    *("commune_code", "commune_name", "province_code"),
)
_VERSION_COLUMNS: Final = (
    *("ma_cskcb", "version", "valid_from", "valid_to", "name_vi", "province_code", "province_name"),
    *("commune_code", "commune_name"),
)


def load_made_up(store: Store, number: int) -> None:
    """Add so many made-up facilities, valid from ever to ever, to the registry."""
    rows = list(_facilities(number))
    versions = [row | {"version": "1", "valid_from": "", "valid_to": ""} for row in rows]
    load_registry(store, _csv(_FACILITY_COLUMNS, rows), _csv(_VERSION_COLUMNS, versions))


def _facilities(number: int) -> Iterator[dict[str, str]]:
    for place in range(number):
        province, own = divmod(place, PER_PROVINCE)
        area, in_area = divmod(own, _PER_AREA)
        kind, title = _TYPES[in_area] if in_area < len(_TYPES) else _STATION
        code = f"M{province + 1:02}{own + 1:03}"
        yield {
            "ma_cskcb": code,
            "name_vi": f"{title} {code}",
            "tier": "co_ban" if in_area < 2 else "ban_dau",
            "type": kind,
            "district_code": f"M{province + 1:02}-{area + 1:02}",
            "district_name": f"Khu vực mô phỏng {province + 1}.{area + 1}",
            "commune_code": f"M{province + 1:02}-{own + 1:03}",
            "commune_name": f"Xã mô phỏng {province + 1}.{own + 1}",
            "province_code": f"M{province + 1:02}",
            "province_name": f"Tỉnh mô phỏng {province + 1}",
        }


def _csv(columns: Sequence[str], rows: Sequence[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
