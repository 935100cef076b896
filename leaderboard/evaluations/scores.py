"""Makes one result of the runs of a submission, and brings it onto the board in the way that all results go.

In the transaction that stores the last run: whatever dies, the submission is scored once, or not yet.
"""

import dataclasses
import hashlib
from http import HTTPStatus

import sqlalchemy as sa
from pydantic import TypeAdapter

from leaderboard.core.attempts import why_unqualified
from leaderboard.core.errors import Conflict
from leaderboard.core.evaluations.scoring import EvaluatedRun, chosen_run
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.evaluations.interruptions import FARM, give_up
from leaderboard.stations.posting import Post, checked, settle
from leaderboard.store import race_rows, result_rows
from leaderboard.store.evaluations import condition_rows
from leaderboard.store.evaluations.evaluation_rows import Evaluation
from leaderboard.store.submissions import submission_rows
from shared.conditions import Conditions
from shared.errors import Refused
from shared.protocol.farm import RunReport
from shared.protocol.results import Evidence, PostAccepted, Result, decode_accepted, encode_result
from shared.rules.ranking import score_run
from shared.text import Sentence, text
from shared.units import format_ms

STATION = "farm"
_REPORT = TypeAdapter(RunReport)


def settle_runs(
    db: sa.Connection, submission: ModelSubmission, runs: list[Evaluation], now_utc_ns: int
) -> ModelSubmission:
    """All runs are driven: the submission is scored or unqualified, and its line is on the board.

    Where the board does not take the result, the submission has failed, with the board's sentence.
    """
    conditions = condition_rows.conditions(db, runs[0].conditions_sha256)
    assert conditions is not None, "they were stored before the first of these runs was given out"
    reports = {each.run: _REPORT.validate_json(each.report) for each in runs}
    rules = conditions.rules.race_rules()
    driven = [EvaluatedRun(run, report.laps) for run, report in reports.items()]
    chosen = chosen_run(driven, rules, conditions.aggregate)
    source = next(each for each in runs if each.run == chosen.run)
    result = _result(db, submission, source, chosen, conditions)
    if race_rows.race(db, submission.race_id).live:
        return _tried(db, submission, result, chosen, conditions, now_utc_ns)
    try:
        with db.begin_nested():
            accepted = post_result(db, result, now_utc_ns)
    except Refused as refusal:
        return give_up(db, submission, text("The board did not take it: {sentence}", sentence=refusal), now_utc_ns)
    if not result.qualified:
        why = why_unqualified(chosen.laps, rules)
        sentence = text("It did not qualify: {why}.", why=why)
        return submission_rows.move(db, submission, "unqualify", FARM, now_utc_ns, sentence)
    return submission_rows.move(db, submission, "score", FARM, now_utc_ns, scored_sentence(result, accepted))


def _tried(
    db: sa.Connection,
    submission: ModelSubmission,
    result: Result,
    chosen: EvaluatedRun,
    conditions: Conditions,
    now_utc_ns: int,
) -> ModelSubmission:
    """In a LIVE race only what is driven before everybody's eyes counts; its racer knows now how the model drives."""
    if not result.qualified:
        why = why_unqualified(chosen.laps, conditions.rules.race_rules())
        sentence = text(
            "It was tried and did not qualify: {why}. It can still drive LIVE, which is what counts.", why=why
        )
        return submission_rows.move(db, submission, "unqualify", FARM, now_utc_ns, sentence)
    sentence = text("It was tried and made {score}. What counts is driven LIVE.", score=format_ms(result.score_ms))
    return submission_rows.move(db, submission, "score", FARM, now_utc_ns, sentence)


def scored_sentence(result: Result, accepted: PostAccepted) -> Sentence:
    """What is said of a result that was taken."""
    score = format_ms(result.score_ms)
    if accepted.rank is None:
        return text("It scored {score} and is not ranked.", score=score)
    if not accepted.best:
        return text("It scored {score}; an earlier one was better, in place {rank}.", score=score, rank=accepted.rank)
    return text("It scored {score}: place {rank} of {n}.", score=score, rank=accepted.rank, n=accepted.racers)


def _result(
    db: sa.Connection, submission: ModelSubmission, source: Evaluation, chosen: EvaluatedRun, conditions: Conditions
) -> Result:
    score = score_run(chosen.laps, conditions.rules.race_rules())
    revision = result_rows.newest_revision(db, submission.result_id) + 1
    return Result(
        result_id=submission.result_id,
        revision=revision,
        race_id=submission.race_id,
        racer=submission.racer,
        run_id=source.evaluation_id,
        car=conditions.profile,
        model=submission.model_name,
        model_sha256=submission.model_sha256,
        laps=chosen.laps,
        score_ms=0 if score is None else score.score_ms,
        # It is the model that was brought in time; when a farm came to drive it is nobody's merit.
        finished_utc_ns=submission.submitted_utc_ns,
        evidence=Evidence(
            station=STATION,
            journal_head=source.trace_sha256,
            first_seq=source.run,
            last_seq=source.run,
            uncertainty_ns=0,
            versions={"engine": source.engine},
            conditions_sha256=conditions.sha256,
        ),
        kind="virtual",
        v=2 if score is None and revision == 1 else 1,
        qualified=score is not None,
    )


def take_off(db: sa.Connection, submission: ModelSubmission, now_utc_ns: int) -> None:
    """The model was rejected: what it made in a round before, if anything, is on the board no more.

    Raises Refused where the board stays as it is.
    """
    runs = result_rows.runs_of(db, submission.race_id, submission.racer)
    for attempt, result in runs:
        if result.result_id == submission.result_id and not attempt.discarded:
            gone = dataclasses.replace(result, revision=result.revision + 1, score_ms=0, discarded=True)
            post_result(db, gone, now_utc_ns)


def post_result(db: sa.Connection, result: Result, now_utc_ns: int) -> PostAccepted:
    """Bring a result onto the board; the same again has the same answer. Raises Refused, Conflict."""
    payload = encode_result(result)
    post = Post(
        result.webhook_id, payload, hashlib.sha256(payload).hexdigest(), checked(result.webhook_id, payload), now_utc_ns
    )
    reply = settle(db, post)
    if reply.status == HTTPStatus.CONFLICT:
        raise Conflict(text("Something else was said of this run before: that stays."))
    return decode_accepted(reply.body)
