"""A child that drives a stranger's model reads that model and the engine, and writes nothing that others load."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from shared.conditions import Conditions, DrivenRules
from simulator.driving.policy import DEMO, find_model
from simulator.virtual_races.isolated import EvaluationJob, evaluate_isolated
from tests.vehicle.process.test_hostile_policy import ABI
from tests.vehicle.process.test_seccomp import needs_filter

pytest.importorskip("numba")
pytestmark = [
    pytest.mark.slow,
    needs_filter,
    pytest.mark.skipif(ABI < 1, reason="this kernel has no Landlock: it cannot keep anybody from a file"),
]
CHILD = """
import errno, json, os, pathlib, sys, tempfile
from vehicle.models.run_isolated import restrict

def tried(what):
    try:
        what()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"

restrict(60)
from simulator.batch.compiled import call, compiled_code
from simulator.virtual_races.isolated import load_engine, restrict_to_models
load_engine()
folder = compiled_code()[0]
from late import doubled
restrict_to_models(sys.argv[1])
deeds = {
    "machine code": lambda: (folder / "poisoned.nbc").write_bytes(b""),
    "other model": lambda: pathlib.Path(sys.argv[2]).read_bytes(),
    "source": lambda: pathlib.Path(os.__file__).open("r+b").close(),
    "own model": lambda: pathlib.Path(sys.argv[1]).read_bytes(),
    "own folder": lambda: tempfile.TemporaryFile().close(),
    "to read machine code": lambda: [path.read_bytes() for path in folder.rglob("*.nbi")],
}
print(json.dumps({name: tried(deed) for name, deed in deeds.items()} | {"compiled here": call(doubled, 21)}))
"""

LATE = """
from simulator.batch.compiled import compiled

@compiled
def doubled(number):
    return number + number
"""


def test_it_writes_nothing_that_others_load_and_still_compiles(tmp_path: pathlib.Path) -> None:
    for name in ("own.onnx", "other.onnx"):
        (tmp_path / name).write_bytes(b"model")
    (tmp_path / "own").mkdir()
    (tmp_path / "late.py").write_text(LATE)
    told = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "own.onnx"), str(tmp_path / "other.onnx")],
        env=os.environ | {"TMPDIR": str(tmp_path / "own"), "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert found.pop("compiled here") == 42
    assert {name for name, how in found.items() if how == "done"} == {"own model", "own folder", "to read machine code"}


def test_a_model_of_the_racers_own_folder_is_driven_by_its_card(tmp_path: pathlib.Path) -> None:
    """Found by a cluster, whose workers write a model to a folder that is no part of the program."""
    shipped = find_model(DEMO).parent
    shutil.copytree(shipped, tmp_path / "model")
    one_lap = Conditions(track="oval_track", laps=1, profile="physical", rules=DrivenRules(consecutive_laps=1))
    jobs = [EvaluationJob(str(path), one_lap, (1,)) for path in (tmp_path / "model", shipped)]
    own, program = (evaluate_isolated(job) for job in jobs)
    assert [run.laps for run in own.runs] == [run.laps for run in program.runs]
