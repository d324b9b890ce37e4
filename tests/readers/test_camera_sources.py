"""Where pictures come from: the folder's newest, the video's due, the camera's freshest."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from kiosk.readers import camera_sources
from kiosk.readers.camera_pipe import CameraSettings, Trouble
from kiosk.readers.camera_sources import PictureFolder, SourceLost, V4l2Camera, VideoFile, open_source

SETTINGS = CameraSettings("x", width=160, height=120)


def paint(path: Path, level: int, *, moment: int = 0) -> Path:
    path.write_bytes(cv2.imencode(".png", np.full((60, 80), level, np.uint8))[1].tobytes())
    os.utime(path, ns=(moment, moment))
    return path


def level(picture: np.ndarray) -> int:
    return round(float(picture.mean()))


def test_the_newest_picture_is_what_is_seen(tmp_path):
    folder = PictureFolder(tmp_path, SETTINGS)
    assert folder.read(0).shape == (120, 160)  # an empty desk has the camera's size
    paint(tmp_path / "b.png", 10, moment=1)
    assert level(folder.read(0)) == 10
    paint(tmp_path / "a.png", 20, moment=2)
    assert level(folder.read(0)) == 20
    paint(tmp_path / "a.png", 30, moment=3)  # written anew
    assert level(folder.read(0)) == 30
    (tmp_path / "a.png").unlink()
    assert level(folder.read(0)) == 10


@pytest.mark.parametrize("name", [".hidden.png", "none.png", "broken.png", "empty.png"])
def test_what_is_no_picture_is_an_empty_desk(tmp_path, name):
    paint(tmp_path / name, 200)
    if name == "broken.png":
        (tmp_path / name).write_bytes(b"\x89PNG\r\n" + bytes(100))
    if name == "empty.png":
        (tmp_path / name).write_bytes(b"")
    assert level(PictureFolder(tmp_path, SETTINGS).read(0)) == 96


def test_a_huge_file_and_a_folder_in_the_folder_are_left_alone(tmp_path):
    with (tmp_path / "huge.png").open("wb") as huge:
        huge.truncate(21_000_000)
    (tmp_path / "more").mkdir()
    assert level(PictureFolder(tmp_path, SETTINGS).read(0)) == 96


def test_a_folder_that_is_gone_is_lost(tmp_path):
    (tmp_path / "here").mkdir()
    folder = PictureFolder(tmp_path / "here", SETTINGS)
    (tmp_path / "here").rmdir()
    for ask in (lambda: folder.read(0), lambda: PictureFolder(tmp_path / "here", SETTINGS)):
        with pytest.raises(SourceLost) as lost:
            ask()
        assert lost.value.trouble is Trouble.NO_DEVICE


def test_a_video_plays_by_the_clock_and_starts_again(tmp_path, monkeypatch):
    writer = cv2.VideoWriter(str(tmp_path / "v.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48), isColor=False)
    for number in range(10):
        writer.write(np.full((48, 64), 20 * number, np.uint8))
    writer.release()
    clock = Clock()
    monkeypatch.setattr(camera_sources, "time", clock)
    video = VideoFile(tmp_path / "v.avi")
    seen = [round(level(video.read(pause)) / 20) for pause in (0.01, 0.3, 0.3, 0.6)]
    assert seen == [0, 3, 6, 0]
    (tmp_path / "v.avi").unlink()
    with pytest.raises(SourceLost):
        video.read(0.1)
    video.close()


@pytest.mark.parametrize("content", [b"", b"no video at all"])
def test_a_file_that_is_no_video_is_lost(tmp_path, content):
    (tmp_path / "v.avi").write_bytes(content)
    with pytest.raises(SourceLost):
        VideoFile(tmp_path / "v.avi").read(0)


class Clock:
    """A clock on which only waiting takes time."""

    def __init__(self) -> None:
        self.now = 50.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Driver:
    """A camera's driver: a frame each 33 ms, and one buffer in which a frame waits while nobody asks."""

    def __init__(self, clock: Clock, unknown: frozenset[int] = frozenset()) -> None:
        self.clock, self.unknown = clock, unknown
        self.properties: dict[int, float] = {}
        self.order: list[int] = []
        self.waiting: float | None = None
        self.taken = 0.0
        self.ok = True
        self.released = False

    def isOpened(self) -> bool:
        return self.ok

    def set(self, what: int, value: float) -> bool:
        self.properties[what] = value
        self.order.append(what)
        return what not in self.unknown

    def grab(self) -> bool:
        if self.waiting is not None:
            self.taken, self.waiting = self.waiting, None
        else:
            self.clock.now += 0.033
            self.taken = self.clock.now
        return self.ok

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return self.ok, np.full((2, 2, 3), 7, np.uint8)

    def release(self) -> None:
        self.released = True


def camera(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: Driver, **settings: object
) -> tuple[V4l2Camera, list[str]]:
    device = tmp_path / "usb-Maker_Camera-video-index0"
    device.touch()
    opened: list[tuple[str, int]] = []
    monkeypatch.setattr(camera_sources, "time", driver.clock)
    monkeypatch.setattr(cv2, "VideoCapture", lambda path, api: opened.append((path, api)) or driver)
    ignored: list[str] = []
    source = open_source(CameraSettings(str(device), **settings), ignored.append)  # type: ignore[arg-type]
    assert isinstance(source, V4l2Camera)
    assert opened == [(str(device), cv2.CAP_V4L2)]
    return source, ignored


def test_a_camera_is_set_up_as_configured(tmp_path, monkeypatch):
    driver = Driver(Clock())
    _, ignored = camera(tmp_path, monkeypatch, driver, width=1920, height=1080, fps=10, exposure=156, focus=30)
    assert driver.properties == {
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
        cv2.CAP_PROP_FRAME_WIDTH: 1920,
        cv2.CAP_PROP_FRAME_HEIGHT: 1080,
        cv2.CAP_PROP_FPS: 10,
        cv2.CAP_PROP_BUFFERSIZE: 1,
        cv2.CAP_PROP_AUTO_EXPOSURE: 1,
        cv2.CAP_PROP_EXPOSURE: 156,
        cv2.CAP_PROP_AUTOFOCUS: 0,
        cv2.CAP_PROP_FOCUS: 30,
    }
    assert driver.order[0] == cv2.CAP_PROP_FOURCC  # the sizes there are depend on it
    assert ignored == []


def test_automatic_means_that_the_camera_is_told_so(tmp_path, monkeypatch):
    driver = Driver(Clock())
    camera(tmp_path, monkeypatch, driver)
    assert driver.properties[cv2.CAP_PROP_AUTO_EXPOSURE] == 3
    assert driver.properties[cv2.CAP_PROP_AUTOFOCUS] == 1
    assert cv2.CAP_PROP_EXPOSURE not in driver.properties


def test_a_setting_that_a_person_chose_and_the_camera_does_not_know_is_named(tmp_path, monkeypatch):
    unknown = frozenset({cv2.CAP_PROP_FOCUS, cv2.CAP_PROP_AUTOFOCUS, cv2.CAP_PROP_BUFFERSIZE})
    _, ignored = camera(tmp_path, monkeypatch, Driver(Clock(), unknown), focus=30)
    assert set(ignored) == {"focus"}
    _, ignored = camera(tmp_path, monkeypatch, Driver(Clock(), unknown))
    assert ignored == []


def test_the_freshest_picture_is_given_never_one_that_waited(tmp_path, monkeypatch):
    clock = Clock()
    driver = Driver(clock)
    source, _ = camera(tmp_path, monkeypatch, driver)
    source.read(0.2)
    driver.waiting = clock.now  # a frame came while the last one was being decoded
    clock.now += 0.5
    asked = clock.now
    source.read(0)
    assert driver.taken > asked


def test_a_driver_that_gives_nothing_is_lost(tmp_path, monkeypatch):
    driver = Driver(Clock())
    source, _ = camera(tmp_path, monkeypatch, driver)
    driver.ok = False
    with pytest.raises(SourceLost) as lost:
        source.read(0)
    assert lost.value.trouble is Trouble.NO_PICTURES
    source.close()
    assert driver.released


def test_a_device_that_cannot_be_opened_is_lost_and_given_back(tmp_path, monkeypatch):
    driver = Driver(Clock())
    driver.ok = False
    with pytest.raises(SourceLost) as lost:
        camera(tmp_path, monkeypatch, driver)
    assert lost.value.trouble is Trouble.NO_DEVICE
    assert driver.released
