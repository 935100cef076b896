"""A model whose child prints without end is rejected, and the farm drives the next one as if nothing had been."""

import contextlib
import hashlib
import pathlib
import tarfile
import time

import pytest

from leaderboard.accounts.keys import ApiKeys
from leaderboard.core.access import ADMIN
from leaderboard.evaluations.race_conditions import RaceConditions
from leaderboard.store.submissions import submission_rows
from raceday.submitting.submit import main as submit
from simulator.driving.policy import DEMO, find_model
from simulator.farm import children
from simulator.farm import node as node_file
from simulator.farm.canary import write_wanderer
from simulator.farm.engine_process import ProcessEngine
from simulator.farm.node import DrivingNode
from simulator.farm.server_calls import FarmServer
from tests.leaderboard.submissions.serving import ServedRace, served_race
from vehicle.models.model_files import MODEL


@pytest.mark.slow
def test_a_model_whose_child_prints_without_end_is_rejected_and_the_next_is_driven(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("wanderer", "cache"):
        (tmp_path / name).mkdir()
    printing = write_wanderer(tmp_path / "wanderer")
    monkeypatch.setenv("PRINTING_MODEL", hashlib.sha256((printing / MODEL).read_bytes()).hexdigest())
    monkeypatch.setattr(children, "_STARTER", "tests.simulator.farm.printing_starter")
    monkeypatch.setattr(node_file, "canary_sha256", lambda _engine: "c" * 64)
    with served_race(tmp_path, track="oval_track", in_work_per_racer=2) as served:
        conditions = b'{"runs": 1, "laps": 3, "profile": "physical"}'
        RaceConditions(served.board.store, lambda _race: None).set(ADMIN, "cup", conditions, time.time_ns())
        key = ApiKeys(served.board.store).create(ADMIN, "Farm", {"farm"}, (), None, time.time_ns()).key
        _submit(served, printing, tmp_path / "printing.tar.gz")
        _submit(served, find_model(DEMO).parent, tmp_path / "demo.tar.gz")
        server, heard = FarmServer(served.url, key, tmp_path / "cache"), list[str]()
        with contextlib.closing(ProcessEngine(1)) as engine:
            DrivingNode(server, "n1", engine, heard.append).run(once=True)
        with served.board.store.read() as db:
            ends = {each.state: each.sentence for each in submission_rows.of_race(db, "cup")}
    assert ends.keys() == {"rejected", "scored"}, (ends, heard)
    assert "The model's process was ended, as it wrote more than it may" in ends["rejected"]
    assert str(tmp_path) not in ends["rejected"]


def _submit(served: ServedRace, model: pathlib.Path, path: pathlib.Path) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for each in sorted(model.iterdir()):
            archive.add(each, each.name)
    assert submit([str(path), "--race", "cup", "--server", served.url, "--key", served.key, "--no-wait"]) == 0
