"""What the browser tests of the province's pages share: a hub with figures of one month, and people who look."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import BrowserContext, Page

from province.access.accounts import add_account, open_session
from province.access.caller import Caller, Role
from province.app import create_app
from province.facilities import load_packaged
from province.hub_key import HubKey
from province.store import Store
from province.uploads.kinds import UploadKind
from province.uploads.taking import hand_in
from simulators.serve import serve_in_thread

PHONE = {"width": 390, "height": 844}
LAPTOP = {"width": 1366, "height": 768}
WALL = {"width": 1920, "height": 1080}
SIZES = (PHONE, LAPTOP, WALL)
PASSWORD = "một mật khẩu đủ dài"
MONTH = "2026-03"
PEOPLE = {
    "lan": (Role.ADMIN, None),
    "huy": (Role.VIEWER, None),
    "mai": (Role.FACILITY, "93002"),
}


@dataclass(frozen=True)
class Province:
    """A running hub: its store, key and address."""

    store: Store
    key: HubKey
    url: str

    def open(self, context: BrowserContext, name: str, path: str, size: dict[str, int] = LAPTOP) -> Page:
        """A page as one of PEOPLE sees it who has signed in; `""`: a stranger."""
        cookies = [{"name": "hub-session", "value": "", "url": self.url}]
        if name:
            cookies[0]["value"] = open_session(self.store, name, datetime.now(UTC))
        context.add_cookies(cookies)  # type: ignore[arg-type]
        page = context.new_page()
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.goto(self.url + path)
        return page

    def hand_in(self, kind: UploadKind, *rows: str) -> None:
        """Figures of days as the admin's file."""
        content = "\n".join([";".join(kind.headings), *rows]).encode()
        caller = Caller("lan", Role.ADMIN, signed_in=True)
        hand_in(self.store, self.key, caller, content, kind, datetime.now(UTC), dry_run=False)


@contextmanager
def province(folder: Path) -> Iterator[Province]:
    """A hub with PEOPLE, and figures of two facilities in MONTH: 95 of 100 and 30 of 50 visits looked up."""
    store = Store(f"sqlite:///{folder / 'province.db'}")
    load_packaged(store)
    key = HubKey.make()
    for name, (role, facility) in PEOPLE.items():
        add_account(store, name, role, PASSWORD, facility)
    with serve_in_thread(create_app(store, key=key)) as server:
        running = Province(store, key, server.url)
        running.hand_in(UploadKind.VISIT_COUNT, "93002;;02/03/2026;100", "93003;;02/03/2026;50")
        running.hand_in(UploadKind.DESK_LOOKUPS, "93002;;02/03/2026;96;95;94", "93003;;02/03/2026;30;30;30")
        yield running
    store.close()


def wide(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))
