"""Measures how long a model takes for a frame. Frames are paced as on the track: a hot loop would flatter the cache.

Dark, white, nearly dark and noisy frames take turns, since the time of some models depends on the picture. A model is
too slow if the median of one kind of frame is: by the time of the processor, and never by one frame alone, so that a
busy machine refuses no model. Where nobody wants the figure, as for a virtual race, a model is only tried.
"""

import statistics
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnxruntime as ort

from shared.errors import BadInput
from shared.text import Sentence, text
from vehicle.models.card import Timing
from vehicle.models.running.check import CheckedModel
from vehicle.models.running.runtime_words import cannot_run

FRAMES = 50
PACE_S = 0.003
SLOWEST_US = 200_000
KINDS = 5
JUDGED_FRAMES = 3  # of each kind, until the first verdict
_WARM_UPS = KINDS
_LEVELS = (0.0, 1.0, 1.0 / 255.0, 37.0 / 255.0)  # black, white, nearly black, dark; then noise


def time_model(
    model: CheckedModel, session: ort.InferenceSession, frames: int = FRAMES, pace_s: float = PACE_S
) -> Timing:
    """Times frames of all kinds in turn, one every `pace_s`. Raises BadInput if an answer is unusable or too slow."""
    trial = _Trial(model, session)
    times_us: list[int] = []
    due_s = time.monotonic()
    for number in range(_WARM_UPS + frames):
        took_us = trial.frame(number)
        if number >= _WARM_UPS:
            times_us.append(took_us)
        due_s += pace_s
        time.sleep(max(0.0, due_s - time.monotonic()))
    times_us.sort()
    return Timing(len(times_us), times_us[len(times_us) // 2], times_us[len(times_us) * 95 // 100], times_us[-1])


def try_frames(model: CheckedModel, session: ort.InferenceSession) -> None:
    """A few frames of each kind, without a pause. Raises BadInput as `time_model`."""
    trial = _Trial(model, session)
    for number in range(_WARM_UPS + KINDS * JUDGED_FRAMES):
        trial.frame(number)


@dataclass(slots=True)
class _Trial:
    """Frames go through a model; their processor times are kept by kind of frame."""

    model: CheckedModel
    session: ort.InferenceSession
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))
    spent_us: dict[int, list[int]] = field(default_factory=dict)

    def frame(self, number: int) -> int:
        """How many microseconds by the clock the model took for the frame of this number. Raises BadInput."""
        feed = {given.name: _observation(self.random, number, given.shape) for given in self.model.inputs}
        began_ns, spent_ns = time.perf_counter_ns(), time.thread_time_ns()
        try:
            answer = self.session.run([self.model.output_name], feed)[0]
        except Exception as error:  # ONNX Runtime's errors have no public base class
            raise BadInput(f"{self.model.path}: {trial_failed(cannot_run(error))}") from None
        spent_us = (time.thread_time_ns() - spent_ns) // 1000
        took_us = (time.perf_counter_ns() - began_ns) // 1000
        try:
            self.model.metadata.space.decode(answer, 1.0)
        except BadInput as error:
            raise BadInput(f"{self.model.path}: {trial_failed(str(error))}") from None
        if number >= _WARM_UPS:
            self._judge(number % KINDS, spent_us)
        return took_us

    def _judge(self, kind: int, spent_us: int) -> None:
        spent = self.spent_us.setdefault(kind, [])
        spent.append(spent_us)
        median_us = statistics.median(spent)
        if len(spent) >= JUDGED_FRAMES and median_us > SLOWEST_US:
            slow = text("It takes {ms} ms for a frame; no car keeps up with that.", ms=int(median_us) // 1000)
            raise BadInput(f"{self.model.path}: {slow}")


def trial_failed(why: str) -> Sentence:
    """What is said of a model that does not answer as it should before it drives."""
    return text("The model failed its trial run: {why}", why=why)


def _observation(random: np.random.Generator, number: int, shape: tuple[int, ...]) -> Any:
    """A synthetic observation of the kind `number % KINDS`: pictures are 0 to 255, LiDAR distances 0 to 1."""
    top, kind = 255.0 if len(shape) == 4 else 1.0, number % KINDS
    if kind < len(_LEVELS):
        return np.full(shape, _LEVELS[kind] * top, np.float32)
    return (random.random(shape, np.float32) * top).astype(np.float32)
