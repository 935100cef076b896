"""The children that drive for a farm: what they answer, what keeps them, and what happens when one is ended."""

import os
import pathlib
import re
import signal
import threading
from collections.abc import Iterator

import pytest

from shared.conditions import Conditions, DrivenRules
from shared.errors import BadInput
from simulator.driving.policy import find_model
from simulator.farm import engine_process
from simulator.farm.children import DrivingChildren
from simulator.farm.engine_process import ProcessEngine
from simulator.virtual_races.isolated import EvaluationJob, evaluate_isolated
from vehicle.models.run_isolated import ChildFailed

LAP = Conditions(track="oval_track", laps=1, profile="physical", rules=DrivenRules(consecutive_laps=1))


@pytest.fixture(scope="module")
def engine() -> Iterator[ProcessEngine]:
    made = ProcessEngine(2)
    yield made
    made.close()


def job(*seeds: int, conditions: Conditions = LAP) -> EvaluationJob:
    return EvaluationJob(str(find_model("demo").parent), conditions, seeds)


def children_of(pid: int) -> list[int]:
    return [
        int(each)
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
        for each in (task / "children").read_text().split()
    ]


def starter() -> int:
    named = {pid: pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children_of(os.getpid())}
    return next(pid for pid, words in named.items() if b"child_starter" in words)


def test_runs_together_are_those_of_each_alone_wherever_they_are_driven(engine: ProcessEngine) -> None:
    together, alone = engine.submit(job(1, 2, 3)), engine.submit(job(3))
    runs = together.result().runs
    assert [run.seed for run in runs] == [1, 2, 3]
    assert len({run.trace for run in runs}) == 3
    assert alone.result().runs == runs[2:]
    assert evaluate_isolated(job(2)).runs == runs[1:2]


def test_a_child_is_restricted_and_its_end_is_the_machines_fault(engine: ProcessEngine) -> None:
    driven = engine.submit(job(*range(9)))
    while not (children := children_of(starter())):
        assert not driven.done()
    while (
        not (status := pathlib.Path(f"/proc/{children[0]}/status")).exists() or "Seccomp:\t2" not in status.read_text()
    ):
        assert not driven.done()
    limits = pathlib.Path(f"/proc/{children[0]}/limits").read_text()
    assert re.search(r"Max open files +256 ", limits)
    os.kill(children[0], signal.SIGKILL)
    with pytest.raises(ChildFailed, match="SIGKILL"):
        driven.result()


def test_a_job_is_driven_again_when_what_its_child_was_started_from_ends(engine: ProcessEngine) -> None:
    driven, before = engine.submit(job(1)), starter()
    while not children_of(before):
        assert not driven.done()
    os.kill(before, signal.SIGKILL)
    assert len(driven.result().runs) == 1
    assert starter() != before


def test_an_engine_that_is_closed_cuts_off_what_it_drives(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second Ctrl-C ends a farm, however long a run is."""
    begun, over = threading.Event(), threading.Event()

    class Children:
        def drive(self, _job: EvaluationJob) -> None:
            begun.set()
            over.wait()
            raise ChildFailed("The farm is ending.")

        close = staticmethod(over.set)

    monkeypatch.setattr(engine_process, "DrivingChildren", Children)
    closed = ProcessEngine(1)
    driven, left = closed.submit(job(1)), closed.submit(job(2))
    assert begun.wait(60.0)
    closed.close()
    with pytest.raises(ChildFailed, match="ending"):
        driven.result(0.0)
    assert left.cancelled()


def test_what_is_wrong_and_what_takes_too_long_has_its_sentence(tmp_path: pathlib.Path) -> None:
    children = DrivingChildren()
    (tmp_path / "none.tar.gz").write_bytes(b"no archive")
    with pytest.raises(BadInput, match=r"none\.tar\.gz") as refused:
        children.drive(EvaluationJob(str(tmp_path / "none.tar.gz"), LAP, (1,)))
    assert not isinstance(refused.value, ChildFailed)
    with pytest.raises(ChildFailed, match="took longer than 0 s"):
        children.drive(job(*range(9)), 0.01)
    children.close()
    with pytest.raises(ChildFailed, match="ending"):
        children.drive(job(1))
