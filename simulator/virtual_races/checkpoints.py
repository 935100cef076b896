"""Chooses the best of several checkpoints by driving them: most laps, then furthest, then the best score.

Each is driven on the seeds of validation, which no race uses, in a child of its own: one that is refused or hangs
leaves the others. Used by `raceday model choose`, and for submissions that hold several checkpoints. A training drives
its own in its own environment (simulator/train/checkpoints.py).
"""

import json
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from shared.conditions import Conditions
from shared.errors import BadInput
from shared.rules.checkpoint_order import PPM, checkpoint_worth, why_best
from shared.rules.ranking import score_run
from shared.text import text
from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport, ReportedRun, evaluate_isolated
from simulator.virtual_races.seeds import validation_seeds
from vehicle.models.model_files import MODEL
from vehicle.models.run_isolated import run_isolated

MAX_IN_SUBMISSION = 10
MAX_CHECKPOINTS = 200
VALIDATION_RUNS = 3  # of each checkpoint in a submission

Evaluate = Callable[[EvaluationJob], EvaluationReport]


@dataclass(frozen=True, slots=True)
class ModelCheckpoint:
    """One of the models to choose from: its name for people, its file or folder, its name in an archive or ""."""

    name: str
    path: Path
    member: str = ""


@dataclass(frozen=True, slots=True)
class CheckpointResult:
    """How a checkpoint drove, all runs together; `refused` is the sentence if it could not be driven at all.

    `laps`: completed; `progress_ppm`: millionths of laps, unfinished ones included; `score_ms`: the median of the runs
    that have a score, the worse of two; `scored`: how many have.
    """

    checkpoint: ModelCheckpoint
    laps: int = 0
    progress_ppm: int = 0
    score_ms: int | None = None
    scored: int = 0
    resets: int = 0
    refused: str = ""


@dataclass(frozen=True, slots=True)
class CheckpointChoice:
    """The best checkpoint, why it is, and all results, the best first."""

    best: ModelCheckpoint
    reason: str
    results: tuple[CheckpointResult, ...]


def find_checkpoints(path: Path, limit: int = MAX_CHECKPOINTS) -> tuple[ModelCheckpoint, ...]:
    """The models in a folder or an archive, in natural order. Raises BadInput if there is none, or too many."""
    if path.is_dir():
        files = [*path.rglob("*.onnx"), *path.rglob("*.pb")]
        found = [_in_folder(path, file) for file in files if file.is_file()]
    elif path.suffix in (".onnx", ".pb"):
        found = [ModelCheckpoint(path.name, path)]
    else:
        names: list[str] = json.loads(run_isolated("checkpoints", str(path), about=path))
        found = list(archived_checkpoints(path, names))
    if not found:
        raise BadInput(text("{path}: holds no checkpoint: there is no .onnx and no .pb.", path=path))
    if len(found) > limit:
        raise BadInput(
            text(
                "{path}: holds {count} checkpoints; at most {limit} are driven.",
                path=path,
                count=len(found),
                limit=limit,
            )
        )
    return tuple(sorted(found, key=_by_name))


def archived_checkpoints(path: Path, names: Iterable[str]) -> tuple[ModelCheckpoint, ...]:
    """Models of these names in an archive, in natural order."""
    return tuple(sorted((ModelCheckpoint(name, path, name) for name in names), key=_by_name))


def choose_checkpoint(
    checkpoints: tuple[ModelCheckpoint, ...],
    conditions: Conditions,
    runs: int,
    jobs: int = 1,
    evaluate: Evaluate = evaluate_isolated,
) -> CheckpointChoice:
    """Drive them all and choose. Raises BadInput, the first one's sentence, if none of them can be driven."""
    seeds = validation_seeds(runs)

    def drive(checkpoint: ModelCheckpoint) -> CheckpointResult:
        try:
            report = evaluate(EvaluationJob(str(checkpoint.path), conditions, seeds, checkpoint.member))
        except BadInput as error:
            return CheckpointResult(checkpoint, refused=str(error))
        return _result(checkpoint, report.runs, conditions)

    with ThreadPoolExecutor(jobs) as pool:
        results = tuple(pool.map(drive, checkpoints))
    if all(result.refused for result in results):
        raise BadInput(results[0].refused)
    ordered = tuple(sorted(results, key=checkpoint_worth))
    return CheckpointChoice(ordered[0].checkpoint, why_best(ordered), ordered)


def _in_folder(folder: Path, file: Path) -> ModelCheckpoint:
    """A folder with model.onnx is a model by itself (training writes one for each checkpoint); else the file is."""
    where = file.parent if file.name == MODEL else file
    name = str(where.relative_to(folder)) if where != folder else folder.name
    return ModelCheckpoint(name, where)


def _by_name(checkpoint: ModelCheckpoint) -> list[tuple[int, str]]:
    """Sorts model_9 before model_10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", checkpoint.name)]


def _result(checkpoint: ModelCheckpoint, runs: tuple[ReportedRun, ...], conditions: Conditions) -> CheckpointResult:
    rules = conditions.rules.race_rules()
    scores = sorted(score.score_ms for run in runs if (score := score_run(run.laps, rules)) is not None)
    laps = sum(len(run.laps) for run in runs)
    return CheckpointResult(
        checkpoint,
        laps=laps,
        progress_ppm=laps * PPM + sum(run.progress_ppm for run in runs if run.end != "laps"),
        score_ms=scores[len(scores) // 2] if scores else None,
        scored=len(scores),
        resets=sum(run.resets for run in runs),
    )
