"""Evaluation of a model, and the commands around it."""

import argparse
import json
import pathlib
from typing import Any

import numpy as np
import pytest

from shared.errors import BadInput, OperatorError
from simulator.cli import add_model_commands
from simulator.driving import evaluate
from simulator.driving.drives import Drive
from simulator.driving.evaluate import DriveVerdict, drive, verdict
from simulator.driving.lock_step import drive_many
from simulator.driving.policy import DrivingPolicy, load_policy
from simulator.driving.sensor_policy import SensorPolicy, load_any_policy
from simulator.world.tracks import load_track, shipped_tracks
from tests.simulator.driving.test_sensor_policy import converted
from vehicle.frames.preprocess import PROFILES
from vehicle.frames.profile_names import ProfileName
from vehicle.models.trial import try_model


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_model_commands(parser.add_subparsers(required=True))
    arguments = parser.parse_args(words)
    code: int = arguments.run(arguments)
    return code


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", shipped_tracks())
def test_the_shipped_model_drives_a_clean_lap(name: str, profile: ProfileName) -> None:
    # At 640 pixels the stock car's way leaves every other pixel out; at 320 both ways are one.
    width_px = 640 if profile == "deepracer-car" else 320
    one = drive(load_policy("demo", profile=profile), load_track(name), 100, 1, width_px)
    assert one.clean
    assert one.off_tracks == 0
    assert 5.0 < one.laps_s[0] < 25.0


@pytest.mark.slow
def test_the_same_seed_drives_the_same_laps() -> None:
    policy, track = load_policy("demo"), load_track("reInvent2019_wide")
    assert drive(policy, track, 4, 1) == drive(policy, track, 4, 1)


def test_drives_in_lock_step_are_those_of_one_car_within_a_hundredth() -> None:
    policy, track, seeds = load_policy("demo"), load_track("reinvent_base"), range(4)
    alone = [drive(policy, track, seed, 1) for seed in seeds]
    together = drive_many(policy, track, seeds, 1)
    assert [one.off_tracks for one in together] == [one.off_tracks for one in alone]
    ours, theirs = (verdict("t", drives).mean_lap_s for drives in (together, alone))
    assert ours == pytest.approx(theirs, rel=0.01)
    assert drive_many(policy, track, [2], 1) == together[2:3]


def test_a_model_with_two_cameras_and_a_lidar_is_shown_both(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, track = converted(tmp_path, "rl_coach/stereo-sector-lidar"), load_track("reinvent_base")
    policy = load_any_policy(str(folder))
    assert isinstance(policy, SensorPolicy)
    assert isinstance(load_any_policy("demo"), DrivingPolicy)
    shown: list[tuple[int, float, tuple[int, ...]]] = []
    answer = policy.answer

    def watch(pictures: Any, ranges: Any) -> Any:
        eyes = np.array(pictures, int)
        shown.append((len(eyes), float(np.abs(eyes[0] - eyes[-1]).mean()), ranges.shape))
        return answer(pictures, ranges)

    monkeypatch.setattr(policy, "answer", watch)
    together = drive_many(policy, track, [1, 2], 1)
    assert {(eyes, ranges) for eyes, _, ranges in shown} == {(2, (64,))}
    assert min(apart for _, apart, _ in shown) > 0.1  # the two eyes see two pictures
    assert drive_many(policy, track, [2], 1) == together[1:]
    shown.clear()
    alone = drive(policy, track, 2, 1)
    assert {(eyes, ranges) for eyes, _, ranges in shown} == {(2, (64,))}
    first, second = (np.array(each.points[0]) for each in (alone, together[1]))
    assert np.abs(first - second).max() < 0.05
    # The command, in processes of its own; the car at the track goes on refusing such a model.
    words = ["--track", "reinvent_base", "--seeds", "1", "--laps", "1", "--jobs", "1", "--json"]
    assert run("evaluate", str(folder), *words) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["track"], row["seeds"], row["laps"] + row["off_tracks"] > 0) == ("reinvent_base", 1, True)
    with pytest.raises(BadInput, match="STEREO_CAMERAS"):
        try_model(folder)
    with pytest.raises(BadInput, match="The throttle is 101 per cent"):
        run("evaluate", str(folder), "--throttle", "101", *words)


def test_without_numba_each_car_drives_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "batch_available", lambda: False)
    assert not evaluate.in_lock_step(evaluate.WORLD_WIDTH_PX)
    assert [list(part) for part in evaluate._seed_parts(3, 2, 320)] == [[0], [1], [2]]


def test_seeds_are_shared_among_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "batch_available", lambda: True)
    assert [list(part) for part in evaluate._seed_parts(5, 2, 320)] == [[0, 1, 2], [3, 4]]
    assert [len(part) for part in evaluate._seed_parts(70, 2, 320)] == [32, 32, 6]
    assert [len(part) for part in evaluate._seed_parts(3, 2, 640)] == [1, 1, 1]


DRIVES = [
    ([Drive((10.0, 12.0), 0, 2)], DriveVerdict("t", 1, 1, 2, 0, 11.0)),
    ([Drive((10.0, 12.0), 1, 2), Drive((14.0, 14.0), 0, 2)], DriveVerdict("t", 2, 1, 4, 1, 12.5)),
    ([Drive((10.0,), 0, 2)], DriveVerdict("t", 1, 0, 1, 0, 10.0)),
    ([Drive((), 12, 2)], DriveVerdict("t", 1, 0, 0, 12, None)),
]


@pytest.mark.parametrize(("drives", "expected"), DRIVES)
def test_verdict(drives: list[Drive], expected: DriveVerdict) -> None:
    assert verdict("t", drives) == expected


@pytest.mark.slow
def test_evaluate_prints_one_json_object_a_track(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--track", "reInvent2019_wide", "reinvent_base", "--seeds", "2", "--laps", "1", "--jobs", "2", "--json"]
    assert run("evaluate", "demo", *words) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["track"] for row in rows] == ["reInvent2019_wide", "reinvent_base"]
    for row in rows:
        assert list(row) == ["track", "seeds", "clean", "laps", "off_tracks", "mean_lap_s"]
        assert row["seeds"] == 2


BAD = [
    (["evaluate", "nowhere", "--track", "reinvent_base"], "There is no model at nowhere"),
    (["evaluate", "demo", "--track", "nowhere"], "There is no track called 'nowhere'"),
    (["evaluate", "demo", "--track", "reinvent_base", "--throttle", "0"], "above 0"),
    (["render", "--track", "reinvent_base", "-o", "/nonexistent/x.png"], "cannot be written"),
]


@pytest.mark.parametrize(("words", "says"), BAD)
def test_bad_input_is_one_sentence(words: list[str], says: str) -> None:
    with pytest.raises(OperatorError, match=says) as caught:
        run(*words)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("words", [["--seeds", "0"], ["--laps", "-1"], ["--jobs", "x"]])
def test_wrong_numbers_are_refused_by_the_command_line(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run("evaluate", "demo", *words)
    assert caught.value.code == 2


@pytest.mark.shared_data
def test_a_straight_track_is_refused_for_racing(shared_data: pathlib.Path) -> None:
    with pytest.raises(OperatorError, match="not closed"):
        run("evaluate", "demo", "--track", str(shared_data / "tracks" / "Straight_track.npy"))


@pytest.mark.parametrize("more", [[], ["--camera"]])
def test_render_writes_a_picture(tmp_path: pathlib.Path, more: list[str]) -> None:
    assert run("render", "--track", "reinvent_base", "-o", str(tmp_path / "x.png"), *more) == 0
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
