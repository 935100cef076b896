"""One node of a farm: as many jobs at a time as its engine has slots; claims are extended until they are reported.

Whatever a model does happens in the engine. A farm that is stopped drives what it has to the end; one that is killed
says nothing, and its runs are given to another.
"""

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from shared.conditions import ENGINE, Conditions, DrivenRules
from shared.errors import BadInput, OperatorError, Refused, RetryLater
from shared.protocol.farm import (
    MAX_WANTED,
    ClaimExtension,
    ClaimRequest,
    Fault,
    RunFailure,
    RunReport,
    WorkItem,
    encode,
)
from shared.traces.encoding import trace_sha256
from simulator.driving.policy import DEMO, find_model
from simulator.farm.engines import FarmEngine
from simulator.farm.server_calls import FarmServer
from simulator.virtual_races.isolated import EvaluationJob
from simulator.virtual_races.worlds import require_drivable
from vehicle.models.run_isolated import ChildFailed

CANARY_TRACKS = ("reinvent_base", "oval_track")
LONGEST_WAIT_S = 30.0
_SENTENCE_CHARS = 500

Say = Callable[[str], None]


def back_off_s(failures: int) -> float:
    """How long to wait after so many failures in a row."""
    return min(LONGEST_WAIT_S, 2.0 ** (failures - 1))


def canary_sha256(engine: FarmEngine) -> str:
    """Drives the demo model on two tracks; the hash of what it did, which names the class of this machine."""
    model, digest = str(find_model(DEMO).parent), hashlib.sha256()
    rules = DrivenRules(consecutive_laps=1)
    both = [Conditions(track=track, laps=1, profile="physical", rules=rules) for track in CANARY_TRACKS]
    for driven in [engine.submit(EvaluationJob(model, conditions, (1,))) for conditions in both]:
        digest.update(trace_sha256(driven.result().runs[0].read_trace()).encode())
    return digest.hexdigest()


@dataclass
class DrivingNode:
    """A node. `say`: tells the operator; `pause`: sleeps."""

    server: FarmServer
    name: str
    engine: FarmEngine
    say: Say
    pause: Callable[[float], None] = time.sleep
    _canary: str = ""
    _running: dict[Future[None], WorkItem] = field(default_factory=dict)
    _extend_at_s: dict[str, float] = field(default_factory=dict)

    def run(self, once: bool) -> None:
        """Drive until it is stopped; `once`: until nothing is left. Raises OperatorError for what will not mend."""
        self._canary = canary_sha256(self.engine)
        failures = 0
        with ThreadPoolExecutor(MAX_WANTED) as pool:  # they fetch, wait and post; the engine drives
            while True:
                try:
                    idle_s = self._claim(pool)
                    failures = 0
                except RetryLater as error:
                    failures += 1
                    idle_s = back_off_s(failures)
                    self.say(str(error))
                if not self._running:
                    if once and not failures:
                        return
                    self.pause(idle_s)
                self._look_after(idle_s)

    def _claim(self, pool: ThreadPoolExecutor) -> float:
        slots = max(1, self.engine.slots)
        wanted = min(MAX_WANTED, max(0, slots - len(self._running)))
        asked = ClaimRequest(self.name, ENGINE, slots, wanted, self._canary)
        answer = self.server.claim(asked)
        for item in answer.work:
            self._running[pool.submit(self._drive, item)] = item
            self._extend_at_s[item.claim] = time.monotonic() + item.deadline_s / 3
        return answer.ask_after_s

    def _look_after(self, timeout_s: float) -> None:
        """Extend the claims of what is driven; take note of what ended. Raises what a run raised."""
        if not self._running:
            return
        done, _ = wait(self._running, timeout_s, FIRST_COMPLETED)
        for each in done:
            self._extend_at_s.pop(self._running.pop(each).claim)
            each.result()
        for item in self._running.values():
            if time.monotonic() >= self._extend_at_s[item.claim]:
                self._extend_at_s[item.claim] = time.monotonic() + item.deadline_s / 3
                try:
                    self.server.call("POST", f"/claims/{item.claim}/extend", encode(ClaimExtension()))
                except (Refused, RetryLater, OperatorError) as error:
                    self.say(f"{item.claim}: {error}")

    def _drive(self, item: WorkItem) -> None:
        """One run, from its model to its report. What is over, or cannot be said, is left to the leaderboard."""
        try:
            require_drivable(item.conditions)
            model = self.server.model(item.model_sha256)
        except BadInput as error:
            self._fail(item, "farm", str(error))
            return
        except (Refused, RetryLater) as error:
            self.say(f"{item.submission}: {error}")
            return
        try:
            job = EvaluationJob(str(model), item.conditions, (item.seed,), item.checkpoint)
            report = self.engine.submit(job).result()
        except BadInput as error:
            sentence = str(error).replace(f"{model}: ", "").replace(str(model), "model")
            self._fail(item, "farm" if isinstance(error, ChildFailed) else "model", sentence)
            return
        run = report.runs[0]
        digest, cost_ms = trace_sha256(run.read_trace()), round(report.cost_s * 1000)
        reported = RunReport(run.laps, digest, item.conditions_sha256, cost_ms, run.progress_ppm, run.end)
        self._post(item, "result", encode(reported), digest, run.trace_bytes)

    def _fail(self, item: WorkItem, fault: Fault, sentence: str) -> None:
        """Say who is at fault: a model is refused for good, a run that a farm could not drive goes to another."""
        self._post(item, "fail", encode(RunFailure(fault, sentence[:_SENTENCE_CHARS])))

    def _post(self, item: WorkItem, what: str, body: bytes, digest: str = "", trace: bytes = b"") -> None:
        for failures in range(1, 8):
            try:
                if trace:
                    self.server.call("PUT", f"/traces/{digest}", trace)
                self.server.call("POST", f"/claims/{item.claim}/{what}", body)
            except RetryLater as error:
                self.say(str(error))
                self.pause(back_off_s(failures))
            except (Refused, OperatorError) as error:
                self.say(f"{item.submission}: {error}")
                return
            else:
                self.say(f"{item.submission} {item.run}: {what}")
                return
