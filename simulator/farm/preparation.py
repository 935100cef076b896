"""Prepares an archive: reads it in a restricted child, brings what is kept of it, and tries its checkpoints.

Where an archive holds several and its racer named none, each is driven on the seeds of validation by the race's
conditions. Which of them is the best is the leaderboard's to say.
"""

import dataclasses
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from shared.conditions import Conditions
from shared.errors import BadInput, RacedayError
from shared.protocol.farm import MAX_TRIALS, CheckpointTrial, Fault, PreparationItem, PreparationReport
from shared.text import text
from simulator.farm.engines import FarmEngine
from simulator.farm.server_calls import FarmServer
from simulator.virtual_races.checkpoints import (
    VALIDATION_RUNS,
    CheckpointResult,
    archived_checkpoints,
    choose_checkpoint,
)
from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport
from vehicle.models.run_isolated import ChildFailed, run_isolated

_STRIP_TIMEOUT_S = 180.0  # of 300 MB, on a machine that drives other runs meanwhile
_MAX_NAME, _MAX_SENTENCE = 300, 500


class MachineFailed(RacedayError):
    """What may be this machine's fault, said of a checkpoint: no refusal of that checkpoint."""


@dataclass(frozen=True, slots=True)
class ReadArchive:
    """What a child found in an archive: the names of its different models."""

    checkpoints: tuple[str, ...]
    cost_s: float


_READ = TypeAdapter(ReadArchive)


def prepare_archive(item: PreparationItem, model: Path, server: FarmServer, engine: FarmEngine) -> PreparationReport:
    """Read the archive at `model`, bring what is kept of it, and try its checkpoints if one is to be chosen.

    Raises BadInput for what is wrong with the archive; ChildFailed, a BadInput, and MachineFailed where this machine
    may be at fault; Refused, RetryLater, OperatorError for calls of the leaderboard.
    """
    with tempfile.TemporaryDirectory(prefix="raceday-") as folder:
        kept = Path(folder) / "kept.tar"
        read = _read(model, kept)
        if kept.exists():
            server.keep(item.model_sha256, kept)
    # A name that is no line of text cannot be said to anybody: such a model is driven only if the archive names it.
    names = [name for name in read.checkpoints if name.isprintable() and len(name) <= _MAX_NAME]
    trials: tuple[CheckpointTrial, ...] = ()
    cost_s = read.cost_s
    if item.choose and 1 < len(names) <= MAX_TRIALS:
        trials, driven_s = _try(model, names, item.conditions, engine)
        cost_s += driven_s
    return PreparationReport(len(read.checkpoints), item.conditions_sha256, round(cost_s * 1000), trials)


def _read(model: Path, kept: Path) -> ReadArchive:
    answer = run_isolated("strip", str(model), str(kept), about=model, timeout_s=_STRIP_TIMEOUT_S)
    try:
        return _READ.validate_json(answer)
    except ValidationError as error:
        raise BadInput(text("{path}: the reading of the archive did not answer as it should.", path=model)) from error


def _try(
    model: Path, names: list[str], conditions: Conditions, engine: FarmEngine
) -> tuple[tuple[CheckpointTrial, ...], float]:
    """How each drove, and the processor time of all."""
    if conditions.race_type == "head_to_head":  # whom it will meet is not known: it shows alone how it drives
        conditions = dataclasses.replace(conditions, race_type="time_trial")
    costs: list[float] = []

    def evaluate(job: EvaluationJob) -> EvaluationReport:
        try:
            report = engine.submit(job).result()
        except ChildFailed as error:
            raise MachineFailed(str(error)) from None
        costs.append(report.cost_s)
        return report

    jobs = min(len(names), max(1, engine.slots))
    found = choose_checkpoint(archived_checkpoints(model, names), conditions, VALIDATION_RUNS, jobs, evaluate)
    return tuple(_trial(each, model) for each in found.results), sum(costs)


def _trial(result: CheckpointResult, model: Path) -> CheckpointTrial:
    refused = plain_sentence(result.refused, model)
    if refused:
        return CheckpointTrial(result.checkpoint.name, refused=refused)
    return CheckpointTrial(
        result.checkpoint.name, result.laps, result.progress_ppm, result.score_ms, result.scored, result.resets
    )


def plain_sentence(sentence: str, model: Path) -> str:
    """What is said of a model, without where this machine keeps it, and in one line."""
    plain = sentence.replace(f"{model}: ", "").replace(str(model), "model")
    return "".join(sign if sign.isprintable() else "?" for sign in plain)[:_MAX_SENTENCE]


def fault_of(error: BadInput | MachineFailed) -> Fault:
    """Who is at fault: a model is refused for good, what a machine could not do goes to another."""
    return "farm" if isinstance(error, ChildFailed | MachineFailed) else "model"
