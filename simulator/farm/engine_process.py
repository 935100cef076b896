"""The engine `process`: each job is driven by a child of this machine."""

from concurrent.futures import Future, ThreadPoolExecutor

from simulator.farm.children import DrivingChildren
from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport


class ProcessEngine:
    """As many children at a time as it has slots."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._threads = ThreadPoolExecutor(slots)
        self._children = DrivingChildren()

    @property
    def slots(self) -> int:
        """As FarmEngine."""
        return self._slots

    def submit(self, job: EvaluationJob) -> Future[EvaluationReport]:
        """As FarmEngine."""
        return self._threads.submit(self._children.drive, job)

    def close(self) -> None:
        """As FarmEngine: who wants what was begun has waited for it, so it is cut off."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._children.close()
        self._threads.shutdown()
