"""Brings the message catalogues up to date with the source: new messages are added empty, unused ones are taken out.

Then fill in what is empty (docs/translate.md). `./dev check --static` says what is missing.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from tools.texts.po_file import plural_forms, po_files, read_entries, updated, write_entries
from tools.texts.source import read_product


def main() -> int:
    found = read_product()
    for path in po_files():
        entries = updated(read_entries(path), found.messages, plural_forms(path))
        write_entries(path, entries)
        empty = sum(not all(entry.forms) for entry in entries.values())
        print(f"{path.parent.parent.name}: {len(entries)} messages, {empty} of them not translated")
    return 0


if __name__ == "__main__":
    sys.exit(main())
