"""The camera with its real process: folders and videos before it, falls and recoveries, nothing left behind."""

import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from kiosk.model import Carrier
from kiosk.readers.camera import Camera
from kiosk.readers.camera_pipe import CameraSettings, Seen, Trouble
from kiosk.readers.camera_sightings import AWAY_S
from kiosk.readers.state import Presence
from simulators.frames import Frame, render
from tests.readers.camera_world import CARD, OTHER, PAYMENT, THIRD, Desk, Watched, until


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "desk")


@pytest.fixture
def watch() -> Iterator[Callable[..., Watched]]:
    running: list[Watched] = []

    def start(device: object, **settings: object) -> Watched:
        running.append(Watched(str(device), **settings))  # type: ignore[arg-type]
        return running[-1]

    yield start
    for watched in running:
        watched.stop()


def beside(one: bytes, other: bytes) -> Frame:
    """Two cards in one picture."""
    left, right = (render(payload, severity=0.1, size=(960, 720)) for payload in (one, other))
    return np.hstack([left, right])


def video(path: Path, frames: list[Frame]) -> Path:
    height, width = frames[0].shape
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (width, height), isColor=False)
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def test_a_held_code_is_told_once_and_again_when_it_was_away(desk, watch):
    camera = watch(f"folder:{desk.folder}").opened()
    for round_ in range(2):
        desk.lay(CARD)
        assert camera.code().payload == CARD
        for look in (1, 2):  # the hand shakes, the card stays
            desk.lay(CARD, look=look)
        desk.lay((OTHER, THIRD)[round_])
        assert camera.code().payload == (OTHER, THIRD)[round_]  # and nothing else meanwhile
        gone = time.monotonic()
        until(lambda since=gone: time.monotonic() - since > AWAY_S + 0.5)


def test_of_two_people_nobody_is_told_until_one_is_alone(desk, watch):
    camera = watch(f"folder:{desk.folder}").opened()
    desk.show(beside(CARD, OTHER))
    camera.mixed.get(timeout=10)
    assert camera.seen.empty()
    desk.lay(OTHER)
    assert camera.code().payload == OTHER
    assert camera.mixed.empty()


def test_a_card_beside_a_payment_code_is_the_card(desk, watch):
    camera = watch(f"folder:{desk.folder}").opened()
    desk.show(beside(PAYMENT, CARD))
    first = camera.code()
    assert (first.payload, first.document) == (CARD, True)
    assert first.carrier in (Carrier.CARD, Carrier.UNKNOWN)


def test_a_code_that_is_no_document_says_so(desk, watch):
    camera = watch(f"folder:{desk.folder}").opened()
    desk.lay(PAYMENT, on="phone")
    seen = camera.code()
    assert (seen.payload, seen.document) == (PAYMENT, False)


def test_a_video_is_a_camera(tmp_path, watch):
    empty = np.full((720, 1280), 90, np.uint8)
    noisy = [empty, np.full_like(empty, 92)] * 3
    film = video(tmp_path / "morning.avi", noisy + [render(CARD, severity=0.1, look=look) for look in range(8)])
    camera = watch(f"file:{film}").opened()
    assert camera.code().payload == CARD


def test_a_camera_that_always_gives_the_same_picture_is_frozen_and_gone(tmp_path, watch, caplog):
    moving = [np.full((120, 160), level, np.uint8) for level in (60, 200, 60, 200)]
    film = video(tmp_path / "frozen.avi", moving + [moving[-1]] * 60)
    caplog.set_level(logging.INFO, "kiosk.readers.camera")
    camera = watch(f"file:{film}", frozen_after=1.0).opened()
    first = camera.pid()
    assert camera.presence() is Presence.GONE
    assert camera.camera.trouble is Trouble.FROZEN
    until(lambda: camera.camera.pid not in (None, first))  # by another process
    assert camera.presence() is Presence.ATTACHED


def test_a_killed_process_is_replaced(desk, watch, caplog):
    caplog.set_level(logging.INFO, "kiosk.readers.camera")
    camera = watch(f"folder:{desk.folder}").opened()
    desk.lay(CARD)
    assert camera.code().payload == CARD
    first = camera.pid()
    os.kill(first, signal.SIGKILL)
    assert camera.presence() is Presence.GONE
    assert camera.camera.trouble is Trouble.CRASHED
    assert camera.presence() is Presence.ATTACHED
    assert camera.pid() != first
    desk.lay(OTHER)
    assert OTHER in {camera.code().payload for _ in range(2)}  # the new process knows nothing of the first card
    told = [record.getMessage() for record in caplog.records]
    assert [line.rpartition(" ")[2] for line in told] == ["pictures", "CRASHED", "pictures"]
    assert not any(word in line for line in told for word in ("099190000001", "Mẫu", "364000123"))


def test_a_hung_process_is_killed_and_replaced(desk, watch):
    camera = watch(f"folder:{desk.folder}", beat_within=1.5).opened()
    first = camera.pid()
    os.kill(first, signal.SIGSTOP)
    camera.camera.want_preview(True)  # what a hung child is told must not hang us
    for _ in range(100):
        camera.camera.refused(bytes(2953))
    assert camera.presence() is Presence.GONE
    assert camera.camera.trouble is Trouble.HUNG
    assert camera.presence() is Presence.ATTACHED
    assert not psutil.pid_exists(first)
    camera.previews.get(timeout=10)  # the wish outlived the process


def test_a_source_that_vanishes_is_waited_for(desk, watch, caplog):
    caplog.set_level(logging.INFO, "kiosk.readers.camera")
    camera = watch(f"folder:{desk.folder}").opened()
    child = camera.pid()
    away = desk.folder.with_name("away")
    for _ in range(2):
        desk.folder.rename(away)
        assert camera.presence() is Presence.GONE
        assert camera.camera.trouble is Trouble.NO_DEVICE
        away.rename(desk.folder)
        assert camera.presence() is Presence.ATTACHED
        assert camera.camera.trouble is None
    assert camera.pid() == child
    assert len(caplog.records) == 5  # each fall and each recovery once, however often it was tried
    desk.lay(CARD)
    assert camera.code().payload == CARD


def test_a_camera_that_never_was_there_is_gone(tmp_path, watch):
    camera = watch(tmp_path / "usb-Missing_Camera-video-index0")
    assert camera.presence() is Presence.GONE
    assert camera.camera.trouble is Trouble.NO_DEVICE


def test_a_file_that_is_no_camera_is_gone(tmp_path, watch):
    (tmp_path / "video0").write_bytes(b"no device")
    assert watch(tmp_path / "video0").presence() is Presence.GONE


def test_pictures_are_made_only_while_wanted(desk, watch):
    camera = watch(f"folder:{desk.folder}").opened()
    desk.lay(CARD)
    camera.code()
    assert camera.previews.empty()
    camera.camera.want_preview(True)
    camera.previews.get(timeout=10)
    camera.camera.want_preview(False)
    desk.lay(OTHER)
    camera.code()
    while not camera.previews.empty():  # the last one may have been under way
        camera.previews.get()
    desk.lay(THIRD)
    camera.code()
    assert camera.previews.empty()


def test_the_process_can_write_no_file_and_leaves_none(desk, watch, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    monkeypatch.chdir(elsewhere)
    camera = watch(f"folder:{desk.folder}").opened()
    camera.camera.want_preview(True)
    for seed in range(6):
        desk.lay(CARD if seed % 2 else OTHER, seed=seed)
        camera.previews.get(timeout=10)
    camera.code()
    process = Path(f"/proc/{camera.pid()}")
    limits = {line[:26].strip(): line[26:].split()[:2] for line in (process / "limits").read_text().splitlines()}
    assert limits["Max file size"] == ["0", "0"]
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max address space"][0] == str(2 * 1024**3)
    assert "NoNewPrivs:\t1" in (process / "status").read_text()
    camera.stop()
    assert list(elsewhere.iterdir()) == []
    assert len(list(desk.folder.iterdir())) == 1


def test_a_confined_process_cannot_write_a_byte_to_a_file(tmp_path):
    program = (
        "import sys; from kiosk.readers.confined import confine; confine(2**31)\n"
        "try:\n    with open(sys.argv[1], 'w') as kept: kept.write('frame')\n"
        "except OSError as error:\n    print(error.errno)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "kept")], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["27"]  # EFBIG
    assert (tmp_path / "kept").read_bytes() == b""


def test_the_daemon_loads_neither_opencv_nor_decoders():
    program = "import sys, kiosk.daemon; print({'cv2', 'numpy', 'zxingcpp', 'pyzbar'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_stop_leaves_no_process_thread_or_descriptor(desk, watch):
    before = psutil.Process().num_fds()
    camera = watch(f"folder:{desk.folder}").opened()
    child = camera.pid()
    camera.stop()
    assert not psutil.pid_exists(child)
    assert "camera" not in {thread.name for thread in threading.enumerate()}
    assert psutil.Process().num_fds() <= before
    assert not camera.camera.state.attached


def test_the_process_ends_with_the_kiosk(desk):
    program = (
        "import queue, sys\nfrom kiosk.readers.camera import Camera, CameraSettings\nopened = queue.Queue()\n"
        "camera = Camera(CameraSettings(sys.argv[1]), print, opened.put)\ncamera.start()\nopened.get()\n"
        "print(camera.pid, flush=True)\nsys.stdin.read()"
    )
    kiosk = subprocess.Popen(
        [sys.executable, "-c", program, f"folder:{desk.folder}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with kiosk:
        assert kiosk.stdout is not None
        child = int(kiosk.stdout.readline())
        os.kill(child, signal.SIGSTOP)  # not even a hung one stays
        kiosk.kill()
    until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)


@pytest.mark.parametrize(
    ("words", "trouble"),
    [
        ("printf 'HTTP/1.1 200 OK'", Trouble.CRASHED),
        (r"printf '\000\000\000\002\022X'", Trouble.CRASHED),  # LOST with a trouble that nobody knows
        (r"printf '\000\000\000\002\023X'", Trouble.CRASHED),  # SEEN without its fields
        ("exit 1", Trouble.CRASHED),
    ],
    ids=["nonsense", "unknown-trouble", "no-fields", "ends"],
)
def test_a_process_that_talks_nonsense_is_replaced(tmp_path, monkeypatch, watch, words, trouble):
    starts = tmp_path / "starts"
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\necho >> {starts}\n{words}\nexec sleep 60\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    camera = watch("folder:/nowhere")
    assert camera.presence() is Presence.GONE
    assert camera.camera.trouble is trouble
    until(lambda: len(starts.read_text()) >= 3)


def test_a_process_that_cannot_be_had_is_gone(monkeypatch, watch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    camera = watch("folder:/nowhere")
    assert camera.presence() is Presence.GONE
    assert camera.camera.trouble is Trouble.NO_PROCESS


def test_a_name_that_changes_at_restarts_is_warned_of(caplog):
    for device, warned in (("/dev/video0", True), ("/dev/v4l/by-id/usb-Maker_Camera-video-index0", False)):
        caplog.clear()
        camera = Camera(CameraSettings(device), lambda _: None)
        camera.start()
        camera.stop()
        assert any("by-id" in record.getMessage() for record in caplog.records) is warned


def test_a_listener_that_fails_is_survived_and_not_quoted(desk, caplog):
    told: queue.Queue[Seen] = queue.Queue()

    def listen(seen: Seen) -> None:
        told.put(seen)
        raise ValueError(seen.payload.decode())

    camera = Camera(CameraSettings(f"folder:{desk.folder}"), listen)
    camera.start()
    desk.lay(CARD)
    try:
        assert told.get(timeout=20).payload == CARD
        desk.lay(OTHER)
        assert told.get(timeout=10).payload == OTHER
    finally:
        camera.stop()
    assert "ValueError" in caplog.text
    assert "099190000001" not in caplog.text
