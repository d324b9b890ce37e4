"""Questions to one FHIR server and writes to it, with login, under its base URL."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hospital_adapters import fhir_outcome as outcome
from hospital_adapters import fhir_read as read
from hospital_adapters.fhir_login import Login
from hospital_adapters.fhir_read import Resource
from hospital_adapters.fhir_settings import FhirSettings
from hospital_adapters.fhir_text import query
from hospital_adapters.http_line import Answer, HttpLine, NoAnswer
from kiosk.errors import HospitalUnavailable

_JSON = "application/fhir+json"
_FORM = "application/x-www-form-urlencoded"
_MOST_PAGES = 10
_LARGEST = 4 * 1024 * 1024


class Session:
    """What the adapter asks of one server. Questions raise nothing but HospitalUnavailable."""

    def __init__(self, settings: FhirSettings, secret: Callable[[str], str]) -> None:
        """Nothing is opened yet. ConfigError for an unusable secret or ``ca_file``."""
        self._settings = settings
        self._line = HttpLine(settings.url, settings.ca_file, settings.timeouts.connect, largest=_LARGEST)
        self._login = Login(settings, secret)

    async def read(self, kind: str, id_: str) -> Resource | None:
        """The resource ``kind/id_``, None when there is none (any longer)."""
        end = await self._exchange("GET", f"/{kind}/{id_}", {}, None, self._settings.timeouts.get)
        found = outcome.told(end)
        if found is not None and (read.part(found, "resourceType") != kind or read.id_of(found) != id_):
            raise HospitalUnavailable(outcome.MALFORMED)
        etag = end.headers.get("etag") if isinstance(end, Answer) else None
        if found is not None and etag and not read.part(found, "meta", "versionId"):
            found["meta"] = {**(found["meta"] if isinstance(found.get("meta"), dict) else {}), **_version(etag)}
        return found

    async def search(self, kind: str, parameters: Sequence[tuple[str, str]]) -> list[Resource]:
        """The resources of type *kind* on the first page; values are escaped already."""
        return read.matches(await self.bundle(kind, query(parameters)), kind)

    async def everything(self, kind: str, search: str) -> list[Resource]:
        """As `bundle`, with the pages that follow, under our base URL, ten at most. Nothing of people is asked so."""
        page = await self.bundle(kind, search)
        found = read.matches(page, kind)
        for _ in range(_MOST_PAGES - 1):
            links = [link.get("url") for link in read.items(page.get("link")) if link.get("relation") == "next"]
            after = links[0] if links else None
            if not isinstance(after, str) or not after.startswith(self._settings.url + "/") or not after.isascii():
                break
            path = after.removeprefix(self._settings.url)
            end = await self._exchange("GET", path, {}, None, self._settings.timeouts.get)
            page = outcome.told(end) or {}
            found += read.matches(page, kind)
        return found

    async def bundle(self, kind: str, search: str) -> Resource:
        """The searchset for the query *search*, which is encoded already."""
        # a server that passes over a parameter it does not know would give us everybody
        headers = {"prefer": "handling=strict"}
        if self._settings.search == "post":
            headers["content-type"] = _FORM
            method, path, content = "POST", f"/{kind}/_search", search.encode()
        else:
            method, path, content = "GET", f"/{kind}?{search}", None
        end = await self._exchange(method, path, headers, content, self._settings.timeouts.get)
        found = outcome.told(end)
        if found is None or not read.is_bundle(found, "searchset"):
            raise HospitalUnavailable(outcome.MALFORMED if found else "fhir.http_404")
        return found

    async def capabilities(self) -> tuple[Resource, Answer]:
        """The CapabilityStatement, with the answer that brought it."""
        end = await self._exchange("GET", "/metadata", {}, None, self._settings.timeouts.get)
        found = outcome.told(end)
        if read.part(found, "resourceType") != "CapabilityStatement" or not isinstance(end, Answer) or found is None:
            raise HospitalUnavailable(outcome.MALFORMED)
        return found, end

    async def write(self, method: str, path: str, body: Resource, headers: Mapping[str, str] | None = None) -> Answer:
        """One write, repeated only after 401 with a new token. Errors as in `outcome.written`."""
        # half a surrogate pair, which only a resource of theirs can hold, goes back as it came: as an escape of JSON
        content = json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace")
        sent = {"content-type": _JSON, "prefer": "return=representation", **(headers or {})}
        return outcome.written(await self._exchange(method, path, sent, content, self._settings.timeouts.post))

    async def close(self) -> None:
        """Release connections."""
        await self._line.close()
        await self._login.close()

    async def _exchange(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None, limit: float
    ) -> Answer | NoAnswer:
        deadline = time.monotonic() + limit
        authorization = await self._login.header()
        end = await self._once(method, path, headers, content, authorization, limit)
        if isinstance(end, Answer) and end.status == 401 and self._login.renewable:
            authorization = await self._login.header(refused=authorization)
            left = deadline - time.monotonic()
            if left > 0:
                end = await self._once(method, path, headers, content, authorization, left)
        return end

    async def _once(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        content: bytes | None,
        authorization: str | None,
        limit: float,
    ) -> Answer | NoAnswer:
        everything = {"accept": _JSON, **headers} | ({"authorization": authorization} if authorization else {})
        return await self._line.call(method, self._settings.url + path, everything, content, limit)


def _version(etag: str) -> dict[str, Any]:
    quoted = etag.removeprefix("W/")
    return {"versionId": quoted[1:-1]} if len(quoted) > 2 and quoted[0] == quoted[-1] == '"' else {}
