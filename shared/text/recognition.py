"""Which template made an English text: facts and messages carry only the text. Used by catalogue.py.

A template matches a text if its literals stand in it in order, the first at the start and the last at the end (unless a
field is there). Literals are looked for from the left with `str.find`, so a text of any content takes linear time for
each template. Of several that match, the one with the most letters in its literals wins, then the one with the most
signs, then the first in the alphabet. What is found always gives back the same English text, whatever the values are.
"""

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from shared.text.template import Field, parts_of

MIN_LETTERS = 3  # a template with fewer letters, such as "{name}: {why}", fits too much
START = 4  # how many signs of a literal at the start choose the templates that are tried
MAX_LENGTH = 2000  # a longer text is nobody's sentence


@dataclass(frozen=True, slots=True)
class KnownForm:
    """One English form of a message: the singular or the plural. `message`: the catalogue's key."""

    message: str
    form: str


@dataclass(frozen=True, slots=True)
class Recognised:
    """What made a text: the message, which of its forms, and the text that stands in each field."""

    message: str
    form: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Pattern:
    known: KnownForm
    parts: tuple[str | Field, ...]
    letters: int
    signs: int  # letters and all others
    start: str  # the first signs of a literal that is long enough, "" if there is none


class Recogniser:
    """Finds the template of a text among those of a catalogue. `forms`: all English forms of all messages."""

    def __init__(self, forms: Iterable[KnownForm]) -> None:
        patterns = [_pattern(known) for known in forms]
        self._whole = {str(p.parts[0]): p.known for p in patterns if len(p.parts) == 1 and isinstance(p.parts[0], str)}
        usable = [p for p in patterns if len(p.parts) > 1 and p.letters >= MIN_LETTERS]
        usable.sort(key=_by_letters)
        # Most begin with a literal: by its first signs; the others may fit any text.
        self._open = [p for p in usable if p.start == ""]
        starts = {p.start for p in usable} - {""}
        self._by_start = {
            start: sorted([*self._open, *(p for p in usable if p.start == start)], key=_by_letters) for start in starts
        }
        self._cached = functools.lru_cache(maxsize=4096)(self._find)

    def recognise(self, written: str) -> Recognised | None:
        """The template of this text, with the text of its values; None if no template made it."""
        return self._cached(str.__str__(written)) if 0 < len(written) <= MAX_LENGTH else None

    def _find(self, written: str) -> Recognised | None:
        if (known := self._whole.get(written)) is not None:
            return Recognised(known.message, known.form, {})
        for pattern in self._by_start.get(written[:START], self._open):
            if (values := _values(pattern.parts, written)) is not None:
                return Recognised(pattern.known.message, pattern.known.form, values)
        return None


def _pattern(known: KnownForm) -> _Pattern:
    parts = parts_of(known.form)
    literals = "".join(part for part in parts if isinstance(part, str))
    first = parts[0] if parts and isinstance(parts[0], str) else ""
    start = first[:START] if len(first) >= START else ""
    return _Pattern(known, parts, sum(sign.isalpha() for sign in literals), len(literals), start)


def _by_letters(pattern: _Pattern) -> tuple[int, int, str]:
    return -pattern.letters, -pattern.signs, pattern.known.form


def _values(parts: tuple[str | Field, ...], written: str) -> dict[str, str] | None:
    """The text of each field; None if the literals are not where they must be, or a field would have two values."""
    at, end = 0, len(written)
    if isinstance(parts[0], str):
        if not written.startswith(parts[0]):
            return None
        at, parts = len(parts[0]), parts[1:]
    last = parts[-1]
    if isinstance(last, str):
        if not written.endswith(last) or end - len(last) < at:
            return None
        end, parts = end - len(last), parts[:-1]
    values: dict[str, str] = {}
    for place, field in enumerate(parts):
        if isinstance(field, str):
            continue
        following = parts[place + 1] if place + 1 < len(parts) else None
        if isinstance(following, Field):  # two fields side by side: the first is taken as empty
            found, step = at, 0
        else:
            found = end if following is None else written.find(following, at, end)
            step = 0 if following is None else len(following)
        if found < 0 or values.setdefault(field.name, written[at:found]) != written[at:found]:
            return None
        at = found + step
    return values
