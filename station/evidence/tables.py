"""A bundle's records as tables to read: edges, every witness's crossings, clock pairs, notes, rulings, laps, config."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from shared.boards.spreadsheet_cells import neutralised
from station.evidence.recompute import RecomputedRun
from station.store.hash_chain import JournalRecord

RULINGS = (
    "SetMode",
    "OpenRun",
    "ArmRun",
    "StartRun",
    "ResumeRun",
    "VoidLap",
    "RestoreLap",
    "AddPenalty",
    "AddCrossing",
    "DropCrossing",
    "ReassignRun",
    "OffTrack",
    "Collision",
    "CarReset",
    "TakeBack",
    "EnterModel",
    "AssignCrossing",
    "DismissProposal",
    "HandCrossing",
    "ReplaceCrossing",
    "RestoreProposal",
    "Disqualify",
    "Reinstate",
    "Official",
    "ReopenResults",
    "Relaunch",
    "MarkDnf",
    "SubmitRun",
    "DiscardRun",
    "FinishRun",
    "AbandonRun",
)
LAP_COLUMNS = (
    "number",
    "lap_ns",
    "uncertainty_ns",
    "ended_ns",
    "boot",
    "source",
    "valid",
    "confirmed",
    "off_tracks",
    "collisions",
    "resets",
    "penalty_ns",
    "reason",
)


class TableFile(Protocol):
    """Where a table is written to."""

    def write(self, text: str, /) -> object:
        """Takes the next piece of the table."""


def write_tables(run: RecomputedRun, records: Iterable[JournalRecord], open_table: Callable[[str], TableFile]) -> None:
    """Writes each table of the bundle (CSV and JSON) to what `open_table` gives for its name; reads the records once.

    What a spreadsheet would take for a formula is neutralised: names and reasons are a stranger's.
    """
    tables = {name: _CsvTable(open_table(name), columns) for name, (columns, _) in _BY_RECORD.items()}
    booted: Any = None
    raced: Any = None
    for record in records:
        kind, given = json.loads(record.input)
        facts = json.loads(record.facts)
        for name, (_, rows) in _BY_RECORD.items():
            for row in rows(record.seq, kind, given, facts):
                tables[name].add(row)
        booted = given if kind == "Booted" else booted
        raced = given if kind == "OpenRace" else raced
    laps = _CsvTable(open_table("laps.csv"), LAP_COLUMNS)
    for _, lap in sorted(run.laps.items()):
        laps.add([lap[name] for name in LAP_COLUMNS])
    open_table("config.json").write(_json({"rules": raced, "station": booted}))
    open_table("run.json").write(_json({"run": run.opened, "result": run.result}))


class _CsvTable:
    """A table as CSV."""

    def __init__(self, out: TableFile, columns: Sequence[str]) -> None:
        self._writer = csv.writer(out)
        self._writer.writerow(columns)

    def add(self, row: Sequence[Any]) -> None:
        self._writer.writerow([neutralised(cell) if isinstance(cell, str) else cell for cell in row])


Rows = Iterator[list[Any]]


def _edges(seq: int, kind: str, given: Any, _: Any) -> Rows:
    if kind == "Edge":
        yield [seq, *(given[name] for name in ("gate", "sensor", "broken", "at_ns", "seq", "boot"))]


def _witnesses(seq: int, kind: str, given: Any, facts: Any) -> Rows:
    """All sources of crossings in one table: gates (A and B by name), cars by their own clock, hand times."""
    if kind == "CarReport":
        yield [seq, "car", given["car"], given["at_ns"], given["car_boot"], given["uncertainty_ns"], ""]
    why = {f["crossing"]: f.get("why") or f.get("run_id", "") for n, f in facts if n in _ATTRIBUTIONS}
    for name, fact in facts:
        if name == "Crossing":
            stamp = (fact["at_ns"], fact["boot"], fact["uncertainty_ns"])
            yield [seq, "gate", fact["gate"], *stamp, why.get(fact["number"], "")]
        elif name == "ReplacementTime":
            yield [seq, "system B, corrected", fact["crossing"], fact["at_ns"], fact["boot"], fact["spread_ns"], ""]
        elif name == "HandTimeRecorded":
            moment = fact["moment"]
            yield [seq, "hand", fact["author"], moment["at_ns"], moment["boot"], "", f"off {fact['off_ns']} ns"]


_ATTRIBUTIONS = ("Attributed", "Unattributed")


def _pairs(seq: int, kind: str, given: Any, _: Any) -> Rows:
    if kind in ("ClockPair", "Booted"):
        moment = given["moment"]
        yield [seq, moment["boot"], moment["at_ns"], moment["utc_ns"]]


def _notes(seq: int, kind: str, given: Any, _: Any) -> Rows:
    """What the gates' drivers noticed of their devices, and their health reports."""
    if kind == "GateNote":
        columns = (given["kind"], given["count"], given["moment"]["utc_ns"], given["sentence"])
        yield [seq, given["gate"], *columns]
    elif kind == "GateReported":
        judged = "well" if given["healthy"] else "not well"
        yield [seq, given["gate"], judged, "", given["moment"]["utc_ns"], given["sentence"]]


def _rulings(seq: int, kind: str, given: Any, _: Any) -> Rows:
    if kind in RULINGS:
        order = {key: value for key, value in given.items() if key not in ("author", "reason", "moment")}
        yield [seq, kind, given["author"], given["reason"], json.dumps(order, sort_keys=True)]


# The tables that grow with each record: their columns, and the rows of one record.
_BY_RECORD: dict[str, tuple[tuple[str, ...], Callable[[int, str, Any, Any], Rows]]] = {
    "edges.csv": (("seq", "gate", "sensor", "broken", "at_ns", "edge_seq", "boot"), _edges),
    "crossings.csv": (("seq", "witness", "who", "at_ns", "boot", "uncertainty_ns", "why"), _witnesses),
    "clock_pairs.csv": (("seq", "boot", "at_ns", "utc_ns"), _pairs),
    "gate_notes.csv": (("seq", "gate", "kind", "count", "utc_ns", "sentence"), _notes),
    "rulings.csv": (("seq", "ruling", "author", "reason", "order"), _rulings),
}


def _json(document: Any) -> str:
    return json.dumps(document, indent=1, sort_keys=True) + "\n"
