"""A driven result as a document: conditions, model and runs with the hashes of their traces.

A leaderboard serves it for a submission of a race that is over, `raceday model race` writes it at home as a file. Who
has the model can repeat it: `raceday verify`.
"""

from dataclasses import dataclass

from pydantic import ConfigDict, TypeAdapter, ValidationError

from shared.conditions import ENGINE, Conditions, check_conditions
from shared.errors import BadInput
from shared.text import text

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

    `opponent_sha256`: the same of the model that drove against it, "" for none. `node_class`: of the machine that drove
    it, as its canary named it; "" if that is not known.
    """

    __pydantic_config__ = _STRICT

    conditions: Conditions
    model_sha256: str
    runs: tuple[ResultRun, ...]
    checkpoint: str = ""
    v: int = RESULT_VERSION
    opponent_sha256: str = ""
    opponent_checkpoint: str = ""
    node_class: str = ""


_RESULT = TypeAdapter(DrivenResult)


def write_result(result: DrivenResult) -> str:
    """The document's text."""
    return _RESULT.dump_json(result, indent=1).decode() + "\n"


def result_from(written: bytes, source: str) -> DrivenResult:
    """The result in a document from anybody; `source` names it in sentences.

    Raises BadInput, one sentence, also for one that another engine drove: it cannot be repeated here.
    """
    if len(written) > MAX_RESULT_BYTES:
        raise BadInput(text("{path}: is larger than a result can be.", path=source))
    try:
        result = _RESULT.validate_json(written, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadInput(
            text(
                "{path}: is no result of a virtual race at {where}: {what}.",
                path=source,
                where=where,
                what=first["msg"],
            )
        ) from None
    if not result.runs:
        raise BadInput(text("{path}: holds no run.", path=source))
    check_conditions(result.conditions)
    if result.conditions.engine != ENGINE:
        raise BadInput(
            text(
                "{path}: was driven by the engine {theirs}, this release has {ours}: install the release of the race.",
                path=source,
                theirs=result.conditions.engine,
                ours=ENGINE,
            )
        )
    return result
