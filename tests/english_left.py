"""Finds English sentences of the catalogue on a page that is in another language."""

import html.parser
from collections.abc import Container, Iterable

from shared.text.catalogue import catalogue
from tools.texts.template_source import SPOKEN_ATTRIBUTES, UNSPOKEN

NAMES = frozenset({"start", "operator"})


def english_left(texts: Iterable[str], language: str, names: Container[str] = NAMES) -> list[str]:
    """Those texts that are an English message of the catalogue, with any values, and differ in this language.

    `names`: names of gates, cars and the like, which are nobody's message.
    """
    known = catalogue(language)
    stripped = {" ".join(text.split()) for text in texts if text not in names}
    return sorted(text for text in stripped if text and known.translate(text) != text)


def texts_of(document: str) -> list[str]:
    """The texts and spoken attributes of an HTML document."""
    reader = _Texts()
    reader.feed(document)
    return reader.texts


class _Texts(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._unspoken = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unspoken += tag in UNSPOKEN
        self.texts += [value or "" for name, value in attrs if name in SPOKEN_ATTRIBUTES]

    def handle_endtag(self, tag: str) -> None:
        self._unspoken -= tag in UNSPOKEN

    def handle_data(self, data: str) -> None:
        if not self._unspoken:
            self.texts.append(data)
