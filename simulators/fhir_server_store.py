"""The memory of the FHIR simulator: versions, conditional creates, and transactions that are stored whole or not.

FHIR R4 3.1.0.7.2 (versions and If-Match), 3.1.0.8.1 (If-None-Exist), 3.1.0.11 (transactions).
"""

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from simulators.fhir_server_check import Resource, Unacceptable, check, leaves
from simulators.fhir_server_search import conditions, matching

_LOCAL = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}")
_ETAG = re.compile(r'(?:W/)?"([^"]+)"')


@dataclass(frozen=True)
class Stored:
    """A resource as it was stored, and whether this made it (201) or only found it (200)."""

    resource: Resource
    created: bool

    @property
    def location(self) -> str:
        """Where this version is, below the base."""
        kind, version = self.resource["resourceType"], self.resource["meta"]["versionId"]
        return f"{kind}/{self.resource['id']}/_history/{version}"


class Store:
    """All resources by type and id. `made` sees each resource before it is created, and may add to it."""

    def __init__(self, made: Callable[[Resource], None] = lambda resource: None) -> None:
        self.resources: dict[tuple[str, str], Resource] = {}
        self._ids = itertools.count(1)
        self._made = made

    def read(self, kind: str, id_: str) -> Resource:
        """Unacceptable 404 when there is none."""
        if (kind, id_) not in self.resources:
            raise Unacceptable(404, "not-found", f"no such {kind}")
        return self.resources[kind, id_]

    def put(self, resource: Resource) -> Resource:
        """Store *resource* under the id that it bears, to prepare a test."""
        return self._store(check(resource, resource["resourceType"]), resource["id"], 1)

    def search(self, kind: str, query: str, strict: bool) -> tuple[list[Resource], dict[str, str]]:
        """What matches, the youngest first, and the result parameters."""
        wanted, result = conditions(query, kind, strict)
        found = matching(self.resources.values(), kind, wanted)
        return found[::-1], result

    def create(self, kind: str, resource: Any, if_none_exist: str | None) -> Stored:
        """A conditional create: 412 when several match, the one that matches, else a new one."""
        check(resource, kind)
        if if_none_exist is not None:
            wanted, _ = conditions(if_none_exist, kind, strict=True)
            found = matching(self.resources.values(), kind, wanted) if wanted else []
            if not wanted or len(found) > 1:
                raise Unacceptable(412, "multiple-matches", "the condition matches none or several")
            if found:
                return Stored(found[0], created=False)
        self._refer_to_what_exists(resource)
        fresh = json.loads(json.dumps(resource))
        self._made(fresh)
        return Stored(self._store(fresh, str(next(self._ids)), 1), created=True)

    def update(self, kind: str, id_: str, resource: Any, if_match: str | None) -> Stored:
        """A new version of what exists; 412 when it is not the version named."""
        before = self.read(kind, id_)
        if check(resource, kind).get("id") != id_:
            raise Unacceptable(400, "invalid", "the resource bears another id")
        if if_match is not None:
            named = _ETAG.fullmatch(if_match)
            if named is None or named[1] != before["meta"]["versionId"]:
                raise Unacceptable(412, "conflict", "the resource has changed")
        self._refer_to_what_exists(resource)
        return Stored(self._store(resource, id_, int(before["meta"]["versionId"]) + 1), created=False)

    def transaction(self, bundle: Any) -> list[Stored]:
        """Each entry in order, or nothing at all: after an Unacceptable everything is as it was."""
        before = dict(self.resources)
        try:
            return self._each(_entries(bundle))
        except Unacceptable:
            self.resources = before
            raise

    def _each(self, entries: list[Resource]) -> list[Stored]:
        known: dict[str, str] = {}
        done = []
        for entry in entries:
            resource, request = _resolved(entry["resource"], known), entry["request"]
            if request["method"] == "POST":
                stored = self.create(request["url"], resource, request.get("ifNoneExist"))
            elif request["method"] == "PUT":
                kind, _, id_ = request["url"].partition("/")
                stored = self.update(kind, id_, resource, request.get("ifMatch"))
            else:
                raise Unacceptable(400, "not-supported", "a method that no check-in needs")
            if entry.get("fullUrl"):
                known[entry["fullUrl"]] = f"{stored.resource['resourceType']}/{stored.resource['id']}"
            done.append(stored)
        return done

    def _store(self, resource: Resource, id_: str, version: int) -> Resource:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        kept = {**resource, "id": id_, "meta": {"versionId": str(version), "lastUpdated": now}}
        self.resources[resource["resourceType"], id_] = kept
        return kept

    def _refer_to_what_exists(self, resource: Resource) -> None:
        for path, value in leaves(resource, resource["resourceType"]):
            if not path.endswith(".reference"):
                continue
            if not isinstance(value, str) or not _LOCAL.fullmatch(value):
                raise Unacceptable(422, "invalid", f"{path}: not a reference to a resource here")
            if tuple(value.split("/")) not in self.resources:
                raise Unacceptable(422, "not-found", f"{path}: what it refers to does not exist")


def _entries(bundle: Any) -> list[Resource]:
    """The entries of a transaction. Each refers only to earlier ones here: a client that relies on more finds out."""
    entries = bundle.get("entry", ()) if isinstance(bundle, dict) else ()
    if not isinstance(bundle, dict) or bundle.get("type") != "transaction" or not isinstance(entries, list):
        raise Unacceptable(400, "structure", "not a transaction")
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("resource"), dict):
            raise Unacceptable(400, "structure", "an entry without a resource")
        if set(entry) - {"fullUrl", "resource", "request"} or not isinstance(entry.get("request"), dict):
            raise Unacceptable(400, "structure", "an entry without a request")
        if not str(entry["request"].get("url", "")) or "method" not in entry["request"]:
            raise Unacceptable(400, "structure", "a request without method and url")
    urls = [entry.get("fullUrl") for entry in entries if entry.get("fullUrl")]
    if len(set(urls)) != len(urls):
        raise Unacceptable(400, "duplicate", "a fullUrl twice")
    return entries


def _resolved(resource: Any, known: dict[str, str]) -> Any:
    """*resource* with the references to other entries as references to what they became."""
    if isinstance(resource, dict):
        return {
            name: known.get(value, value) if name == "reference" and isinstance(value, str) else _resolved(value, known)
            for name, value in resource.items()
        }
    return [_resolved(item, known) for item in resource] if isinstance(resource, list) else resource
