"""A node by itself: what it says of runs that went wrong, and when it asks again. No leaderboard, no child."""

import dataclasses
import json
import pathlib
import threading
from concurrent.futures import Future
from typing import Any

import pytest

from shared.conditions import Conditions
from shared.errors import BadInput, OperatorError, Refused, RetryLater
from shared.protocol.farm import ClaimAnswer, ClaimRequest, WorkItem
from simulator.farm import node as node_file
from simulator.farm.node import CANARY_STARTS, MAX_TOGETHER, DrivingNode, driven_together
from simulator.farm.progress import AGAIN_AFTER_S, EVERY_S, FarmProgress, PlainLines
from simulator.farm.server_calls import FarmServer
from simulator.virtual_races.isolated import EvaluationJob
from vehicle.models.run_isolated import ChildFailed


def item(number: int = 1, conditions: Conditions | None = None) -> WorkItem:
    return WorkItem(
        f"c{number}", f"s{number}", "cup", 0, 1, 7, "a" * 64, "", conditions or Conditions(), "b" * 64, 60.0
    )


class OneClaim(FarmServer):
    """Gives its work once; notes what is called, and refuses as it is told."""

    def __init__(self, work: tuple[WorkItem, ...], refusals: dict[str, list[Exception]] | None = None) -> None:
        self.work, self.refusals = work, refusals or {}
        self.calls: list[tuple[str, str, Any]] = []

    def _refuse(self, what: str) -> None:
        if self.refusals.get(what):
            raise self.refusals[what].pop(0)

    def claim(self, asked: ClaimRequest) -> ClaimAnswer:
        self._refuse("claim")
        given, self.work = self.work, ()
        return ClaimAnswer(given, ask_after_s=0.5)

    def video(self) -> None:
        """None waits."""

    def model(self, sha256: str) -> pathlib.Path:
        self._refuse("model")
        return pathlib.Path("/cache") / sha256

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        self._refuse(path.rsplit("/", 1)[1])
        self.calls.append((method, path, json.loads(body or b"null")))
        return b""


class FailingEngine:
    """One slot, in which each job ends with this error."""

    slots = 1

    def __init__(self, error: Exception) -> None:
        self._error = error

    def submit(self, _job: EvaluationJob) -> Future[Any]:
        ended: Future[Any] = Future()
        ended.set_exception(self._error)
        return ended

    def close(self) -> None:
        raise AssertionError("who made it closes it")


def run(server: OneClaim, error: Exception, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[float]]:
    """(what it says, how long it waits each time)."""
    heard: list[str] = []
    pauses: list[float] = []
    monkeypatch.setattr(node_file, "canary_sha256", lambda _engine: "c" * 64)
    DrivingNode(server, "n1", FailingEngine(error), heard.append, pauses.append).run(once=True)
    return heard, pauses


@pytest.mark.parametrize(
    ("error", "fault", "sentence"),
    [
        (BadInput(f"/cache/{'a' * 64}: The graph is wrong."), "model", "The graph is wrong."),
        (ChildFailed("The evaluation was ended by SIGKILL."), "farm", "The evaluation was ended by SIGKILL."),
    ],
)
def test_a_model_is_refused_only_for_its_own_faults(
    monkeypatch: pytest.MonkeyPatch, error: Exception, fault: str, sentence: str
) -> None:
    server = OneClaim((item(),))
    run(server, error, monkeypatch)
    assert server.calls == [
        ("POST", "/claims/c1/fail", {"fault": fault, "sentence": sentence, **_rest(server.calls[0][2])})
    ]


def _rest(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in ("fault", "sentence")}


@pytest.mark.parametrize("conditions", [Conditions(track="nowhere"), Conditions(look="nowhere")], ids=["track", "look"])
def test_conditions_that_are_not_driven_are_no_models_fault(
    monkeypatch: pytest.MonkeyPatch, conditions: Conditions
) -> None:
    server = OneClaim((item(conditions=conditions),))
    run(server, AssertionError("nothing is driven"), monkeypatch)
    assert [call[2]["fault"] for call in server.calls] == ["farm"]


def test_a_leaderboard_that_is_away_is_asked_again_later_and_later(monkeypatch: pytest.MonkeyPatch) -> None:
    away: list[Exception] = [RetryLater("The leaderboard is away.") for _ in range(3)]
    heard, pauses = run(OneClaim((), {"claim": away}), AssertionError(), monkeypatch)
    assert heard[1:] == ["The leaderboard is away."] * 3
    assert pauses[:3] == [1.0, 2.0, 4.0]


def test_a_canary_whose_child_was_ended_is_driven_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[Exception] = [ChildFailed("The evaluation was ended by SIGKILL.") for _ in range(CANARY_STARTS - 1)]
    heard: list[str] = []
    pauses: list[float] = []

    def drive_canary(_engine: object) -> str:
        if ends:
            raise ends.pop()
        return "c" * 64

    monkeypatch.setattr(node_file, "canary_sha256", drive_canary)
    node = DrivingNode(OneClaim(()), "n1", FailingEngine(AssertionError()), heard.append, pauses.append)
    node.run(once=True)
    assert heard[:-1] == ["The evaluation was ended by SIGKILL."] * (CANARY_STARTS - 1)
    assert pauses[: CANARY_STARTS - 1] == [1.0, 2.0, 4.0, 8.0]
    ends += [ChildFailed("It is broken.") for _ in range(CANARY_STARTS)]
    with pytest.raises(ChildFailed, match="It is broken"):
        node.run(once=True)


def test_a_wrong_engine_ends_the_farm_with_the_leaderboards_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    server = OneClaim((), {"claim": [OperatorError("Install the release of the leaderboard.")]})
    with pytest.raises(OperatorError, match="Install the release"):
        run(server, AssertionError(), monkeypatch)


def test_a_report_is_sent_again_until_it_arrives_and_left_when_the_claim_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = OneClaim((item(1), item(2)), {"fail": [RetryLater("away"), Refused("The claim is over.")]})
    heard, _ = run(server, ChildFailed("It broke."), monkeypatch)
    assert len(server.calls) == 1
    assert heard[1:] == ["away", "s1: The claim is over.", "s2 0: fail"]


def test_the_next_job_is_claimed_while_the_report_of_one_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A core does not wait for the leaderboard; but two reports a slot may be outstanding, and no more are claimed."""

    class LateReports(OneClaim):
        def __init__(self) -> None:
            super().__init__(())
            self.left, self.reports, self.wanted = [item(1), item(2)], list[str](), list[int]()
            self.may_arrive = threading.Event()

        def claim(self, asked: ClaimRequest) -> ClaimAnswer:
            if asked.wanted and self.left:
                assert not self.reports
                return ClaimAnswer((self.left.pop(0),), ask_after_s=0.0)
            if not self.left and not self.may_arrive.is_set():
                self.wanted.append(asked.wanted)
                if len(self.wanted) == 9:
                    self.may_arrive.set()
            return ClaimAnswer((), ask_after_s=0.0)

        def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
            if path.endswith("/fail"):
                assert self.may_arrive.wait(60.0), "the second is not claimed until the first is reported"
                self.reports.append(path)
            return b""

    server = LateReports()
    run(server, ChildFailed("It broke."), monkeypatch)
    assert sorted(server.reports) == ["/claims/c1/fail", "/claims/c2/fail"]
    assert server.wanted == [0] * 9


def test_runs_of_one_model_are_driven_together() -> None:
    first, other = item(1), dataclasses.replace(item(2), checkpoint="2")
    assert driven_together([first, other, item(3)]) == [(first, item(3)), (other,)]
    many = [item(number) for number in range(MAX_TOGETHER + 1)]
    assert driven_together(many) == [tuple(many[:-1]), (many[-1],)]


def test_every_minute_it_says_how_it_goes_if_there_was_anything() -> None:
    heard: list[str] = []
    now_s = [0.0]
    queue: list[bytes | Exception] = [b'{"waiting": {"": 2, "cup": 3}}', RetryLater("away")]

    class Waiting(OneClaim):
        def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
            assert (method, path, body) == ("GET", "/nodes", None)
            answer = queue.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    progress = FarmProgress(Waiting(()), heard.append, lambda: now_s[0])
    for _ in range(30):
        progress.ended(item(1), "result")
    progress.ended(item(2), "fail")
    progress.summarise()
    assert heard.pop() == "s2 0: fail"
    heard.clear()
    now_s[0] = EVERY_S
    progress.summarise()
    assert heard == ["0.50 runs a second, 1 failed; 5 submissions wait."]
    now_s[0] *= 2
    progress.summarise()
    assert len(heard) == 1
    progress.ended(item(2), "fail")
    now_s[0] *= 2
    progress.summarise()
    assert heard[-1] == "0.00 runs a second, 1 failed; ? submissions wait."


def test_what_several_meet_with_at_the_same_time_is_told_once() -> None:
    heard, now_s = list[str](), [0.0]
    tell = PlainLines(heard.append, lambda: now_s[0])
    for sentence in ("away", "away", "s1 0: result", "away"):
        tell(sentence)
    now_s[0] = AGAIN_AFTER_S
    tell("away")
    assert heard == ["away", "s1 0: result", "away", "away"]


def test_a_node_that_is_brought_back_drives_its_canary_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Restored(OneClaim):
        def claim(self, request: ClaimRequest) -> ClaimAnswer:
            asked.append(request.canary_sha256)
            return ClaimAnswer(canary=len(asked) == 1, work=(item(),) if len(asked) == 2 else ())

    driven = iter(("c" * 64, "d" * 64))
    monkeypatch.setattr(node_file, "canary_sha256", lambda _engine: next(driven))
    node = DrivingNode(Restored(()), "n1", FailingEngine(ChildFailed("It broke.")), lambda _: None, lambda _: None)
    monkeypatch.setattr(node.server, "call", lambda *_: b"")
    node.run(once=True)
    assert asked[:2] == ["c" * 64, "d" * 64]
