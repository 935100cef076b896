"""`raceday race simulate`: its last line, its exit code, its sentences."""

import json

import pytest

import raceday.simulate
from raceday.__main__ import main
from simulator.races.hosts.tally import MeetingTally, SimulationReport


def test_the_last_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["race", "simulate", "--seed", "1", "--hours", "0.05", "--jobs", "1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (document["seed"], document["hours"]) == (1, 0.05)
    assert all(invariant["held"] for invariant in document["invariants"].values())


def test_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["race", "simulate", "--hours", "0.05", "--jobs", "1", "--faults", "double_trigger"]) == 0
    out = capsys.readouterr().out
    assert "no_crossing_lost" in out
    assert "journal hash" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--hours", "0"], "--hours is 0; allowed is more than 0"),
        (["--hours", "nan"], "--hours is nan"),
        (["--faults", "gremlins"], "there is no fault 'gremlins'"),
        (["--jobs", "0"], "--jobs is 0; allowed is 1 to 256"),
    ],
)
def test_bad_wishes_are_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["race", "simulate", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_a_broken_invariant_is_said_and_exits_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = MeetingTally()
    tally.invariants["laps_true"].check(False, "lap [3] took another time in truth")
    monkeypatch.setattr(raceday.simulate, "simulate", lambda _wanted, _done: SimulationReport(1, 1.0, tally, 0.1))
    assert main(["race", "simulate", "--json"]) == 1
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert document["invariants"]["laps_true"]["broken"] == ["lap [3] took another time in truth"]
    assert main(["race", "simulate"]) == 1
    assert "lap [3] took another time" in capsys.readouterr().out
