"""What is written down of each frame: where others were, and a simtrace that says what the car did."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shared.conditions import BotSet, Conditions, DrivenRules
from shared.traces.encoding import decode, encode
from shared.traces.field_files import simtrace_csv
from shared.traces.trace import frame_ns
from simulator.batch.vector import BatchWorlds
from simulator.fidelity.prediction import prediction_errors_m
from simulator.fidelity.simtrace import read_drives
from simulator.fidelity.windows import windows_of
from simulator.virtual_races.entrant import CarCommands, Chosen, Picture
from simulator.virtual_races.evaluation import evaluate_run
from simulator.virtual_races.recorder import FrameRecorder
from simulator.virtual_races.worlds import track_of, world_of
from vehicle.core.actions import ActionRange, ActionSpace

SPACE = ActionSpace("continuous", angle_deg=ActionRange(-30.0, 30.0), speed_mps=ActionRange(0.5, 4.0))
CONDITIONS = Conditions(laps=1, rules=DrivenRules(consecutive_laps=1), profile="console-2022", run_limit_ms=12_000)


class Weaving:
    """Turns its wheels to and fro, at a speed that goes up and down, whatever it sees."""

    def __init__(self) -> None:
        self._asked = 0
        self._commands = CarCommands(SPACE, None)

    def choose(self, picture: Picture) -> Chosen:
        self._asked += 1
        return -1, 4.0 + 12.0 * math.sin(self._asked / 5), 1.2 + 0.5 * math.sin(self._asked / 11)

    def command(self, chosen: Chosen) -> tuple[float, float]:
        return self._commands.command(chosen)


def test_a_car_is_predicted_from_its_own_simtrace(tmp_path: Path) -> None:
    run = evaluate_run(CONDITIONS, 5, Weaving())
    path = tmp_path / "iteration.csv"
    path.write_text(simtrace_csv(run.trace, 0))
    drives = read_drives(path)
    assert sum(len(drive.at_s) for drive in drives) == len(run.trace.frames)
    assert len(drives) == run.resets + 1
    car = world_of(CONDITIONS, track_of(CONDITIONS), 5).parts.car
    errors = prediction_errors_m(windows_of(drives), car)
    # 0.0065 here; 0.08 with the car's base for its front, 0.07 with the action of the row's own frame.
    assert float(np.median(errors)) < 0.015
    assert float(errors.max()) < 0.04


def test_bots_are_in_the_trace_where_they_were_at_each_frame() -> None:
    conditions = replace(
        CONDITIONS, race_type="head_to_bot", bots=BotSet(count=3, speed_mm_s=400), run_limit_ms=10_000, resets=0
    )
    trace = evaluate_run(conditions, 5, Weaving()).trace
    bots = world_of(conditions, track_of(conditions), 5).bots
    assert bots is not None
    assert len(trace.others) == 3
    for frame in (0, 1, len(trace.frames) - 1):
        for other, pose in zip(trace.others, bots.poses(frame_ns(frame) / 1e9), strict=True):
            assert (other.x_tenths_mm[frame] / 1e4, other.y_tenths_mm[frame] / 1e4) == pytest.approx(pose[:2], abs=1e-3)
            turned = math.remainder(math.radians(other.yaw_mdeg[frame] / 1e3) - pose.yaw, math.tau)
            assert abs(turned) < 1e-2
            assert -180_000 <= other.yaw_mdeg[frame] <= 180_000
    assert decode(encode(trace)) == trace


def test_each_of_two_rivals_has_the_other_in_its_trace() -> None:
    track = track_of(CONDITIONS)
    specs = [replace(world_of(CONDITIONS, track, seed), rival=1 - seed) for seed in (0, 1)]
    worlds = BatchWorlds(specs)
    worlds.put_at(2.0, worlds=[0])
    recorder = FrameRecorder(worlds, track)
    for _ in range(6):
        for run in (0, 1):
            recorder.write(run, (-1, 0.0, 0.0), "in_progress")
        worlds.step([[0.1, 0.4], [-0.1, 0.3]])
        recorder.look()
    worlds.close()
    first, second = (recorder.trace(run, CONDITIONS, []) for run in (0, 1))
    for own, other in ((first, second), (second, first)):
        (seen,) = own.others
        frames = other.frames
        assert (seen.x_tenths_mm, seen.y_tenths_mm, seen.yaw_mdeg) == (
            frames.x_tenths_mm, frames.y_tenths_mm, frames.yaw_mdeg,
        )  # fmt: skip
    assert len(set(first.frames.x_tenths_mm)) > 2
