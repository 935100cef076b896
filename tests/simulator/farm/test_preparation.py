"""A node prepares archives: what it reads, keeps and tries of them, and who is at fault. Without a leaderboard."""

import pathlib
import random
from concurrent.futures import Future
from typing import Any

import pytest

from shared.conditions import Conditions
from shared.errors import BadInput, OperatorError, Refused, RetryLater
from shared.protocol.farm import ClaimAnswer, ClaimRequest, PreparationItem, PreparationReport, decode
from shared.rules.ranking import RunLap
from simulator.farm import node as node_file
from simulator.farm.node import DrivingNode
from simulator.farm.server_calls import FarmServer
from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport, ReportedRun
from simulator.virtual_races.seeds import validation_seeds
from tests.vehicle.models.importing.tars import Member, tar_gz
from vehicle.models.run_isolated import ChildFailed

METADATA = Member(b"model_metadata.json", b"{}")
STATES = Member(b"10.ckpt.data", random.Random(3).randbytes(60_000))
THREE = (Member(b"model_2.pb", b"two"), Member(b"model_10.pb", b"ten"), Member(b"model_1.pb", b"one"))
SEVERAL = tar_gz(METADATA, STATES, *THREE)


class Keeping(FarmServer):
    """Gives one archive to prepare; notes what is kept of it and what is said."""

    def __init__(self, model: pathlib.Path, item: PreparationItem, refusal: Exception | None = None) -> None:
        self._items: tuple[PreparationItem, ...] = (item,)
        self._model, self._refusal = model, refusal
        self.kept, self.said = b"", list[tuple[str, bytes]]()

    def claim(self, _asked: ClaimRequest) -> ClaimAnswer:
        given, self._items = self._items, ()
        return ClaimAnswer(preparations=given, ask_after_s=0.5)

    def model(self, _sha256: str) -> pathlib.Path:
        return self._model

    def keep(self, _sha256: str, kept: pathlib.Path) -> None:
        if self._refusal is not None:
            raise self._refusal
        self.kept = kept.read_bytes()

    def call(self, _method: str, path: str, body: bytes | None = None) -> bytes:
        if path.startswith("/claims/"):  # it asks for nodes too, for its own summary
            self.said.append((path, body or b""))
        return b""


class Driving:
    """Two slots; each checkpoint drives so many laps of each run, or ends with an error."""

    slots = 2

    def __init__(self, laps: dict[str, int | Exception]) -> None:
        self._laps, self.jobs = laps, list[EvaluationJob]()

    def submit(self, job: EvaluationJob) -> Future[EvaluationReport]:
        self.jobs.append(job)
        ended: Future[EvaluationReport] = Future()
        drove = self._laps[job.checkpoint]
        if isinstance(drove, Exception):
            ended.set_exception(drove)
        else:
            laps = tuple(RunLap(number, 10**10, number * 10**10) for number in range(1, drove + 1))
            runs = tuple(ReportedRun(seed, laps, "time", 0, 0, 10**10, 1, "") for seed in job.seeds)
            ended.set_result(EvaluationReport("a" * 64, runs, 0.25))
        return ended

    def close(self) -> None:
        raise AssertionError("who made it closes it")


def prepared(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    laps: dict[str, Any],
    *,
    choose: bool = True,
    refusal: Exception | None = None,
    conditions: Conditions | None = None,
) -> tuple[Keeping, Driving, list[str]]:
    (tmp_path / "archive").write_bytes(content)
    conditions = conditions or Conditions()
    item = PreparationItem("c1", "s1", "cup", 1, "a" * 64, choose, conditions, conditions.sha256, 60.0)
    server, engine, heard = Keeping(tmp_path / "archive", item, refusal), Driving(laps), list[str]()
    monkeypatch.setattr(node_file, "canary_sha256", lambda _engine: "c" * 64)
    DrivingNode(server, "n1", engine, heard.append, lambda _s: None).run(once=True)
    return server, engine, [sentence for sentence in heard if "canary" not in sentence]


def test_what_is_used_is_kept_and_each_checkpoint_is_tried_on_seeds_of_validation(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laps = {"model_1.pb": 1, "model_2.pb": 3, "model_10.pb": BadInput(f"{tmp_path}/archive: The graph is wrong.")}
    server, engine, heard = prepared(tmp_path, monkeypatch, SEVERAL, laps)
    [(path, body)] = server.said
    report = decode(body, PreparationReport)
    assert path == "/claims/c1/prepared"
    assert heard == ["s1 0: prepared"]
    assert (report.checkpoints, report.conditions_sha256) == (3, Conditions().sha256)
    assert [(each.name, each.laps, each.refused) for each in report.trials] == [
        ("model_2.pb", 9, ""),
        ("model_1.pb", 3, ""),
        ("model_10.pb", 0, "The graph is wrong."),
    ]
    assert report.cost_ms > 500, "the processor time of those that drove, and of the reading"
    assert {job.seeds for job in engine.jobs} == {validation_seeds(3)}
    assert 0 < len(server.kept) < len(SEVERAL) / 5


@pytest.mark.parametrize(
    ("content", "laps", "choose", "checkpoints"),
    [
        (SEVERAL, {}, False, 3),
        (tar_gz(METADATA, THREE[0]), {}, True, 1),
        (tar_gz(METADATA, *(Member(b"m%d.pb" % n, b"%d" % n) for n in range(11))), {}, True, 11),
    ],
    ids=["the racer names one", "there is one", "there are too many: the archive's own notes decide"],
)
def test_nothing_is_driven_where_nothing_is_to_be_chosen(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    laps: dict[str, Any],
    choose: bool,
    checkpoints: int,
) -> None:
    server, engine, _ = prepared(tmp_path, monkeypatch, content, laps, choose=choose)
    report = decode(server.said[0][1], PreparationReport)
    assert (report.checkpoints, report.trials, engine.jobs) == (checkpoints, (), [])


def test_whoever_will_meet_another_shows_alone_how_it_drives(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    met = Conditions(race_type="head_to_head")
    laps = dict.fromkeys(("model_1.pb", "model_2.pb", "model_10.pb"), 1)
    _, engine, _ = prepared(tmp_path, monkeypatch, SEVERAL, laps, conditions=met)
    assert {job.conditions.race_type for job in engine.jobs} == {"time_trial"}


WRONG = BadInput("The graph is wrong.")


@pytest.mark.parametrize(
    ("content", "laps", "refusal", "fault", "sentence"),
    [
        (tar_gz(METADATA), {}, None, "model", "The archive holds no model"),
        (SEVERAL, dict.fromkeys(("model_1.pb", "model_2.pb", "model_10.pb"), WRONG), None, "model", "The graph is"),
        (
            SEVERAL,
            {"model_1.pb": 1, "model_2.pb": 3, "model_10.pb": ChildFailed("It was ended by SIGKILL.")},
            None,
            "farm",
            "It was ended by SIGKILL.",
        ),
        (SEVERAL, {}, RetryLater("The disk is full."), "farm", "The disk is full."),
        (SEVERAL, {}, OperatorError("It is another hash."), "farm", "It is another hash."),
    ],
    ids=["no model", "no checkpoint drives", "a child was killed", "no room", "refused"],
)
def test_a_model_is_refused_only_for_its_own_faults(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    laps: dict[str, Any],
    refusal: Exception | None,
    fault: str,
    sentence: str,
) -> None:
    server, _, _ = prepared(tmp_path, monkeypatch, content, laps, refusal=refusal)
    [(path, body)] = server.said
    assert path == "/claims/c1/fail"
    assert f'"fault":"{fault}"' in body.decode()
    assert sentence in body.decode()
    assert str(tmp_path) not in body.decode()


def test_nothing_is_said_of_a_claim_that_is_over(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, _, heard = prepared(tmp_path, monkeypatch, SEVERAL, {}, refusal=Refused("The claim is over."))
    assert (server.said, heard) == ([], ["s1: The claim is over."])
