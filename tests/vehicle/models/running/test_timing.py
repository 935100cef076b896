"""How fast a model is: on a car by the clock, frame by frame; for a virtual race by the processor, without a pause."""

import os
import pathlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from shared.errors import BadInput
from tests.vehicle.sample_parts import write_model
from vehicle.models.card import Card, Timing
from vehicle.models.importing.prepare import prepare
from vehicle.models.running import timing
from vehicle.models.running.check import check_model


@dataclass
class StubbedTime:
    """A busy machine: each look at a clock is so much later."""

    clock_ms: int = 0
    processor_ms: int = 0
    slept: int = 0
    clock_looks: int = 0
    processor_looks: int = 0

    def perf_counter_ns(self) -> int:
        self.clock_looks += 1
        return self.clock_looks * self.clock_ms * 1_000_000

    def thread_time_ns(self) -> int:
        self.processor_looks += 1
        return self.processor_looks * self.processor_ms * 1_000_000

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, _wait_s: float) -> None:
        self.slept += 1


def prepared(folder: pathlib.Path, stub: StubbedTime, is_kept: bool) -> Card:
    source = write_model(folder / "racer")
    (folder / "made").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timing, "time", stub)
        return prepare(source / "model.onnx", folder / "made", source / "model_metadata.json", is_kept=is_kept)


def test_a_busy_machine_refuses_no_model_of_a_virtual_race_and_does_not_wait(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    stub = StubbedTime(clock_ms=300, processor_ms=1)
    card = prepared(tmp_path, stub, is_kept=False)
    assert (card.timing, stub.slept, flushed) == (None, 0, [])


@pytest.mark.parametrize("is_kept", [True, False], ids=["on a car", "in a virtual race"])
def test_a_model_that_is_too_slow_is_refused(tmp_path: pathlib.Path, is_kept: bool) -> None:
    with pytest.raises(BadInput, match="takes 300 ms for a frame; no car keeps up"):
        prepared(tmp_path, StubbedTime(clock_ms=1, processor_ms=300), is_kept)


def test_a_busy_machine_refuses_no_model_of_a_car(tmp_path: pathlib.Path) -> None:
    stub = StubbedTime(clock_ms=300, processor_ms=22)
    assert prepared(tmp_path, stub, is_kept=True).timing == Timing(timing.FRAMES, 300_000, 300_000, 300_000)


def test_a_kept_model_is_timed_frame_by_frame(tmp_path: pathlib.Path) -> None:
    stub = StubbedTime(clock_ms=2)
    assert prepared(tmp_path, stub, is_kept=True).timing == Timing(timing.FRAMES, 2_000, 2_000, 2_000)
    assert stub.slept >= timing.FRAMES


class PaintedTime:
    """The processor's time for each frame is told by the picture's mean; `slow` frames of a kind are slow at first."""

    def __init__(self, slow_level: float, slow_frames: int) -> None:
        self._slow_level, self._slow_left = slow_level, slow_frames
        self._spent_ms = 0

    def run(self, _names: list[str], feed: dict[str, Any]) -> list[Any]:
        if float(feed["observation"].mean()) == self._slow_level and self._slow_left:
            self._slow_left -= 1
            self._spent_ms += 228
        self._spent_ms += 22
        return [np.array([[0.0, 1.0, 0.0]], np.float32)]

    def thread_time_ns(self) -> int:
        return self._spent_ms * 1_000_000

    def perf_counter_ns(self) -> int:
        return 0

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, _wait_s: float) -> None:
        """Nobody waits."""


@pytest.mark.parametrize("level", [0.0, 1.0, 37.0, 255.0])
def test_one_slow_frame_is_none_and_one_slow_kind_of_picture_is_enough(tmp_path: pathlib.Path, level: float) -> None:
    """As an honest model of 230 MB was refused for one frame of 228 ms; its median was 22."""
    model = check_model(write_model(tmp_path))
    with pytest.MonkeyPatch.context() as patch:
        once = PaintedTime(level, 2)  # one of them warms up
        patch.setattr(timing, "time", once)
        timing.time_model(model, once)
        always = PaintedTime(level, 1000)
        patch.setattr(timing, "time", always)
        with pytest.raises(BadInput, match="takes 250 ms for a frame"):
            timing.time_model(model, always)
