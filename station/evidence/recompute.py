"""A run's laps and score made again from the journal's bare records, without the engine that made them.

Edges make crossings, differences of crossings make laps, and the race's rules make the score; each is held against
what the station stored and posted. Needs only the standard library: it travels in the protest bundle.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from shared.rules.ranking import RaceRules, RunLap, score_run
from station.store.hash_chain import JournalRecord

Lap = dict[str, Any]
Fact = tuple[str, dict[str, Any]]


@dataclass(slots=True)
class RecomputedRun:
    """What the records say of one run of one race; `doubts` are sentences, empty if all of it agrees.

    `race_id` "" is the race that opened it first: journals were once able to hold the same id in several races.
    """

    run_id: str
    race_id: str = ""
    rules: RaceRules | None = None
    opened: dict[str, Any] | None = None
    started: dict[str, Any] | None = None
    laps: dict[int, Lap] = field(default_factory=dict)
    result: dict[str, Any] | None = None
    score_ms: int | None = None
    doubts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _ReadSoFar:
    """What is known by now: the beam's edges, the gates' crossings, and what rulings added."""

    edges: set[tuple[str, str, int]] = field(default_factory=set)
    crossings: dict[int, tuple[str, int]] = field(default_factory=dict)
    said: set[int] = field(default_factory=set)  # stamps that officials gave: a start signal, an added crossing
    signals: set[str] = field(default_factory=set)  # boots on whose clock a start was given
    races: dict[str, RaceRules] = field(default_factory=dict)
    race_id: str = ""  # the race that is on
    booted: bool = False


def recompute_run(run_id: str, records: Iterable[JournalRecord], race_id: str = "") -> RecomputedRun:
    """The case of a run; never raises for what a journal can hold."""
    case, seen = RecomputedRun(run_id, race_id), _ReadSoFar()
    for record in records:
        kind, given = json.loads(record.input)
        _hear(seen, kind, given)
        for name, fact in json.loads(record.facts):
            _take(case, seen, name, fact)
        for payload in record.results:
            result = json.loads(payload)
            if (result["run_id"], result["race_id"]) == (run_id, case.race_id):
                case.result = result
    if case.opened is None:
        case.doubts.append(f"the records hold no run {run_id!r}{f' of the race {race_id}' if race_id else ''}.")
    elif case.rules is None or not seen.booted:
        case.doubts.append("the records do not begin with the station's start and the race's rules: a part is missing.")
    _weigh(case, seen)
    return case


def _hear(seen: _ReadSoFar, kind: str, given: dict[str, Any]) -> None:
    """What an input says that no fact repeats."""
    if kind == "Edge" and given["broken"]:
        seen.edges.add((given["gate"], given["boot"], given["at_ns"]))
    seen.booted = seen.booted or kind == "Booted"
    if kind == "StartRun":
        seen.said.add(given["moment"]["at_ns"])
        seen.signals.add(given["moment"]["boot"].partition("/")[0])
    elif kind == "AddCrossing":
        seen.said.add(given["at_ns"])
    if kind == "OpenRace":
        seen.races[given["race_id"]] = RaceRules(**given["rules"])


def _take(case: RecomputedRun, seen: _ReadSoFar, name: str, fact: dict[str, Any]) -> None:
    match name:
        case "ReplacementTime":
            seen.crossings[fact["crossing"]] = (fact["boot"], fact["at_ns"])
        case "Crossing":
            seen.crossings[fact["number"]] = (fact["boot"], fact["at_ns"])
            if (fact["gate"], fact["boot"], fact["at_ns"]) not in seen.edges:
                case.doubts.append(f"crossing {fact['number']} has no edge of its own.")
        case "RaceOpened":
            seen.race_id = fact["race_id"]
        case _ if fact.get("run_id", fact.get("lap", {}).get("run_id")) == case.run_id:
            _about(case, seen, name, fact)


def _about(case: RecomputedRun, seen: _ReadSoFar, name: str, fact: dict[str, Any]) -> None:
    """A fact about a run of this name: another race may have had one too."""
    if name == "RunOpened":
        seen.race_id = fact["race_id"]
        case.race_id = case.race_id or fact["race_id"]
    if seen.race_id != case.race_id:
        return
    if name == "RunOpened":
        case.opened, case.rules = fact, seen.races.get(fact["race_id"])
    elif name == "RunStarted":
        case.started = fact
    elif name in ("LapCompleted", "LapConfirmed", "LapAdjusted", "LapHeld"):
        case.laps[fact["lap"]["number"]] = fact["lap"]
    elif name == "LapsRecomputed":
        case.laps = {lap["number"]: lap for lap in fact["laps"]}


def _weigh(case: RecomputedRun, seen: _ReadSoFar) -> None:
    """Each lap is the difference of its crossings; the posted score is what the rules make of the laps."""
    start = case.started
    before = (start["boot"], start["at_ns"]) if start is not None else ("", 0)
    if start is not None and not _began(start, seen):
        case.doubts.append("the run's start is not the crossing that it names.")
    by_gate = set(seen.crossings.values())
    for number, lap in sorted(case.laps.items()):
        ended = (lap["boot"], lap["ended_ns"])
        want = ended[1] - before[1] if ended[0] == before[0] else 0
        if lap["lap_ns"] != want:
            case.doubts.append(f"lap {number} is stored as {lap['lap_ns']} ns, its crossings are {want} ns apart.")
        if lap["source"] != "official" and ended not in by_gate:
            case.doubts.append(f"lap {number} ended at no crossing of a gate.")
        before = ended
    if case.rules is None:
        return
    score = score_run([_run_lap(lap) for _, lap in sorted(case.laps.items())], case.rules)
    case.score_ms = None if score is None else score.score_ms
    posted = case.result["score_ms"] if case.result is not None else None
    if posted is not None and posted != (case.score_ms or 0):
        case.doubts.append(f"posted were {posted} ms, the rules make {case.score_ms} ms of the laps.")


def _began(start: dict[str, Any], seen: _ReadSoFar) -> bool:
    """At the crossing that it names; without one (0) at the start signal, or at a crossing that an official added.

    A signal that was put on the clock of another gate is as sure as lap 1 says (`uncertainty_ns`).
    """
    if start["crossing"]:
        return (start["boot"], start["at_ns"]) == seen.crossings.get(start["crossing"])
    on_another_clock = bool(seen.signals) and start["boot"].partition("/")[0] not in seen.signals
    return start["at_ns"] in seen.said or on_another_clock


def _run_lap(lap: Lap) -> RunLap:
    return RunLap(
        lap["number"],
        lap["lap_ns"],
        lap["ended_utc_ns"],
        lap["off_tracks"],
        lap["collisions"],
        lap["resets"],
        lap["penalty_ns"],
        lap["valid"],
    )
