"""What docs/train-a-model.md shows runs as it stands there."""

import os
import pathlib
import re
import sys

import pytest

from shared.conditions import Conditions
from simulator.virtual_races.entrant import load_entrant
from simulator.virtual_races.evaluation import evaluate_runs
from simulator.virtual_races.seeds import validation_seeds
from tests.leaderboard.submissions.serving import served_race

GUIDE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "train-a-model.md"
DRIVES, SUBMITS = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def run(script: str) -> None:
    """Run a script of the guide, in the current folder."""
    exec(compile(script, str(GUIDE), "exec"), {})


def test_the_script_of_the_guide_drives(capsys: pytest.CaptureFixture[str]) -> None:
    assert 15 <= DRIVES.count("\n") <= 25
    run(DRIVES)
    printed = capsys.readouterr().out
    assert printed.startswith("(8, 120, 160, 1) pictures, ")


@pytest.mark.slow
def test_the_script_of_the_guide_trains_and_submits(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The leaderboard has what it trained, and that completes the laps of a race."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    with served_race(tmp_path) as served:
        monkeypatch.setenv("RACEDAY_SERVER", served.url)
        monkeypatch.setenv("RACEDAY_KEY", served.key)
        run(SUBMITS)
        submitted = served.newest()
        assert (submitted.state, submitted.model_name) == ("queued", "small")
        assert served.stored(submitted.model_sha256)
    conditions = Conditions(laps=1, runs=2)
    driven = evaluate_runs(
        conditions, validation_seeds(2), load_entrant(tmp_path / "models" / "small", conditions.profile)
    )
    assert [run.end for run in driven] == ["laps", "laps"]
