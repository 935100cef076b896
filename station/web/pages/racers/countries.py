"""The countries by their names, in the languages of the pages: for the form, and for lists of racers as files."""

import functools

from babel import Locale

from shared.text.catalogue import languages
from station.core.event.checks import COUNTRIES
from station.core.event.csv_cells import plain


@functools.cache
def countries(language: str = "en") -> tuple[tuple[str, str], ...]:
    """Code and name of each country, by name."""
    names = Locale.parse(language).territories
    return tuple(sorted(((code, str(names.get(code, code))) for code in COUNTRIES), key=lambda each: plain(each[1])))


@functools.cache
def codes_by_name() -> dict[str, str]:
    """The code of each country by its name in any language of the pages, as `csv_cells.plain` writes it."""
    return {plain(name): code for language in languages() for code, name in countries(language)}
