"""The .po files: one for each language, sorted by message, without dates and line numbers, so that they merge well."""

import io
import pathlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from shared.text.catalogue import LOCALES
from shared.text.template import fields_of
from tools.texts.found import FoundMessage

HEAD = """# The messages of Raceday in this language; `tools/update_text.py` adds new ones and takes out what is unused.
# How to add a language: docs/translate.md.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural}\\n"

"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message, with its forms in the language; empty ones are not translated yet."""

    message: str
    plural: str
    forms: tuple[str, ...]
    files: tuple[str, ...] = ()


def po_files() -> Iterator[pathlib.Path]:
    """The catalogues that there are."""
    yield from sorted(LOCALES.glob("*/LC_MESSAGES/raceday.po"))


def language_of(path: pathlib.Path) -> str:
    return path.parent.parent.name


def read_entries(path: pathlib.Path) -> dict[str, Entry]:
    """All messages of a catalogue."""
    with path.open("rb") as file:
        entries = [entry for entry in read_po(file, locale=language_of(path)) if entry.id]
    return {entry.message: entry for entry in map(_entry, entries)}


def _entry(entry: Message) -> Entry:
    english = entry.id if isinstance(entry.id, tuple | list) else (entry.id, "")
    forms = entry.string if isinstance(entry.string, tuple | list) else (entry.string or "",)
    return Entry(english[0], english[1], tuple(map(str, forms)), tuple(sorted(name for name, _ in entry.locations)))


def updated(entries: dict[str, Entry], found: Iterable[FoundMessage], forms: int) -> dict[str, Entry]:
    """The catalogue with exactly the messages of the source; translations of those that stay are kept."""
    fresh: dict[str, Entry] = {}
    for each in found:
        before = fresh.get(each.message) or entries.get(each.message)
        files = fresh[each.message].files if each.message in fresh else ()
        plural = each.plural or (fresh[each.message].plural if each.message in fresh else "")
        wanted = forms if plural else 1
        kept = before.forms if before is not None and len(before.forms) == wanted else ("",) * wanted
        fresh[each.message] = Entry(each.message, plural, kept, tuple(sorted({*files, each.file})))
    return fresh


def write_entries(path: pathlib.Path, entries: dict[str, Entry]) -> None:
    """Writes the catalogue."""
    catalog = Catalog(locale=language_of(path), fuzzy=False)
    for entry in sorted(entries.values(), key=lambda each: each.message):
        catalog.add(
            (entry.message, entry.plural) if entry.plural else entry.message,
            entry.forms if entry.plural else entry.forms[0],
            locations=[(file, 0) for file in entry.files],
            flags=["python-brace-format"] if fields_of(entry.message) else [],
        )
    written = io.BytesIO()
    write_po(written, catalog, width=0, omit_header=True, include_lineno=False, sort_output=True)
    head = HEAD.format(language=language_of(path), plural=catalog.plural_forms)
    path.write_bytes(head.encode() + written.getvalue().strip() + b"\n")


def plural_forms(path: pathlib.Path) -> int:
    """How many forms the language has for counts."""
    return Catalog(locale=language_of(path)).num_plurals
