"""The engine `process`: each job is driven by a child of this process."""

from concurrent.futures import Future, ThreadPoolExecutor

from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport, evaluate_isolated


class ProcessEngine:
    """As many children at a time as it has slots."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._threads = ThreadPoolExecutor(slots)

    @property
    def slots(self) -> int:
        """As FarmEngine."""
        return self._slots

    def submit(self, job: EvaluationJob) -> Future[EvaluationReport]:
        """As FarmEngine."""
        return self._threads.submit(evaluate_isolated, job)

    def close(self) -> None:
        """As FarmEngine: what was begun is driven to its end."""
        self._threads.shutdown(cancel_futures=True)
