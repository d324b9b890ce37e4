"""The FHIR server and parser of another maker (`tests/peers/fhir`), each a process that is told by lines."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_INSTALLED = ROOT / ".venv/peers/fhir"
Resource = dict[str, Any]


class Told:
    """A process that answers each line with one."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.first = self.hear()

    def tell(self, line: str) -> str:
        self.say(line)
        return self.hear()

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process has ended"
        return line.strip()


@contextmanager
def started(script: str, *arguments: str) -> Iterator[Told]:
    """The process of *script* until the block ends; installs what it needs the first time."""
    subprocess.run([ROOT / "scripts/setup-fhir"], check=True, timeout=300)
    command = ["node", _INSTALLED / script, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            yield Told(process)
        finally:
            process.terminate()


class Parser:
    """Validates and reads resources."""

    def __init__(self, told: Told) -> None:
        self._told = told

    def give(self, text: str) -> None:
        """A resource as JSON *text*, which is read while the caller goes on."""
        self._told.say(text)

    def leaves(self) -> dict[str, Any] | str:
        """The values of the resource that was given, by their paths; or why it is not valid."""
        answer = json.loads(self._told.hear())
        return dict(answer["leaves"]) if "leaves" in answer else str(answer["refused"])


class PeerServer:
    """The server. Its answers to what is told it are "done"."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self.url = f"http://127.0.0.1:{told.first}"

    def reset(self, *resources: Resource) -> None:
        """An empty memory but for *resources*."""
        self.tell(f"reset {json.dumps(resources)}")

    def tell(self, command: str) -> None:
        assert self._told.tell(command) == "done"
