"""Recomputes a run's laps and score from the journal's bare records, without the engine that made them.

Edges make crossings, differences of crossings make laps, and the race's rules make the score; each is compared with
what the station stored and posted. Needs only the standard library: it is part of the protest bundle.
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
    """What the records say of one run of one race; `discrepancies` are sentences, empty if everything agrees.

    `race_id` "" means the race that first opened a run of this id: older journals may hold one id in several races.
    """

    run_id: str
    race_id: str = ""
    rules: RaceRules | None = None
    opened: dict[str, Any] | None = None
    booted: bool = False  # the station's start stands in the records, before the run's opening
    started: dict[str, Any] | None = None
    laps: dict[int, Lap] = field(default_factory=dict)
    result: dict[str, Any] | None = None
    score_ms: int | None = None
    withdrawn: set[str] = field(default_factory=set)  # why the laps make no score: disqualified, discarded
    discrepancies: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _ReadSoFar:
    """What was read so far: edges that broke a beam, the gates' crossings, the races, and what officials added."""

    edges: set[tuple[str, str, int]] = field(default_factory=set)  # gate, boot, ns
    crossings: dict[int, tuple[str, int]] = field(default_factory=dict)  # by number: boot, ns
    official_stamps: set[int] = field(default_factory=set)  # given by officials: a start signal, an added crossing
    hand_stamps: set[int] = field(default_factory=set)
    signals: set[str] = field(default_factory=set)  # boots on whose clock a start was given
    races: dict[str, RaceRules] = field(default_factory=dict)
    race_id: str = ""  # the race that is on
    opened_in: set[str] = field(default_factory=set)  # races with a run of this id: with one, rulings reach it later
    replaced: set[tuple[str, int]] = field(default_factory=set)  # boot and ns that another witness gave
    booted: bool = False


def recompute_run(run_id: str, records: Iterable[JournalRecord], race_id: str = "") -> RecomputedRun:
    """Recomputes one run from the records. `race_id` "": the race that first opened a run of this id.

    Never raises for what a journal can hold.
    """
    run, known = RecomputedRun(run_id, race_id), _ReadSoFar()
    for record in records:
        kind, given = json.loads(record.input)
        facts = json.loads(record.facts)
        _apply_input(known, kind, given)
        if kind == "OpenRace" and any(name == "RaceOpened" for name, _ in facts):  # it was not refused
            known.races[given["race_id"]] = RaceRules(**given["rules"])
        for name, fact in facts:
            _apply_fact(run, known, name, fact)
        for payload in record.results:
            result = json.loads(payload)
            if (result["run_id"], result["race_id"]) == (run_id, run.race_id):
                run.result = result
    if run.opened is None:
        run.discrepancies.append(f"the records hold no run {run_id!r}{f' of the race {race_id}' if race_id else ''}.")
    elif run.rules is None or not run.booted:
        run.discrepancies.append(
            "the records do not begin with the station's start and the race's rules: a part is missing."
        )
    _compare(run, known)
    return run


def _apply_input(known: _ReadSoFar, kind: str, given: dict[str, Any]) -> None:
    """Reads what stands in an input and in no fact."""
    if kind == "Edge" and given["broken"]:
        known.edges.add((given["gate"], given["boot"], given["at_ns"]))
    known.booted = known.booted or kind == "Booted"
    if kind == "StartRun":
        known.official_stamps.add(given["moment"]["at_ns"])
        known.signals.add(given["moment"]["boot"].partition("/")[0])
    elif kind == "AddCrossing":
        known.official_stamps.add(given["at_ns"])
    elif kind == "HandTime":
        known.hand_stamps.add(given["moment"]["at_ns"])


def _apply_fact(run: RecomputedRun, known: _ReadSoFar, name: str, fact: dict[str, Any]) -> None:
    match name:
        case "ReplacementTime":
            known.crossings[fact["crossing"]] = (fact["boot"], fact["at_ns"])
        case "Crossing":
            known.crossings[fact["number"]] = (fact["boot"], fact["at_ns"])
            if (fact["gate"], fact["boot"], fact["at_ns"]) not in known.edges:
                run.discrepancies.append(f"crossing {fact['number']} has no edge of its own.")
        case "RaceOpened":
            known.race_id = fact["race_id"]
        case "RaceChanged" if fact["race"]["race_id"] in known.races:  # its newest rules judge all its runs
            known.races[fact["race"]["race_id"]] = RaceRules(**fact["race"]["rules"])
            if run.opened is not None and fact["race"]["race_id"] == run.race_id:
                run.rules = known.races[run.race_id]
        case _ if fact.get("run_id", fact.get("lap", {}).get("run_id")) == run.run_id:
            _apply_run_fact(run, known, name, fact)


def _apply_run_fact(run: RecomputedRun, known: _ReadSoFar, name: str, fact: dict[str, Any]) -> None:
    """Reads a fact about a run of this id, unless it is the run of another race."""
    if name == "RunOpened":
        known.race_id = fact["race_id"]
        known.opened_in.add(fact["race_id"])
        run.race_id = run.race_id or fact["race_id"]
    if known.race_id != run.race_id and known.opened_in != {run.race_id}:
        return
    if name == "RunOpened":
        run.opened, run.rules, run.booted = fact, known.races.get(fact["race_id"]), known.booted
    elif name == "RunStarted":
        run.started = fact
    elif name in ("LapCompleted", "LapConfirmed", "LapAdjusted", "LapHeld"):
        run.laps[fact["lap"]["number"]] = fact["lap"]
    elif name == "LapsRecomputed":
        run.laps = {lap["number"]: lap for lap in fact["laps"]}
    elif name == "CrossingReplaced":
        was = run.laps.get(fact["number"]) or run.started or {}
        known.replaced.add((was.get("boot", ""), was.get("ended_ns", was.get("at_ns", 0)) + fact["by_ns"]))
    elif name == "RunDisqualified":
        (run.withdrawn.add if fact["disqualified"] else run.withdrawn.discard)("disqualified")
    elif name in ("RunDiscarded", "RunSubmitted"):
        (run.withdrawn.add if name == "RunDiscarded" else run.withdrawn.discard)("discarded")


_BY_PEOPLE_OR_CARS = ("official", "hand", "car")  # sources whose times stand in no edge


def _compare(run: RecomputedRun, known: _ReadSoFar) -> None:
    """Checks that each lap is the difference of its crossings, and that the posted score follows from the laps."""
    start = run.started
    before = (start["boot"], start["at_ns"]) if start is not None else ("", 0)
    if start is not None and not _start_is_explained(start, known):
        run.discrepancies.append("the run's start is not the crossing that it names.")
    by_gate = set(known.crossings.values())
    for number, lap in sorted(run.laps.items()):
        ended = (lap["boot"], lap["ended_ns"])
        expected_ns = ended[1] - before[1] if ended[0] == before[0] else 0
        if lap["lap_ns"] != expected_ns:
            run.discrepancies.append(
                f"lap {number} is stored as {lap['lap_ns']} ns, its crossings are {expected_ns} ns apart."
            )
        if lap["source"] not in _BY_PEOPLE_OR_CARS and ended not in by_gate | known.replaced:
            run.discrepancies.append(f"lap {number} ended at no crossing of a gate.")
        before = ended
    if run.rules is None:
        return
    score = score_run([_run_lap(lap) for _, lap in sorted(run.laps.items())], run.rules)
    run.score_ms = None if score is None or run.withdrawn else score.score_ms
    posted = run.result["score_ms"] if run.result is not None else None
    if posted is not None and posted != (run.score_ms or 0):
        run.discrepancies.append(f"the posted score is {posted} ms, but by the rules the laps make {run.score_ms} ms.")


def _start_is_explained(start: dict[str, Any], known: _ReadSoFar) -> bool:
    """Is the start at the crossing that it names; if it names none (0), at a start signal or an added crossing?

    A start signal that was converted to another gate's clock cannot be compared: lap 1 states its `uncertainty_ns`.
    """
    stamp = (start["boot"], start["at_ns"])
    if start["crossing"]:
        return stamp == known.crossings.get(start["crossing"]) or stamp in known.replaced
    if stamp in known.replaced or start["at_ns"] in known.hand_stamps:
        return True
    on_another_clock = bool(known.signals) and start["boot"].partition("/")[0] not in known.signals
    return start["at_ns"] in known.official_stamps or on_another_clock


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
