"""The farm against a real leaderboard: the demo model from submission to rank, its result verified; and no model."""

import base64
import os
import pathlib
import re
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser

from leaderboard.accounts.keys import ApiKeys
from leaderboard.core.access import ADMIN
from leaderboard.evaluations.race_conditions import RaceConditions
from leaderboard.league.services import LeagueServices
from leaderboard.store.evaluations import condition_rows
from leaderboard.store.submissions import submission_rows
from leaderboard.store.tables import RUN_TRACES
from raceday.__main__ import main as raceday
from raceday.submitting.api import LeaderboardApi
from raceday.submitting.submit import main as submit
from shared.errors import BadInput, OperatorError, RetryLater
from shared.protocol import driven_results
from shared.traces.encoding import encode
from shared.web.keyed_calls import KeyedCalls
from simulator.farm.server_calls import FarmServer, back_off_s
from simulator.farm.verify.cli import main as verify
from simulator.farm.verify.cli import verify_served
from simulator.farm.verify.served import Differs, ServedResult
from simulator.virtual_races.isolated import EvaluationReport, ReportedRun
from tests.leaderboard.submissions.racers import archive
from tests.leaderboard.submissions.serving import ServedRace, served_race
from tests.shared.traces.driven import round_trip
from tests.simulator.farm.submit_page import drop_and_submit, post_leader, see_it_ranked, see_it_replayed, watched_page
from tests.simulator.farm.trained_archive import BEST, write_trained_archive


@pytest.mark.browser
@pytest.mark.slow
def test_a_model_is_dropped_driven_ranked_and_replayed_beside_the_leader(
    browser: Browser, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a browser to the rank by a farm that is a process of its own; beside it a file that is no model."""
    with served_race(tmp_path, track="reinvent_base", in_work_per_racer=2) as served:
        conditions = b'{"runs": 2, "laps": 3, "profile": "physical"}'
        RaceConditions(served.board.store, lambda _race: None).set(ADMIN, "cup", conditions, time.time_ns())
        key = ApiKeys(served.board.store).create(ADMIN, "Farm", {"farm"}, (), None, time.time_ns()).key
        (tmp_path / "none.tar.gz").write_bytes(archive(3))
        post_leader(served)
        trained = write_trained_archive(tmp_path / "trained.tar.gz")
        words = [str(tmp_path / "none.tar.gz"), "--race", "cup", "--server", served.url, "--key", served.key]
        assert submit([*words, "--no-wait"]) == 0
        farm = [sys.executable, "-m", "raceday", "farm", "--server", served.url, "--jobs", "1", "--once"]
        with watched_page(browser, served) as watched:
            drop_and_submit(watched.page, trained)
            with subprocess.Popen(farm, env=os.environ | {"RACEDAY_KEY": key}) as driving:
                see_it_ranked(watched.page, BEST)
                see_it_replayed(watched.page)
                assert driving.wait(timeout=60) == 0
            assert watched.errors == []
        with served.board.store.read() as db:
            ends = {each.state: each.sentence for each in submission_rows.of_race(db, "cup")}
        assert ends.keys() == {"rejected", "scored"}, ends
        assert ends["rejected"]
        assert str(tmp_path) not in ends["rejected"]
        assert [row.placed.racer for row in served.board.snapshot("cup").rows] == ["bea", "ada"]
        _is_chosen_and_stripped(served, trained)
        _verify(served, monkeypatch, capsys)


def _is_chosen_and_stripped(served: ServedRace, trained: pathlib.Path) -> None:
    """The better checkpoint was driven, and only what is used of the archive is still stored."""
    name = served.newest().submission_id
    found = LeaderboardApi(served.url, served.key).call("GET", f"/submissions/{name}").document["choice"]
    assert found["checkpoint"] == BEST
    assert "most completed laps: 9, the next one has" in found["reason"]
    assert [each["name"] for each in found["checkpoints"]] == [BEST, "model/model_1.onnx"]
    stored = [path.stat().st_size for path in (served.folder / "models" / "archives").glob("??/*")]
    assert sum(stored) < trained.stat().st_size / 2, "the archive that is none counts for nothing"


def _verify(served: ServedRace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The result is driven again from what the leaderboard serves: while the race is open, after it, and forged."""
    name, store = served.newest().submission_id, served.board.store
    words = [f"{served.url}/api/v1/submissions/{name}", "--key", served.key]
    with pytest.raises(OperatorError, match="told when the race is closed"):
        verify(words)
    LeagueServices.over(store, lambda _race: None, 9, lambda *_: None).moves.move(ADMIN, "cup", "close", time.time_ns())
    capsys.readouterr()
    assert verify(words) == 0
    told = capsys.readouterr().out
    assert re.search(
        r"run 1: the same: laps [\d., s]+, trace \w{16}\nrun 2: the same: .*\nAll 2 runs are the same", told
    )
    result = ServedResult(KeyedCalls(served.url, served.key), name)
    driven = result.result()
    other = base64.b64encode(encode(round_trip(3))).decode()
    runs = tuple(ReportedRun(run.seed, (), "laps", 0, 0, 1, 1, other) for run in driven.runs)
    forged = EvaluationReport("", runs, 1.0)
    for canary, code, sentence in (
        ("f" * 64, 3, "This machine is of another class (ffffffffffff) than the one that drove it"),
        (driven.node_class + "0" * 52, 1, "was driven otherwise than this model drives"),
    ):
        assert verify_served(result, None, lambda _job: forged, partial(str, canary)) == code
        assert sentence in capsys.readouterr().out
    with pytest.raises(BadInput, match="is another model than the one of the result"):
        verify(
            [f"submission-{name}", "--server", served.url, *words[1:], "--model", str(served.folder / "none.tar.gz")]
        )
    with store.write() as db:
        seeds = condition_rows.virtual_race(db, "cup")
        db.execute(sa.update(RUN_TRACES).values(file=base64.b64decode(other)))
    with pytest.raises(Differs, match="of none of the runs of the result"):
        verify(words)
    assert seeds is not None
    with store.write() as db:
        condition_rows.set_seeds(db, replace(seeds.seeds, race=(1,) * 9), time.time_ns())
    with pytest.raises(Differs, match="not driven by the seeds of the race"):
        verify(words)
    monkeypatch.setattr(driven_results, "ENGINE", "raceday-0")
    with pytest.raises(BadInput, match=r"driven by the engine raceday-\d.* has raceday-0: install the release"):
        verify(words)


def test_what_cannot_be_verified_gets_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RACEDAY_KEY", raising=False)
    for words, sentence in (
        (["5f2d", "--server", "http://127.0.0.1:9"], "Give a key of yours with the scope submissions:write"),
        (["http://127.0.0.1:9/races/cup", "--key", "rk_1"], "names no submission"),
        (["../x", "--key", "rk_1"], "names no submission"),
        (["5f2d", "--key", "rk_1", "--server", "localhost"], "not the address of a leaderboard"),
    ):
        with pytest.raises(BadInput, match=sentence):
            verify(words)
    with pytest.raises(RetryLater, match="cannot be reached"):
        verify(["5f2d", "--key", "rk_1", "--server", "http://127.0.0.1:9"])


def test_what_is_no_address_or_key_gets_a_sentence(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadInput, match="not the address"):
        FarmServer("ftp://x", "rk_x", tmp_path)
    assert raceday(["farm", "--key", str(tmp_path / "absent")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert raceday(["live", "--key", str(tmp_path / "absent")]) == 2
    assert "raceday live: " in capsys.readouterr().err
    assert [back_off_s(failures) for failures in (1, 2, 9)] == [1.0, 2.0, 30.0]
