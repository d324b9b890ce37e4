"""The simulated camera's folder: what is held is there, then gone."""

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
import zxingcpp

from simulators.camera import SimulatedCamera

CARD = "099190000001|364000123|Trần Thị Mẫu|02091990|Nữ|Xã Mẫu, Hậu Giang|05072021".encode()
OTHER = "099075000003||Phạm Văn Thí Dụ|15031975|Nam|Xã Khác, Hậu Giang|06082022".encode()


def until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not met():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def seen(camera: SimulatedCamera) -> set[bytes]:
    found = set()
    for path in camera.folder.glob("*.jpg"):
        frame = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        found |= {code.bytes for code in zxingcpp.read_barcodes(frame)} if frame is not None else set()
    return found


def test_what_is_held_is_seen_and_then_gone(tmp_path: Path) -> None:
    with SimulatedCamera(tmp_path / "camera") as camera:
        camera.hold(CARD, "card", seconds=0.5)
        assert seen(camera) == {CARD}
        until(lambda: not list(camera.folder.iterdir()))
        camera.hold(CARD, "phone", seconds=60)
        camera.hold(OTHER, "card", seconds=60)
        assert seen(camera) == {OTHER}
        camera.take_away()
        assert not list(camera.folder.iterdir())
    assert not camera.folder.exists()


def test_an_unplugged_camera_sees_nothing_until_it_is_back(tmp_path: Path) -> None:
    with SimulatedCamera(tmp_path / "camera") as camera:
        camera.unplug()
        with pytest.raises(ConnectionError):
            camera.hold(CARD, seconds=0.1)
        assert not camera.folder.exists()
        camera.plug()
        camera.hold(CARD, seconds=60)
        assert seen(camera) == {CARD}


def test_what_an_earlier_run_left_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "00000001.jpg").write_bytes(b"old")
    with SimulatedCamera(tmp_path):
        assert not list(tmp_path.iterdir())
