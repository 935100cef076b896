"""A runner of LIVE races by itself: what it tells, how often, and what it does when an official ends the run.

No leaderboard, no child, no time that passes.
"""

import base64
import json
import pathlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from leaderboard.core.live import newest
from leaderboard.core.live.newest import LiveSender
from shared.conditions import Conditions
from shared.errors import BadInput, OperatorError, Refused, RetryLater
from shared.protocol.farm import encode
from shared.protocol.farm_shows import HeatSide, LiveTurn, LiveTurnAnswer
from shared.protocol.live import LIVE_PER_SECOND, LiveMessage
from shared.rules.head_to_head import Reason
from shared.traces.encoding import encode as encode_trace
from shared.traces.encoding import trace_sha256
from shared.traces.trace import DriveTrace, TraceFrames
from shared.units import NS_PER_S
from shared.web.keyed_calls import KeyedCalls, ServerAnswer
from simulator.farm.live_runner import LiveRunner
from simulator.farm.server_calls import FarmServer, WantedOnTrack
from simulator.virtual_races.isolated import ReportedRun
from simulator.virtual_races.judging.head_to_head import HeadToHeadVerdict
from simulator.virtual_races.live.child import LiveJob, LiveReport
from simulator.virtual_races.live.live_picture import LiveCar, LivePicture
from vehicle.models.run_isolated import ChildFailed

TRACE = DriveTrace("reinvent_base", "counterclockwise", 10_000, TraceFrames(*((0,),) * 11))
RIVALS_TRACE = replace(TRACE, length_mm=10_001)
TURN = LiveTurn("cup", "t1", 2, "leo", 10_000, 3_000, 7, "a" * 64, "", Conditions(), "b" * 64)
HEAT = replace(TURN, rival=HeatSide("kenji", "c" * 64, "best.pb"), checkpoint="model_3.onnx")


@dataclass
class Standing:
    """A time that passes only while somebody waits for it."""

    at_ns: int = 0

    def now_ns(self) -> int:
        return self.at_ns

    def wait_until(self, at_ns: int) -> None:
        self.at_ns = max(self.at_ns, at_ns)


@dataclass
class Run:
    """Drives nothing; over when it is told so."""

    pace: Standing
    loads_s: float = 2.0
    over_ns: int = 10**12
    error: BadInput | None = None
    verdict: HeadToHeadVerdict | None = None
    asked: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    closed: bool = False
    job: LiveJob | None = None
    run_ms: int = 3_000

    def begin(self, job: LiveJob) -> "Run":
        assert (job.model, job.seed, job.run_ms) == ("/cache/" + "a" * 64, 7, self.run_ms)
        self.pace.at_ns += round(self.loads_s * NS_PER_S)
        self.job = job
        return self

    def advance(self, run_ns: int, speed_percents: Sequence[int]) -> LivePicture:
        self.asked.append((run_ns, tuple(speed_percents)))
        if self.error and run_ns:
            raise self.error
        car = LiveCar(1, None, None, None, (None,) * 3, 0.5, 1.0, 0, False)
        through = replace(car, lap=2, last_lap_ms=900, track_share=0.25, resets=4, through=True)
        both = len(speed_percents) == 2
        cars, ahead_m = ((car, through), -2.5) if both else ((car,), None)
        return LivePicture(run_ns // 10**6, run_ns >= self.over_ns, cars, ahead_m)

    def finish(self) -> LiveReport:
        traces = (TRACE, RIVALS_TRACE)[: 1 if self.verdict is None else 2]
        files = [base64.b64encode(encode_trace(trace)).decode() for trace in traces]
        runs = tuple(ReportedRun(7, (), "time", 0, 5 + n, 1, 1, file) for n, file in enumerate(files))
        return LiveReport(runs, 0.5, self.verdict)

    def close(self) -> None:
        self.closed = True


class Board(FarmServer):
    """A leaderboard with one turn; `wishes`: what it answers to each message, the last one from then on."""

    def __init__(self, pace: Standing, *wishes: WantedOnTrack | Exception | None, turn: LiveTurn = TURN) -> None:
        self.pace, self.wishes = pace, list(wishes or (WantedOnTrack("t1", 2, 100),))
        self.told: list[tuple[int, LiveMessage]] = []
        self.calls: list[tuple[str, Any]] = []
        self.turn: LiveTurn | None = turn
        self.refusals: dict[str, list[Exception]] = {}

    def model(self, sha256: str) -> pathlib.Path:
        if self.refusals.get(sha256):
            raise self.refusals[sha256].pop(0)
        return pathlib.Path("/cache") / sha256

    def send_live(self, message: LiveMessage) -> WantedOnTrack | None:
        self.told.append((self.pace.at_ns, message))
        wish = self.wishes.pop(0) if len(self.wishes) > 1 else self.wishes[0]
        if isinstance(wish, Exception):
            raise wish
        return wish

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        what = path.rsplit("/", 1)[1]
        if self.refusals.get(what):
            raise self.refusals[what].pop(0)
        if what == "claims":
            turn, self.turn = self.turn, None
            return encode(LiveTurnAnswer(turn))
        self.calls.append((path, body if method == "PUT" else json.loads(body or b"{}")))
        return b""


def driven(board: Board, run: Run) -> list[str]:
    """What it says of one turn."""
    heard: list[str] = []
    runner = LiveRunner(board, "n1", heard.append, run.pace, run.begin)
    assert runner.next_turn() == 0.0
    assert runner.next_turn() == 1.0  # nothing is launched: it asks again
    return heard


def test_a_turn_is_told_five_times_a_second_and_reported_when_its_time_is_up() -> None:
    pace = Standing()
    run, board = (
        Run(pace),
        Board(pace, WantedOnTrack("t1", 2, 100), WantedOnTrack("t1", 2, 100), WantedOnTrack("t1", 2, 150)),
    )
    driven(board, run)
    times = [at_ns / NS_PER_S for at_ns, _ in board.told]
    assert times[0] == 2.0  # once it is loaded, in the countdown
    assert times[1:] == pytest.approx([10.2 + 0.2 * tick for tick in range(15)])
    assert [percents for _, percents in run.asked] == [(100,)] * 3 + [(150,)] * 13
    assert [run_ns for run_ns, _ in run.asked][-1] == 3 * NS_PER_S
    messages = [message for _, message in board.told]
    assert [each.stage for each in messages] == ["countdown", *["running"] * 14, "finished"]
    assert [each.seq for each in messages] == list(range(1, 17))
    assert (messages[-1].left_ms, messages[1].left_ms, messages[0].racer) == (0, 2800, "leo")
    assert {(each.rival, each.ahead_m) for each in messages} == {(None, None)}
    (put, file), (path, report) = board.calls
    assert put == f"/traces/{trace_sha256(TRACE)}"
    assert file == encode_trace(TRACE)
    assert path == "/live/t1/2/result"
    assert (report["trace_sha256"], report["conditions_sha256"], report["cost_ms"]) == (
        trace_sha256(TRACE),
        "b" * 64,
        500,
    )
    assert run.closed


def test_a_run_ends_early_by_its_laps_or_by_an_official_or_by_another_launch() -> None:
    for wishes, over_ns, ticks in (
        ((WantedOnTrack("t1", 2, 100),), NS_PER_S, 6),
        ((WantedOnTrack("t1", 2, 100), WantedOnTrack("t1", 2, 100), WantedOnTrack("", 0, 100)), 10**12, 3),
        ((WantedOnTrack("t1", 2, 100), WantedOnTrack("t1", 3, 100)), 10**12, 2),
    ):
        pace = Standing()
        run, board = Run(pace, over_ns=over_ns), Board(pace, *wishes)
        driven(board, run)
        assert len(run.asked) == ticks
        assert board.calls[-1][0] == "/live/t1/2/result"  # whether it counts is for the leaderboard to say
        assert run.closed


class Unsteady(Board):
    """The way to it takes up to 30 ms, and back; what arrives is counted by the leaderboard's own rule."""

    def __init__(self, pace: Standing, turn: LiveTurn, seed: int) -> None:
        super().__init__(pace, turn=turn)
        self.random, self.arrived, self.refused = random.Random(seed), LiveSender(), 0

    def send_live(self, message: LiveMessage) -> WantedOnTrack | None:
        wanted = super().send_live(message)
        self.pace.at_ns += self.random.randrange(30_000_000)
        self.refused += newest.wait_ns(self.arrived, self.pace.at_ns) > 0
        self.arrived = newest.counted(self.arrived, self.pace.at_ns)
        self.pace.at_ns += self.random.randrange(30_000_000)
        return wanted


@pytest.mark.parametrize("seed", range(5))
def test_over_an_unsteady_network_no_message_is_one_too_many(seed: int) -> None:
    pace = Standing()
    run, board = Run(pace, run_ms=20_000), Unsteady(pace, replace(TURN, run_ms=20_000), seed)
    driven(board, run)
    assert board.refused == 0
    assert len(board.told) > 0.9 * 20 * LIVE_PER_SECOND


def test_a_message_that_is_lost_or_one_too_many_stops_nobody() -> None:
    pace = Standing()
    lost: list[WantedOnTrack | Exception | None] = [RetryLater("It is away."), None, OperatorError("No such race.")]
    run, board = Run(pace), Board(pace, *lost, WantedOnTrack("t1", 2, 80))
    heard = driven(board, run)
    assert len(run.asked) == 16
    assert run.asked[-1][1] == (80,)
    assert "leo: It is away." in heard
    assert "leo: No such race." in heard


def test_a_model_that_loads_too_long_begins_late_and_ends_in_time() -> None:
    pace = Standing()
    run, board = Run(pace, loads_s=11.0), Board(pace)
    driven(board, run)
    assert run.asked[1][0] == NS_PER_S // 5
    assert run.asked[-1][0] == 2 * NS_PER_S


@pytest.mark.parametrize(
    ("error", "fault", "sentence"),
    [
        (BadInput(f"/cache/{'a' * 64}: The model answered no number."), "model", "The model answered no number."),
        (
            ChildFailed("The model's LIVE run was ended by SIGKILL."),
            "farm",
            "The model's LIVE run was ended by SIGKILL.",
        ),
    ],
)
def test_a_run_that_fails_is_told_with_its_fault(error: BadInput, fault: str, sentence: str) -> None:
    pace = Standing()
    run, board = Run(pace, error=error), Board(pace)
    driven(board, run)
    ((path, failure),) = board.calls
    assert (path, failure["fault"], failure["sentence"]) == ("/live/t1/2/fail", fault, sentence)
    assert run.closed


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (HeadToHeadVerdict(1, Reason.FIRST_TO_FINISH, by_s=1.2345), (1, "first_to_finish", 1234, None)),
        (HeadToHeadVerdict(0, Reason.FARTHER, by_m=0.0456), (0, "farther", None, 46)),
        (HeadToHeadVerdict(None, Reason.LEVEL), (None, "level", None, None)),
    ],
)
def test_a_heat_is_told_with_both_cars_and_reported_with_both_runs(
    verdict: HeadToHeadVerdict, told: tuple[object, ...]
) -> None:
    pace = Standing()
    wishes = (WantedOnTrack("t1", 2, 100), WantedOnTrack("t1", 2, 110, 90))
    run, board = Run(pace, verdict=verdict), Board(pace, *wishes, turn=HEAT)
    heard = driven(board, run)
    assert run.job == LiveJob(
        f"/cache/{'a' * 64}", Conditions(), 7, 3_000, "model_3.onnx", f"/cache/{'c' * 64}", "best.pb", ("leo", "kenji")
    )
    assert [percents for _, percents in run.asked] == [(100, 100)] * 2 + [(110, 90)] * 14
    messages = [message for _, message in board.told]
    assert len(messages) == 16
    for each in messages:
        assert (each.racer, each.lap, each.track_share, each.through, each.ahead_m) == ("leo", 1, 0.5, False, -2.5)
        rival = each.rival
        assert rival is not None
        assert (rival.racer, rival.lap, rival.last_lap_ms, rival.resets) == ("kenji", 2, 900, 4)
        assert (rival.track_share, rival.through) == (0.25, True)
    assert [path for path, _ in board.calls] == [
        f"/traces/{trace_sha256(TRACE)}",
        f"/traces/{trace_sha256(RIVALS_TRACE)}",
        "/live/t1/2/heat",
    ]
    report = board.calls[-1][1]
    assert (report["winner"], report["reason"], report["by_ms"], report["by_mm"]) == told
    assert [each["trace_sha256"] for each in report["runs"]] == [trace_sha256(TRACE), trace_sha256(RIVALS_TRACE)]
    assert [(each["progress_ppm"], each["cost_ms"]) for each in report["runs"]] == [(5, 250), (6, 250)]
    assert heard == ["cup: leo – kenji", "leo – kenji: heat"]


def test_a_heat_that_fails_names_the_racer_and_no_path() -> None:
    pace, rivals = Standing(), f"/cache/{'c' * 64}"
    error = BadInput(f"The model of kenji: {rivals}: {rivals}/model.onnx is no model.")
    board = Board(pace, turn=HEAT)
    driven(board, Run(pace, error=error))
    ((path, failure),) = board.calls
    assert (path, failure["fault"]) == ("/live/t1/2/fail", "model")
    assert failure["sentence"] == "The model of kenji: model/model.onnx is no model."
    gone = Board(pace, turn=HEAT)
    gone.refusals = {"c" * 64: [Refused("The model is not there.")]}  # the rival's
    assert driven(gone, Run(pace)) == ["leo – kenji: The model is not there."]
    assert gone.calls == []


@pytest.mark.parametrize(
    ("answer", "percents"),
    [
        ({"multiplier": 1.1}, (110, 100)),
        ({"multiplier": 1.1, "rival_multiplier": 0.9}, (110, 90)),
        ({"multiplier": None, "rival_multiplier": None}, (100, 100)),
    ],
)
def test_the_multipliers_are_those_of_the_answer(
    answer: dict[str, object], percents: tuple[int, int], monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    body = json.dumps({"newest": True, "turn": "t1", "launch": 2} | answer).encode()
    monkeypatch.setattr(KeyedCalls, "send", lambda *_: ServerAnswer(200, {}, body))
    server = FarmServer("http://127.0.0.1:9", "rk_1", tmp_path)
    assert server.send_live(LiveMessage("cup", "leo", "b", 1)) == WantedOnTrack("t1", 2, *percents)


def test_a_result_is_brought_again_until_it_arrives_and_a_leaderboard_that_is_away_is_asked_later() -> None:
    pace = Standing()
    run, board = Run(pace), Board(pace)
    board.refusals = {"result": [RetryLater("away"), RetryLater("away")], "claims": [RetryLater("It is away.")] * 2}
    heard: list[str] = []
    rounds = iter([True] * 4 + [False])
    LiveRunner(board, "n1", heard.append, pace, run.begin).run(lambda: next(rounds))
    assert [path for path, _ in board.calls][-1] == "/live/t1/2/result"
    assert heard.count("It is away.") == 2
    assert "leo: result" in heard
    gone = Board(pace)
    gone.refusals = {"result": [Refused("The turn is over.")]}
    assert "leo: The turn is over." in driven(gone, Run(pace))
