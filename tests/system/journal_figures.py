"""A journal in figures that no renaming changes: laps, crossings, proposals, scores, standings, results.

Records are read as stored (input and facts as bytes), their inputs go through a new engine, and the result is a plain
document of racers, numbers and nanoseconds. Names of classes and fields stand in this file only, and none of them
goes into the document; free text (sentences, reasons) is left out, because its wording may be improved.
"""

import hashlib
import json
import pathlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from station.store.encoding import decode_input, encode_facts
from station.store.journal_reader import JournalReader

Stored = tuple[bytes, bytes]  # input and facts of one record
Document = dict[str, Any]
RECORDS_PER_DIGEST = 50
KINDS = {"missed_crossing": "missed", "false_crossing": "false", "doubtful_crossing": "doubtful"}
SOURCES = {"gate": "A", "system_b": "B", "official": "official"}


def stored_records(path: pathlib.Path) -> list[Stored]:
    """All records of a journal's file, in order."""
    reader = JournalReader(path)
    try:
        return [(record.input, record.facts) for record in reader.records()]
    finally:
        reader.close()


def journal_figures(records: Sequence[Stored]) -> Document:
    """The figures of one journal; every record must replay to the stored facts."""
    engine, journal = Engine(), _Journal()
    for number, (given, facts) in enumerate(records, 1):
        event = decode_input(given)
        made = engine.handle(event)
        assert encode_facts(made) == facts, f"record {number} replays to other facts"
        journal.add(event, made)
    return {
        "records": len(records),
        "facts_of_each_kind": sorted(journal.kinds.values(), reverse=True),
        "numbers_in_facts": number_digests(facts for _, facts in records),
        **journal.document(),
    }


def number_digests(texts: Iterable[bytes]) -> list[str]:
    """One digest for each `RECORDS_PER_DIGEST` records, over all numbers in their JSON, without any key or text."""
    numbers = [numbers_of(json.loads(text)) for text in texts]
    blocks = [numbers[first : first + RECORDS_PER_DIGEST] for first in range(0, len(numbers), RECORDS_PER_DIGEST)]
    return [hashlib.sha256(json.dumps(block).encode()).hexdigest()[:16] for block in blocks]


def numbers_of(value: Any) -> Any:
    """The numbers in a document: a list's in order, an object's sorted, since its order depends on its keys' names."""
    if isinstance(value, dict):
        return sorted(number for member in value.values() for number in _flat(numbers_of(member)))
    if isinstance(value, list):
        return [found for member in value if (found := numbers_of(member)) != []]
    return [] if value is None or isinstance(value, str) else value


def _flat(value: Any) -> Iterator[float]:
    if isinstance(value, list):
        for member in value:
            yield from _flat(member)
    else:
        yield value


class _Run:
    def __init__(self, opened: f.RunOpened) -> None:
        self.laps: dict[int, f.Lap] = {}
        self.head: Document = {
            "race": opened.race_id,
            "run": opened.run_id,
            "racer": opened.racer,
            "car": opened.car,
            "attempt": opened.attempt,
        }

    def document(self) -> Document:
        return {**self.head, "laps": [_lap(self.laps[number]) for number in sorted(self.laps)]}


class _Journal:
    """Collects what the facts say; a later fact replaces an earlier one."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self._inputs = {"edges": 0, "car_reports": 0, "rulings": 0, "refused": 0}
        self._runs: dict[tuple[str, str], _Run] = {}
        self._race = ""
        self._crossings: dict[int, Document] = {}
        self._proposals: list[Document] = []
        self._results: list[Document] = []
        self._standings: dict[str, list[Document]] = {}

    def add(self, event: e.Input, facts: Sequence[f.Fact]) -> None:
        self._inputs["edges"] += isinstance(event, e.Edge)
        self._inputs["car_reports"] += isinstance(event, e.CarReport)
        self._inputs["rulings"] += isinstance(event, e.Command)
        for fact in facts:
            self.kinds[type(fact).__name__] += 1
            self._add_crossing(fact)
            self._add_lap(fact)
            self._add_run(fact)
            self._add_outcome(fact)

    def document(self) -> Document:
        return {
            "inputs": self._inputs,
            "runs": [run.document() for run in self._runs.values()],
            "crossings": list(self._crossings.values()),
            "proposals": self._proposals,
            "results": self._results,
            "standings": self._standings,
        }

    def _run(self, run_id: str) -> _Run:
        """The newest run of this id: old journals may hold one in each race."""
        known = [run for (_, name), run in self._runs.items() if name == run_id]
        return self._runs.get((self._race, run_id), known[-1])

    def _add_crossing(self, fact: f.Fact) -> None:
        match fact:
            case f.Crossing():
                row = {"number": fact.number, "gate": fact.gate, "at_ns": fact.at_ns, "run": ""}
                extra = {"uncertainty_ns": fact.uncertainty_ns, "direction": fact.direction}
                self._crossings[fact.number] = row | extra | _filled({"transponder": fact.transponder})
            case f.Attributed():
                self._crossings[fact.crossing] |= {"run": fact.run_id} | _filled({"sure_percent": fact.sure_percent})
            case f.CrossingMeasured():
                width = {"width_ns": fact.width_ns, "speed_mmps": fact.speed_mmps}
                self._crossings[fact.crossing] |= {name: value for name, value in width.items() if value is not None}
            case f.CrossingFlagged():
                self._crossings[fact.crossing]["too_soon"] = True
            case f.Proposal():
                row = {"kind": KINDS[fact.kind], "run": fact.run_id, "at_ns": fact.at_ns}
                more = {"crossing": fact.crossing, "sure_percent": fact.sure_percent, "others": list(fact.others)}
                self._proposals.append(row | _filled(more))

    def _add_lap(self, fact: f.Fact) -> None:
        match fact:
            case f.LapCompleted() | f.LapConfirmed() | f.LapAdjusted() | f.LapHeld():
                self._run(fact.lap.run_id).laps[fact.lap.number] = fact.lap
            case f.LapsRecomputed():
                self._run(fact.run_id).laps = {lap.number: lap for lap in fact.laps}

    def _add_run(self, fact: f.Fact) -> None:
        match fact:
            case f.RaceOpened():
                self._race = fact.race_id
            case f.RunOpened():
                self._runs[fact.race_id, fact.run_id] = _Run(fact)
            case f.RunStarted():
                self._run(fact.run_id).head |= {"started_ns": fact.at_ns, "started_utc_ns": fact.utc_ns}
            case f.RunFinished():
                end = {"finished_utc_ns": fact.utc_ns, "laps_at_finish": fact.laps, "counts": fact.counts}
                self._run(fact.run_id).head |= end
            case f.RunReassigned():
                self._run(fact.run_id).head |= {"racer": fact.racer, "racer_before": fact.was}

    def _add_outcome(self, fact: f.Fact) -> None:
        match fact:
            case f.Qualified():
                score = {"score_ms": fact.score_ms, "first_lap": fact.first_lap, "last_lap": fact.last_lap}
                self._run(fact.run_id).head |= score
            case f.ResultDue():
                due = fact.result
                who = {"race": due.race_id, "run": due.run_id, "racer": due.racer, "revision": due.revision}
                what = {"score_ms": due.score_ms, "finished_utc_ns": due.finished_utc_ns, "laps": len(due.laps)}
                self._results.append(who | what | {"uncertainty_ns": due.evidence.uncertainty_ns})
            case f.StandingChanged():
                self._standings[fact.race_id] = [placing(line) for line in fact.lines]
            case f.CommandRefused():
                self._inputs["refused"] += 1


def placing(line: Any) -> Document:
    """One line of the standings, as figures."""
    return {"rank": line.rank, "racer": line.racer, "score_ms": line.score_ms, "gap_ms": line.gap_ms} | _filled(
        {"tied": line.tied, "uncertainty_ns": line.uncertainty_ns}
    )


def _lap(lap: f.Lap) -> Document:
    always = {
        "lap": lap.number,
        "time_ns": lap.lap_ns,
        "ended_ns": lap.ended_ns,
        "ended_utc_ns": lap.ended_utc_ns,
        "uncertainty_ns": lap.uncertainty_ns,
        "source": SOURCES[lap.source],
        "valid": lap.valid,
    }
    sometimes = {
        "confirmed": lap.confirmed,
        "held": lap.held,
        "off_tracks": lap.off_tracks,
        "collisions": lap.collisions,
        "resets": lap.resets,
        "penalty_ns": lap.penalty_ns,
    }
    return always | _filled(sometimes)


def _filled(members: Document) -> Document:
    """The document without what is 0, false or empty."""
    return {name: value for name, value in members.items() if value}
