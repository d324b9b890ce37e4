"""How one source is looked through: rates, the picture for the screen, stillness; here, by a clock of ours."""

import itertools
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk.readers import camera_look
from kiosk.readers.camera_look import Look
from kiosk.readers.camera_pipe import CameraSettings, Kind, Trouble
from kiosk.readers.camera_sources import SourceLost
from kiosk.readers.qr_decoder import FrameCodes
from simulators.frames import render
from tests.readers.camera_world import CARD

Grey = NDArray[np.uint8]
EMPTY = np.full((720, 1280), 90, np.uint8)


class Wishes:
    preview = False

    def refused(self) -> list[bytes]:
        return []


class Clock:
    """The module's clock; reading it takes no time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Film:
    """Gives *frames* one after the other for *seconds* and notes when it was asked."""

    def __init__(self, clock: Clock, frames: Iterator[Grey], seconds: float, *, moving: bool) -> None:
        self.moving = moving
        self.asked: list[float] = []
        self._clock, self._frames, self._end = clock, frames, clock.now + seconds

    def read(self, after: float) -> Grey:
        self._clock.now += max(after, 0.001)
        if self._clock.now > self._end:
            raise SourceLost(Trouble.NO_PICTURES)
        self.asked.append(self._clock.now)
        return next(self._frames)

    def close(self) -> None: ...


class Session:
    """One look through a film; *decoded* holds the moments of full decodes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **settings: object) -> None:
        self.clock = Clock()
        monkeypatch.setattr(camera_look, "time", self.clock)
        self.wishes = Wishes()
        self.told: list[tuple[Kind, bytes]] = []
        self.decoded: list[float] = []
        self.look = Look(
            CameraSettings("x", **settings),  # type: ignore[arg-type]
            lambda kind, body: self.told.append((kind, body)),
            self.wishes,
        )

    def count_decodes(self) -> None:
        def decode(_: Grey) -> FrameCodes:
            self.decoded.append(self.clock.now)
            return FrameCodes((), 0)

        self.look._decoder.decode = decode  # type: ignore[method-assign]

    def watch(self, frames: Iterator[Grey], seconds: float, *, moving: bool = False) -> tuple[Film, Trouble]:
        film = Film(self.clock, frames, seconds, moving=moving)
        with pytest.raises(SourceLost) as lost:
            self.look.through(film)
        return film, lost.value.trouble

    def bodies(self, kind: Kind) -> list[bytes]:
        return [body for one, body in self.told if one is kind]


def noise(level: int = 90) -> Iterator[Grey]:
    """An empty desk as a sensor sees it."""
    rng = np.random.default_rng(1)
    frames = [np.clip(rng.normal(level, 6, EMPTY.shape), 0, 255).astype(np.uint8) for _ in range(4)]
    yield from itertools.cycle(frames)


def still(frame: Grey) -> Iterator[Grey]:
    while True:
        yield frame


def hand() -> Iterator[Grey]:
    """Something that moves to and fro."""
    x = 0
    while True:
        frame = EMPTY.copy()
        frame[200:400, x : x + 300] = 180
        yield frame
        x = (x + 40) % 900


def per_second(moments: list[float], since: float) -> float:
    late = [moment for moment in moments if moment >= since]
    return (len(late) - 1) / (late[-1] - late[0])


def test_with_nobody_there_it_looks_seldom_and_decodes_once_a_second(monkeypatch):
    session = Session(monkeypatch)
    session.count_decodes()
    film, _ = session.watch(noise(), 20, moving=True)
    settled = film.asked[0] + 4
    assert per_second(film.asked, settled) == pytest.approx(5, rel=0.05)
    assert per_second(session.decoded, settled) == pytest.approx(1, rel=0.2)


def test_with_somebody_there_it_decodes_every_picture(monkeypatch):
    session = Session(monkeypatch)
    session.count_decodes()
    film, _ = session.watch(hand(), 5)
    assert per_second(film.asked, 0) == pytest.approx(15, rel=0.05)
    assert session.decoded == film.asked


def test_somebody_who_comes_is_seen_at_once(monkeypatch):
    session = Session(monkeypatch)
    session.watch(still(EMPTY), 10)
    card = render(CARD, severity=0.1)
    film, _ = session.watch(still(card), 0.3)
    assert session.bodies(Kind.SEEN)
    assert film.asked


def test_pictures_are_small_enough_and_eight_a_second(monkeypatch):
    session = Session(monkeypatch)
    session.wishes.preview = True
    session.count_decodes()
    session.watch(noise(), 10)
    jpegs = session.bodies(Kind.JPEG)
    assert 70 <= len(jpegs) <= 90
    shown = cv2.imdecode(np.frombuffer(jpegs[0], np.uint8), cv2.IMREAD_GRAYSCALE)
    assert shown.shape == (360, 640)
    assert max(map(len, jpegs)) < 60_000


@pytest.mark.parametrize(
    ("rotate", "mirror", "side"),
    [
        (0, True, "right"),
        (0, False, "left"),
        (90, False, "top"),
        (180, False, "right"),
        (180, True, "left"),
        (270, True, "bottom"),
    ],
)
def test_the_picture_is_a_mirror_turned_as_the_camera_hangs(monkeypatch, rotate, mirror, side):
    left_is_white = np.zeros((720, 1280), np.uint8)
    left_is_white[:, :640] = 255
    session = Session(monkeypatch, rotate=rotate, mirror=mirror)
    session.wishes.preview = True
    session.watch(still(left_is_white), 0.2)
    shown = cv2.imdecode(np.frombuffer(session.bodies(Kind.JPEG)[0], np.uint8), cv2.IMREAD_GRAYSCALE)
    edges = {"left": shown[:, :20], "right": shown[:, -20:], "top": shown[:20], "bottom": shown[-20:]}
    assert max(edges, key=lambda name: edges[name].mean()) == side


def test_colour_and_grey_pictures_are_shown_and_read(monkeypatch):
    session = Session(monkeypatch)
    session.wishes.preview = True
    colour = cv2.cvtColor(render(CARD, severity=0.1), cv2.COLOR_GRAY2BGR)
    session.watch(still(np.asarray(colour, np.uint8)), 0.5)
    assert session.bodies(Kind.SEEN)
    assert session.bodies(Kind.JPEG)


def test_a_camera_that_stands_still_is_frozen_and_never_called_open(monkeypatch):
    session = Session(monkeypatch, frozen_after=6.0)
    film, trouble = session.watch(still(EMPTY), 60, moving=True)
    assert trouble is Trouble.FROZEN
    assert film.asked[-1] - film.asked[0] == pytest.approx(6, abs=0.3)
    assert not session.bodies(Kind.OPENED)


def test_a_sensors_noise_is_life(monkeypatch):
    session = Session(monkeypatch, frozen_after=1.0)
    _, trouble = session.watch(noise(), 10, moving=True)
    assert trouble is Trouble.NO_PICTURES
    assert len(session.bodies(Kind.OPENED)) == 1


def test_pictures_of_a_folder_may_stand_still(monkeypatch):
    session = Session(monkeypatch, frozen_after=1.0)
    _, trouble = session.watch(still(EMPTY), 10)
    assert trouble is Trouble.NO_PICTURES
    assert len(session.bodies(Kind.OPENED)) == 1


def test_it_beats_while_it_looks(monkeypatch):
    session = Session(monkeypatch)
    session.watch(still(EMPTY), 10)
    assert 15 <= len(session.bodies(Kind.BEAT)) <= 21


def test_a_disputed_code_is_reported_and_not_told(monkeypatch):
    session = Session(monkeypatch)
    session.look._decoder.decode = lambda _: FrameCodes((), 1)  # type: ignore[method-assign]
    session.watch(still(EMPTY), 0.5)
    assert session.bodies(Kind.DISPUTED)
    assert not session.bodies(Kind.SEEN)
