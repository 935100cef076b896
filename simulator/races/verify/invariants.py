"""The invariants at the end of a meeting, when the faults are over and everything had time to be delivered."""

import hashlib
import json
import pathlib
import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from leaderboard.board import LeaderboardService
from leaderboard.store.database import open_store
from shared.errors import StorageError
from simulator.races.hosts.journal_tail import JournalTail
from simulator.races.hosts.leaderboard_host import AppliedPost
from simulator.races.hosts.tally import Invariant, MeetingTally
from simulator.races.physical.gate_device import GateDevice
from simulator.races.physical.sim_car import SimCar
from simulator.races.verify import reference_model
from simulator.races.verify.gate_oracle import GateOracle, added_crossings, recorded_laps
from simulator.races.verify.reference_replay import ReferenceReplay
from station.commands.replay import check as check_replay
from station.store.journal import Journal


@dataclass(frozen=True, slots=True)
class MeetingOutcome:
    """Everything that the checks read."""

    journal_tail: JournalTail
    truth: GateOracle
    gate_device: GateDevice
    cars: dict[str, SimCar]
    posts: list[AppliedPost]
    journal: pathlib.Path
    board: pathlib.Path


def check_all(outcome: MeetingOutcome, tally: MeetingTally) -> None:
    """Check every invariant that is checked at the end; the counts go to the tally."""
    journal_tail = outcome.journal_tail
    journal_tail.catch_up()
    reference = ReferenceReplay().read(journal_tail.records)
    _check_edges(outcome, tally.invariants["no_crossing_lost"])
    tally.crossings = outcome.truth.check_crossings(journal_tail, tally.invariants["crossings_true"], tally.excused)
    crossings = added_crossings(journal_tail)
    for lap in recorded_laps(journal_tail):
        outcome.truth.check_lap(lap, crossings, tally.invariants["laps_true"], tally.excused)
    final = final_laps(journal_tail)
    tally.runs, tally.laps = len(final), sum(len(laps) for laps in final.values())
    _check_laps(reference, final, journal_tail, tally.invariants["laps_by_the_rules"])
    _check_posts(outcome, tally)
    _check_standings(outcome, reference, tally.invariants["standings_agree"])
    _check_reports(outcome, tally)
    _check_replay(outcome, tally)


def _check_edges(outcome: MeetingOutcome, invariant: Invariant) -> None:
    stored_edges = outcome.journal_tail.edges
    for edge in outcome.gate_device.numbered:
        stored = stored_edges.get((edge.boot, edge.seq))
        invariant.check(stored == (edge.sensor, edge.broken, edge.at_ns), f"{edge} is stored as {stored}")
    invariant.check(
        len(stored_edges) == len(outcome.gate_device.numbered),
        f"{len(stored_edges)} edges stored, {len(outcome.gate_device.numbered)} numbered",
    )
    invariant.check(
        not outcome.journal_tail.repeated_edges, f"{outcome.journal_tail.repeated_edges} edges are stored twice"
    )


def final_laps(journal_tail: JournalTail) -> dict[str, list[dict[str, Any]]]:
    """The laps of every run as the stored facts leave them."""
    runs: dict[str, dict[int, dict[str, Any]]] = {}
    for record in journal_tail.records:
        for name, fact in record.facts:
            if name == "RunOpened":
                runs[fact["run_id"]] = {}
            elif name == "LapsRecomputed":
                runs[fact["run_id"]] = {lap["number"]: lap for lap in fact["laps"]}
            elif name in ("LapCompleted", "LapConfirmed", "LapAdjusted", "LapHeld"):
                runs[fact["lap"]["run_id"]][fact["lap"]["number"]] = fact["lap"]
    return {run_id: [laps[n] for n in sorted(laps)] for run_id, laps in runs.items()}


def _check_laps(
    reference: ReferenceReplay, final: dict[str, list[dict[str, Any]]], journal_tail: JournalTail, invariant: Invariant
) -> None:
    scores: dict[str, int | None] = {}
    for record in journal_tail.records:
        scores.update({fact["run_id"]: fact["score_ms"] for name, fact in record.facts if name == "Qualified"})
    invariant.check(
        not reference.errors, f"{len(reference.errors)} records do not fit the reference model: {reference.errors[:1]}"
    )
    invariant.check(list(final) == list(reference.runs), "the station and the reference model have different runs")
    for run_id, laps in final.items():
        expected = [(x.number, x.lap_ns, x.valid, x.off_tracks, x.collisions, x.resets, x.penalty_ns)
                    for x in reference.runs[run_id].laps()]  # fmt: skip
        official = [tuple(lap[name] for name in LAP_FIELDS) for lap in laps]
        invariant.check(official == expected, f"{run_id}: official {official}, expected {expected}")
        score = reference.runs[run_id].score_ms()
        invariant.check(scores.get(run_id) == score, f"{run_id}: score {scores.get(run_id)}, expected {score}")


LAP_FIELDS = ("number", "lap_ns", "valid", "off_tracks", "collisions", "resets", "penalty_ns")


def _check_posts(outcome: MeetingOutcome, tally: MeetingTally) -> None:
    invariant, healed = tally.invariants["applied_once"], tally.invariants["healed"]
    due = {f"{result_id}.{revision}": payload for result_id, revision, payload in outcome.journal_tail.outbox()}
    answers: dict[str, list[AppliedPost]] = defaultdict(list)
    for post in outcome.posts:
        answers[post.webhook_id].append(post)
    tally.results, tally.posts = len(due), len(outcome.posts)
    for webhook_id, payload in due.items():
        posts = answers.get(webhook_id, [])
        healed.check(bool(posts), f"{webhook_id} never reached the leaderboard")
        invariant.check(all(p.payload == payload for p in posts), f"{webhook_id} was posted with different bodies")
        first, again = Counter(p.status for p in posts[:1]), Counter(p.status for p in posts[1:])
        fine = set(first) <= {201} and set(again) <= {200}
        words = posts[0].body.decode() if posts else ""
        invariant.check(fine, f"{webhook_id} was answered {dict(first + again)}: {words}")
        invariant.check(len({p.body for p in posts}) <= 1, f"{webhook_id} was answered with different bodies")
    invariant.check(set(answers) <= set(due), f"posted though never due: {sorted(set(answers) - set(due))[:3]}")
    rows = _rows(outcome.board, "SELECT result_id || '.' || revision, count(*) FROM results GROUP BY 1")
    invariant.check({str(k): v for k, v in rows} == dict.fromkeys(due, 1), "the board does not hold each result once")


def _check_standings(outcome: MeetingOutcome, reference: ReferenceReplay, invariant: Invariant) -> None:
    """Compare the lines of the leaderboard and of the station with the reference model."""
    newest: dict[str, tuple[int, int, int]] = {}
    order: dict[str, int] = {}
    ids: dict[tuple[str, str], str] = {}
    arrived_utc_ns: dict[str, int] = {}
    for post in outcome.posts:
        arrived_utc_ns.setdefault(post.webhook_id.rpartition(".")[0], post.at_utc_ns)
    for result_id, revision, payload in outcome.journal_tail.outbox():
        body = json.loads(payload)
        # A run of an unset clock has no known time until it is corrected: it counts from its arrival.
        is_known = body["evidence"].get("clock_trusted", True)
        finished_utc_ns = body["finished_utc_ns"] if is_known else arrived_utc_ns.get(result_id, 0)
        candidate = (revision, finished_utc_ns, body["evidence"]["uncertainty_ns"])
        newest[result_id] = max(newest.get(result_id, (0, 0, 0)), candidate)
        known = ids.setdefault((body["race_id"], body["run_id"]), result_id)
        invariant.check(known == result_id, f"{body['run_id']} was posted as {known} and as {result_id}")
    invariant.check(len(set(ids.values())) == len(ids), "two runs were posted under one id")
    for post in outcome.posts:
        order.setdefault(post.webhook_id.rpartition(".")[0], len(order))
    for race_id, attempts in _races(outcome.journal_tail).items():
        runs = [run for run in reference.runs.values() if run.race_id == race_id]
        posted = [
            reference_model.ReferenceResult(
                run.racer, run.score_ms(), newest[key][1], order.get(key, -1), newest[key][2]
            )
            for run in runs
            if (key := ids.get((race_id, run.run_id), "")) in newest
        ]
        expected = reference_model.board(posted, attempts)
        held = _rows(
            outcome.board,
            f"SELECT racer, score_ms FROM lines WHERE race_id = '{race_id}' ORDER BY score_ms, set_utc_ns, \"order\"",  # noqa: S608
        )
        invariant.check(held == expected, f"{race_id}: the board holds {held}, expected {expected}")
        station = [(line["racer"], line["score_ms"]) for line in outcome.journal_tail.standing.get(race_id, [])]
        invariant.check(station == expected, f"{race_id}: the station ranks {station}, expected {expected}")
        tied = reference_model.tied(posted, attempts)
        marked = {line["racer"] for line in outcome.journal_tail.standing.get(race_id, []) if line["tied"]}
        invariant.check(marked == tied, f"{race_id}: the station ties {marked}, expected {tied}")
        shown = _tied_on(outcome.board, race_id)
        invariant.check(shown == tied, f"{race_id}: the board ties {shown}, expected {tied}")


def _tied_on(board: pathlib.Path, race_id: str) -> set[str]:
    opened = LeaderboardService(open_store(board))
    try:
        return {placed.racer for placed in opened.standings(race_id) if placed.tied}
    finally:
        opened.close()


def _races(journal_tail: JournalTail) -> dict[str, int | None]:
    opened = [r.input for r in journal_tail.records if r.kind == "OpenRace"]
    return {body["race_id"]: body["rules"]["attempts_per_racer"] for body in opened}


def _check_reports(outcome: MeetingOutcome, tally: MeetingTally) -> None:
    invariant, healed = tally.invariants["reports_kept"], tally.invariants["healed"]
    for name, car in outcome.cars.items():
        tally.reports += len(car.reports)
        for boot, seq in car.reports:
            invariant.check(
                (name, boot, seq) in outcome.journal_tail.reports, f"{name} {boot} {seq} is not in the journal"
            )
        healed.check(not car.outbox, f"{name} still waits for {len(car.outbox)} acknowledgements")


def _check_replay(outcome: MeetingOutcome, tally: MeetingTally) -> None:
    invariant = tally.invariants["replay_agrees"]
    journal = Journal(outcome.journal)
    try:
        head = check_replay(journal).hex
    except StorageError as error:
        head = hashlib.sha256(str(error).encode()).hexdigest()
        invariant.check(False, str(error))
    finally:
        journal.close()
    tally.heads.append(head)
    invariant.check(
        len(outcome.journal_tail.records) == max(outcome.journal_tail.hashes), "the journal's numbers have gaps"
    )
    invariant.checked += len(outcome.journal_tail.records)


def _rows(path: pathlib.Path, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        rows = db.execute(sql).fetchall()
    db.close()
    return rows
