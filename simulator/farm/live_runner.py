"""Drives the turns of LIVE virtual races: real time, and what happens on the track told five times a second.

The leaderboard's queue says who drives, from when, until when and by which multiplier; officials may end a run at any
time. The model is in a child. Time is a `LivePace`, so that tests need not wait for a run.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from shared.conditions import ENGINE
from shared.errors import BadInput, OperatorError, Refused, RetryLater
from shared.protocol.farm import Fault, RunFailure, RunReport, decode, encode
from shared.protocol.farm_shows import LiveTurn, LiveTurnAnswer, LiveTurnRequest
from shared.protocol.live import LIVE_PER_SECOND, LiveMessage, RunStage
from shared.traces.encoding import trace_sha256
from shared.units import NS_PER_MS, NS_PER_S
from simulator.farm.server_calls import FarmServer, back_off_s
from simulator.virtual_races.live.child import IsolatedLiveRun, LiveJob, LiveReport
from simulator.virtual_races.live.live_picture import LivePicture
from simulator.virtual_races.worlds import require_drivable
from vehicle.models.run_isolated import ChildFailed

TICK_NS = NS_PER_S // LIVE_PER_SECOND
_SENTENCE_CHARS = 500


class LivePace(Protocol):
    """The time by which a run is driven."""

    def now_ns(self) -> int:
        """Of one clock that never goes back."""

    def wait_until(self, at_ns: int) -> None:
        """Return at this time, at once if it is over."""


class RealTime:
    """The time that passes."""

    def now_ns(self) -> int:
        """As LivePace."""
        return time.monotonic_ns()

    def wait_until(self, at_ns: int) -> None:
        """As LivePace."""
        time.sleep(max(0.0, (at_ns - time.monotonic_ns()) / NS_PER_S))


class DrivenLive(Protocol):
    """A run that is driven (virtual_races/live/child.py)."""

    def advance(self, run_ns: int, speed_percent: int) -> LivePicture:
        """Drive up to this time of the run."""

    def finish(self) -> LiveReport:
        """End the run; what was driven."""

    def close(self) -> None:
        """End it, whatever it does."""


@dataclass
class LiveRunner:
    """Drives turns as they are launched, one at a time. `say`: tells the operator; `begin`: loads a model."""

    server: FarmServer
    node: str
    say: Callable[[str], None]
    pace: LivePace = field(default_factory=RealTime)
    begin: Callable[[LiveJob], DrivenLive] = IsolatedLiveRun

    def run(self, going_on: Callable[[], bool] = lambda: True) -> None:
        """Drive turns until it is stopped. Raises OperatorError for what will not mend."""
        failures = 0
        while going_on():
            try:
                wait_s = self.next_turn()
                failures = 0
            except RetryLater as error:
                failures += 1
                wait_s = back_off_s(failures)
                self.say(str(error))
            self._pause(wait_s)

    def next_turn(self) -> float:
        """Drive the turn that is launched, if one is; how long to wait before the next. Raises RetryLater."""
        answer = decode(
            self.server.call("POST", "/live/claims", encode(LiveTurnRequest(self.node, ENGINE))), LiveTurnAnswer
        )
        asked_ns = self.pace.now_ns()
        if answer.turn is None:
            return answer.ask_after_s
        self._drive(answer.turn, asked_ns + answer.turn.starts_in_ms * NS_PER_MS)
        return 0.0

    def _drive(self, turn: LiveTurn, starts_ns: int) -> None:
        """One turn, from its model to its result. What cannot be reported any more is left to the officials."""
        try:
            require_drivable(turn.conditions)
            model = self.server.model(turn.model_sha256)
        except BadInput as error:
            self._post(turn, "fail", encode(_failure("farm", str(error))))
            return
        except (Refused, RetryLater, OperatorError) as error:
            self.say(f"{turn.racer}: {error}")
            return
        job = LiveJob(str(model), turn.conditions, turn.seed, turn.run_ms, turn.checkpoint)
        self.say(f"{turn.race_id}: {turn.racer}")
        try:
            run = self.begin(job)
            try:
                report = _Drive(self, turn, run).until_over(starts_ns)
            finally:
                run.close()
        except BadInput as error:
            sentence = str(error).replace(f"{model}: ", "").replace(str(model), "model")
            fault: Fault = "farm" if isinstance(error, ChildFailed) else "model"
            self._post(turn, "fail", encode(_failure(fault, sentence)))
            return
        trace = report.run.read_trace()
        digest, cost_ms = trace_sha256(trace), round(report.cost_s * 1000)
        driven = RunReport(
            report.run.laps, digest, turn.conditions_sha256, cost_ms, report.run.progress_ppm, report.run.end
        )
        self._post(turn, "result", encode(driven), digest, report.run.trace_bytes)

    def _post(self, turn: LiveTurn, what: str, body: bytes, digest: str = "", trace: bytes = b"") -> None:
        traces = {digest: trace} if trace else {}
        if self.server.bring(f"{turn.path}/{what}", body, traces, turn.racer, self.say, self._pause):
            self.say(f"{turn.racer}: {what}")

    def _pause(self, wait_s: float) -> None:
        self.pace.wait_until(self.pace.now_ns() + round(wait_s * NS_PER_S))


class _Drive:
    """One run while it is driven."""

    def __init__(self, runner: LiveRunner, turn: LiveTurn, run: DrivenLive) -> None:
        self._runner, self._turn, self._run = runner, turn, run
        self._boot, self._seq = secrets.token_hex(8), 0
        self._percent, self._wanted = 100, True

    def until_over(self, starts_ns: int) -> LiveReport:
        """In real time, until the laps are driven, the time is up, or an official ends it. Raises BadInput."""
        pace, run_ns = self._runner.pace, self._turn.run_ms * NS_PER_MS
        ends_ns = starts_ns + run_ns
        self._send("countdown", self._run.advance(0, self._percent), run_ns)
        begins_ns = at_ns = max(starts_ns, pace.now_ns())
        while self._wanted:
            at_ns = max(at_ns + TICK_NS, pace.now_ns())
            pace.wait_until(at_ns)
            now_ns = min(pace.now_ns(), ends_ns)
            picture = self._run.advance(now_ns - begins_ns, self._percent)
            over = picture.over or now_ns >= ends_ns
            self._send("finished" if over else "running", picture, ends_ns - now_ns)
            if over:
                break
        return self._run.finish()

    def _send(self, stage: RunStage, picture: LivePicture, left_ns: int) -> None:
        """The newest picture, once: what cannot be sent now is not sent later. Takes what is wanted on the track."""
        self._seq += 1
        message = LiveMessage(
            race_id=self._turn.race_id,
            racer=self._turn.racer,
            boot=self._boot,
            seq=self._seq,
            station=self._runner.node,
            stage=stage,
            run_ms=picture.run_ms,
            lap=picture.lap,
            lap_ms=picture.lap_ms,
            last_lap_ms=picture.last_lap_ms,
            best_lap_ms=picture.best_lap_ms,
            sectors=picture.sectors,
            track_share=picture.track_share,
            speed_mps=picture.speed_mps,
            resets=picture.resets,
            left_ms=max(0, left_ns) // NS_PER_MS,
        )
        try:
            wanted = self._runner.server.send_live(message)
        except (RetryLater, OperatorError) as error:
            self._runner.say(f"{self._turn.racer}: {error}")
            return
        if wanted is not None:
            self._wanted = (wanted.turn, wanted.launch) == (self._turn.turn, self._turn.launch)
            self._percent = wanted.speed_percent if self._wanted else self._percent


def _failure(fault: Fault, sentence: str) -> RunFailure:
    return RunFailure(fault, sentence[:_SENTENCE_CHARS])
