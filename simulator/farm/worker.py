"""What a worker of a cluster does with a job that was sent to it: it reaches nothing of the farm's own machine.

Called by engine_ray.py, in the worker. Models come as bytes, job and outcome go as JSON, so that a worker with
another release of Raceday can say so.
"""

import functools
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from shared.conditions import ENGINE
from shared.errors import BadInput
from simulator.farm.canary import canary_sha256
from simulator.farm.engine_process import ProcessEngine
from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport
from vehicle.models.run_isolated import ChildFailed

ModelContent = Mapping[str, bytes]  # path within the model's folder -> bytes; a single file has the path ""

_NAMES = ("model", "opponent")  # in the folder of a job
_JOB: TypeAdapter[EvaluationJob] = TypeAdapter(EvaluationJob)


@dataclass(frozen=True, slots=True)
class WorkerOutcome:
    """What became of a job: a report, or a sentence about the model, or, if `machine_failed`, about the machine.

    `engine`: the worker's. `canary_sha256`: of the worker's machine, where it was asked for. If the engine is not the
    farm's, nothing was driven.
    """

    engine: str
    canary_sha256: str = ""
    report: EvaluationReport | None = None
    sentence: str = ""
    machine_failed: bool = False


_OUTCOME = TypeAdapter(WorkerOutcome)


def read_model(path: Path) -> ModelContent:
    """A racer's file, or a model's folder. Raises OSError."""
    if path.is_file():
        return {"": path.read_bytes()}
    return {str(each.relative_to(path)): each.read_bytes() for each in sorted(path.rglob("*")) if each.is_file()}


def encode_job(job: EvaluationJob) -> str:
    """As a worker takes it."""
    return _JOB.dump_json(job).decode()


def decode_outcome(answer: bytes) -> WorkerOutcome:
    """What a worker answered. Of another release only the engine is read."""
    engine = json.loads(answer)["engine"]
    return _OUTCOME.validate_json(answer) if engine == ENGINE else WorkerOutcome(engine)


def drive(models: Sequence[ModelContent], job: str, farm_engine: str, wants_canary: bool) -> bytes:
    """Drive a job in a restricted child of this machine: of a model, or of two in one world; the outcome as JSON."""
    if farm_engine != ENGINE:
        return _OUTCOME.dump_json(WorkerOutcome(ENGINE))
    canary = ""
    try:
        canary = _canary_of_this_machine() if wants_canary else ""
    except BadInput as error:
        return _OUTCOME.dump_json(WorkerOutcome(ENGINE, sentence=str(error), machine_failed=True))
    return _OUTCOME.dump_json(replace(_drive(models, _JOB.validate_json(job)), canary_sha256=canary))


def _drive(models: Sequence[ModelContent], job: EvaluationJob) -> WorkerOutcome:
    with tempfile.TemporaryDirectory(prefix="raceday-job-") as folder:
        here = [_written(content, Path(folder) / name) for content, name in zip(models, _NAMES, strict=False)]
        try:
            report = _children().submit(replace(job, model=here[0], opponent="".join(here[1:]))).result()
        except BadInput as error:
            sentence = str(error).replace(here[0], job.model)
            if job.opponent:
                sentence = sentence.replace(here[1], job.opponent)
            return WorkerOutcome(ENGINE, sentence=sentence, machine_failed=isinstance(error, ChildFailed))
    return WorkerOutcome(ENGINE, report=report)


def _written(content: ModelContent, model: Path) -> str:
    """Write a model to this path, which is returned."""
    for name, file in content.items():
        path = model / name if name else model
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file)
    return str(model)


@functools.cache
def _children() -> ProcessEngine:
    """One for the life of this worker, which has one core."""
    return ProcessEngine(1)


@functools.cache
def _canary_of_this_machine() -> str:
    return canary_sha256(_children())
