"""A run that can be replayed: a result whose trace is kept."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReplayRun:
    """`key` stands in addresses: the id of the result. `score_ms` is None if it made no score."""

    key: str
    racer: str
    score_ms: int | None
    trace_sha256: str
