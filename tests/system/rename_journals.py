"""Writes the kept journals anew after a renaming: `python -m tests.system.rename_journals [TABLE.json]`.

Run it once, in the commit that renames inputs or facts of the journal, or words of the sentences that facts hold. The
table names what stands in inputs, old to new; nothing in it is needed for facts, because the engine makes them again:

    {"kinds": {"Edge": "SensorEdge"},
     "fields": {"OpenRace.track": "track_name", "at_ns": "stamp_ns"},
     "values": {"GateReported.gate": {"start": "line"}}}

A field or value is addressed by its name (in every input) or by kind and name (in inputs of that kind, however deep);
kinds and names are the old ones. Every record must make as many facts as before, with the very same numbers in them: a
renaming that changes a figure is refused, and no file is touched. Each text that changed is printed once, to be read.
"""

import gzip
import hashlib
import json
import pathlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

from shared.protocol.results import decode_result
from station.core.engine import Engine
from station.store.encoding import decode_input, encode_facts, encode_input
from station.store.hash_chain import JournalRecord
from station.store.journal import Journal, JournalEntry
from station.store.journal_reader import JournalReader
from tests.system.figure_cases import KEPT_FILE, KEPT_TEXT, SIGNER
from tests.system.journal_figures import Stored, numbers_of

README = KEPT_TEXT.with_name("README.md")
Table = dict[str, Any]


class Changed(Exception):
    """The renamed journal would say something else than before."""


class Renaming:
    """A table, applied to stored inputs."""

    def __init__(self, table: Table) -> None:
        unknown = set(table) - {"kinds", "fields", "values"}
        if unknown:
            raise Changed(f"the table knows kinds, fields and values, not {', '.join(sorted(unknown))}")
        self._kinds: dict[str, str] = table.get("kinds", {})
        self._fields: dict[str, str] = table.get("fields", {})
        self._values: dict[str, dict[str, str]] = table.get("values", {})

    def input(self, stored: bytes) -> bytes:
        """One input with its new names, as canonical JSON."""
        kind, body = json.loads(stored)
        renamed = [self._kinds.get(kind, kind), self._renamed(kind, body)]
        return json.dumps(renamed, sort_keys=True, separators=(",", ":")).encode()

    def _renamed(self, kind: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._renamed(kind, member) for member in value]
        if not isinstance(value, dict):
            return value
        return {self._name(kind, name): self._value(kind, name, member) for name, member in value.items()}

    def _name(self, kind: str, name: str) -> str:
        return self._fields.get(f"{kind}.{name}", self._fields.get(name, name))

    def _value(self, kind: str, name: str, member: Any) -> Any:
        if isinstance(member, str):
            words = self._values.get(f"{kind}.{name}", self._values.get(name, {}))
            return words.get(member, member)
        return self._renamed(kind, member)


def replayed(
    records: Sequence[Stored], renaming: Renaming, new_texts: set[str]
) -> Iterator[tuple[JournalEntry, Stored]]:
    """Each record with its new names, and the facts that the engine makes of it; new texts are added to `new_texts`."""
    engine = Engine()
    for number, (given, facts) in enumerate(records, 1):
        event = decode_input(renaming.input(given))
        made = engine.handle(event)
        before, now = json.loads(facts), json.loads(encode_facts(made))
        if numbers_of(before) != numbers_of(now) or len(before) != len(now):
            raise Changed(f"record {number}: {given.decode()[:200]} made {before}, now {now}")
        new_texts.update(_texts(now) - _texts(before))
        yield JournalEntry(event, made), (encode_input(event), encode_facts(made))


def _texts(value: Any) -> set[str]:
    """All strings in a document, except names of fields and kinds of facts."""
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        return {text for member in value.values() for text in _texts(member)}
    if isinstance(value, list):
        return {text for member in value for text in _texts(member)}
    return set()


def renamed_text(content: bytes, renaming: Renaming, new_texts: set[str]) -> bytes:
    """The renamed journal of those stored as text, one record per line."""
    records = [(given, facts) for given, facts in (line.split(b"\t") for line in gzip.decompress(content).splitlines())]
    lines = [b"\t".join(stored) + b"\n" for _, stored in replayed(records, renaming, new_texts)]
    return gzip.compress(b"".join(lines), mtime=0)


def renamed_file(path: pathlib.Path, renaming: Renaming, new_texts: set[str], folder: pathlib.Path) -> bytes:
    """The renamed journal of those stored as a station's file, written and signed by the program as it is now."""
    reader = JournalReader(path)
    try:
        records: list[JournalRecord] = list(reader.records())
    finally:
        reader.close()
    out = folder / "station.db"
    journal = Journal(out, SIGNER)
    stored = [(record.input, record.facts) for record in records]
    for record, (entry, _) in zip(records, replayed(stored, renaming, new_texts), strict=True):
        evidence = decode_result(record.results[0]).evidence if record.results else None
        journal.append([JournalEntry(entry.input, entry.facts, evidence)])
    journal.close()
    return out.read_bytes()


def main(arguments: list[str]) -> None:
    """Rewrites both stored journals, and the digest beside one of them."""
    renaming = Renaming(json.loads(pathlib.Path(arguments[0]).read_text()) if arguments else {})
    new_texts: set[str] = set()
    old = KEPT_TEXT.read_bytes()
    new = renamed_text(old, renaming, new_texts)
    with tempfile.TemporaryDirectory(prefix="raceday-rename-") as name:
        copy = pathlib.Path(name) / "old.db"
        copy.write_bytes(KEPT_FILE.read_bytes())
        file = renamed_file(copy, renaming, new_texts, pathlib.Path(name))
    KEPT_TEXT.write_bytes(new)
    KEPT_FILE.write_bytes(file)
    old_digest, new_digest = (hashlib.sha256(content).hexdigest() for content in (old, new))
    README.write_text(README.read_text().replace(old_digest, new_digest))
    sys.stdout.writelines(f"new text: {text}\n" for text in sorted(new_texts))


if __name__ == "__main__":
    main(sys.argv[1:])
