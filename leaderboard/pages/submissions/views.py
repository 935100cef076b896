"""Submissions as words: how each stands, what was before, and what may be done about it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from leaderboard.core.attempts import AttemptsLeft
from leaderboard.core.submissions.states import (
    IN_WORK,
    STATE_WORDS,
    SUBMISSION_MOVES,
    SUBMISSION_STATES,
    SubmissionState,
)
from leaderboard.core.submissions.submission import ModelSubmission, SubmissionActor, SubmissionStep, who_of
from leaderboard.pages.views import racer_page
from leaderboard.pages.wording import minute_text, second_text
from leaderboard.scored_laps import utc_text
from leaderboard.store.submissions.model_rows import ModelRecord
from leaderboard.submissions.checkpoint_choices import ChosenCheckpoint
from leaderboard.submissions.queue_places import QueuePlace
from leaderboard.submissions.service import SubmissionDetail
from shared.rules.checkpoint_order import PPM
from shared.text import Sentence, joined, ntext, recorded, text
from shared.units import format_ms

_BYTES_PER_MB = 1_000_000
_DRIVEN = frozenset({"scored", "unqualified", "disqualified"})  # their runs have traces
_ACTORS: Mapping[SubmissionActor, Sentence] = {
    "racer": text("the racer"),
    "official": text("an official"),
    "farm": text("the farm"),
    "leaderboard": text("the leaderboard"),
}


@dataclass(frozen=True, slots=True)
class SubmissionStepView:
    """A state that a submission had."""

    state_text: Sentence
    sentence: str
    at: str
    at_text: str
    who: Sentence


@dataclass(frozen=True, slots=True)
class CheckpointView:
    """A checkpoint in the table of those among which one was chosen."""

    name: str
    laps: int
    progress: str
    score: str
    resets: int
    refused: str


@dataclass(frozen=True, slots=True)
class CheckpointChoiceView:
    """Which checkpoint is driven, and how each of them drove, the best first."""

    words: Sentence
    checkpoints: tuple[CheckpointView, ...]


@dataclass(frozen=True, slots=True)
class SubmissionView:
    """A submission on a page. `place`: its place in the queue in words; "" if it does not wait."""

    submission_id: str
    model: str
    checkpoint: str
    racer: str
    page: str
    state: SubmissionState
    state_text: Sentence
    sentence: str
    at: str
    at_text: str
    place: str
    in_work: bool
    steps: tuple[SubmissionStepView, ...]
    choice: CheckpointChoiceView | None
    replay: str
    can_cancel: bool
    can_rerun: bool
    can_disqualify: bool


@dataclass(frozen=True, slots=True)
class SubmissionFilter:
    """A link that shows only the submissions in one state ("": all)."""

    state: str
    words: Sentence
    count: int


def submission_view(found: SubmissionDetail) -> SubmissionView:
    """A submission as pages show it."""
    one = found.submission
    return SubmissionView(
        submission_id=one.submission_id,
        model=one.model_name,
        checkpoint=one.checkpoint or ("" if found.choice is None else found.choice.best),
        racer=one.racer,
        page=racer_page(one.race_id, one.racer),
        state=one.state,
        state_text=STATE_WORDS[one.state],
        sentence=recorded(one.sentence),
        at=utc_text(one.submitted_utc_ns),
        at_text=minute_text(one.submitted_utc_ns),
        place=_place_text(found.place),
        in_work=one.state in IN_WORK,
        steps=tuple(_step(one, step) for step in found.history),
        choice=None if found.choice is None else _choice_view(found.choice),
        replay=f"/races/{one.race_id}/replay?run={one.result_id}" if one.state in _DRIVEN else "",
        can_cancel=(one.state, "cancel") in SUBMISSION_MOVES,
        can_rerun=(one.state, "rerun") in SUBMISSION_MOVES,
        can_disqualify=(one.state, "disqualify") in SUBMISSION_MOVES,
    )


def _choice_view(choice: ChosenCheckpoint) -> CheckpointChoiceView:
    return CheckpointChoiceView(
        text("{checkpoint} is driven: {reason}.", checkpoint=choice.best, reason=choice.reason),
        tuple(
            CheckpointView(
                each.name,
                each.laps,
                f"{each.progress_ppm / PPM:.2f}",
                "–" if each.score_ms is None else format_ms(each.score_ms),
                each.resets,
                recorded(each.refused),
            )
            for each in choice.trials
        ),
    )


def _step(submission: ModelSubmission, step: SubmissionStep) -> SubmissionStepView:
    return SubmissionStepView(
        STATE_WORDS[step.state],
        recorded(step.sentence),
        utc_text(step.at_utc_ns),
        second_text(step.at_utc_ns),
        _ACTORS[who_of(submission, step)],
    )


def _place_text(place: QueuePlace | None) -> str:
    if place is None:
        return ""
    before = ntext("{n} before it in the queue", "{n} before it in the queue", n=place.before)
    words = text("Next in the queue") if place.before == 0 else before
    if place.expected_utc_ns is None:
        return words
    return joined((words, text("expected about {when}", when=minute_text(place.expected_utc_ns))), " · ")


def submissions_left_text(left: AttemptsLeft | None) -> str:
    """How many more may be submitted; "" where the race limits none, or to whom has no entry."""
    if left is None or (left.in_all is None and left.on_the_day is None):
        return ""
    parts = []
    if left.in_all is not None:
        parts.append(ntext("{n} submission left in this race", "{n} submissions left in this race", n=left.in_all))
    if left.on_the_day is not None:
        parts.append(ntext("{n} left today", "{n} left today", n=left.on_the_day))
    return joined(parts, " · ")


def filters(counts: Mapping[SubmissionState, int]) -> list[SubmissionFilter]:
    """The links above the list: all, and each state that a submission is in."""
    each = [
        SubmissionFilter(state, STATE_WORDS[state], counts[state]) for state in SUBMISSION_STATES if state in counts
    ]
    return [SubmissionFilter("", text("All"), sum(counts.values())), *each]


def model_choices(models: tuple[ModelRecord, ...]) -> list[tuple[str, str]]:
    """The models of an account, for a list to choose from."""
    first: list[tuple[str, str]] = [("", text("A new file"))]
    return first + [
        (each.sha256, text("{name} ({mb:.1f} MB)", name=each.name, mb=each.size_bytes / _BYTES_PER_MB))
        for each in models
    ]
