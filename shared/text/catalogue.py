"""The message catalogue of one language, read from its .po file, and `translate`, which every page calls.

The .po file is the only form there is: it is read when a language is first asked for (some 50 ms), so no compiled file
can be out of date. A text without an entry stays English; nothing that a person or a machine wrote makes it fail.
"""

import functools
import pathlib
from collections.abc import Mapping
from dataclasses import dataclass

from babel import Locale
from babel.messages.pofile import read_po
from babel.numbers import get_decimal_symbol

from shared.text.recognition import KnownForm, Recognised, Recogniser
from shared.text.sentence import Recorded, Sentence
from shared.text.template import CAPITAL, Field, WordedByLanguage, capital, fields_of, filled, in_english

LOCALES = pathlib.Path(__file__).parent / "locale"
ENGLISH = "en"
NESTED = frozenset(  # fields that hold sentences or words of ours, not names
    ("why", "what", "reason", "sentence", "detail", "rest", "words", "mode", "goal", "phase", "state")
)
MAX_DEPTH = 4  # of sentences inside sentences that were read back from English


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One entry: its English forms (two if it counts) and the language's forms, and the files that it stands in."""

    english: tuple[str, ...]
    forms: tuple[str, ...]
    files: frozenset[str]


class _Captured(str):
    """The text of a value that was read back from an English sentence."""

    __slots__ = ()


class Catalogue:
    """All messages of one language. `language`: the name of its folder, such as "de" or "pt_BR"."""

    def __init__(self, language: str, messages: Mapping[str, CatalogueEntry]) -> None:
        self.language = language
        self.messages = messages
        self._locale = Locale.parse(language)
        self._point = get_decimal_symbol(self._locale)
        forms = (KnownForm(key, form) for key, message in messages.items() for form in message.english)
        self._recogniser = Recogniser(forms)

    def translate(self, sentence: str) -> str:
        """The sentence in this language: by its template, or by the template found for a text without one."""
        return self._translated(sentence, MAX_DEPTH)

    def _translated(self, sentence: str, depth: int) -> str:
        if isinstance(sentence, Sentence):
            return self._written(sentence.template, sentence.plural, sentence.values, depth)
        found = self._recogniser.recognise(sentence) if depth else None
        if found is None:
            return sentence
        return self._recalled(found, depth - 1)

    def _recalled(self, found: Recognised, depth: int) -> str:
        english = self.messages[found.message].english
        values: dict[str, object] = {name: _Captured(value) for name, value in found.values.items()}
        counted = found.values.get("n", "1" if found.form == english[0] else "")
        number = int(counted) if counted.isdecimal() and counted.isascii() and len(counted) < 10 else None
        return self._form(found.message, number, values, depth) or filled(found.form, values, in_english)

    def _written(self, template: str, plural: str, values: Mapping[str, object], depth: int) -> str:
        number = values["n"] if plural else None
        counted = number if isinstance(number, int) else None
        in_this_language = self._form(template, counted, values, depth)
        if in_this_language is not None:
            return in_this_language
        form = plural if plural and number != 1 else template
        return filled(form, values, lambda value, field: self._shown(value, field, depth)) if values else form

    def _form(self, key: str, number: int | None, values: Mapping[str, object], depth: int) -> str | None:
        message = self.messages.get(key)
        if message is None or not all(message.forms):
            return None
        place = 0
        if len(message.forms) > 1:
            place = len(message.forms) - 1 if number is None else self._plural_place(number, len(message.forms))
        form = message.forms[place]
        if any(field.name not in values for field in fields_of(form)) and values:
            return None
        return filled(form, values, lambda value, field: self._shown(value, field, depth)) if values else form

    def _plural_place(self, number: int, forms: int) -> int:
        tags = sorted(self._locale.plural_form.tags | {"other"}, key=_PLURAL_ORDER.index)
        return min(tags.index(self._locale.plural_form(number)), forms - 1)

    def _shown(self, value: object, field: Field, depth: int) -> str:
        if isinstance(value, _Captured):
            if field.spec[-1:] in ("f", "g"):
                return value.replace(".", self._point)
            shown = self._translated(str.__str__(value), depth) if field.name in NESTED else str.__str__(value)
            return capital(shown) if field.spec == CAPITAL else shown
        if isinstance(value, Sentence | Recorded):
            return in_english(str.__str__(self._translated(value, depth)), field)
        if isinstance(value, float):
            return in_english(value, field).replace(".", self._point)
        if isinstance(value, WordedByLanguage):
            return value.in_language(self.language)
        if isinstance(value, str) and field.name in NESTED:
            return in_english(self._translated(value, depth), field)
        return in_english(value, field)


_PLURAL_ORDER = ("zero", "one", "two", "few", "many", "other")


@functools.cache
def languages() -> tuple[str, ...]:
    """The languages there are, English first: each other one is a folder with a catalogue."""
    return (ENGLISH, *sorted(file.parent.parent.name for file in LOCALES.glob("*/LC_MESSAGES/raceday.po")))


def language_name(language: str) -> str:
    """What speakers of the language call it: 'Deutsch'."""
    name = Locale.parse(language).get_display_name() or language
    return capital(name)


@functools.cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of one of the languages. Raises FileNotFoundError for one that there is not."""
    with (LOCALES / language / "LC_MESSAGES" / "raceday.po").open("rb") as file:
        entries = read_po(file, locale=language)
    messages = {}
    for entry in entries:
        if not entry.id:
            continue
        english = entry.id if isinstance(entry.id, tuple | list) else (entry.id,)
        forms = entry.string if isinstance(entry.string, tuple | list) else (entry.string or "",)
        files = frozenset(name for name, _ in entry.locations)
        messages[english[0]] = CatalogueEntry(tuple(english), tuple(map(str, forms)), files)
    return Catalogue(language, messages)


def translate(sentence: str, language: str) -> str:
    """The sentence in the language; a text without an entry, and every text in an unknown language, stays English."""
    if language == ENGLISH or language not in languages():
        return sentence
    return catalogue(language).translate(sentence)
