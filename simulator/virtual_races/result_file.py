"""The file of a driven result: conditions, model and runs with their traces' hashes; `verify` drives it again.

A leaderboard serves it for a result, `raceday model race` writes it at home. Everybody with the model can repeat it.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from shared.conditions import ENGINE, Conditions, check_conditions
from shared.errors import BadInput
from shared.text import text
from shared.traces.encoding import trace_sha256
from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport, evaluate_isolated

RESULT_VERSION = 1
MAX_RESULT_BYTES = 1 << 20
_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class ResultRun:
    """One run of a result: its seed, its laps as driven (ns) and the hash of its trace, and its opponent's if any."""

    __pydantic_config__ = _STRICT

    seed: int
    laps_ns: tuple[int, ...]
    trace_sha256: str
    opponent_trace_sha256: str = ""


@dataclass(frozen=True, slots=True)
class DrivenResult:
    """What was driven. `model_sha256`: of the racer's file, or of the ONNX file if a model's folder was driven.

    `opponent_sha256`: the same of the model that drove against it, "" for none.
    """

    __pydantic_config__ = _STRICT

    conditions: Conditions
    model_sha256: str
    runs: tuple[ResultRun, ...]
    checkpoint: str = ""
    v: int = RESULT_VERSION
    opponent_sha256: str = ""
    opponent_checkpoint: str = ""


@dataclass(frozen=True, slots=True)
class VerifiedRun:
    """One run, driven again."""

    number: int
    same: bool
    laps_ns: tuple[int, ...]
    trace_sha256: str


_RESULT = TypeAdapter(DrivenResult)


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
    return _file_sha256(path) if path.is_file() else of_onnx


def write_result(result: DrivenResult) -> str:
    """The file's text."""
    return _RESULT.dump_json(result, indent=1).decode() + "\n"


def read_result(path: Path) -> DrivenResult:
    """The result in a file from anybody. Raises BadInput, one sentence."""
    try:
        with path.open("rb") as file:
            written = file.read(MAX_RESULT_BYTES + 1)
    except OSError as error:
        raise BadInput(
            text("{path}: the result cannot be read ({strerror}).", path=path, strerror=error.strerror)
        ) from None
    if len(written) > MAX_RESULT_BYTES:
        raise BadInput(text("{path}: is larger than a result can be.", path=path))
    try:
        result = _RESULT.validate_json(written, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadInput(
            text(
                "{path}: is no result of a virtual race at {where}: {what}.", path=path, where=where, what=first["msg"]
            )
        ) from None
    if not result.runs:
        raise BadInput(text("{path}: holds no run.", path=path))
    check_conditions(result.conditions)
    if result.conditions.engine != ENGINE:
        raise BadInput(
            text(
                "{path}: was driven by the engine {theirs}, this release has {ours}: install the release of the race.",
                path=path,
                theirs=result.conditions.engine,
                ours=ENGINE,
            )
        )
    return result


def verify(
    result: DrivenResult,
    model: Path,
    evaluate: Callable[[EvaluationJob], EvaluationReport] = evaluate_isolated,
    opponent: Path | None = None,
) -> tuple[VerifiedRun, ...]:
    """Drive the result's runs again with its model, or two. Raises BadInput for others, or if they cannot be driven."""
    if result.opponent_sha256 and opponent is None:
        raise BadInput(text("The result is of two models against each other: name the other one with --opponent."))
    if opponent is not None and not result.opponent_sha256:
        raise BadInput(text("The result is of a model that drove alone: leave --opponent out."))
    rival = "" if opponent is None else str(opponent)
    given = [(model, result.model_sha256)] + [(each, result.opponent_sha256) for each in (opponent,) if each]
    for path, sha256 in given:
        if not path.exists():
            raise BadInput(text("{path}: there is no such model.", path=path))
        if path.is_file() and _file_sha256(path) != sha256:
            raise _other_model(path)
    seeds = tuple(run.seed for run in result.runs)
    job = EvaluationJob(str(model), result.conditions, seeds, result.checkpoint, rival, result.opponent_checkpoint)
    again = result_of(job, evaluate(job))
    for (path, sha256), driven in zip(given, (again.model_sha256, again.opponent_sha256), strict=False):
        if driven != sha256:
            raise _other_model(path)
    return tuple(
        VerifiedRun(number, _traces(now) == _traces(then), now.laps_ns, now.trace_sha256)
        for number, (then, now) in enumerate(zip(result.runs, again.runs, strict=True), 1)
    )


def _traces(run: ResultRun) -> tuple[str, str]:
    return run.trace_sha256, run.opponent_trace_sha256


def _other_model(path: Path) -> BadInput:
    return BadInput(text("{path}: is another model than the one of the result.", path=path))


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
