"""Forms with a file: what browsers send is read, anything else is refused, and nothing touches the disk."""

import asyncio
import tempfile
from typing import Any

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from province.guards import ApiError
from province.web.file_form import FileForm, read_file_form

MOST = 2_000_000


def read(body: bytes, content_type: str | None = "multipart/form-data; boundary=xyz") -> FileForm:
    headers = [(b"content-type", content_type.encode("latin-1"))] if content_type is not None else []
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return messages.pop(0)

    return asyncio.run(read_file_form(Request({"type": "http", "headers": headers}, receive), MOST))


def form(file: bytes | None, **fields: str) -> bytes:
    parts = [
        f'--xyz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    if file is not None:
        head = (
            b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n'
        )
        parts.append(head + file + b"\r\n")
    return b"".join(parts) + b"--xyz--\r\n"


def refused(body: bytes, content_type: str | None = "multipart/form-data; boundary=xyz") -> tuple[int, str]:
    with pytest.raises(ApiError) as error:
        read(body, content_type)
    return error.value.status, error.value.code


@given(file=st.binary(max_size=300), kind=st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=30))
def test_what_a_browser_sends_comes_back_byte_for_byte(file: bytes, kind: str) -> None:
    if b"--xyz" not in file:
        assert read(form(file, kind=kind)) == FileForm({"kind": kind}, file)


@given(st.binary(max_size=300), st.sampled_from(["multipart/form-data; boundary=xyz", "text/plain", "", None]))
def test_any_bytes_are_read_or_refused(body: bytes, content_type: str | None) -> None:
    try:
        read(body, content_type)
    except ApiError as error:
        assert (error.status, error.code) == (422, "malformed")


def test_no_file_more_than_one_and_one_that_is_too_long() -> None:
    assert read(form(None, kind="visit_count")) == FileForm({"kind": "visit_count"}, b"")
    assert refused(form(b"1").removesuffix(b"--xyz--\r\n") + form(b"2")) == (422, "malformed")
    assert refused(form(None, **{f"f{number}": "" for number in range(11)})) == (422, "malformed")
    assert refused(form(b"x" * (MOST + 100_000))) == (413, "too_large")
    assert refused(b"kind=visit_count", "application/x-www-form-urlencoded") == (422, "malformed")


def test_a_large_file_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_disk(*_: object, **__: object) -> None:
        raise AssertionError("a file was made")

    monkeypatch.setattr(tempfile, "TemporaryFile", no_disk)
    assert len(read(form(b"x" * MOST)).file) == MOST
