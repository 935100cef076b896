"""Whose language a page is written in: chosen once for each request, and read wherever a sentence is shown.

`chosen` is pure. `reading` sets the language for what runs inside it, also in threads that it starts through asyncio.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TypeVar

from shared.text.catalogue import ENGLISH, languages, translate
from shared.text.sentence import Recorded, Sentence

Value = TypeVar("Value")
MAX_HEADER = 500
_language: ContextVar[str] = ContextVar("language", default=ENGLISH)


def chosen(asked: str, remembered: str, accepted: str, default: str = ENGLISH) -> str:
    """The reader's language: asked for in the address, remembered in a cookie, wanted by the browser, or the default.

    `accepted`: the header Accept-Language. Languages that there are not are passed over.
    """
    for tag in (asked, remembered, *_by_weight(accepted[:MAX_HEADER])):
        if (known := _known(tag)) is not None:
            return known
    return _known(default) or ENGLISH


def _known(wanted: str) -> str | None:
    """The language with this tag, 'de' for 'de-AT'."""
    tag = wanted.strip().replace("-", "_").lower()
    names = {name.lower(): name for name in languages()}
    return names.get(tag) or names.get(tag.partition("_")[0])


def _by_weight(header: str) -> list[str]:
    """The tags of an Accept-Language header, the most wanted first."""
    weighted = []
    for place, entry in enumerate(header.split(",")):
        tag, _, weight = entry.partition(";")
        number = weight.strip().removeprefix("q=")
        plain = number.replace(".", "", 1)
        q = float(number) if plain.isdecimal() and plain.isascii() else 1.0 if not weight else 0.0
        if tag.strip() and q > 0:
            weighted.append((-q, place, tag))
    return [tag for _, _, tag in sorted(weighted)]


def language() -> str:
    """The language of the reader whose request is being answered; English outside of requests."""
    return _language.get()


@contextlib.contextmanager
def reading(reader: str) -> Iterator[None]:
    """What is shown inside is in this language."""
    before = _language.set(reader)
    try:
        yield
    finally:
        _language.reset(before)


def shown(value: Value) -> Value | str:
    """A sentence, or recorded text, in the reader's language; anything else, also a plain `str`, as it is."""
    return translate(value, _language.get()) if isinstance(value, Sentence | Recorded) else value
