"""A sentence in English that remembers its template and its values, so that a page can show it in another language.

Used wherever a sentence for people is written. Example: `text("{racer} is on the track.", racer="Ada")`. What is stored
or sent to a machine is the English text alone: a `Sentence` is a `str`. Text that comes back from there is marked with
`recorded`, and its template is found again when a page in another language shows it (recognition.py).
"""

import functools
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from shared.text.template import filled, in_english


class Sentence(str):
    """A `str` in English, made from a template with values.

    `template`: what the catalogue has it under; `plural`: its form for other counts than 1, "" if it counts nothing.
    """

    __slots__ = ("plural", "template", "values")

    template: str
    plural: str
    values: Mapping[str, object]

    def __new__(cls, template: str, values: Mapping[str, object], plural: str = "") -> "Sentence":
        """The sentence; a plural one counts `values["n"]`. Raises KeyError if a value of the template is not given."""
        form = plural if plural and values["n"] != 1 else template
        sentence = super().__new__(cls, filled(form, values, in_english) if values else form)
        sentence.template = template
        sentence.plural = plural
        sentence.values = MappingProxyType(dict(values))
        return sentence

    def __str__(self) -> str:
        """Itself, so that the text of an error is still a sentence that can be translated."""
        return self

    def __reduce__(self) -> tuple[type["Sentence"], tuple[str, dict[str, object], str]]:
        return Sentence, (self.template, dict(self.values), self.plural)


class Recorded(str):
    """English text that a machine stored or sent; a page in another language looks for the template that made it."""

    __slots__ = ()

    def __str__(self) -> str:
        return self


def text(template: str, /, **values: object) -> Sentence:
    """The English sentence of this template with these values; braces in it stand for values only if some are given."""
    return Sentence(template, values) if values else _plain(template)


@functools.lru_cache(maxsize=4096)
def _plain(template: str) -> Sentence:
    """The sentence of a template without values: always the same one, and most sentences of a race are of this kind."""
    return Sentence(template, {})


def ntext(one: str, many: str, /, *, n: int, **values: object) -> Sentence:
    """The sentence for a count: `ntext("{n} lap", "{n} laps", n=3)`."""
    return Sentence(one, {"n": n, **values}, many)


def joined(parts: Iterable[str], separator: str = " ") -> Sentence:
    """Sentences one after another, which stay translatable: `joined(["Lap 3", "void"], " · ")`."""
    values = {f"part_{place}": part for place, part in enumerate(parts)}
    return Sentence(separator.replace("{", "{{").replace("}", "}}").join(f"{{{name}}}" for name in values), values)


def recorded(stored: str) -> str:
    """The text, marked as one whose template is to be found again; a `Sentence` stays what it is."""
    return stored if isinstance(stored, Sentence) else Recorded(stored)
