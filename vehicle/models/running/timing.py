"""How fast and how sound a model answers: paced frames, as on the road, and not one hot loop."""

import time
from typing import Any

import numpy as np
import onnxruntime as ort

from shared.errors import BadInput
from vehicle.models.card import Timing
from vehicle.models.running.check import CheckedModel

FRAMES = 50
PACE_S = 0.003
SLOWEST_US = 200_000
_WARM_UPS = 3


def time_model(
    model: CheckedModel, session: ort.InferenceSession, frames: int = FRAMES, pace_s: float = PACE_S
) -> Timing:
    """Dark, bright and noisy frames, one each `pace_s`; every answer must be usable. Raises BadInput."""
    random = np.random.default_rng(1)
    times_us: list[int] = []
    due_s = time.monotonic()
    for number in range(_WARM_UPS + frames):
        feed = {given.name: _observation(random, number, given.shape) for given in model.inputs}
        began_ns = time.perf_counter_ns()
        try:
            answer = session.run([model.output_name], feed)[0]
        except Exception as error:  # the runtime's own errors have no public base
            sentence = str(error).split("\n")[0][:200]
            raise BadInput(f"{model.path}: failed its trial run ({sentence}).") from None
        took_us = (time.perf_counter_ns() - began_ns) // 1000
        try:
            model.metadata.space.decode(answer, 1.0)
        except BadInput as error:
            raise BadInput(f"{model.path}: failed its trial run: {error}") from None
        if number >= _WARM_UPS:
            times_us.append(took_us)
        if took_us > SLOWEST_US and number >= 1:
            raise BadInput(f"{model.path}: takes {took_us // 1000} ms for a frame; no car keeps up with that.")
        due_s += pace_s
        time.sleep(max(0.0, due_s - time.monotonic()))
    times_us.sort()
    return Timing(len(times_us), times_us[len(times_us) // 2], times_us[len(times_us) * 95 // 100], times_us[-1])


def _observation(random: np.random.Generator, number: int, shape: tuple[int, ...]) -> Any:
    """What a sensor might give: a picture is 0 to 255, a LiDAR's distances 0 to 1."""
    top = 255.0 if len(shape) == 4 else 1.0
    if number < 2:
        return np.full(shape, number * top, np.float32)
    return (random.random(shape, np.float32) * top).astype(np.float32)
