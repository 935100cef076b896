"""A part of `./dev check`: every sentence that a page shows is in the catalogue, in every language.

Prints a line with file and number for each fault; exit code 1 if there is one:

* words in a template or in a script that are not written with `t(...)`, refusals that are not written with `text(...)`;
* a message without a translation, one that no source holds any more, and one whose fields differ between the languages.
"""

import pathlib
import sys
from collections.abc import Iterable, Iterator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from shared.text.template import fields_of
from tools.texts.found import ROOT, FoundMessage
from tools.texts.po_file import Entry, po_files, read_entries
from tools.texts.source import read_product


def faults_of_catalogue(name: str, entries: dict[str, Entry], found: Iterable[FoundMessage]) -> Iterator[str]:
    """A line for each fault of one language's catalogue. `name`: its file."""
    messages = {each.message: each for each in reversed(list(found))}
    for message, where in sorted(messages.items(), key=lambda each: (each[1].file, each[1].line)):
        place = f"{where.file}:{where.line}"
        entry = entries.get(message)
        if entry is None:
            yield f"{place}: {message!r} is not in {name}: run tools/update_text.py"
        elif not all(entry.forms):
            yield f"{place}: {message!r} has no translation in {name}"
        elif fault := _fields_differ(entry):
            yield f"{place}: {fault} in {name}"
    for message in sorted(entries.keys() - messages.keys()):
        yield f"{name}: {message!r} stands in no source: run tools/update_text.py"


def _fields_differ(entry: Entry) -> str:
    english = {field.name for form in (entry.message, entry.plural) for field in fields_of(form)}
    for form in entry.forms:
        names = {field.name for field in fields_of(form)}
        if names - english or english - names - {"n"}:
            return f"{entry.message!r} has the fields {sorted(english)}, but its translation has {sorted(names)}"
    return ""


def main() -> int:
    found = read_product()
    faults = list(found.faults)
    for path in po_files():
        faults += faults_of_catalogue(path.relative_to(ROOT).as_posix(), read_entries(path), found.messages)
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
