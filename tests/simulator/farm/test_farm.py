"""The farm against a real leaderboard: the demo model from submission to rank, and a model that is none."""

import pathlib
import time

import pytest

from leaderboard.accounts.keys import ApiKeys
from leaderboard.core.access import ADMIN
from leaderboard.evaluations.race_conditions import RaceConditions
from leaderboard.store.submissions import submission_rows
from raceday.__main__ import main as raceday
from raceday.submitting.submit import main as submit
from shared.errors import BadInput
from simulator.driving.policy import find_model
from simulator.farm.node import back_off_s
from simulator.farm.server_calls import FarmServer
from tests.leaderboard.submissions.racers import archive
from tests.leaderboard.submissions.serving import served_race


def test_models_are_driven_and_ranked_or_rejected(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served_race(tmp_path, track="reinvent_base") as served:
        conditions = b'{"runs": 1, "laps": 3, "profile": "physical"}'
        RaceConditions(served.board.store, lambda _race: None).set(ADMIN, "cup", conditions, time.time_ns())
        key = ApiKeys(served.board.store).create(ADMIN, "Farm", {"farm"}, (), None, time.time_ns()).key
        (tmp_path / "none.tar.gz").write_bytes(archive(3))
        monkeypatch.setenv("RACEDAY_KEY", key)
        for model in (tmp_path / "none.tar.gz", find_model("demo").parent):
            words = [str(model), "--race", "cup", "--server", served.url, "--key", served.key, "--no-wait"]
            assert submit(words) == 0
            assert raceday(["farm", "--server", served.url, "--node", "n1", "--jobs", "1", "--once"]) == 0
        with served.board.store.read() as db:
            ends = {each.state: each.sentence for each in submission_rows.of_race(db, "cup")}
        assert ends.keys() == {"rejected", "scored"}, ends
        assert ends["rejected"]
        assert str(tmp_path) not in ends["rejected"]
        assert [row.placed.racer for row in served.board.snapshot("cup").rows] == ["ada"]


def test_what_is_no_address_or_key_gets_a_sentence(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadInput, match="not the address"):
        FarmServer("ftp://x", "rk_x", tmp_path)
    assert raceday(["farm", "--key", str(tmp_path / "absent")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert raceday(["live", "--key", str(tmp_path / "absent")]) == 2
    assert "raceday live: " in capsys.readouterr().err
    assert [back_off_s(failures) for failures in (1, 2, 9)] == [1.0, 2.0, 30.0]
