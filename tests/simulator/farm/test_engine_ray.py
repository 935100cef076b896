"""The engine on a real Ray cluster of two nodes: one is killed at work, one is unlike the others; runs and a heat."""

import dataclasses
import json
import pathlib
import threading
from collections.abc import Callable

import pytest

from raceday.__main__ import main as raceday
from shared.conditions import ENGINE, Conditions, DrivenRules
from shared.errors import BadInput
from shared.protocol.farm import ClaimAnswer, ClaimRequest, WorkItem
from shared.traces.encoding import trace_sha256
from simulator.driving.policy import DEMO, find_model
from simulator.farm import cli, worker
from simulator.farm import node as node_file
from simulator.farm.canary import write_wanderer
from simulator.farm.engine_ray import RayEngine
from simulator.farm.heat_runner import HeatRunner
from simulator.farm.node import DrivingNode
from simulator.virtual_races.isolated import EvaluationJob, evaluate_isolated
from tests.simulator.farm.ray_cluster import TwoNodes, two_nodes
from tests.simulator.farm.test_heat_runner import HEAT, Board
from tests.simulator.farm.test_node import OneClaim, item
from vehicle.models.run_isolated import ChildFailed

MODEL = find_model(DEMO).parent
ONE_LAP = Conditions(track="oval_track", laps=1, profile="physical", rules=DrivenRules(consecutive_laps=1))
SEEDS = (11, 12, 13)


class SomeSubmissions(OneClaim):
    """A run of each of some submissions of the demo model."""

    def __init__(self) -> None:
        super().__init__(tuple(self._item(number, seed) for number, seed in enumerate(SEEDS)))
        self.claimed, self.reports = threading.Event(), list[tuple[str, str]]()

    def claim(self, asked: ClaimRequest) -> ClaimAnswer:
        self.claimed.set()
        return super().claim(asked)

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        if path.startswith("/claims/") and not path.endswith("/extend"):
            self.reports.append((path, json.loads(body or b"{}").get("trace_sha256", "")))
        return b""

    @staticmethod
    def _item(number: int, seed: int) -> WorkItem:
        return dataclasses.replace(item(number, ONE_LAP), seed=seed, model_sha256=f"{number}" * 64)

    def model(self, sha256: str) -> pathlib.Path:
        return MODEL


class OneHeat(Board):
    """A heat of a lap between the models whose hashes begin with "a" and "b"."""

    def __init__(self, models: dict[str, pathlib.Path]) -> None:
        conditions = dataclasses.replace(ONE_LAP, race_type="head_to_head")
        super().__init__(dataclasses.replace(HEAT, seeds=(7,), conditions=conditions))
        self._models = models

    def model(self, sha256: str) -> pathlib.Path:
        return self._models[sha256[0]]


@pytest.mark.slow
def test_runs_outlive_a_node_that_is_killed_at_work_and_unlike_machines_are_left_out(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_file, "canary_sha256", lambda _engine: "c" * 64)  # the workers drive theirs
    heard: list[str] = []
    with two_nodes(tmp_path) as cluster:
        engine = RayEngine(cluster.address, None, heard.append)
        assert engine.slots == 3, "two cores, and one job that waits for the next"
        server = SomeSubmissions()

        def kill() -> None:
            server.claimed.wait()
            cluster.kill_second_at_work()

        killer = threading.Thread(target=kill)
        killer.start()
        DrivingNode(server, "n1", engine, heard.append).run(once=True)
        killer.join()
        alone = evaluate_isolated(EvaluationJob(str(MODEL), ONE_LAP, SEEDS))
        digests = [trace_sha256(run.read_trace()) for run in alone.runs]
        expected = [(f"/claims/c{number}/result", digest) for number, digest in enumerate(digests)]
        assert sorted(server.reports) == expected, "each once, and bit by bit as on this machine"

        _check_faults(engine, tmp_path)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine, "_max_jobs", 1)
            _check_a_heat_and_the_limit_of_jobs(engine, tmp_path)
        _check_unlike(engine, cluster, tmp_path, heard)


def _check_faults(engine: RayEngine, folder: pathlib.Path) -> None:
    """A model's fault is told as such, with the path that the farm knows."""
    (folder / "none.tar.gz").write_bytes(b"nothing")
    with pytest.raises(BadInput, match=r"none\.tar\.gz") as caught:
        engine.submit(EvaluationJob(str(folder / "none.tar.gz"), ONE_LAP, (1,))).result()
    assert not isinstance(caught.value, ChildFailed)


def _check_a_heat_and_the_limit_of_jobs(engine: RayEngine, folder: pathlib.Path) -> None:
    """A worker drives both models, each on its side; with `--jobs 1` what comes second waits for the first."""
    (folder / "wanderer").mkdir()
    board = OneHeat({"a": write_wanderer(folder / "wanderer"), "b": MODEL})
    heat = threading.Thread(target=HeatRunner(board, "n1", engine, print).next_heat)
    heat.start()
    while True:
        assert heat.is_alive()
        with engine._lock:  # the heat does not end meanwhile
            if engine._tasks:
                run = engine.submit(EvaluationJob(str(MODEL), ONE_LAP, (7,)))
                assert [task.ref is not None for task in engine._tasks] == [True, False]
                break
    assert run.result().runs[0].end == "laps"
    heat.join()
    *traces, (path, told) = board.calls
    assert (path, told["winner"], len(traces)) == ("/heats/b1/3/result", 1, 2), "the second was behind at the start"


def _check_unlike(engine: RayEngine, cluster: TwoNodes, folder: pathlib.Path, heard: list[str]) -> None:
    """A machine with another engine: what it was given goes to the others, and it is given no more."""
    patch = folder / "other release"
    patch.mkdir()
    (patch / "sitecustomize.py").write_text("import shared.conditions\nshared.conditions.ENGINE = 'older'\n")
    cluster.add(PYTHONPATH=str(patch))
    assert engine.slots == 3
    for seed in range(21, 81):  # Ray takes a moment to place work on a new machine
        pair = [engine.submit(EvaluationJob(str(MODEL), ONE_LAP, (seed, place))) for place in (1, 2)]
        assert [each.result().runs[1].seed for each in pair] == [1, 2]
        if engine.slots == 2:
            break
    assert [sentence for sentence in heard if "its engine is older" in sentence], heard
    assert engine.slots == 2
    left = engine.submit(EvaluationJob(str(MODEL), ONE_LAP, (21,)))
    engine.close()
    with pytest.raises(ChildFailed, match="was stopped"):
        left.result()


def test_a_worker_tells_another_engine_from_its_own_and_drives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_children", _fail)
    answer = worker.drive((), "{}", "another", wants_canary=True)
    assert worker.decode_outcome(answer) == worker.WorkerOutcome(ENGINE)
    newer = json.dumps(json.loads(answer) | {"engine": "newer", "more": 1}).encode()
    assert worker.decode_outcome(newer) == worker.WorkerOutcome("newer")


def _fail() -> Callable[..., object]:
    raise AssertionError("nothing is driven")


def test_a_model_is_read_as_a_file_or_as_a_folder(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_bytes(b"1")
    assert worker.read_model(tmp_path / "a") == {"b/c": b"1"}
    assert worker.read_model(tmp_path / "a" / "b" / "c") == {"": b"1"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--engine", "ray", "--ray-address", "127.0.0.1:1"], "There is no Ray cluster at 127.0.0.1:1"),
        (["--engine", "ray", "--ray-address", "ray://head:10001"], "is not the address of a Ray cluster"),
        (["--engine", "ray", "--ray-address", "head"], "is not the address of a Ray cluster"),
        (["--engine", "ray", "--ray-address", "127.0.0.1:70000"], "There is no Ray cluster"),
        (["--engine", "ray"], "No Ray cluster can be used at auto"),
        (["--ray-address", "127.0.0.1:6379"], "--ray-address belongs to --engine ray."),
    ],
)
def test_a_cluster_that_is_not_there_gets_a_sentence(
    words: list[str],
    sentence: str,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RACEDAY_KEY", "rk_x")
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    assert raceday(["farm", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_without_ray_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RACEDAY_KEY", "rk_x")
    monkeypatch.setattr(cli, "find_spec", lambda _name: None)
    assert raceday(["farm", "--engine", "ray"]) == 2
    assert "raceday[ray]" in capsys.readouterr().err
