"""From the journal back to the engine; and the command that proves that a journal makes the facts it holds."""

import argparse
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.errors import StorageError
from station.core.engine import Engine
from station.core.facts import Fact, RunOpened
from station.store.encoding import decode_input, encode_facts
from station.store.journal import Head, Journal


@dataclass(slots=True)
class Restored:
    """The engine as it was after the last record; `opened`: the record that opened each (race, run)."""

    engine: Engine = field(default_factory=Engine)
    opened: dict[tuple[str, str], int] = field(default_factory=dict)

    def note(self, seq: int, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, RunOpened):
                self.opened[fact.race_id, fact.run_id] = seq


def restore(journal: Journal) -> Restored:
    """Feeds every stored input to a new engine. Raises StorageError."""
    restored = Restored()
    for seq, event in journal.inputs():
        restored.note(seq, restored.engine.handle(event))
    return restored


def check(journal: Journal) -> Head:
    """The chain of hashes holds and the engine makes the stored facts again. Raises StorageError naming the record."""
    head = journal.verify()
    engine = Engine()
    for record in journal.records():
        if encode_facts(engine.handle(decode_input(record.input))) != record.facts:
            raise StorageError(f"{journal.path}: record {record.seq} replays to other facts than were stored.")
    return head


def main(arguments: list[str]) -> int:
    """`raceday replay FILE`"""
    parser = argparse.ArgumentParser(prog="raceday replay", description="Check a station's journal by replaying it.")
    parser.add_argument("journal", type=pathlib.Path, help="station.db of the station's data folder")
    path = parser.parse_args(arguments).journal
    if not path.is_file():
        raise StorageError(f"{path}: there is no such journal; it is called station.db in the station's data folder.")
    journal = Journal(path)
    try:
        head = check(journal)
    finally:
        journal.close()
    print(f"{head.seq} records replay to the same facts; head {head.hex}")  # noqa: T201  the command's answer
    return 0
