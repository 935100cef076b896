"""What a journal holds, in the figures by which people know it. Replays it, which also shows that this version can."""

import pathlib
from dataclasses import dataclass

from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from station.store.encoding import decode_input
from station.store.journal_reader import JournalReader


@dataclass(frozen=True, slots=True)
class Contents:
    """The newest event, how many races, racers and runs, and the time of the last entry in UTC ns (0: none)."""

    event: str = ""
    races: int = 0
    racers: int = 0
    runs: int = 0
    records: int = 0
    last_utc_ns: int = 0


def contents_of(journal: pathlib.Path) -> Contents:
    """The contents of a journal, which may be in use. Raises StorageError for one that a newer station wrote."""
    engine, runs, records, last_utc_ns = Engine(), 0, 0, 0
    reader = JournalReader(journal)
    try:
        for record in reader.records():
            event = decode_input(record.input)
            runs += sum(isinstance(fact, f.RunOpened) for fact in engine.handle(event))
            moment = getattr(event, "moment", None)
            if isinstance(moment, e.Moment):
                last_utc_ns = max(last_utc_ns, engine.scale.of_moment(moment))
            records = record.seq
    finally:
        reader.close()
    book = engine.event
    name = book.event.name if book.event is not None else ""
    return Contents(name, len(book.races), len(book.racers), runs, records, last_utc_ns)
