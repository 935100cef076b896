"""Measures how long a model takes for a frame. Frames are paced as on the track: a hot loop would flatter the cache.

Where nobody wants the figure, as for a virtual race, a model is only tried, by processor time and without a pause.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime as ort

from shared.errors import BadInput
from shared.text import Sentence, text
from vehicle.models.card import Timing
from vehicle.models.running.check import CheckedModel

FRAMES = 50
PACE_S = 0.003
SLOWEST_US = 200_000
_WARM_UPS = 3


def time_model(
    model: CheckedModel, session: ort.InferenceSession, frames: int = FRAMES, pace_s: float = PACE_S
) -> Timing:
    """Times black, white and noisy frames, one every `pace_s`. Raises BadInput if an answer is unusable or too slow."""
    random = np.random.default_rng(1)
    times_us: list[int] = []
    due_s = time.monotonic()
    for number in range(_WARM_UPS + frames):
        took_us = _answer(model, session, random, number, time.perf_counter_ns)
        if number >= _WARM_UPS:
            times_us.append(took_us)
        due_s += pace_s
        time.sleep(max(0.0, due_s - time.monotonic()))
    times_us.sort()
    return Timing(len(times_us), times_us[len(times_us) // 2], times_us[len(times_us) * 95 // 100], times_us[-1])


def try_frames(model: CheckedModel, session: ort.InferenceSession) -> None:
    """A black, a white and a noisy frame. Raises BadInput as `time_model`: too slow is what takes the processor."""
    random = np.random.default_rng(1)
    for number in range(_WARM_UPS):
        _answer(model, session, random, number, time.process_time_ns)


def _answer(
    model: CheckedModel,
    session: ort.InferenceSession,
    random: np.random.Generator,
    number: int,
    clock_ns: Callable[[], int],
) -> int:
    """How many microseconds the model took for the frame of this number. Raises BadInput."""
    feed = {given.name: _observation(random, number, given.shape) for given in model.inputs}
    began_ns = clock_ns()
    try:
        answer = session.run([model.output_name], feed)[0]
    except Exception as error:  # ONNX Runtime's errors have no public base class
        sentence = str(error).split("\n")[0][:200]
        raise BadInput(f"{model.path}: {trial_failed(sentence)}") from None
    took_us = (clock_ns() - began_ns) // 1000
    try:
        model.metadata.space.decode(answer, 1.0)
    except BadInput as error:
        raise BadInput(f"{model.path}: {trial_failed(str(error))}") from None
    if took_us > SLOWEST_US and number >= 1:
        slow = text("It takes {ms} ms for a frame; no car keeps up with that.", ms=took_us // 1000)
        raise BadInput(f"{model.path}: {slow}")
    return took_us


def trial_failed(why: str) -> Sentence:
    """What is said of a model that does not answer as it should before it drives."""
    return text("The model failed its trial run: {why}", why=why)


def _observation(random: np.random.Generator, number: int, shape: tuple[int, ...]) -> Any:
    """A synthetic observation: pictures are 0 to 255, LiDAR distances 0 to 1."""
    top = 255.0 if len(shape) == 4 else 1.0
    if number < 2:
        return np.full(shape, number * top, np.float32)
    return (random.random(shape, np.float32) * top).astype(np.float32)
