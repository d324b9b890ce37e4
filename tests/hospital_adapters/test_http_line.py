"""What the line of all HTTP adapters makes of headers and addresses that nobody should send."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hospital_adapters.http_line import Answer, HttpLine, NoAnswer
from tests.hospital_adapters.c06_peer import answering, bare_server

DONE = b"{}"


async def answered(head: str) -> Answer | NoAnswer:
    async with bare_server(answering(head, DONE)) as port:
        line = HttpLine(f"http://127.0.0.1:{port}", None, 1.0)
        try:
            return await line.call("POST", f"http://127.0.0.1:{port}/", {}, b"{}", 5.0)
        finally:
            await line.close()


@pytest.mark.parametrize("header", ["Date", "Retry-After"])
@pytest.mark.parametrize(
    "value",
    [
        "Thu, 01 Jan 2026 00:00:00 +999999999999999",
        "Thu, 01 Jan " + "9" * 400 + " 00:00:00 GMT",
        "9" * 400,
        "-1",
        "Fri, 31 Dec 9999 23:59:59 -1400",
    ],
)
async def test_an_absurd_time_costs_no_answer(header: str, value: str) -> None:
    end = await answered(f"200 OK\r\n{header}: {value}")
    assert isinstance(end, Answer) and end.body == DONE
    assert end.retry_after is None or 0 <= end.retry_after <= 3600


@pytest.mark.parametrize("tail", ["/\n", "/\x00", "/" + "a" * 70_000, "/\ud800"])
async def test_what_is_no_address_is_not_called(tail: str) -> None:
    line = HttpLine("http://127.0.0.1:9", None, 1.0)
    assert await line.call("GET", "http://127.0.0.1:9" + tail, {}, None, 2.0) == NoAnswer("unreachable", sent=False)
    await line.close()


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_any_text_is_a_pause_of_at_most_an_hour_or_none(value: str) -> None:
    pause = HttpLine("http://127.0.0.1:9", None, 1.0)._pause(value)
    assert pause is None or 0 <= pause <= 3600
