"""What the JSON of models, uploads and submissions looks like, in and out."""

from dataclasses import dataclass

from pydantic import ConfigDict

from leaderboard.core.attempts import AttemptsLeft
from leaderboard.core.submissions.states import SubmissionState
from leaderboard.core.submissions.submission import ModelSubmission, SubmissionActor, SubmissionStep, who_of
from leaderboard.scored_laps import utc_text
from leaderboard.store.submissions.model_rows import ModelRecord, UploadRecord
from leaderboard.submissions.checkpoint_choices import ChosenCheckpoint
from leaderboard.submissions.models import OwnModels
from leaderboard.submissions.service import SubmissionDetail, SubmissionList
from leaderboard.submissions.uploads import UploadProgress

_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class NewModel:
    """An archive to upload: the SHA-256 and the size of its bytes, and what you call the model."""

    __pydantic_config__ = _STRICT

    sha256: str
    size_bytes: int
    name: str


@dataclass(frozen=True, slots=True)
class ModelToSubmit:
    """A model of yours. `checkpoint`: which of its archive's; absent: the leaderboard chooses the best one."""

    __pydantic_config__ = _STRICT

    model_sha256: str
    checkpoint: str = ""


@dataclass(frozen=True, slots=True)
class SubmissionReason:
    """Why; the racer is shown it. Of one's own submission it may be absent."""

    __pydantic_config__ = _STRICT

    why: str = ""


@dataclass(frozen=True, slots=True)
class ModelShape:
    sha256: str
    name: str
    size_bytes: int
    created_at: str


@dataclass(frozen=True, slots=True)
class UploadShape:
    """An upload: `offset_bytes` of it are stored for good. `model`: what became of it; null until the last byte."""

    upload_id: str | None
    offset_bytes: int
    size_bytes: int
    model: ModelShape | None


@dataclass(frozen=True, slots=True)
class UnfinishedUploadShape:
    upload_id: str
    sha256: str
    name: str
    offset_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class OwnModelsShape:
    """`used_bytes`: with unfinished uploads; a MB is a million bytes."""

    models: tuple[ModelShape, ...]
    uploads: tuple[UnfinishedUploadShape, ...]
    used_bytes: int
    max_mb: int
    max_models: int


@dataclass(frozen=True, slots=True)
class SubmissionsLeftShape:
    """How many more may be submitted, in the race and today; null: any number."""

    in_all: int | None
    today: int | None


@dataclass(frozen=True, slots=True)
class SubmissionShape:
    """A submission as it stands. `sentence` says why; `result_id`: what it is called on the board once it is scored."""

    submission_id: str
    race_id: str
    racer: str
    model_sha256: str
    model_name: str
    checkpoint: str
    state: SubmissionState
    sentence: str
    state_at: str
    submitted_at: str
    round: int
    result_id: str


@dataclass(frozen=True, slots=True)
class SubmissionStepShape:
    """A state that it had, and who gave it."""

    state: SubmissionState
    sentence: str
    at: str
    who: SubmissionActor


@dataclass(frozen=True, slots=True)
class QueuePlaceShape:
    """How many are driven before it, and when it is expected to be; null: nobody can say."""

    before: int
    expected_at: str | None


@dataclass(frozen=True, slots=True)
class CheckpointShape:
    """How a checkpoint drove on seeds of validation, all runs together. `laps`: completed; `score_ms`: of a run, null
    without a score; `refused`: why it could not be driven, "" if it was."""

    name: str
    laps: int
    progress_ppm: int
    score_ms: int | None
    runs_with_score: int
    resets: int
    refused: str


@dataclass(frozen=True, slots=True)
class CheckpointChoiceShape:
    """Which of an archive's checkpoints is driven, and why; all of them, the best first."""

    checkpoint: str
    reason: str
    checkpoints: tuple[CheckpointShape, ...]


@dataclass(frozen=True, slots=True)
class SubmissionDetailShape:
    """A submission with its history, its place in the queue (null: it does not wait), and what its racer has left.

    `choice`: among its checkpoints; null if its racer named one, it holds one, or it was not read yet.
    """

    submission: SubmissionShape
    history: tuple[SubmissionStepShape, ...]
    place: QueuePlaceShape | None
    left: SubmissionsLeftShape
    choice: CheckpointChoiceShape | None


@dataclass(frozen=True, slots=True)
class SubmissionListShape:
    """Submissions, the newest first; `next` for `after`: null if no more follow. `left`: null without an entry."""

    submissions: tuple[SubmissionShape, ...]
    left: SubmissionsLeftShape | None
    next: int | None


def model_shape(model: ModelRecord) -> ModelShape:
    return ModelShape(model.sha256, model.name, model.size_bytes, utc_text(model.created_utc_ns))


def upload_shape(upload: UploadRecord) -> UploadShape:
    return UploadShape(upload.upload_id, upload.offset_bytes, upload.size_bytes, None)


def progress_shape(upload_id: str, progress: UploadProgress) -> UploadShape:
    made = progress.model
    return UploadShape(
        upload_id, progress.offset_bytes, progress.size_bytes, None if made is None else model_shape(made)
    )


def there_shape(model: ModelRecord) -> UploadShape:
    """An upload of what the account has already."""
    return UploadShape(None, model.size_bytes, model.size_bytes, model_shape(model))


def own_models_shape(own: OwnModels, uploads: list[UploadRecord]) -> OwnModelsShape:
    return OwnModelsShape(
        tuple(map(model_shape, own.models)),
        tuple(
            UnfinishedUploadShape(each.upload_id, each.sha256, each.name, each.offset_bytes, each.size_bytes)
            for each in uploads
        ),
        own.use.size_bytes,
        own.max_mb,
        own.max_models,
    )


def submission_shape(one: ModelSubmission) -> SubmissionShape:
    return SubmissionShape(
        one.submission_id,
        one.race_id,
        one.racer,
        one.model_sha256,
        one.model_name,
        one.checkpoint,
        one.state,
        one.sentence,
        utc_text(one.state_utc_ns),
        utc_text(one.submitted_utc_ns),
        one.round,
        one.result_id,
    )


def detail_shape(found: SubmissionDetail) -> SubmissionDetailShape:
    place = found.place
    return SubmissionDetailShape(
        submission_shape(found.submission),
        tuple(_step_shape(found.submission, step) for step in found.history),
        None
        if place is None
        else QueuePlaceShape(place.before, None if place.expected_utc_ns is None else utc_text(place.expected_utc_ns)),
        _left_shape(found.left),
        None if found.choice is None else _choice_shape(found.choice),
    )


def _choice_shape(choice: ChosenCheckpoint) -> CheckpointChoiceShape:
    every = tuple(
        CheckpointShape(each.name, each.laps, each.progress_ppm, each.score_ms, each.scored, each.resets, each.refused)
        for each in choice.trials
    )
    return CheckpointChoiceShape(choice.best, choice.reason, every)


def list_shape(found: SubmissionList) -> SubmissionListShape:
    rows = found.submissions
    left = None if found.left is None else _left_shape(found.left)
    return SubmissionListShape(tuple(map(submission_shape, rows)), left, rows[-1].number if found.more else None)


def _step_shape(submission: ModelSubmission, step: SubmissionStep) -> SubmissionStepShape:
    return SubmissionStepShape(step.state, step.sentence, utc_text(step.at_utc_ns), who_of(submission, step))


def _left_shape(left: AttemptsLeft) -> SubmissionsLeftShape:
    return SubmissionsLeftShape(left.in_all, left.on_the_day)
