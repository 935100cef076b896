"""A bundle's records as tables to read: edges, every witness's crossings, clock pairs, notes, rulings, laps, config."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

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


def tables(run: RecomputedRun, records: Sequence[JournalRecord]) -> dict[str, bytes]:
    """Each table of the bundle: file name to content (CSV and JSON, UTF-8)."""
    parsed = [(record.seq, *json.loads(record.input), json.loads(record.facts)) for record in records]
    return {
        "edges.csv": _csv(("seq", "gate", "sensor", "broken", "at_ns", "edge_seq", "boot"), _edges(parsed)),
        "crossings.csv": _csv(("seq", "witness", "who", "at_ns", "boot", "uncertainty_ns", "why"), _witnesses(parsed)),
        "clock_pairs.csv": _csv(("seq", "boot", "at_ns", "utc_ns"), _pairs(parsed)),
        "gate_notes.csv": _csv(("seq", "gate", "kind", "count", "utc_ns", "sentence"), _notes(parsed)),
        "rulings.csv": _csv(("seq", "ruling", "author", "reason", "order"), _rulings(parsed)),
        "laps.csv": _csv(LAP_COLUMNS, ([lap[name] for name in LAP_COLUMNS] for _, lap in sorted(run.laps.items()))),
        "config.json": _json({"rules": _last(parsed, "OpenRace"), "station": _last(parsed, "Booted")}),
        "run.json": _json({"run": run.opened, "result": run.result}),
    }


def _edges(parsed: Iterable[Any]) -> Iterable[list[Any]]:
    for seq, kind, given, _ in parsed:
        if kind == "Edge":
            yield [seq, *(given[name] for name in ("gate", "sensor", "broken", "at_ns", "seq", "boot"))]


def _witnesses(parsed: Iterable[Any]) -> Iterable[list[Any]]:
    """All sources of crossings in one table: gates (A and B by name), cars by their own clock, hand times."""
    for seq, kind, given, facts in parsed:
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


def _pairs(parsed: Iterable[Any]) -> Iterable[list[Any]]:
    for seq, kind, given, _ in parsed:
        if kind in ("ClockPair", "Booted"):
            moment = given["moment"]
            yield [seq, moment["boot"], moment["at_ns"], moment["utc_ns"]]


def _notes(parsed: Iterable[Any]) -> Iterable[list[Any]]:
    """What the gates' drivers noticed of their devices, and their health reports."""
    for seq, kind, given, _ in parsed:
        if kind == "GateNote":
            columns = (given["kind"], given["count"], given["moment"]["utc_ns"], given["sentence"])
            yield [seq, given["gate"], *columns]
        elif kind == "GateReported":
            judged = "well" if given["healthy"] else "not well"
            yield [seq, given["gate"], judged, "", given["moment"]["utc_ns"], given["sentence"]]


def _rulings(parsed: Iterable[Any]) -> Iterable[list[Any]]:
    for seq, kind, given, _ in parsed:
        if kind in RULINGS:
            order = {key: value for key, value in given.items() if key not in ("author", "reason", "moment")}
            yield [seq, kind, given["author"], given["reason"], json.dumps(order, sort_keys=True)]


def _last(parsed: Iterable[Any], wanted: str) -> Any:
    return next((given for _, kind, given, _ in reversed(list(parsed)) if kind == wanted), None)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def _json(document: Any) -> bytes:
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"
