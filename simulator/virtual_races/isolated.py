"""Evaluates a stranger's model, or two in one world, in a child process: no network, limits on memory and time.

The child unpacks and converts the racer's file as `raceday model import` does, so that a wrong archive or a hostile
graph gets the importer's sentence, and then drives all runs. Whatever the model does, the caller gets runs or one
sentence. By hand: `python -m simulator.virtual_races.isolated < JOB.json`.
"""

import base64
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ConfigDict, TypeAdapter, ValidationError

from shared.conditions import Conditions, check_conditions
from shared.errors import BadInput
from shared.rules.ranking import RunLap
from shared.text import text
from shared.traces.encoding import decode, encode
from shared.traces.trace import DriveTrace
from simulator.virtual_races.judging.head_to_head import HeadToHeadVerdict, winner_of
from simulator.virtual_races.judging.run_book import RunEnd
from vehicle.models.model_grants import model_grants
from vehicle.models.run_isolated import (
    REFUSED,
    limit_printing,
    restrict,
    restrict_to,
    run_child,
)
from vehicle.process.landlock import FileGrant

if TYPE_CHECKING:
    from simulator.virtual_races.evaluation import VirtualRun

WORK = text("the model's evaluation")
BASE_TIMEOUT_S = 180.0  # a first start compiles the engine, which takes a minute on a busy machine
TIMEOUT_S_PER_RUN = 60.0
CPU_SHARE = 0.5  # of that time: who needs more of the processor hangs, whatever else the machine does
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class EvaluationJob:
    """What to drive: a racer's file or a model's folder, the checkpoint in it ("": the best by its notes).

    `opponent`: the model that drives against it in the same world, "" for none.
    """

    __pydantic_config__ = _STRICT

    model: str
    conditions: Conditions
    seeds: tuple[int, ...]
    checkpoint: str = ""
    opponent: str = ""
    opponent_checkpoint: str = ""


@dataclass(frozen=True, slots=True)
class ReportedRun:
    """One run as the child reports it; `trace` is the trace's file in base64."""

    __pydantic_config__ = _STRICT

    seed: int
    laps: tuple[RunLap, ...]
    end: RunEnd
    resets: int
    progress_ppm: int
    driven_ns: int
    frames: int
    trace: str

    def read_trace(self) -> DriveTrace:
        """The trace. Raises BadInput."""
        return decode(self.trace_bytes)

    @property
    def trace_bytes(self) -> bytes:
        """The trace's file."""
        return base64.b64decode(self.trace)


@dataclass(frozen=True, slots=True)
class ReportedHeat:
    """One run against an opponent: which started in front (0 is the model, 1 its opponent), who is ahead and why."""

    __pydantic_config__ = _STRICT

    in_front: int
    verdict: HeadToHeadVerdict


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """All runs of one model. `model_sha256`: of the ONNX file that drove; `cost_s`: the processor time of the child.

    With an opponent: its runs, and what each of the heats came to; `winner` is 0, 1, or None if they are level.
    """

    __pydantic_config__ = _STRICT

    model_sha256: str
    runs: tuple[ReportedRun, ...]
    cost_s: float
    opponent_sha256: str = ""
    opponent_runs: tuple[ReportedRun, ...] = ()
    heats: tuple[ReportedHeat, ...] = ()

    @property
    def winner(self) -> int | None:
        """Who is ahead in more heats."""
        return winner_of([heat.verdict for heat in self.heats])


_JOB, _REPORT = TypeAdapter(EvaluationJob), TypeAdapter(EvaluationReport)


def evaluate_isolated(job: EvaluationJob, timeout_s: float | None = None) -> EvaluationReport:
    """Drive the model's runs in a child. Raises BadInput with the sentence that says what is wrong with the model.

    Raises ChildFailed, a BadInput, where this machine may be at fault: the child was killed, broke or took too long.
    """
    limit_s = timeout_s or wall_limit_s(job)
    command = [sys.executable, "-P", "-m", "simulator.virtual_races.isolated", str(cpu_limit_s(limit_s))]
    return read_report(run_child(command, WORK, Path(job.model), limit_s, given=write_job(job)), Path(job.model))


def wall_limit_s(job: EvaluationJob) -> float:
    """How long a child may take for the job."""
    return BASE_TIMEOUT_S + TIMEOUT_S_PER_RUN * len(job.seeds) * (2 if job.opponent else 1)


def cpu_limit_s(limit_s: float) -> int:
    """How much of the processor a child may use that may take so long."""
    return max(1, round(limit_s * CPU_SHARE))


def write_job(job: EvaluationJob) -> str:
    """The job as a child reads it."""
    return _JOB.dump_json(job).decode()


def read_report(printed: str, path: Path) -> EvaluationReport:
    """What a child printed of the model at `path`. Raises BadInput if it is no report."""
    try:
        report = _REPORT.validate_json(printed)
    except ValidationError as error:
        raise BadInput(text("{path}: the model's evaluation did not answer as it should.", path=path)) from error
    for run in (*report.runs, *report.opponent_runs):
        run.read_trace()
    return report


def main(arguments: list[str]) -> int:
    """Entry point of the child; returns the exit code."""
    restrict(int(arguments[0]))
    load_engine()
    return drive(sys.stdin.read())


def load_engine() -> None:
    """Load what drives, while a child may still read all: it comes before `restrict_to_models`."""
    from simulator.virtual_races import entrant, evaluation  # noqa: F401, PLC0415 (loaded here, used below)


def restrict_to_models(*models: str) -> None:
    """From here on the child reads these models, the engine and its program, and writes temporary files only."""
    from simulator.batch.compiled import batch_available, compiled_code  # noqa: PLC0415
    from simulator.driving.policy import CARD  # noqa: PLC0415

    code = compiled_code() if batch_available() else []
    paths = [Path(model) for model in models if model]
    cards = [path / CARD if path.is_dir() else path.with_name(CARD) for path in paths]
    restrict_to([*model_grants(*paths), *(FileGrant(path) for path in (*cards, *code))])


def drive(job_text: str) -> int:
    """In a restricted child: drive the job, print its report or what is wrong with the model; returns the exit code."""
    job = _JOB.validate_json(job_text)
    try:
        sys.stdout.write(_REPORT.dump_json(_evaluate(job)).decode())
    except (BadInput, MemoryError) as error:
        sys.stderr.write(f"{str(error) or 'The model needs more memory than it is allowed.'}\n")
        return REFUSED
    return 0


def _evaluate(job: EvaluationJob) -> EvaluationReport:
    conditions = check_conditions(job.conditions)
    restrict_to_models(job.model, job.opponent)
    with tempfile.TemporaryDirectory(prefix="raceday-") as name:
        folders = [unpacked(job.model, job.checkpoint, Path(name) / "model")]
        if job.opponent:
            folders.append(unpacked(job.opponent, job.opponent_checkpoint, Path(name) / "opponent"))
        limit_printing()
        # Imported here: the libraries are to be loaded under the limits, never by the parent.
        from simulator.virtual_races.entrant import load_entrant  # noqa: PLC0415
        from simulator.virtual_races.evaluation import evaluate_heats, evaluate_runs  # noqa: PLC0415

        models = [load_entrant(folder, conditions.profile) for folder in folders]
    if not job.opponent:
        runs = tuple(reported(run) for run in evaluate_runs(conditions, job.seeds, models[0]))
        return EvaluationReport(models[0].sha256, runs, round(time.process_time(), 3))
    heats = evaluate_heats(conditions, job.seeds, (models[0], models[1]))
    return EvaluationReport(
        models[0].sha256,
        tuple(reported(heat.runs[0]) for heat in heats),
        round(time.process_time(), 3),
        models[1].sha256,
        tuple(reported(heat.runs[1]) for heat in heats),
        tuple(ReportedHeat(heat.in_front, heat.verdict) for heat in heats),
    )


def unpacked(model: str, checkpoint: str, folder: Path) -> Path:
    """The folder of a model that can be loaded: of an archive, `folder`, which it is unpacked into. Raises BadInput."""
    path = Path(model)
    if not path.is_file() or path.suffix == ".onnx":
        return path
    from vehicle.models.importing.prepare import prepare  # noqa: PLC0415

    folder.mkdir()
    prepare(path, folder, checkpoint=checkpoint, is_kept=False)
    return folder


def reported(record: "VirtualRun") -> ReportedRun:
    """A run as it is sent to the parent."""
    return ReportedRun(
        seed=record.seed,
        laps=record.laps,
        end=record.end,
        resets=record.resets,
        progress_ppm=record.progress_ppm,
        driven_ns=record.driven_ns,
        frames=record.frames,
        trace=base64.b64encode(encode(record.trace)).decode(),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
