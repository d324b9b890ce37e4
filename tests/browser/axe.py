"""axe-core (Deque Systems, MPL-2.0, in `vendor/`): what of a page people with a disability could not use."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page


def barriers(page: Page) -> list[str]:
    """The serious and critical violations of the page as it stands: rule and the first element of each."""
    page.evaluate(_source())  # by the browser's debugger, which the content policy does not bind
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]} {each['nodes'][0]['failureSummary'][:200]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]


@cache
def _source() -> str:
    return (Path(__file__).parent / "vendor" / "axe.min.js").read_text("utf-8")
