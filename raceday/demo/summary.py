"""`--summary FILE`: the result of the demo as JSON, from the journal and the leaderboard. Called by demo.py."""

import json
import pathlib
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import requests

from raceday.demo.config_files import GATE, DemoLayout
from raceday.demo.plan import DemoPlan, DemoRacer
from shared.protocol.results import PostAccepted
from simulator.realtime.protocol import TrueEvent
from station.core.facts import Lap
from station.store.hash_chain import JournalRecord
from station.store.journal import Journal
from station.sync.attempts import AttemptStore

PACKAGES = ("raceday", "apsw", "onnxruntime", "opencv-python-headless", "paho-mqtt", "fastapi", "sqlalchemy", "numpy")


@dataclass(frozen=True, slots=True)
class StoredRun:
    """The content of the journal about one run; laps by number, times in nanoseconds."""

    laps: dict[int, Lap]
    car_lap_ns: dict[int, int | None]
    result_id: str | None


def write(plan: DemoPlan, layout: DemoLayout, truths: list[TrueEvent], restarts: dict[str, int]) -> dict[str, Any]:
    """Gathers the summary, and writes it to the file of --summary if there is one."""
    journal = Journal(layout.station_db)
    try:
        records = list(journal.records())
        head = journal.verify()
    finally:
        journal.close()
    standings = _standings(layout, plan.race_id)
    answers = _answers(layout.sync_db)
    racers = [_racer(racer, _stored_run(records, racer), truths, answers, standings) for racer in plan.racers]
    document = {
        "track": plan.track.name,
        "track_length_m": round(plan.track.length_m, 3),
        "seed": plan.seed,
        "speed": plan.speed,
        "rules": {name: getattr(plan.rules, name) for name in plan.rules.__dataclass_fields__},
        "racers": racers,
        "standing": standings,
        "journal_head": head.hex,
        "journal_records": head.seq,
        "restarts": restarts,
        "versions": {**{name: version(name) for name in PACKAGES}, "python": platform.python_version()},
    }
    if plan.summary is not None:
        plan.summary.write_text(json.dumps(document, indent=1) + "\n")
    return document


def all_qualified(document: dict[str, Any]) -> bool:
    """Does every racer have a score and a rank on the leaderboard?"""
    return all(racer["rank"] is not None and racer["score_ms"] is not None for racer in document["racers"])


def _stored_run(records: list[JournalRecord], racer: DemoRacer) -> StoredRun:
    """The laps of a run after its last ruling, from the stored facts."""
    stored = StoredRun({}, {}, None)
    for kind, fields in (fact for record in records for fact in json.loads(record.facts)):
        laps = [Lap(**lap) for lap in fields.get("laps", ())] if kind == "LapsRecomputed" else []
        laps += [Lap(**fields["lap"])] if kind in ("LapCompleted", "LapAdjusted", "LapConfirmed") else []
        stored.laps.update({lap.number: lap for lap in laps if lap.run_id == racer.run_id})
        if kind == "LapConfirmed" and fields["lap"]["run_id"] == racer.run_id:
            stored.car_lap_ns[fields["lap"]["number"]] = fields["car_lap_ns"]
        if kind == "ResultDue" and fields["result"]["run_id"] == racer.run_id:
            stored = StoredRun(stored.laps, stored.car_lap_ns, fields["result"]["result_id"])
    return stored


def _racer(
    racer: DemoRacer,
    stored: StoredRun,
    truths: list[TrueEvent],
    answers: dict[str, PostAccepted],
    standings: list[dict[str, Any]],
) -> dict[str, Any]:
    true_at = sorted(
        t.at_ns
        for t in truths
        if t.event == "crossing" and t.gate == GATE and t.car == racer.car and t.direction > 0  # a split ends no lap
    )
    answer = answers.get(stored.result_id or "")
    line = next((row for row in standings if row["racer"] == racer.name), None)
    return {
        "racer": racer.name,
        "car": racer.car,
        "throttle_percent": racer.throttle_percent,
        "laps": [_lap(lap, stored.car_lap_ns.get(lap.number), true_at) for lap in stored.laps.values()],
        "result": {"run_id": racer.run_id, "result_id": stored.result_id, "answer": _answer(answer)},
        "score_ms": line["score_ms"] if line else None,
        "rank": line["rank"] if line else None,
    }


def _lap(lap: Lap, car_ns: int | None, true_at: list[int]) -> dict[str, Any]:
    """One lap. Its true time is the difference between the simulated crossing nearest to its end and the one before."""
    ended = min(true_at, key=lambda at: abs(at - lap.ended_ns), default=0)
    before = [at for at in true_at if at < ended]
    true_ns = ended - before[-1] if before else 0
    return {
        "number": lap.number,
        "official_ns": lap.lap_ns,
        "true_ns": true_ns,
        "car_ns": car_ns,
        "error_ns": lap.lap_ns - true_ns,
        "confirmed": lap.confirmed,
        "valid": lap.valid,
        "off_tracks": lap.off_tracks,
        "uncertainty_ns": lap.uncertainty_ns,
    }


def _answer(answer: PostAccepted | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    return {"score_ms": answer.score_ms, "rank": answer.rank, "racers": answer.racers, "best": answer.best}


def _answers(path: pathlib.Path) -> dict[str, PostAccepted]:
    attempts = AttemptStore(path)
    try:
        return {r.result_id: r.answer for r in attempts.records() if isinstance(r.answer, PostAccepted)}
    finally:
        attempts.close()


def _standings(layout: DemoLayout, race_id: str) -> list[dict[str, Any]]:
    answer = requests.get(f"{layout.leaderboard_url}/api/v1/races/{race_id}/standings", timeout=10)
    answer.raise_for_status()
    rows: list[dict[str, Any]] = answer.json()["standings"]
    return rows
