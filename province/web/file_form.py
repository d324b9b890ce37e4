"""A form with a file as browsers send it (multipart/form-data), held in memory only."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from province.guards import ApiError, read_body

_AROUND: Final = 16 * 1024
"""Bytes for the small fields and for what stands between the parts."""


@dataclass(frozen=True, slots=True)
class FileForm:
    """The texts of a form and its file; no bytes when nobody chose one. The file's name is not kept."""

    fields: dict[str, str]
    file: bytes


async def read_file_form(request: Request, most: int) -> FileForm:
    """The form in a request's body, with a file of at most *most* bytes.

    Raises ApiError 413 for a body longer than that (with a little around it), 422 `malformed` for what is no such form,
    for more than one file and for more than ten fields.
    """
    content = await read_body(request, most + _AROUND)

    class InMemory(MultiPartParser):
        # A file that somebody chose by mistake may hold anything: it must not reach the disk.
        spool_max_size = len(content) + 1

    try:
        parser = InMemory(request.headers, _once(content), max_files=1, max_fields=10, max_part_size=_AROUND)
        found = await parser.parse()
    except (MultiPartException, KeyError):  # KeyError: without Content-Type
        raise ApiError(422, "malformed", "a multipart form with one file is needed") from None
    fields: dict[str, str] = {}
    file = b""
    for name, value in found.multi_items():
        if isinstance(value, UploadFile):
            file = await value.read()
        else:
            fields[name] = value
    await found.close()
    return FileForm(fields, file)


async def _once(content: bytes) -> AsyncGenerator[bytes, None]:
    yield content
