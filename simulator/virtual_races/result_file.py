"""Results as they are driven: what becomes of an evaluation, and `verify`, which drives a result again."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shared.errors import BadInput
from shared.protocol.driven_results import MAX_RESULT_BYTES, DrivenResult, ResultRun, result_from
from shared.text import text
from shared.traces.encoding import trace_sha256
from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport, evaluate_isolated


@dataclass(frozen=True, slots=True)
class VerifiedRun:
    """One run, driven again."""

    number: int
    same: bool
    laps_ns: tuple[int, ...]
    trace_sha256: str


def result_of(job: EvaluationJob, report: EvaluationReport) -> DrivenResult:
    """The result of an evaluation."""
    others = [trace_sha256(run.read_trace()) for run in report.opponent_runs] or [""] * len(report.runs)
    runs = tuple(
        ResultRun(run.seed, tuple(lap.lap_ns for lap in run.laps), trace_sha256(run.read_trace()), other)
        for run, other in zip(report.runs, others, strict=True)
    )
    digest = _driven_sha256(Path(job.model), report.model_sha256)
    opponent = _driven_sha256(Path(job.opponent), report.opponent_sha256) if job.opponent else ""
    return DrivenResult(
        job.conditions,
        digest,
        runs,
        job.checkpoint,
        opponent_sha256=opponent,
        opponent_checkpoint=job.opponent_checkpoint,
    )


def _driven_sha256(path: Path, of_onnx: str) -> str:
    return file_sha256(path) if path.is_file() else of_onnx


def read_result(path: Path) -> DrivenResult:
    """The result in a file from anybody. Raises BadInput, one sentence."""
    try:
        with path.open("rb") as file:
            written = file.read(MAX_RESULT_BYTES + 1)
    except OSError as error:
        raise BadInput(
            text("{path}: the result cannot be read ({strerror}).", path=path, strerror=error.strerror)
        ) from None
    return result_from(written, str(path))


def verify(
    result: DrivenResult,
    model: Path,
    evaluate: Callable[[EvaluationJob], EvaluationReport] = evaluate_isolated,
    opponent: Path | None = None,
    *,
    by_hash: bool = True,
) -> tuple[VerifiedRun, ...]:
    """Drive the result's runs again with its model, or two. Raises BadInput for others, or if they cannot be driven.

    `by_hash` False: the model need not have the hash of the result's; it is what is kept of it, or a folder.
    """
    if result.opponent_sha256 and opponent is None:
        raise BadInput(text("The result is of two models against each other: name the other one with --opponent."))
    if opponent is not None and not result.opponent_sha256:
        raise BadInput(text("The result is of a model that drove alone: leave --opponent out."))
    rival = "" if opponent is None else str(opponent)
    given = [(model, result.model_sha256)] + [(each, result.opponent_sha256) for each in (opponent,) if each]
    for path, sha256 in given:
        if not path.exists():
            raise BadInput(text("{path}: there is no such model.", path=path))
        if by_hash and path.is_file() and file_sha256(path) != sha256:
            raise _other_model(path)
    seeds = tuple(run.seed for run in result.runs)
    job = EvaluationJob(str(model), result.conditions, seeds, result.checkpoint, rival, result.opponent_checkpoint)
    again = result_of(job, evaluate(job))
    for (path, sha256), driven in zip(given, (again.model_sha256, again.opponent_sha256), strict=False):
        if by_hash and driven != sha256:
            raise _other_model(path)
    return tuple(
        VerifiedRun(number, _traces(now) == _traces(then), now.laps_ns, now.trace_sha256)
        for number, (then, now) in enumerate(zip(result.runs, again.runs, strict=True), 1)
    )


def _traces(run: ResultRun) -> tuple[str, str]:
    return run.trace_sha256, run.opponent_trace_sha256


def _other_model(path: Path) -> BadInput:
    return BadInput(text("{path}: is another model than the one of the result.", path=path))


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
