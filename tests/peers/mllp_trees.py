"""What two independent parsers see in an HL7 v2 message, as trees of texts."""

import re
from typing import Any

import hl7
from hl7apy.parser import parse_message

Tree = dict[tuple[str, int, int, int, int], str]
"""Texts that are not empty by segment, field, repetition, component and subcomponent, each counted from 1."""

_MEANT = {"E": "\\", "F": "|", "S": "^", "T": "&", "R": "~"}


def by_hl7apy(text: str) -> tuple[list[str], Tree]:
    """The segments' names, and the tree that hl7apy reads. It hands escapes through, so they are undone here."""
    names, tree = [], Tree()
    for segment in parse_message(text, find_groups=False).children:
        names.append(segment.name)
        counts: dict[int, int] = {}
        for field in segment.children:
            number = _number(field)
            if segment.name == "MSH" and number < 3:
                continue
            counts[number] = counts.get(number, 0) + 1
            for at, component in _numbered(field):
                for inner, leaf in _numbered(component):
                    plain = re.sub(r"\\([EFSTR])\\", lambda found: _MEANT[found[1]], leaf.to_er7())
                    if plain:
                        tree[segment.name, number, counts[number], at, inner] = plain
    return names, tree


def by_python_hl7(text: str) -> tuple[list[str], Tree]:
    """The segments' names, and the tree that python-hl7 reads."""
    message = hl7.parse(text)
    tree = Tree()
    for segment in message:
        name = str(segment[0])
        for number in range(3 if name == "MSH" else 1, len(segment)):
            for repetition, repeated in enumerate(_inside(segment[number]), 1):
                for at, component in enumerate(_inside(repeated), 1):
                    for inner, leaf in enumerate(_inside(component), 1):
                        plain = message.unescape(str(leaf))
                        if plain:
                            tree[name, number, repetition, at, inner] = plain
    return [str(segment[0]) for segment in message], tree


def _inside(part: Any) -> list[Any]:
    """The parts of *part*; python-hl7 leaves out levels that have one part only."""
    return list(part) if isinstance(part, hl7.Container) else [part]


def _number(element: Any) -> int:
    return int(re.search(r"_([0-9]+)$", element.name)[1])  # type: ignore[index]


def _numbered(element: Any) -> list[tuple[int, Any]]:
    """The children with their numbers; a child named by its data type only is the first and only one."""
    named = [(child, re.search(r"_([0-9]+)$", child.name or "")) for child in element.children]
    return [(int(found[1]) if found else 1, child) for child, found in named]
