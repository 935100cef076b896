"""One node of a farm: as many jobs at a time as its engine has slots; claims are extended until they are reported.

A slot is free for the next job when its own is driven: the report is on its way while the core drives already.
Whatever a model does happens in the engine. A farm that is stopped drives what it has to the end; one that is killed
says nothing, and its runs are given to another.
"""

import contextlib
import itertools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Literal

from shared.conditions import ENGINE
from shared.errors import BadInput, OperatorError, Refused, RetryLater
from shared.protocol.farm import (
    MAX_WANTED,
    ClaimExtension,
    ClaimRequest,
    Fault,
    PreparationItem,
    RunFailure,
    RunReport,
    WorkItem,
    encode,
)
from shared.text import text
from shared.traces.encoding import trace_sha256
from simulator.farm.canary import canary_sha256
from simulator.farm.engines import FarmEngine
from simulator.farm.preparation import MachineFailed, fault_of, plain_sentence, prepare_archive
from simulator.farm.progress import FarmProgress
from simulator.farm.server_calls import FarmServer, back_off_s
from simulator.farm.videos.maker import BUSY_WAIT_S, VideoMaker
from simulator.virtual_races.isolated import EvaluationJob
from simulator.virtual_races.worlds import require_drivable
from vehicle.models.run_isolated import ChildFailed

IDLE_WAIT_S = 10.0  # a claim with nothing to drive stays with the leaderboard, and is answered when work comes
SHARED_WAIT_S = 1.0  # so does one of a node that has free slots beside what it drives, but not for long
AGAIN_S = 0.1  # after such an answer
CANARY_STARTS = 5
_HELD_A_SLOT = 2  # jobs: one is driven, one is reported; a farm whose reports do not arrive claims no more
MAX_TOGETHER = 9  # as many runs as a submission has at most
_SENTENCE_CHARS = 500

Say = Callable[[str], None]
Said = Literal["result", "prepared", "fail"]


@dataclass(frozen=True, slots=True)
class _InWork:
    """What was claimed together; `driven` is done when the slot is free, or never: then it is free with the report."""

    items: tuple[WorkItem | PreparationItem, ...]
    driven: Future[None]


@dataclass
class DrivingNode:
    """A node. `say`: tells the operator; `pause`: sleeps."""

    server: FarmServer
    name: str
    engine: FarmEngine
    say: Say
    pause: Callable[[float], None] = time.sleep
    _canary: str = ""
    _running: dict[Future[None], _InWork] = field(default_factory=dict)
    _ask_at_s: float = 0.0  # without a free slot the leaderboard is asked no more often than it wants
    _extend_at_s: dict[str, float] = field(default_factory=dict)
    _progress: FarmProgress = field(init=False)
    _videos: VideoMaker = field(init=False)

    def __post_init__(self) -> None:
        self._progress = FarmProgress(self.server, self.say)
        self._videos = VideoMaker(self.server, self.say)

    def run(self, once: bool) -> None:
        """Drive until it is stopped; `once`: until nothing is left. Raises OperatorError for what will not mend."""
        self._canary = self._drive_canary()
        self.say(str(text("The canary is driven; its hash begins with {hash}.", hash=self._canary[:12])))
        failures = 0
        # The threads fetch, wait and post; the engine drives.
        with contextlib.closing(self._videos), ThreadPoolExecutor(_HELD_A_SLOT * MAX_WANTED) as pool:
            while True:
                try:
                    free_s = BUSY_WAIT_S if self._videos.busy else IDLE_WAIT_S
                    idle_s = self._claim(pool, 0.0 if once else SHARED_WAIT_S if self._running else free_s)
                    failures = 0
                except RetryLater as error:
                    failures += 1
                    idle_s = back_off_s(failures)
                    self.say(str(error))
                busy = self._videos.look(idle=not self._running and not failures)
                if not self._running:
                    if once and not failures and not busy:
                        return
                    self.pause(idle_s if failures or once else min(idle_s, AGAIN_S))
                self._look_after(idle_s)
                self._progress.summarise()

    def _claim(self, pool: ThreadPoolExecutor, wait_s: float) -> float:
        slots = max(1, self.engine.slots)
        driving = sum(not each.driven.done() for each in self._running.values())
        wanted = min(MAX_WANTED, max(0, min(slots - driving, _HELD_A_SLOT * slots - len(self._running))))
        if not wanted and (early_s := self._ask_at_s - time.monotonic()) > 0.0:
            return early_s
        wait_s = wait_s if wanted else 0.0
        asked = ClaimRequest(self.name, ENGINE, slots, wanted, self._canary, together=True, wait_s=wait_s)
        answer = self.server.claim(asked)
        if answer.canary:  # it was set aside, and is not any more
            self._canary = self._drive_canary()
            answer = self.server.claim(replace(asked, canary_sha256=self._canary))
        for group in driven_together(answer.work):
            driven = Future[None]()
            self._running[pool.submit(self._drive, group, driven)] = _InWork(group, driven)
        for archive in answer.preparations:
            self._running[pool.submit(self._prepare, archive)] = _InWork((archive,), Future())
        claimed: tuple[WorkItem | PreparationItem, ...] = (*answer.work, *answer.preparations)
        for item in claimed:
            self._extend_at_s[item.claim] = time.monotonic() + item.deadline_s / 3
        self._ask_at_s = time.monotonic() + answer.ask_after_s
        return AGAIN_S if wait_s else answer.ask_after_s

    def _drive_canary(self) -> str:
        """Its hash. Raises ChildFailed if this machine does not drive it, however often it is begun."""
        for failures in range(1, CANARY_STARTS):
            try:
                return canary_sha256(self.engine)
            except ChildFailed as error:
                self.say(str(error))
                self.pause(back_off_s(failures))
        return canary_sha256(self.engine)

    def _look_after(self, timeout_s: float) -> None:
        """Extend the claims of what is driven; take note of what ended. Raises what a run raised."""
        if not self._running:
            return
        slots = {each.driven for each in self._running.values() if not each.driven.done()}
        done, _ = wait({*self._running, *slots}, timeout_s, FIRST_COMPLETED)
        for each in done - slots:
            for item in self._running.pop(each).items:
                self._extend_at_s.pop(item.claim)
            each.result()
        for item in itertools.chain.from_iterable(each.items for each in self._running.values()):
            if time.monotonic() >= self._extend_at_s[item.claim]:
                self._extend_at_s[item.claim] = time.monotonic() + item.deadline_s / 3
                try:
                    self.server.call("POST", f"/claims/{item.claim}/extend", encode(ClaimExtension()))
                except (Refused, RetryLater, OperatorError) as error:
                    self.say(f"{item.claim}: {error}")

    def _drive(self, group: tuple[WorkItem, ...], driven: Future[None]) -> None:
        """Runs of one model, from it to a report of each. What is over, or cannot be said, is the leaderboard's.

        `driven` is told when the slot is free.
        """
        first = group[0]
        try:
            require_drivable(first.conditions)
            model = self.server.model(first.model_sha256)
        except BadInput as error:
            self._fail(group, "farm", str(error))
            return
        except (Refused, RetryLater) as error:
            self.say(f"{first.submission}: {error}")
            return
        try:
            job = EvaluationJob(str(model), first.conditions, tuple(each.seed for each in group), first.checkpoint)
            try:
                report = self.engine.submit(job).result()
            finally:
                driven.set_result(None)
        except BadInput as error:
            sentence = str(error).replace(f"{model}: ", "").replace(str(model), "model")
            self._fail(group, "farm" if isinstance(error, ChildFailed) else "model", sentence)
            return
        cost_ms = round(report.cost_s * 1000 / len(group))
        for item, run in zip(group, report.runs, strict=True):
            digest = trace_sha256(run.read_trace())
            reported = RunReport(run.laps, digest, item.conditions_sha256, cost_ms, run.progress_ppm, run.end)
            self._post(item, "result", encode(reported), digest, run.trace_bytes)

    def _prepare(self, item: PreparationItem) -> None:
        """One archive, as `_drive` a run."""
        try:
            require_drivable(item.conditions)
            model = self.server.model(item.model_sha256)
        except BadInput as error:
            self._fail((item,), "farm", str(error))
            return
        except (Refused, RetryLater) as error:
            self.say(f"{item.submission}: {error}")
            return
        try:
            report = prepare_archive(item, model, self.server, self.engine)
        except (BadInput, MachineFailed) as error:
            self._fail((item,), fault_of(error), plain_sentence(str(error), model))
        except (RetryLater, OperatorError) as error:  # the leaderboard did not take what is to be kept
            self._fail((item,), "farm", plain_sentence(str(error), model))
        except Refused as error:
            self.say(f"{item.submission}: {error}")
        else:
            self._post(item, "prepared", encode(report))

    def _fail(self, group: Sequence[WorkItem | PreparationItem], fault: Fault, sentence: str) -> None:
        """Say who is at fault: a model is refused for good, a run that a farm could not drive goes to another."""
        for item in group:
            self._post(item, "fail", encode(RunFailure(fault, sentence[:_SENTENCE_CHARS])))

    def _post(
        self, item: WorkItem | PreparationItem, what: Said, body: bytes, digest: str = "", trace: bytes = b""
    ) -> None:
        traces = {digest: trace} if trace else {}
        if self.server.bring(f"/claims/{item.claim}/{what}", body, traces, item.submission, self.say, self.pause):
            self._progress.ended(item, what)


def driven_together(work: Sequence[WorkItem]) -> list[tuple[WorkItem, ...]]:
    """The runs of one model and checkpoint by the same conditions, in groups of at most `MAX_TOGETHER`."""
    groups: dict[tuple[str, str, str], list[WorkItem]] = {}
    for item in work:
        groups.setdefault((item.model_sha256, item.checkpoint, item.conditions_sha256), []).append(item)
    starts = ((group, start) for group in groups.values() for start in range(0, len(group), MAX_TOGETHER))
    return [tuple(group[start : start + MAX_TOGETHER]) for group, start in starts]
