"""An archive that asks for other sensors than one camera is evaluated with them, beside others that do not."""

import pathlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.conditions import BoxPlace, BoxSet, Conditions
from simulator.objects.lidar import MAX_RANGE_M
from simulator.virtual_races.entrant import RacingModel, SensingModel, load_entrant
from simulator.virtual_races.evaluation import evaluate_heats, evaluate_run
from tests.simulator.driving.test_sensor_policy import converted

BOXES = BoxSet(2, (BoxPlace(1, 120_000), BoxPlace(-1, 120_000)))
SHORT = Conditions(race_type="object_avoidance", objects=BOXES, laps=1, profile="droa-2026", run_limit_ms=6_000)

Seen = list[tuple[NDArray[np.uint8], NDArray[np.float64] | None]]


def watched(model: SensingModel, monkeypatch: pytest.MonkeyPatch) -> Seen:
    """What is shown to the model from now on."""
    seen: Seen = []
    answer = model._policy.answer

    def watch(pictures: Any, ranges: Any) -> Any:
        seen.append((np.array(pictures), None if ranges is None else ranges.copy()))
        return answer(pictures, ranges)

    monkeypatch.setattr(model._policy, "answer", watch)
    return seen


def test_a_model_is_evaluated_with_the_sensors_that_it_asks_for(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / name for name in ("stereo", "lidar", "camera")]
    for folder, case in zip(folders, ("stereo-sector-lidar", "lidar", "shallow"), strict=True):
        folder.mkdir()
        converted(folder, f"rl_coach/{case}")
    stereo, lidar, camera = (load_entrant(folder, "droa-2026") for folder in folders)
    assert (type(stereo), type(lidar), type(camera)) == (SensingModel, SensingModel, RacingModel)
    assert isinstance(stereo, SensingModel)
    assert isinstance(lidar, SensingModel)
    seen = watched(stereo, monkeypatch)
    run = evaluate_run(SHORT, 1, stereo)
    assert (run.frames, len(seen)) == (len(run.trace.frames) - 1, run.frames)
    assert {pictures.shape for pictures, _ in seen} == {(2, 120, 160)}
    assert min(float(np.abs(np.diff(pictures.astype(int), axis=0)).mean()) for pictures, _ in seen) > 0.1
    assert evaluate_run(SHORT, 1, stereo) == run
    heat = replace(SHORT, race_type="head_to_head", objects=BoxSet())
    seen = watched(lidar, monkeypatch)
    evaluate_heats(heat, (1, 2), (lidar, camera))
    ranges = np.array([each for _, each in seen])
    assert {pictures.shape for pictures, _ in seen} == {(1, 120, 160)}
    assert 0.0 < float(ranges.min()) < 1.0  # the rival
    assert float(ranges.max()) <= MAX_RANGE_M
