"""The field's files from a trace, column by column; `deepracer-utils` reads them where it is installed."""

import csv
import io
import json
import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from shared.traces.field_files import COLUMNS, metrics_json, simtrace_csv
from shared.traces.laps import traced_laps
from shared.traces.trace import DriveTrace, TraceFrames
from tests.conftest import SHARED_DATA
from tests.shared.traces.driven import round_trip

NS = 1_000_000_000
BEGAN_NS = 1_700_000_000 * NS
FAULTY = round_trip(2, 1.0, ((3.0, "off_track", 2.0), (6.2, "crashed", 5.0)))


def _rows(trace: DriveTrace) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(simtrace_csv(trace, BEGAN_NS))))


def test_penalties_that_are_in_the_frames_are_counted_once() -> None:
    served = replace(FAULTY, penalties_served=True)
    assert [lap.lap_ns for lap in traced_laps(served)[:2]] == [3 * NS, 0]  # as driven: 5 s, less 2 and 5 of penalty
    times_ms = [trial["elapsed_time_in_milliseconds"] for trial in json.loads(metrics_json(served))["metrics"]]
    assert times_ms == [5000, 5000]
    assert [row["tstamp"] for row in _rows(served)] == [row["tstamp"] for row in _rows(round_trip())]


def test_each_lap_is_an_episode_with_the_columns_of_the_simulator() -> None:
    written = simtrace_csv(round_trip(), BEGAN_NS)
    assert written.splitlines()[0] == ",".join(COLUMNS)
    assert written.splitlines()[5].startswith("0,5,")
    rows = _rows(round_trip())
    ends = [row for row in rows if row["done"] == "True"]
    assert [(row["episode"], row["progress"], row["episode_status"]) for row in ends] == [
        ("0", "100.0000", "lap_complete"),
        ("1", "100.0000", "lap_complete"),
    ]
    begins = [row for row in rows if row["steps"] == "1"]
    assert [(row["episode"], row["episode_status"]) for row in begins] == [(str(n), "prepare") for n in range(3)]
    assert float(begins[1]["progress"]) <= 2.0
    assert [row["progress"] for row in rows[:3]] == ["0.0000"] * 3
    assert float(rows[-1]["progress"]) == pytest.approx(20.0, abs=1.4)
    row = rows[4]
    # The car drives along a circle of 1.59155 m: its front is 0.14 m ahead on the tangent.
    angle = (4 * 2.0 / 15 - 1.0) / 1.59155
    x, y = 1.59155 * math.cos(angle) - 0.14 * math.sin(angle), 1.59155 * math.sin(angle) + 0.14 * math.cos(angle)
    assert (float(row["X"]), float(row["Y"])) == pytest.approx((x, y), abs=2e-4)
    assert row | {"X": "", "Y": "", "yaw": "", "closest_waypoint": ""} == {
        "episode": "0", "steps": "5", "X": "", "Y": "", "yaw": "", "steer": "12.35", "throttle": "2.00", "action": "3",
        "reward": "0.0000", "done": "False", "all_wheels_on_track": "True", "progress": "0.0000",
        "closest_waypoint": "", "track_len": "10.00", "tstamp": "0.267", "episode_status": "in_progress",
        "pause_duration": "0.00", "obstacle_crash_counter": "0", "wall_clock": "1700000000.266667",
    }  # fmt: skip
    assert _rows(round_trip(continuous=True))[4]["action"] == "[12.345, 2.0]"


def test_a_penalty_is_a_pause_that_counts() -> None:
    rows = _rows(FAULTY)
    paused = {row["episode_status"]: row["pause_duration"] for row in rows if row["pause_duration"] != "0.00"}
    assert paused == {"off_track": "2.00", "crashed": "5.00"}
    assert rows[-1]["obstacle_crash_counter"] == "1"
    assert float(rows[-1]["tstamp"]) == pytest.approx(11.467 + 7.0)
    trials = json.loads(metrics_json(FAULTY))["metrics"]
    assert trials == [
        {
            "completion_percentage": 100, "metric_time": 7500, "start_time": 500, "elapsed_time_in_milliseconds": 7000,
            "episode_status": "Lap complete", "crash_count": 0, "immobilized_count": 0, "off_track_count": 1,
            "reversed_count": 0, "reset_count": 1, "trial": 1,
        },
        {
            "completion_percentage": 100, "metric_time": 17500, "start_time": 7500,
            "elapsed_time_in_milliseconds": 10000, "episode_status": "Lap complete", "crash_count": 1,
            "immobilized_count": 0, "off_track_count": 0, "reversed_count": 0, "reset_count": 1, "trial": 2,
        },
    ]  # fmt: skip


def test_a_first_lap_that_was_never_completed_is_in_the_metrics_as_well() -> None:
    trace = round_trip(0, 2.5)
    (trial,) = json.loads(metrics_json(trace))["metrics"]
    assert (trial["completion_percentage"], trial["trial"], trial["episode_status"]) == (50, 0, "In progress")
    assert json.loads(metrics_json(DriveTrace("round", "clockwise", 10_000, TraceFrames()))) == {"metrics": []}
    assert [lap.complete for lap in traced_laps(trace)] == [False]


def test_a_row_has_the_action_of_the_frame_before_it() -> None:
    trace = round_trip(0, 1.0)
    turned = replace(trace, frames=replace(trace.frames, steer_mdeg=tuple(range(0, 1000 * len(trace.frames), 1000))))
    assert [row["steer"] for row in _rows(turned)[:4]] == ["0.00", "0.00", "1.00", "2.00"]


# What the notebooks of deepracer-analysis need: they read by deepracer-utils, whose older reader splits each line at
# its commas and goes by position, and whose newer one goes by name. What each value is read as:
_READ_AS: tuple[tuple[str, Callable[[str], Any]], ...] = (
    ("episode", int), ("steps", lambda written: int(float(written))), ("X", float), ("Y", float), ("yaw", float),
    ("steer", float), ("throttle", float), ("action", float), ("reward", float), ("done", {"True": 1, "False": 0}.get),
    ("all_wheels_on_track", {"True": True, "False": False}.get), ("progress", float), ("closest_waypoint", int),
    ("track_len", float), ("tstamp", Decimal), ("episode_status", str), ("pause_duration", float),
)  # fmt: skip


def test_the_readers_of_deepracer_analysis_find_what_they_need() -> None:
    heading, *lines = simtrace_csv(FAULTY, BEGAN_NS).splitlines()
    assert heading.split(",")[: len(_READ_AS)] == [name for name, _ in _READ_AS]
    read = [{name: take(each) for (name, take), each in zip(_READ_AS, line.split(","), strict=False)} for line in lines]
    assert all(value is not None and str(value) not in ("", "nan") for row in read for value in row.values())
    # They sort by episode and step, take a lap for complete at exactly 100, and time it by its first and last line.
    assert [(row["episode"], row["steps"]) for row in read] == sorted({(row["episode"], row["steps"]) for row in read})
    complete = {row["episode"] for row in read if row["progress"] == 100.0}
    assert complete == {0, 1}
    for episode in complete:
        times = [row["tstamp"] for row in read if row["episode"] == episode]
        assert all(after > before for before, after in pairwise(times)), "speeds are differences over time"
        assert float(times[-1] - times[0]) == pytest.approx({0: 7.5, 1: 9.9}[episode], abs=0.1)
    assert 0 <= min(row["closest_waypoint"] for row in read) <= max(row["closest_waypoint"] for row in read) < 100


@pytest.mark.shared_data
def test_keys_and_spelling_are_those_of_the_simulator() -> None:
    folder = SHARED_DATA / "simtrace"
    with (folder / "evaluation_1.csv").open() as file:
        theirs = list(csv.DictReader(file))
    ours = _rows(round_trip(2, 1.0, ((3.0, "off_track", 2.0),), continuous=True))
    assert list(ours[0])[: len(theirs[0])] == list(theirs[0])
    for name in theirs[0]:
        assert {_spelling(row[name]) for row in ours} <= {_spelling(row[name]) for row in theirs}, name
    metrics = json.loads((folder / "evaluation_1_metrics.json").read_text())
    assert [list(trial) for trial in json.loads(metrics_json(FAULTY))["metrics"]] == [list(metrics["metrics"][0])] * 2


def _spelling(value: str) -> str:
    """How a value is written: True, a word, a whole number, one with so many places, or a list."""
    number = value.lstrip("-")
    if number.isdigit():
        return "whole"
    whole, point, places = number.partition(".")
    if point and whole.isdigit() and places.isdigit():
        return "places 1 to 3" if len(places) in (1, 3) else f"places {len(places)}"
    return "list" if value.startswith("[") else value


if find_spec("deepracer") is not None:  # half a gigabyte (pandas, scikit-learn, boto3), so it is in no lock

    def test_deepracer_utils_reads_the_simtrace_and_finds_the_laps(tmp_path: Path) -> None:
        folder = tmp_path / "evaluation-20260101000000" / "evaluation-simtrace"
        folder.mkdir(parents=True)
        (tmp_path / "model").mkdir()
        (folder / "0-iteration.csv").write_text(simtrace_csv(FAULTY, BEGAN_NS))
        logs = import_module("deepracer.logs")
        log = logs.DeepRacerLog(str(tmp_path))
        log.load_evaluation_trace(ignore_metadata=True)
        table = log.dataframe()
        assert len(table) == len(FAULTY.frames)
        assert table["x"].iloc[4] == pytest.approx(float(_rows(FAULTY)[4]["X"]))
        assert table["on_track"].all()
        assert table["wall_clock"].iloc[0] == pytest.approx(1.7e9)
        laps = logs.AnalysisUtils.simulation_agg(log.df, firstgroup="stream", is_eval=True)
        assert laps["progress"].round(1).tolist() == [100.0, 100.0, pytest.approx(19.0, abs=1.5)]
        assert laps["time"].tolist()[:2] == [pytest.approx(7.5, abs=0.1), pytest.approx(9.9, abs=0.1)]
        deltas, _, _ = logs.parse_simtrace_bytes((folder / "0-iteration.csv").read_bytes())
        assert sorted(deltas) == [0, 1, 2]
