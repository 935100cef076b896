"""Templates of sentences: literal text with fields such as `{racer}`, `{seconds:g}` or `{name!r}`.

Used by sentence.py to write English, by catalogue.py to write other languages, and by recognition.py to read English
back. A template that has no field is a text as it stands, with all its braces.
"""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

_TOKEN = re.compile(r"\{\{|\}\}|\{(?P<name>[a-zA-Z_]\w*)(?P<conversion>![rs])?(?::(?P<spec>[^{}]*))?\}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """One place for a value. `conversion`: "", "r" or "s"; `spec`: as in Python's format strings."""

    name: str
    conversion: str = ""
    spec: str = ""


Part = str | Field
CAPITAL = "cap"


@functools.lru_cache(maxsize=8192)
def parts_of(template: str) -> tuple[Part, ...]:
    """The template's literals and fields in order; no two literals stand beside each other."""
    parts: list[Part] = []
    literal, at, found_field = "", 0, False
    for token in _TOKEN.finditer(template):
        literal += template[at : token.start()]
        at = token.end()
        if token["name"] is None:
            literal += token[0][0]
            continue
        found_field = True
        if literal:
            parts.append(literal)
        literal = ""
        parts.append(Field(token["name"], (token["conversion"] or "")[1:], token["spec"] or ""))
    if not found_field:
        return (template,) if template else ()
    literal += template[at:]
    return (*parts, literal) if literal else tuple(parts)


def fields_of(template: str) -> tuple[Field, ...]:
    """The template's fields in order."""
    return tuple(part for part in parts_of(template) if isinstance(part, Field))


def filled(template: str, values: Mapping[str, object], shown: Callable[[object, Field], str]) -> str:
    """The template with its values, each as `shown` writes it. Raises KeyError if a value is missing."""
    return "".join([part if isinstance(part, str) else shown(values[part.name], part) for part in parts_of(template)])


@runtime_checkable
class WordedByLanguage(Protocol):
    """A value that each language writes in its own way, such as a day (dates.py)."""

    def in_language(self, language: str) -> str:
        """The value in this language."""
        ...


_PLAIN = (str, int, float)  # asked first: asking a value whether it has a method takes long


def in_english(value: object, field: Field) -> str:
    """A value as an English sentence shows it. Spec `cap`: with a capital first."""
    if not isinstance(value, _PLAIN) and isinstance(value, WordedByLanguage):
        return value.in_language("en")
    if field.spec == CAPITAL:
        return capital(str(value))
    return format(repr(value) if field.conversion == "r" else value, field.spec)


def capital(words: str) -> str:
    """The words with a capital first."""
    return words[:1].upper() + words[1:]
