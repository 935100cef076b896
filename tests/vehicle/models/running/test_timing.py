"""How fast a model is: on a car by the clock, frame by frame; for a virtual race by the processor, without a pause."""

import os
import pathlib
from dataclasses import dataclass

import pytest

from shared.errors import BadInput
from tests.vehicle.sample_parts import write_model
from vehicle.models.card import Card, Timing
from vehicle.models.importing.prepare import prepare
from vehicle.models.running import timing


@dataclass
class StubbedTime:
    """A busy machine: each look at a clock is so much later."""

    clock_ms: int = 0
    processor_ms: int = 0
    slept: int = 0
    looks: int = 0

    def _later(self, step_ms: int) -> int:
        self.looks += 1
        return self.looks * step_ms * 1_000_000

    def perf_counter_ns(self) -> int:
        return self._later(self.clock_ms)

    def process_time_ns(self) -> int:
        return self._later(self.processor_ms)

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


@pytest.mark.parametrize(
    ("is_kept", "stub"),
    [(True, StubbedTime(clock_ms=300)), (False, StubbedTime(processor_ms=300))],
    ids=["on a car", "in a virtual race"],
)
def test_a_model_that_is_too_slow_is_refused(tmp_path: pathlib.Path, is_kept: bool, stub: StubbedTime) -> None:
    with pytest.raises(BadInput, match="takes 300 ms for a frame; no car keeps up"):
        prepared(tmp_path, stub, is_kept)


def test_a_kept_model_is_timed_frame_by_frame(tmp_path: pathlib.Path) -> None:
    stub = StubbedTime(clock_ms=2)
    assert prepared(tmp_path, stub, is_kept=True).timing == Timing(timing.FRAMES, 2_000, 2_000, 2_000)
    assert stub.slept >= timing.FRAMES
