"""The states of a submission, and which may follow which, as one table. Called by the service and by the farm's calls.

Each move is stored with a sentence, its time, and who made it; none is ever taken back or deleted.
"""

from collections.abc import Mapping
from typing import Literal, get_args

from shared.errors import Refused
from shared.text import Sentence, text

SubmissionState = Literal[
    "uploading",
    "queued",
    "preparing",
    "evaluating",
    "scored",
    "unqualified",
    "rejected",
    "failed",
    "cancelled",
    "disqualified",
]
SubmissionMove = Literal[
    "arrive",  # the archive is here whole
    "prepare",  # the farm reads the archive
    "evaluate",  # the farm drives it
    "release",  # the farm that had it is gone: the next one takes it
    "score",
    "unqualify",
    "reject",  # the model's fault: it counts for nothing
    "fail",  # ours: it counts for nothing
    "cancel",
    "rerun",
    "disqualify",
    "restore_score",
    "restore_unqualified",
]
SUBMISSION_STATES: tuple[SubmissionState, ...] = get_args(SubmissionState)

# (state, what is done) -> the state then. What is not here is refused.
SUBMISSION_MOVES: Mapping[tuple[SubmissionState, SubmissionMove], SubmissionState] = {
    ("uploading", "arrive"): "queued",
    ("uploading", "reject"): "rejected",
    ("uploading", "cancel"): "cancelled",
    ("queued", "prepare"): "preparing",
    ("queued", "reject"): "rejected",
    ("queued", "fail"): "failed",
    ("queued", "cancel"): "cancelled",
    ("preparing", "evaluate"): "evaluating",
    ("preparing", "release"): "queued",
    ("preparing", "reject"): "rejected",
    ("preparing", "fail"): "failed",
    ("preparing", "cancel"): "cancelled",
    ("evaluating", "score"): "scored",
    ("evaluating", "unqualify"): "unqualified",
    ("evaluating", "release"): "queued",
    ("evaluating", "reject"): "rejected",
    ("evaluating", "fail"): "failed",
    ("evaluating", "cancel"): "cancelled",
    ("scored", "disqualify"): "disqualified",
    ("unqualified", "disqualify"): "disqualified",
    ("disqualified", "restore_score"): "scored",
    ("disqualified", "restore_unqualified"): "unqualified",
    ("scored", "rerun"): "queued",
    ("unqualified", "rerun"): "queued",
    ("rejected", "rerun"): "queued",
    ("failed", "rerun"): "queued",
}
# Not settled yet: something will still be done by itself.
IN_WORK: frozenset[SubmissionState] = frozenset({"uploading", "queued", "preparing", "evaluating"})
# May drive in a LIVE race: nothing is wrong with it, as far as is known.
DRIVABLE: frozenset[SubmissionState] = frozenset({"queued", "preparing", "evaluating", "scored", "unqualified"})
# Used up an attempt of the racer, or will.
COUNTED: frozenset[SubmissionState] = IN_WORK | {"scored", "unqualified", "disqualified"}

# What is said of a move that has no words of its own.
SENTENCES: Mapping[SubmissionMove, Sentence] = {
    "arrive": text("It waits for its evaluation."),
    "prepare": text("The archive is being read."),
    "evaluate": text("It is being driven."),
    "release": text("Its evaluation was interrupted: it waits for the next one."),
    "score": text("It is scored."),
    "unqualify": text("It did not qualify."),
    "reject": text("The archive cannot be used."),
    "fail": text("The evaluation failed, which is not the model's fault."),
    "cancel": text("It was cancelled."),
    "rerun": text("It is driven once more."),
    "disqualify": text("It is disqualified."),
    "restore_score": text("The disqualification was taken back."),
    "restore_unqualified": text("The disqualification was taken back."),
}
BEING_UPLOADED = text("The archive is being uploaded.")
STATE_WORDS: Mapping[SubmissionState, Sentence] = {
    "uploading": text("Uploading"),
    "queued": text("Queued"),
    "preparing": text("Preparing"),
    "evaluating": text("Evaluating"),
    "scored": text("Scored"),
    "unqualified": text("Did not qualify"),
    "rejected": text("Rejected"),
    "failed": text("Evaluation failed"),
    "cancelled": text("Cancelled"),
    "disqualified": text("Disqualified"),
}
_NOT: Mapping[SubmissionMove, Sentence] = {
    "cancel": text("The submission is decided already: it cannot be cancelled."),
    "rerun": text(
        "Only a submission that was decided is driven once more, and none that was cancelled or disqualified."
    ),
    "disqualify": text("Only a submission that was driven can be disqualified."),
}


def with_reason(what: SubmissionMove, why: str) -> Sentence:
    """What is said of an official's move, with the reason."""
    if what == "cancel":
        return text("An official cancelled it: {why}", why=why)
    if what == "rerun":
        return text("An official has it driven once more: {why}", why=why)
    return text("It is disqualified: {why}", why=why)


def submission_after(state: SubmissionState, move: SubmissionMove) -> SubmissionState:
    """The state after the move. Raises Refused with the sentence that says why it is not possible."""
    if (state, move) not in SUBMISSION_MOVES:
        usual = text("The submission is in the state {state}: that cannot be done now.", state=STATE_WORDS[state])
        raise Refused(_NOT.get(move, usual))
    return SUBMISSION_MOVES[state, move]
