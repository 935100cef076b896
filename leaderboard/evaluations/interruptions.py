"""What interrupts evaluations: a farm that is gone, a run that comes to nothing, a node whose results are wrong.

Nothing is lost by it: a run is given out again up to three times, and a submission begins anew whenever what was driven
of it does not count any more. What is still said by whoever had it changes nothing.
"""

import dataclasses

import sqlalchemy as sa

from leaderboard.core.access import NOBODY, Caller
from leaderboard.core.submissions.states import IN_WORK
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.store import audit
from leaderboard.store.evaluations import claim_rows, evaluation_rows, node_rows
from leaderboard.store.evaluations.claim_rows import RunClaim
from leaderboard.store.evaluations.evaluation_rows import EvaluationState
from leaderboard.store.evaluations.node_rows import FarmNode
from leaderboard.store.submissions import submission_rows
from shared.text import Sentence, text

FARM = "farm"  # who moves submissions here, as their history names it
MAX_ATTEMPTS = 3
EDITED = text("The race was changed: it is driven by its new conditions.")
NOT_HEARD = text("The farm that had it was not heard of again.")
WRONG_NODE = text("The node that drove it gave other results than the others: it is driven once more.")


def expire(db: sa.Connection, now_utc_ns: int) -> None:
    """Take back every run whose time is up."""
    for claim in claim_rows.expired(db, now_utc_ns):
        claim_rows.end(db, [claim], now_utc_ns)
        try_again(db, claim, NOT_HEARD, now_utc_ns)


def try_again(db: sa.Connection, claim: RunClaim, why: str, now_utc_ns: int) -> None:
    """The run of this claim, which is over, waits again; after three attempts its submission has failed."""
    evaluation = evaluation_rows.get(db, claim.evaluation_id)
    if evaluation.state != "running":
        return
    if evaluation.repeats:
        # A repetition that cannot be driven proves nothing; the node's next evaluation is repeated instead.
        state: EvaluationState = "void" if evaluation.attempt >= MAX_ATTEMPTS else "waiting"
        evaluation_rows.store(db, dataclasses.replace(evaluation, state=state, reason=why))
        return
    evaluation_rows.store(db, dataclasses.replace(evaluation, state="waiting", node="", reason=why))
    submission = submission_rows.get(db, evaluation.submission_id, for_change=True)
    if submission.state not in IN_WORK:
        return
    if evaluation.attempt >= MAX_ATTEMPTS:
        sentence = text("It was tried {n} times. The last time: {sentence}", n=evaluation.attempt, sentence=why)
        give_up(db, submission, sentence, now_utc_ns)
    elif submission.state != "queued" and not claim_rows.running(db, submission_id=submission.submission_id):
        submission_rows.move(db, submission, "release", FARM, now_utc_ns)


def give_up(
    db: sa.Connection, submission: ModelSubmission, sentence: Sentence | str, now_utc_ns: int
) -> ModelSubmission:
    """The submission has failed, and not by the model's fault."""
    _take_back(db, submission, str(sentence), now_utc_ns)
    return submission_rows.move(db, submission, "fail", FARM, now_utc_ns, sentence)


def reject(db: sa.Connection, submission: ModelSubmission, sentence: str, now_utc_ns: int) -> ModelSubmission:
    """The model cannot be driven; the sentence is the importer's."""
    _take_back(db, submission, sentence, now_utc_ns)
    return submission_rows.move(db, submission, "reject", FARM, now_utc_ns, sentence)


def begin_anew(db: sa.Connection, submission: ModelSubmission, why: Sentence, now_utc_ns: int) -> None:
    """What was driven of the submission does not count: it waits, and all of it is driven again."""
    _take_back(db, submission, str(why), now_utc_ns)
    if submission.state in ("preparing", "evaluating"):
        submission_rows.move(db, submission, "release", FARM, now_utc_ns, why)
    elif submission.state in ("scored", "unqualified"):
        submission_rows.move(db, submission, "rerun", FARM, now_utc_ns, why)


def set_aside(db: sa.Connection, node: FarmNode, now_utc_ns: int) -> list[str]:
    """The node drives nothing any more, and what it drove since it last agreed is driven again.

    Returns the races of that.
    """
    reason = text("Its results differ from those of the other nodes of its class.")
    node_rows.store(db, dataclasses.replace(node, state="aside", reason=str(reason)))
    audit.record(
        db,
        NOBODY,
        now_utc_ns,
        "farm.node",
        f"node:{node.node}",
        {"state": node.state},
        {"state": "aside"},
        why=str(reason),
    )
    for claim in claim_rows.running(db, node=node.node):
        claim_rows.end(db, [claim], now_utc_ns)
        evaluation = evaluation_rows.get(db, claim.evaluation_id)
        if evaluation.state == "running":
            evaluation_rows.store(db, dataclasses.replace(evaluation, state="waiting", attempt=0, node=""))
    doubtful = evaluation_rows.driven_by(db, node.node, node.agreed_utc_ns)
    races = set()
    for submission_id in dict.fromkeys(each.submission_id for each in doubtful):
        submission = submission_rows.get(db, submission_id, for_change=True)
        begin_anew(db, submission, WRONG_NODE, now_utc_ns)
        races.add(submission.race_id)
    return sorted(races)


def restore(db: sa.Connection, caller: Caller, node: FarmNode, now_utc_ns: int) -> FarmNode:
    """A node that was set aside may drive again, once it has driven its canary anew."""
    # What it drove before was driven again when it was set aside.
    after = dataclasses.replace(node, state="restored", reason="", agreed_utc_ns=now_utc_ns)
    where, states = f"node:{node.node}", ({"state": node.state}, {"state": "active"})
    audit.record(db, caller, now_utc_ns, "farm.node", where, *states, why=node.reason)
    return node_rows.store(db, after)


def _take_back(db: sa.Connection, submission: ModelSubmission, why: str, now_utc_ns: int) -> None:
    claim_rows.end(db, claim_rows.running(db, submission_id=submission.submission_id), now_utc_ns)
    evaluation_rows.void(db, submission.submission_id, why)
