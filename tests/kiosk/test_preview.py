"""What the camera sees, handed to watchers: the newest only, to nobody who came late, until it ends."""

import asyncio
from contextlib import aclosing

from kiosk.preview import MOST_WATCHERS, Preview


class Screen:
    """A watcher that reads in a task of its own; ``slowly`` it waits for a sign before it takes the next picture."""

    def __init__(self, preview: Preview, *, slowly: bool = False) -> None:
        self.seen: list[bytes] = []
        self.next = asyncio.Event()
        if not slowly:
            self.next.set()
        self.task = asyncio.create_task(self._look(preview))

    async def _look(self, preview: Preview) -> None:
        async with aclosing(preview.pictures()) as pictures:
            async for jpeg in pictures:
                self.seen.append(jpeg)
                await self.next.wait()


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def put(preview: Preview, *pictures: bytes) -> None:
    for jpeg in pictures:
        preview.put(jpeg)
        await turns()


async def test_a_slow_screen_misses_pictures_and_delays_nobody():
    preview = Preview()
    quick, slow = Screen(preview), Screen(preview, slowly=True)
    await turns()
    await put(preview, b"1", b"2", b"3")
    assert (quick.seen, slow.seen) == ([b"1", b"2", b"3"], [b"1"])
    slow.next.set()
    await turns()
    assert slow.seen == [b"1", b"3"]
    preview.close()
    await asyncio.gather(quick.task, slow.task)


async def test_nobody_gets_a_picture_of_before():
    preview = Preview()
    preview.put(b"before")
    screen = Screen(preview)
    await turns()
    await put(preview, b"now")
    assert screen.seen == [b"now"]
    preview.close()
    await screen.task


async def test_pictures_are_wanted_while_somebody_looks():
    preview, wanted = Preview(), []
    preview.connect(wanted.append)
    screens = [Screen(preview), Screen(preview)]
    await turns()
    assert wanted == [True]
    screens[0].task.cancel()
    await turns()
    assert wanted == [True]
    screens[1].task.cancel()
    await asyncio.gather(*(screen.task for screen in screens), return_exceptions=True)
    assert wanted == [True, False]
    assert preview.watchers == 0


async def test_the_end_shows_no_last_picture():
    preview, wanted = Preview(), []
    preview.connect(wanted.append)
    slow = Screen(preview, slowly=True)
    await turns()
    await put(preview, b"1", b"2")
    preview.close()
    slow.next.set()
    await slow.task
    assert slow.seen == [b"1"]
    assert wanted == [True, False]


async def test_the_longest_watcher_makes_room():
    preview = Preview()
    screens = []
    for _ in range(MOST_WATCHERS + 1):
        screens.append(Screen(preview))
        await turns()
    assert [screen.task.done() for screen in screens] == [True] + [False] * MOST_WATCHERS
    assert preview.watchers == MOST_WATCHERS
    preview.close()
    await asyncio.gather(*(screen.task for screen in screens))
