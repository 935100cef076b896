"""Runs recorded frames through a model again and compares its answers with the recorded setpoints.

Called by `raceday model replay` and by quantising (int8/calibration_frames.py).
"""

import math
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np

from shared.errors import BadInput
from vehicle.core.messages import ControlTrace
from vehicle.frames.preprocess import HEIGHT, WIDTH
from vehicle.hardware.frame import Pixels
from vehicle.models.running.policy import Policy
from vehicle.recordings.frame_feed import RecordedFrame
from vehicle.recordings.reader import Recording

_SAME = 1e-6


@dataclass(frozen=True, slots=True)
class Comparison:
    """Differences between the model's answers and the recorded setpoints, as shares of full lock and full throttle.

    `exact` counts the frames with a lossless policy input; the others were compared by their JPEG.
    """

    compared: int
    same: int
    steering_mean: float
    steering_max: float
    throttle_max: float
    unmatched: int
    exact: int

    @property
    def agreement(self) -> float:
        """The share of the compared frames whose answer is the recorded setpoint, 0 to 1."""
        return self.same / self.compared if self.compared else 0.0


def compare(run: Recording, policy: Policy) -> Comparison:
    """Runs the policy on each recorded frame that led to a setpoint, and compares. Raises BadInput if there is none."""
    setpoints: dict[int, ControlTrace] = {trace.frame_seq: trace for trace in reversed(run.traces)}
    differences = []
    exact = 0
    for picture in run.frames:
        setpoint = setpoints.get(picture.seq)
        if setpoint is None or setpoint.frame_at_ns != picture.at_ns:
            continue
        if picture.policy_input:
            np.copyto(policy.small, decode_policy_input(picture))
            exact += 1
        else:
            policy.preprocess(decode_frame(picture))
        action = policy.model.metadata.space.decode(policy.answer(), 1.0)
        differences.append(
            (abs(action.steering - setpoint.setpoint_steering), abs(action.throttle - setpoint.setpoint_throttle))
        )
    if not differences:
        raise BadInput("The recording has no frame that led to a setpoint: there is nothing to compare.")
    steerings, throttles = zip(*differences, strict=True)
    return Comparison(
        compared=len(differences),
        same=sum(s <= _SAME and t <= _SAME for s, t in differences),
        steering_mean=math.fsum(steerings) / len(steerings),
        steering_max=max(steerings),
        throttle_max=max(throttles),
        unmatched=len(run.frames) - len(differences),
        exact=exact,
    )


def decode_policy_input(picture: RecordedFrame) -> Pixels:
    """The recorded policy input, (120, 160) uint8. Raises BadInput."""
    small = cv2.imdecode(np.frombuffer(picture.policy_input, np.uint8), cv2.IMREAD_UNCHANGED)
    if small is None or small.shape != (HEIGHT, WIDTH) or small.dtype != np.uint8:
        raise BadInput(f"The policy input of frame {picture.seq} is not a picture of {WIDTH} x {HEIGHT} grey pixels.")
    return cast(Pixels, small)


def decode_frame(picture: RecordedFrame) -> Any:
    """The recorded frame: grey (H, W) or BGR (H, W, 3) uint8. Raises BadInput."""
    pixels = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise BadInput(f"The recorded frame {picture.seq} is not a picture.")
    return pixels
