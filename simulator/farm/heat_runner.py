"""Drives heats of brackets: two models in one world, once for each seed; who is ahead in more runs wins."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from shared.conditions import ENGINE
from shared.errors import BadInput, Refused, RetryLater
from shared.protocol.farm import RunFailure, decode, encode
from shared.protocol.farm_shows import HeatAnswer, HeatReport, HeatRequest, HeatRun, HeatWork
from shared.traces.encoding import trace_sha256
from shared.units import NS_PER_MS
from simulator.farm.engines import FarmEngine
from simulator.farm.server_calls import FarmServer, back_off_s
from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport, ReportedRun
from simulator.virtual_races.worlds import require_drivable

_SENTENCE_CHARS = 500


@dataclass
class HeatRunner:
    """Drives one heat at a time with a farm's engine. `say`: tells the operator; `pause`: sleeps."""

    server: FarmServer
    node: str
    engine: FarmEngine
    say: Callable[[str], None]
    pause: Callable[[float], None] = time.sleep

    def run(self, going_on: Callable[[], bool] = lambda: True) -> None:
        """Drive heats until it is stopped. Raises OperatorError for what will not mend."""
        failures = 0
        while going_on():
            try:
                wait_s = self.next_heat()
                failures = 0
            except RetryLater as error:
                failures += 1
                wait_s = back_off_s(failures)
                self.say(str(error))
            if wait_s is not None:
                self.pause(wait_s)

    def next_heat(self) -> float | None:
        """Drive a heat: None; where there is none, when to ask again. Raises RetryLater."""
        answer = decode(self.server.call("POST", "/heats/claims", encode(HeatRequest(self.node, ENGINE))), HeatAnswer)
        if answer.heat is None:
            return answer.ask_after_s
        self._drive(answer.heat)
        return None

    def _drive(self, heat: HeatWork) -> None:
        try:
            require_drivable(heat.conditions)
            models = [self.server.model(side.model_sha256) for side in (heat.first, heat.second)]
            job = EvaluationJob(
                str(models[0]),
                heat.conditions,
                heat.seeds,
                heat.first.checkpoint,
                str(models[1]),
                heat.second.checkpoint,
            )
            report = self.engine.submit(job).result()
        except (BadInput, Refused, RetryLater) as error:
            self._post(heat, "fail", encode(RunFailure("farm", str(error)[:_SENTENCE_CHARS])))
            return
        runs = (*report.runs, *report.opponent_runs)
        traces = {trace_sha256(run.read_trace()): run.trace_bytes for run in runs}
        driven = HeatReport(
            report.winner,
            _times_ms(report),
            tuple(traces),
            heat.conditions_sha256,
            round(report.cost_s * 1000),
            _heat_runs(report),
        )
        self._post(heat, "result", encode(driven), traces)

    def _post(self, heat: HeatWork, what: str, body: bytes, traces: dict[str, bytes] | None = None) -> None:
        names = f"{heat.first.racer} – {heat.second.racer}"
        if self.server.bring(f"{heat.path}/{what}", body, traces or {}, names, self.say, self.pause):
            self.say(f"{names}: {what}")


def _heat_runs(report: EvaluationReport) -> tuple[HeatRun, ...]:
    """Who was ahead in each run and why, and the traces of both."""
    runs: list[HeatRun] = []
    for heat, *both in zip(report.heats, report.runs, report.opponent_runs, strict=True):
        first, second = (trace_sha256(run.read_trace()) for run in both)
        verdict = heat.verdict
        by_ms, by_mm = (None if by is None else round(by * 1000) for by in (verdict.by_s, verdict.by_m))
        runs.append(HeatRun(heat.in_front, verdict.winner, verdict.reason.value, (first, second), by_ms, by_mm))
    return tuple(runs)


def _times_ms(report: EvaluationReport) -> tuple[int | None, int | None]:
    """The times of both in the first run that the winner won; of two that are level there is none to show."""
    if report.winner is None:
        return None, None
    run = next(number for number, heat in enumerate(report.heats) if heat.verdict.winner == report.winner)
    return _time_ms(report.runs[run]), _time_ms(report.opponent_runs[run])


def _time_ms(run: ReportedRun) -> int | None:
    """When the car drove over the line for the last time, after the start; None if it did not drive all its laps."""
    return run.laps[-1].ended_ns // NS_PER_MS if run.end == "laps" else None
