"""Drives the turns of LIVE virtual races: real time, and what happens on the track told five times a second.

The leaderboard's queue says who drives, or which two in one world, from when, until when and by which multipliers;
officials may end a run at any time. The models are in a child. Time is a `LivePace`, so that tests need not wait for a
run.
"""

import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Protocol

from shared.conditions import ENGINE
from shared.errors import BadInput, OperatorError, Refused, RetryLater
from shared.protocol.farm import Fault, LiveHeatReport, RunFailure, RunReport, decode, encode
from shared.protocol.farm_shows import HeatSide, LiveTurn, LiveTurnAnswer, LiveTurnRequest
from shared.protocol.live import LIVE_PER_SECOND, LiveMessage, RivalCar, RunStage
from shared.traces.encoding import trace_sha256
from shared.units import NS_PER_MS, NS_PER_S
from simulator.farm.preparation import plain_sentence
from simulator.farm.server_calls import FarmServer, back_off_s
from simulator.virtual_races.judging.head_to_head import HeadToHeadVerdict
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

    def advance(self, run_ns: int, speed_percents: Sequence[int]) -> LivePicture:
        """Drive up to this time of the run, each car by its multiplier."""

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
        """One turn, from its models to its result. What cannot be reported any more is left to the officials."""
        sides, names = _sides(turn), _names(turn)
        try:
            require_drivable(turn.conditions)
            models = [self.server.model(side.model_sha256) for side in sides]
        except BadInput as error:
            self._fail(turn, "farm", str(error))
            return
        except (Refused, RetryLater, OperatorError) as error:
            self.say(f"{names}: {error}")
            return
        job = LiveJob(str(models[0]), turn.conditions, turn.seed, turn.run_ms, turn.checkpoint)
        if turn.rival is not None:
            racers = tuple(side.racer for side in sides)
            job = replace(job, rival=str(models[1]), rival_checkpoint=turn.rival.checkpoint, racers=racers)
        self.say(f"{turn.race_id}: {names}")
        try:
            run = self.begin(job)
            try:
                report = _Drive(self, turn, run).until_over(starts_ns)
            finally:
                run.close()
        except BadInput as error:
            sentence = str(error)
            for model in models:
                sentence = plain_sentence(sentence, model)
            self._fail(turn, "farm" if isinstance(error, ChildFailed) else "model", sentence)
            return
        self._report(turn, report)

    def _report(self, turn: LiveTurn, report: LiveReport) -> None:
        cost_ms = round(report.cost_s * 1000 / len(report.runs))
        driven, traces = [], {}
        for run in report.runs:
            digest = trace_sha256(run.read_trace())
            traces[digest] = run.trace_bytes
            driven.append(RunReport(run.laps, digest, turn.conditions_sha256, cost_ms, run.progress_ppm, run.end))
        if report.verdict is None:
            self._post(turn, "result", encode(driven[0]), traces)
        else:
            self._post(turn, "heat", encode(_heat_report((driven[0], driven[1]), report.verdict)), traces)

    def _fail(self, turn: LiveTurn, fault: Fault, sentence: str) -> None:
        self._post(turn, "fail", encode(RunFailure(fault, sentence[:_SENTENCE_CHARS])), {})

    def _post(self, turn: LiveTurn, what: str, body: bytes, traces: Mapping[str, bytes]) -> None:
        names = _names(turn)
        if self.server.bring(f"{turn.path}/{what}", body, traces, names, self.say, self._pause):
            self.say(f"{names}: {what}")

    def _pause(self, wait_s: float) -> None:
        self.pace.wait_until(self.pace.now_ns() + round(wait_s * NS_PER_S))


class _Drive:
    """One run while it is driven."""

    def __init__(self, runner: LiveRunner, turn: LiveTurn, run: DrivenLive) -> None:
        self._runner, self._turn, self._run = runner, turn, run
        self._boot, self._seq = secrets.token_hex(8), 0
        self._percents, self._wanted = (100,) * len(_sides(turn)), True
        self._told_ns: deque[int] = deque(maxlen=LIVE_PER_SECOND)

    def until_over(self, starts_ns: int) -> LiveReport:
        """In real time, until the laps are driven, the time is up, or an official ends it. Raises BadInput."""
        pace, run_ns = self._runner.pace, self._turn.run_ms * NS_PER_MS
        ends_ns = starts_ns + run_ns
        self._send("countdown", self._run.advance(0, self._percents), run_ns)
        begins_ns = at_ns = max(starts_ns, pace.now_ns())
        while self._wanted:
            at_ns = max(at_ns + TICK_NS, pace.now_ns(), self._may_tell_ns())
            pace.wait_until(at_ns)
            now_ns = min(pace.now_ns(), ends_ns)
            picture = self._run.advance(now_ns - begins_ns, self._percents)
            over = picture.over or now_ns >= ends_ns
            self._send("finished" if over else "running", picture, ends_ns - now_ns)
            if over:
                break
        return self._run.finish()

    def _may_tell_ns(self) -> int:
        """When the next message is surely not one too many: a second after the last but four had arrived."""
        return self._told_ns[0] + NS_PER_S if len(self._told_ns) == LIVE_PER_SECOND else 0

    def _send(self, stage: RunStage, picture: LivePicture, left_ns: int) -> None:
        """The newest picture, once: what cannot be sent now is not sent later. Takes what is wanted on the track."""
        self._seq += 1
        message = self._message(stage, picture, max(0, left_ns) // NS_PER_MS)
        try:
            wanted = self._runner.server.send_live(message)
        except (RetryLater, OperatorError) as error:
            self._runner.say(f"{_names(self._turn)}: {error}")
            return
        finally:
            self._told_ns.append(self._runner.pace.now_ns())
        if wanted is not None:
            self._wanted = (wanted.turn, wanted.launch) == (self._turn.turn, self._turn.launch)
        if wanted is not None and self._wanted:
            self._percents = (wanted.speed_percent, wanted.rival_speed_percent)[: len(self._percents)]

    def _message(self, stage: RunStage, picture: LivePicture, left_ms: int) -> LiveMessage:
        turn, rival = self._turn, None
        if turn.rival is not None:
            rival = RivalCar(racer=turn.rival.racer, **asdict(picture.cars[1]))
        return LiveMessage(
            race_id=turn.race_id,
            racer=turn.racer,
            boot=self._boot,
            seq=self._seq,
            station=self._runner.node,
            stage=stage,
            run_ms=picture.run_ms,
            left_ms=left_ms,
            rival=rival,
            ahead_m=picture.ahead_m,
            **asdict(picture.cars[0]),
        )


def _sides(turn: LiveTurn) -> tuple[HeatSide, ...]:
    """Who drives, the one who starts in front first."""
    first = HeatSide(turn.racer, turn.model_sha256, turn.checkpoint)
    return (first,) if turn.rival is None else (first, turn.rival)


def _names(turn: LiveTurn) -> str:
    return " – ".join(side.racer for side in _sides(turn))


def _heat_report(runs: tuple[RunReport, RunReport], verdict: HeadToHeadVerdict) -> LiveHeatReport:
    by_ms = None if verdict.by_s is None else round(verdict.by_s * 1000)
    by_mm = None if verdict.by_m is None else round(verdict.by_m * 1000)
    return LiveHeatReport(runs, verdict.winner, verdict.reason.value, by_ms, by_mm)
