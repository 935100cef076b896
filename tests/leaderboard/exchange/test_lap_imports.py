"""Laps of the event manager and of the simulator are scored by the race's rules, as if a station had posted them."""

import dataclasses
import json
import pathlib
from typing import Any

import pytest

from leaderboard.exchange.request import ImportRequest, NewRaceOfImport
from leaderboard.store import race_rows
from leaderboard.store.database import Store
from leaderboard.store.ranking import line_rows
from shared.errors import BadInput, Refused
from shared.rules.ranking import RaceRules
from tests.leaderboard.exchange.boards import brought, exported, ranked

DREM = "Race ID,Username,User ID,Track,Raced By Proxy,Race Date,Lap #,Lap Time (ms),Lap Time (s),Resets,Valid"
SUMMARY = "Username,User ID,Track,Races,Total Laps,Valid Laps,Invalid Laps,Fastest Lap (ms),Fastest Lap (s)"


def drem(*rows: str) -> str:
    return "\n".join((DREM, *rows))


def race(
    race_id: str, *laps: str, user: str = "Ann,u1", track: str = "t1", date: str = "2025-05-01T10:00:00Z"
) -> list[str]:
    """The rows of a race; each lap is `time,resets,valid`."""
    seconds = [float(lap.split(",")[0]) / 1000 for lap in laps]
    return [
        f"{race_id},{user},{track},false,2025-05-01T10:00:00Z,{number},{lap.replace(',', f',{second:.3f},', 1)}"
        for number, (lap, second) in enumerate(zip(laps, seconds, strict=True), 1)
    ]


def wanted(form: Any, rules: RaceRules, **changes: Any) -> ImportRequest:
    new = NewRaceOfImport("Cup", "Oval", rules, venue="physical" if form == "drem" else "virtual")
    return dataclasses.replace(ImportRequest("cup", form, create=new), **changes)


FASTEST = RaceRules(method="best_lap", consecutive_laps=1)
AVERAGE = RaceRules(method="average", consecutive_laps=3)


def test_the_fastest_lap_and_the_best_average_of_valid_laps(store: Store) -> None:
    rows = [
        *race("r1", "9000,0,true", "7000,0,false", "9100.5,1,true", "9200,0,true", "9300,0,true"),
        *race("r2", "9500,0,true", "9400,0,true", user="Bob,u2"),
        "r3,Cy,u3,t1,false,2025-05-01T11:00:00Z,,,,,",
    ]
    report = brought(store, drem(*rows), wanted("drem", FASTEST))
    assert (report.outcome, report.rows, report.ranked, report.racers) == ("imported", 3, 2, 3)
    assert ranked(store) == [(1, "Ann", 9000), (2, "Bob", 9400)]
    report = brought(store, drem(*rows), dataclasses.replace(wanted("drem", AVERAGE), race_id="mean"))
    assert ranked(store, "mean") == [(1, "Ann", 9200)]


def test_a_later_export_adds_only_the_new_runs(store: Store) -> None:
    first = race("r1", "9000,0,true")
    brought(store, drem(*first), wanted("drem", FASTEST))
    report = brought(store, drem(*first, *race("r2", "8000,0,true")), wanted("drem", FASTEST))
    assert (report.rows, [note.what for note in report.notes]) == (1, ["was imported before: it stays as it is"])
    assert ranked(store) == [(1, "Ann", 8000)]
    with store.read() as db:
        assert line_rows.lines(db, "cup", "physical")[0].attempts == 2


def test_resets_beyond_the_rules_make_a_lap_not_count(store: Store) -> None:
    rules = RaceRules(method="best_lap", consecutive_laps=1, max_resets_per_lap=1)
    brought(store, drem(*race("r1", "8000,2,true", "9000,1,true")), wanted("drem", rules))
    assert ranked(store) == [(1, "Ann", 9000)]


def test_an_account_is_one_racer_and_two_accounts_are_two(store: Store) -> None:
    rows = [*race("r1", "9000,0,true"), *race("r2", "8000,0,true", user="ann,u2"), *race("r3", "8500,0,true")]
    brought(store, drem(*rows), wanted("drem", FASTEST))
    assert ranked(store) == [(1, "ann", 8000), (2, "Ann", 8500)]


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        (["r1,Ann,u1,t1,false,2025-05-01,x,9000,9,0,true"], "Lap #"),
        (["r1,Ann,u1,t1,false,2025-05-01,1,-9,9,0,true"], "Lap Time (ms)"),
        (["r1,Ann,u1,t1,false,2025-05-01,1,nan,9,0,true"], "Lap Time (ms)"),
        (["r1,Ann,u1,t1,false,2025-05-01,1,9000,9,-1,true"], "Resets"),
        (["r1,Ann,u1,t1,false,2025-05-01,1,9000,9,0,perhaps"], "Valid"),
        ([",Ann,u1,t1,false,2025-05-01,1,9000,9,0,true"], "Race ID"),
        (race("r1", "9000,0,true") * 2, "Lap #"),
        ([*race("r1", "9000,0,true"), *race("r1", "9000,0,true", user="Bob,u2")], "Username"),
        ([*race("r1", "9000,0,true"), *race("r2", "9000,0,true", track="t2")], "Track"),
    ],
)
def test_wrong_laps_are_named_by_line_and_field(shared_store: Store, rows: list[str], field: str) -> None:
    report = brought(shared_store, drem(*rows), wanted("drem", FASTEST))
    assert report.outcome == "refused"
    assert report.errors[0].field == field
    with shared_store.read() as db:
        assert race_rows.heads(db) == []


def test_one_track_of_several_is_chosen(store: Store) -> None:
    rows = [*race("r1", "9000,0,true"), *race("r2", "8000,0,true", track="t2")]
    assert brought(store, drem(*rows), wanted("drem", FASTEST, only_track="t2")).rows == 1
    assert ranked(store) == [(1, "Ann", 8000)]


def test_the_summary_holds_no_laps(store: Store) -> None:
    with pytest.raises(BadInput, match="is the event manager's summary"):
        brought(store, SUMMARY, wanted("drem", FASTEST))


def trial(number: int, elapsed_ms: float, completed: float = 100, off: int = 0, crash: int = 0) -> dict[str, Any]:
    return {
        "trial": number, "elapsed_time_in_milliseconds": elapsed_ms, "completion_percentage": completed,
        "off_track_count": off, "crash_count": crash, "reset_count": off + crash, "metric_time": 21008,
    }  # fmt: skip


def metrics(*trials: Any) -> str:
    return json.dumps({"metrics": trials})


def test_trials_are_laps_whose_times_hold_their_penalties(store: Store) -> None:
    rules = RaceRules(method="total_time", consecutive_laps=2, off_track_penalty_s=2.0, collision_penalty_s=3.0)
    data = metrics(trial(1, 13068, off=1), trial(2, 5000, completed=40), trial(3, 12000, crash=1), trial(4, 11000))
    request = wanted("metrics", rules, racer="Ann", model="apex")
    assert brought(store, data, request).outcome == "imported"
    assert ranked(store) == [(1, "Ann", 23000)]
    added = dataclasses.replace(request, race_id="added", penalties="added")
    brought(store, data, added)
    assert ranked(store, "added") == [(1, "Ann", 26000)]


def test_metrics_need_a_racer_and_trials(store: Store) -> None:
    with pytest.raises(Refused, match="name no racer"):
        brought(store, metrics(trial(1, 9000)), wanted("metrics", FASTEST))
    for data in ("[]", '{"metrics": []}', '{"metrics": 1}', "nonsense", "[" * 100_000):
        with pytest.raises(BadInput, match="no file of evaluation metrics"):
            brought(store, data, wanted("metrics", FASTEST, racer="Ann"))


@pytest.mark.parametrize(
    "wrong",
    [1, {}, trial(1, -1), trial(1, 1e300), trial(1, 9000, completed=-1), trial(1, 9000, off=-1), trial(1, 1000, off=1)],
)
def test_a_wrong_trial_leaves_nothing(shared_store: Store, wrong: Any) -> None:
    rules = RaceRules(method="best_lap", consecutive_laps=1, off_track_penalty_s=2.0)
    report = brought(shared_store, metrics(trial(1, 9000), wrong), wanted("metrics", rules, racer="Ann"))
    assert report.outcome == "refused"
    assert ("trial 2" in report.errors[0].field) or report.errors[0].field == "lap 2"


@pytest.mark.shared_data
def test_recorded_evaluations(shared_data: pathlib.Path, store: Store) -> None:
    rules = RaceRules(method="total_time", consecutive_laps=5)
    for number, racer in ((0, "Ann"), (1, "Bob")):
        data = (shared_data / "simtrace" / f"evaluation_{number}_metrics.json").read_text()
        brought(store, data, wanted("metrics", rules, racer=racer))
    assert ranked(store) == [(1, "Ann", 59051), (2, "Bob", 61538)]
    again = brought(store, exported(store), ImportRequest("again", "league", create=NewRaceOfImport("A", "t", rules)))
    assert (again.outcome, ranked(store, "again")) == ("imported", ranked(store))
