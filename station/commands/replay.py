"""`raceday replay JOURNAL`: runs a journal's inputs through a new engine and compares the facts with those stored."""

import argparse
import json
import pathlib
from collections.abc import Iterable
from typing import Any

from shared.errors import StorageError
from station.core.engine import Engine
from station.store.encoding import decode_input, encode_facts
from station.store.hash_chain import JournalRecord
from station.store.journal import Journal, JournalHead
from station.store.journal_reader import JournalReader
from station.store.verify import verify_journal

MAX_VALUE_CHARS = 120  # of a value, as it is shown


def check(journal: Journal) -> JournalHead:
    """Verifies the journal and replays it; returns its head. Raises StorageError that names the first bad record."""
    head = journal.verify()
    replayed(journal.records(), journal.path)
    return head


def replayed(records: Iterable[JournalRecord], path: pathlib.Path) -> None:
    """Feeds every record's input to a new engine. Raises StorageError that names the first fact that differs."""
    engine = Engine()
    for record in records:
        made = encode_facts(engine.handle(decode_input(record.input)))
        if made != record.facts:
            where = difference(json.loads(record.facts), json.loads(made))
            raise StorageError(f"{path}: record {record.seq} replays to other facts than were stored: {where}.")


def difference(stored: list[Any], made: list[Any]) -> str:
    """Describes the first difference between two lists of facts, as decoded from JSON."""
    for number, (one, other) in enumerate(zip(stored, made, strict=False), 1):
        if one != other:
            place, was, now = _first(one[1], other[1]) if one[0] == other[0] else ("", one[0], other[0])
            return f"fact {number}, {one[0]}{place}: stored is {_short(was)}, replayed {_short(now)}"
    return f"stored are {_named(stored)}, replayed {_named(made)}"


def _first(one: Any, other: Any, place: str = "") -> tuple[str, Any, Any]:
    """The path to the first place where two values differ, and both values there."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            if one.get(key) != other.get(key):
                return _first(one.get(key), other.get(key), f"{place}.{key}")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            if left != right:
                return _first(left, right, f"{place}[{index}]")
    return place, one, other


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= MAX_VALUE_CHARS else f"{text[:MAX_VALUE_CHARS]}..."


def _named(facts: list[Any]) -> str:
    return f"{len(facts)} facts ({', '.join(fact[0] for fact in facts)})" if facts else "no facts"


def main(arguments: list[str]) -> int:
    """`raceday replay FILE`: only reads the journal, so that a station may be using it. Raises StorageError."""
    parser = argparse.ArgumentParser(prog="raceday replay", description="Check a station's journal by replaying it.")
    parser.add_argument("journal", type=pathlib.Path, help="station.db of the station's data folder")
    path = parser.parse_args(arguments).journal
    verified = verify_journal(path)
    reader = JournalReader(path)
    try:
        replayed(reader.records(last=verified.seq), path)
    finally:
        reader.close()
    print(f"{verified.seq} records replay to the same facts; head {verified.head.hex()}")
    return 0
