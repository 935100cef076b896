"""Reads what every witness saw during a run from the journal's records, without writing to it.

Called by run_pages.py on a thread of its own: the records that lie between the opening of a run and the last one that
names it. Stamps stay as they are stored, each with its boot: run_pages.py puts them on one time base.
"""

import json
import pathlib
from dataclasses import dataclass, field
from typing import Any

from station.store.hash_chain import JournalRecord
from station.store.journal_reader import JournalReader

MAX_EDGES = 20_000
MAX_OTHERS = 4_000
_WANTED = (b'["Edge"', b'["CarReport"', b'["HandTime"')
_NAMES = (b'"Crossing"', b'"CrossingFlagged"', b'"Unattributed"', b'"Lap', b'"ReplacementTime"')


@dataclass(frozen=True, slots=True)
class StoredStamp:
    """A stamp as the journal holds it: ns of the clock of `boot`."""

    boot: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class StoredEdge:
    """An edge of one sensor."""

    gate: str
    sensor: str
    broken: bool
    stamp: StoredStamp


@dataclass(frozen=True, slots=True)
class StoredCrossing:
    """A crossing of one gate."""

    number: int
    gate: str
    stamp: StoredStamp


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A car's report: its own stamp, and when the station took it."""

    car: str
    stamp: StoredStamp
    taken: StoredStamp
    lap_ns: int | None


@dataclass(slots=True)
class StoredTrace:
    """All that was read. `laps`: by number, as the records state them last; `why`: why a crossing does not count."""

    edges: list[StoredEdge] = field(default_factory=list)
    crossings: list[StoredCrossing] = field(default_factory=list)
    reports: list[StoredReport] = field(default_factory=list)
    hand_times: list[tuple[StoredStamp, str]] = field(default_factory=list)
    why: dict[int, str] = field(default_factory=dict)
    flagged: set[int] = field(default_factory=set)
    laps: dict[int, dict[str, Any]] = field(default_factory=dict)
    cut: bool = False


@dataclass(frozen=True, slots=True)
class TracedRecords:
    """The records of a run, from `first` to `last`; after the one that `ended` it (0: it is on), none of another run.

    `later`: single records that state its laps again.
    """

    run_id: str
    first: int
    last: int
    ended: int = 0
    later: tuple[int, ...] = ()


def read_trace(path: pathlib.Path, wanted: TracedRecords) -> StoredTrace:
    """The trace of a run from these records of a journal. Raises StorageError."""
    trace = StoredTrace()
    reader = JournalReader(path)
    try:
        for record in reader.records(wanted.first - 1, wanted.last):
            if 0 < wanted.ended < record.seq and b'"RunOpened"' in record.facts:
                break
            if record.input.startswith(_WANTED) or any(name in record.facts for name in _NAMES):
                _read(trace, wanted.run_id, record)
        for seq in wanted.later:
            for record in reader.records(seq - 1, seq):
                _read(trace, wanted.run_id, record)
    finally:
        reader.close()
    return trace


def _read(trace: StoredTrace, run_id: str, record: JournalRecord) -> None:
    kind, given = json.loads(record.input)
    if kind == "Edge":
        edge = StoredEdge(given["gate"], given["sensor"], given["broken"], StoredStamp(given["boot"], given["at_ns"]))
        _add(trace, trace.edges, edge, MAX_EDGES)
    elif kind == "CarReport":
        taken = StoredStamp(given["taken"]["boot"], given["taken"]["at_ns"])
        stamp = StoredStamp(given["car_boot"], given["at_ns"])
        _add(trace, trace.reports, StoredReport(given["car"], stamp, taken, given["lap_ns"]), MAX_OTHERS)
    for name, fact in json.loads(record.facts):
        _read_fact(trace, run_id, name, fact)


def _read_fact(trace: StoredTrace, run_id: str, name: str, fact: dict[str, Any]) -> None:
    match name:
        case "Crossing":
            crossing = StoredCrossing(fact["number"], fact["gate"], StoredStamp(fact["boot"], fact["at_ns"]))
            _add(trace, trace.crossings, crossing, MAX_OTHERS)
        case "Unattributed":
            trace.why[fact["crossing"]] = fact["why"]
        case "CrossingFlagged" if fact["run_id"] == run_id:
            trace.flagged.add(fact["crossing"])
            trace.why[fact["crossing"]] = fact["sentence"]
        case "HandTimeRecorded" if fact["run_id"] == run_id:
            moment = fact["moment"]
            _add(trace, trace.hand_times, (StoredStamp(moment["boot"], moment["at_ns"]), fact["author"]), MAX_OTHERS)
        case "LapsRecomputed" if fact["run_id"] == run_id:
            trace.laps = {lap["number"]: lap for lap in fact["laps"]}
        case "LapCompleted" | "LapConfirmed" | "LapAdjusted" | "LapHeld" if fact["lap"]["run_id"] == run_id:
            trace.laps[fact["lap"]["number"]] = fact["lap"]


def _add(trace: StoredTrace, to: list[Any], what: object, max_items: int) -> None:
    if len(to) < max_items:
        to.append(what)
    else:
        trace.cut = True
