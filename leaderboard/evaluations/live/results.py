"""What a LIVE turn came to: on the board, in the queue, in the bracket of a heat. Called by live_turns.py."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core.errors import UnknownItem
from leaderboard.core.live.turn import QueueItem
from leaderboard.core.race import RaceRecord
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.evaluations.brackets.live_heats import enter_live
from leaderboard.evaluations.scores import STATION, post_result
from leaderboard.store.evaluations import condition_rows
from leaderboard.store.submissions import submission_rows
from shared.errors import Refused
from shared.protocol.farm import LiveHeatReport, RunReport
from shared.protocol.farm_shows import HeatRun
from shared.protocol.results import Evidence, PostAccepted, Result
from shared.rules.head_to_head import Reason, why_ahead
from shared.rules.ranking import score_run
from shared.units import NS_PER_MS

_LOG = logging.getLogger("leaderboard")


@dataclass(frozen=True, slots=True)
class PostedRun:
    """A run that was brought onto the board, and its answer."""

    result: Result
    accepted: PostAccepted


def posted(
    db: sa.Connection, race: RaceRecord, item: QueueItem, runs: Sequence[RunReport], now_utc_ns: int
) -> list[PostedRun]:
    """Bring the run of each car onto the board. Raises Refused, Conflict."""
    posted = []
    for place, (car, run) in enumerate(zip(item.cars, runs, strict=True)):
        submission = submission_rows.get(db, car.submission_id)
        conditions = condition_rows.conditions(db, run.conditions_sha256)
        profile = "" if conditions is None else conditions.profile
        result = _result(race, item, place, submission, run, profile)
        posted.append(PostedRun(result, post_result(db, result, now_utc_ns)))
    return posted


def outcome(item: QueueItem, report: LiveHeatReport) -> tuple[str, str]:
    """The racer who won, and why; "" if they are level."""
    by_s = None if report.by_ms is None else report.by_ms / 1000
    by_m = None if report.by_mm is None else report.by_mm / 1000
    ahead = "" if report.winner is None else item.cars[report.winner].racer
    return ahead, str(why_ahead(Reason(report.reason), by_s, by_m))


def enter_in_bracket(
    db: sa.Connection, race: RaceRecord, item: QueueItem, report: LiveHeatReport, now_utc_ns: int
) -> None:
    """What an official entered meanwhile stays."""
    times_ms = [run.laps[-1].ended_ns // NS_PER_MS if run.ended == "laps" else None for run in report.runs]
    first, second = report.runs
    run = HeatRun(
        0, report.winner, report.reason, (first.trace_sha256, second.trace_sha256), report.by_ms, report.by_mm
    )
    evidence = {"traces": run.traces, "turn": item.item_id, "launch": item.launches}
    try:
        with db.begin_nested():
            enter_live(db, race, item, run, (times_ms[0], times_ms[1]), evidence, now_utc_ns)
    except (Refused, UnknownItem) as refusal:
        _LOG.warning("heat %d of the bracket %r stays as it is: %s", item.heat, item.bracket_id, refusal)


def _result(
    race: RaceRecord, item: QueueItem, place: int, submission: ModelSubmission, report: RunReport, profile: str
) -> Result:
    car = item.cars[place]
    run_id = f"{item.item_id}-{item.launches}{'-rival' if place else ''}"
    score = score_run(report.laps, race.rules)
    starts = item.starts_utc_ns
    assert starts is not None, "a turn that was driven was launched"
    driven_ns = report.laps[-1].ended_ns if report.laps else 0
    return Result(
        result_id=f"live-{run_id}",
        revision=1,
        race_id=race.race_id,
        racer=car.racer,
        run_id=run_id,
        car=profile,
        model=submission.model_name,
        model_sha256=submission.model_sha256,
        laps=report.laps,
        score_ms=0 if score is None else score.score_ms,
        finished_utc_ns=starts + driven_ns,
        evidence=Evidence(
            station=STATION,
            journal_head=report.trace_sha256,
            first_seq=item.launches,
            last_seq=item.launches,
            uncertainty_ns=0,
            versions={"driver": item.driver.partition("/")[2]},
            conditions_sha256=report.conditions_sha256,
        ),
        kind="virtual",
        v=2 if score is None else 1,
        qualified=score is not None,
    )
