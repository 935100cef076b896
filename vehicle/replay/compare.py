"""The recorded frames through the model again, its answers beside the recorded wishes."""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from shared.errors import BadInput
from vehicle.core.words import Trace
from vehicle.models.policy import Policy
from vehicle.recorder.feed import Picture
from vehicle.replay.run import Run

_SAME = 1e-6


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the model's answers of today differ from what it wished then; shares of full lock and full throttle."""

    compared: int
    same: int
    steering_mean: float
    steering_most: float
    throttle_most: float
    unmatched: int

    @property
    def agreement(self) -> float:
        return self.same / self.compared if self.compared else 0.0


def compare(run: Run, policy: Policy) -> Comparison:
    """Every recorded frame that a wish was made of. Raises BadInput if none can be compared."""
    wishes: dict[int, Trace] = {trace.frame_seq: trace for trace in reversed(run.traces)}
    differences = []
    for picture in run.pictures:
        wish = wishes.get(picture.seq)
        if wish is None or wish.frame_at_ns != picture.at_ns:
            continue
        policy.see(pixels_of(picture))
        action = policy.model.metadata.space.decode(policy.answer(), 1.0)
        differences.append((abs(action.steering - wish.wish_steering), abs(action.throttle - wish.wish_throttle)))
    if not differences:
        raise BadInput("The recording holds no frame that a wish was made of: there is nothing to compare.")
    steering, throttle = zip(*differences, strict=True)
    return Comparison(
        compared=len(differences),
        same=sum(s <= _SAME and t <= _SAME for s, t in differences),
        steering_mean=math.fsum(steering) / len(steering),
        steering_most=max(steering),
        throttle_most=max(throttle),
        unmatched=len(run.pictures) - len(differences),
    )


def pixels_of(picture: Picture) -> Any:
    """The recorded frame as it was coded: grey (H, W), or colour (H, W, 3). Raises BadInput."""
    pixels = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise BadInput(f"The recorded frame {picture.seq} is no picture.")
    return pixels
