"""What a node drives with: jobs go in, reports come out later. An engine is children of this machine, or a cluster."""

from concurrent.futures import Future
from typing import Protocol

from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport


class FarmEngine(Protocol):
    """Drives jobs, several at a time."""

    @property
    def slots(self) -> int:
        """How many jobs it drives at a time; a cluster's number may change. A job is the runs of one submission."""

    def submit(self, job: EvaluationJob) -> Future[EvaluationReport]:
        """Drive it, once a slot is free; returns at once.

        The future raises as `evaluate_isolated`: BadInput for what is wrong with the model, ChildFailed, a BadInput,
        for what may be wrong with this machine.
        """

    def close(self) -> None:
        """End what it started. What is still driven may be cut off, which the future says."""
