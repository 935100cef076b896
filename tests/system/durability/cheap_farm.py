"""`python -m tests.system.durability.cheap_farm URL NODE SLOTS`: a farm whose children drive nothing (cheap_child.py).

All else is the product's: the node, its calls, the key in RACEDAY_KEY. For campaigns of thousands of submissions.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import Future, ThreadPoolExecutor

from pydantic import TypeAdapter

from shared.errors import BadInput
from simulator.farm.node import DrivingNode
from simulator.farm.server_calls import FarmServer
from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport
from vehicle.models.run_isolated import ChildFailed

ROOT = pathlib.Path(__file__).parents[3]
_JOB, _REPORT = TypeAdapter(EvaluationJob), TypeAdapter(EvaluationReport)


class CheapEngine:
    """A child for each slot, started again when it has died, which may happen at any moment."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._threads = ThreadPoolExecutor(slots)
        self._own = threading.local()

    def submit(self, job: EvaluationJob) -> Future[EvaluationReport]:
        return self._threads.submit(self._drive, job)

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    def _drive(self, job: EvaluationJob) -> EvaluationReport:
        child = self._child()
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(_JOB.dump_json(job).decode() + "\n")
            child.stdin.flush()
            answer = child.stdout.readline()
        except OSError:
            answer = ""
        if not answer.endswith("\n"):
            raise ChildFailed(f"The child was ended with {child.wait()}.")
        found = json.loads(answer)
        if "refused" in found:
            raise BadInput(found["refused"])
        return _REPORT.validate_json(json.dumps(found["report"]))

    def _child(self) -> "subprocess.Popen[str]":
        child: subprocess.Popen[str] | None = getattr(self._own, "child", None)
        if child is None or child.poll() is not None:
            words = [sys.executable, "-m", "tests.system.durability.cheap_child"]
            child = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self._own.child = child
        return child


def main(url: str, node: str, slots: str) -> None:
    with tempfile.TemporaryDirectory(prefix="raceday-farm-") as cache:
        server = FarmServer(url, os.environ["RACEDAY_KEY"], pathlib.Path(cache))
        DrivingNode(server, node, CheapEngine(int(slots)), _say).run(once=False)


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
