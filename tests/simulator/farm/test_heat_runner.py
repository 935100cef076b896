"""A runner of heats by itself: what it drives, what it reports, and of which run. No leaderboard, no child."""

import base64
import json
import pathlib
from concurrent.futures import Future
from typing import Any

import pytest

from shared.conditions import Conditions
from shared.errors import BadInput, OperatorError, Refused, RetryLater
from shared.protocol.farm import encode
from shared.protocol.farm_shows import HeatAnswer, HeatSide, HeatWork
from shared.rules.head_to_head import Reason
from shared.rules.ranking import RunLap
from shared.traces.encoding import encode as encode_trace
from shared.traces.encoding import trace_sha256
from shared.traces.trace import DriveTrace, TraceFrames
from shared.units import NS_PER_S
from simulator.farm.heat_runner import HeatRunner
from simulator.farm.server_calls import FarmServer
from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport, ReportedHeat, ReportedRun
from simulator.virtual_races.judging.head_to_head import HeadToHeadVerdict

CONDITIONS = Conditions(race_type="head_to_head")
HEAT = HeatWork(
    "b1", 3, "cup", HeatSide("anna", "a" * 64, "best"), HeatSide("ben", "b" * 64, ""), (7, 8, 9), CONDITIONS, "c" * 64
)


def run(place: int, ended_s: float | None) -> ReportedRun:
    """A run that was through after so many seconds, or (None) was not; each has a trace of its own."""
    trace = DriveTrace("reinvent_base", "counterclockwise", 10_000, TraceFrames(*((place,),) + ((0,),) * 10))
    laps = () if ended_s is None else (RunLap(1, NS_PER_S, round(ended_s * NS_PER_S)),)
    file = base64.b64encode(encode_trace(trace)).decode()
    return ReportedRun(7, laps, "time" if ended_s is None else "laps", 0, 0, 1, 1, file)


def report(*heats: tuple[int | None, float | None, float | None]) -> EvaluationReport:
    """What came of runs: who was ahead, and when each was through."""
    own = tuple(run(2 * place, first) for place, (_, first, _) in enumerate(heats))
    other = tuple(run(2 * place + 1, second) for place, (_, _, second) in enumerate(heats))
    verdicts = tuple(ReportedHeat(0, HeadToHeadVerdict(winner, Reason.FARTHER)) for winner, _, _ in heats)
    return EvaluationReport("d" * 64, own, 1.5, "e" * 64, other, verdicts)


class Engine:
    """Gives the report that it has, or raises; notes the jobs."""

    slots = 1

    def __init__(self, outcome: EvaluationReport | BadInput) -> None:
        self._outcome = outcome
        self.jobs: list[EvaluationJob] = []

    def submit(self, job: EvaluationJob) -> Future[EvaluationReport]:
        self.jobs.append(job)
        driven = Future[EvaluationReport]()
        if isinstance(self._outcome, BadInput):
            driven.set_exception(self._outcome)
        else:
            driven.set_result(self._outcome)
        return driven

    def close(self) -> None:
        """Nothing runs."""


class Board(FarmServer):
    """A leaderboard with one heat."""

    def __init__(self, heat: HeatWork | None = HEAT) -> None:
        self._heat = heat
        self.calls: list[tuple[str, Any]] = []
        self.refusals: dict[str, list[Exception]] = {}

    def model(self, sha256: str) -> pathlib.Path:
        return pathlib.Path("/cache") / sha256[0]

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        what = path.rsplit("/", 1)[1]
        if self.refusals.get(what):
            raise self.refusals[what].pop(0)
        if what == "claims":
            heat, self._heat = self._heat, None
            return encode(HeatAnswer(heat))
        self.calls.append((path, body if method == "PUT" else json.loads(body or b"{}")))
        return b""


def driven(board: Board, outcome: EvaluationReport | BadInput) -> tuple[list[EvaluationJob], list[str]]:
    """The jobs of one heat, and what is told of it."""
    heard: list[str] = []
    engine = Engine(outcome)
    runner = HeatRunner(board, "n1", engine, heard.append, lambda _seconds: None)
    assert runner.next_heat() is None
    assert runner.next_heat() == 1.0
    return engine.jobs, heard


@pytest.mark.parametrize(
    ("heats", "winner", "times_ms"),
    [
        (((1, 20.0, 19.0), (0, 18.0, 19.0), (1, 20.0, 18.5)), 1, [20_000, 19_000]),
        (((1, 20.0, 19.0), (0, 18.0, None), (0, 18.0, 18.5)), 0, [18_000, None]),
        (((0, None, None), (None, None, None), (0, 1.0, 2.0)), 0, [None, None]),
        (((1, 20.0, 19.0), (0, 18.0, 19.0), (None, None, None)), None, [None, None]),
    ],
)
def test_both_models_are_driven_and_the_winner_is_told_with_the_times_of_a_run_that_shows_it(
    heats: tuple[tuple[int | None, float | None, float | None], ...], winner: int | None, times_ms: list[int | None]
) -> None:
    board, came_to = Board(), report(*heats)
    (job,), heard = driven(board, came_to)
    assert job == EvaluationJob("/cache/a", CONDITIONS, (7, 8, 9), "best", "/cache/b", "")
    *files, (path, told) = board.calls
    assert (path, told["winner"], told["times_ms"]) == ("/heats/b1/3/result", winner, times_ms)
    runs = (*came_to.runs, *came_to.opponent_runs)
    assert told["traces"] == [trace_sha256(each.read_trace()) for each in runs]
    assert files == [(f"/traces/{trace_sha256(each.read_trace())}", each.trace_bytes) for each in runs]
    assert [(each["winner"], each["reason"], each["in_front"]) for each in told["runs"]] == [
        (ahead, "farther", 0) for ahead, _, _ in heats
    ]
    assert [sha256 for side in (0, 1) for each in told["runs"] for sha256 in each["traces"][side : side + 1]] == told[
        "traces"
    ]
    assert (told["cost_ms"], told["conditions_sha256"]) == (1500, "c" * 64)
    assert heard == ["anna – ben: result"]


def test_what_goes_wrong_is_told_or_tried_again() -> None:
    board = Board()
    driven(board, BadInput("It answers no number."))
    assert [(path, told["fault"], told["sentence"]) for path, told in board.calls] == [
        ("/heats/b1/3/fail", "farm", "It answers no number.")
    ]
    board, came_to = Board(), report((0, 1.0, 2.0))
    board.refusals = {"result": [RetryLater("It is away."), Refused("It has a result already.")]}
    _, heard = driven(board, came_to)
    assert heard == ["It is away.", "anna – ben: It has a result already."]
    board, pauses = Board(None), list[float]()
    board.refusals = {"claims": [RetryLater("away"), RetryLater("away")]}
    rounds = iter([True] * 3 + [False])
    HeatRunner(board, "n1", Engine(came_to), heard.append, pauses.append).run(lambda: next(rounds))
    assert pauses == [1.0, 2.0, 1.0]
    board.refusals = {"claims": [OperatorError("The key has not the scope.")]}
    with pytest.raises(OperatorError):
        HeatRunner(board, "n1", Engine(came_to), heard.append, pauses.append).run()
