"""From where a frame was taken: the pose near a guessed one whose picture of ours differs least from it."""

import math
from dataclasses import replace
from itertools import product
from typing import cast

import cv2
import numpy as np

from simulator.fidelity.frame_measures import camera_pitch_rad, measure_frame
from simulator.fidelity.own_frame import OwnView
from simulator.world.camera import CameraParameters
from simulator.world.floor_masks import Image
from simulator.world.geometry import Pose, Track

WIDTH_PX = 320
AROUND = ((-0.10, -0.05, 0.0, 0.05, 0.10), (-0.06, -0.03, 0.0, 0.03, 0.06), (-0.04, -0.02, 0.0, 0.02, 0.04))
FINEST_M = 0.001


def fit_pose(frame: Image, track: Track, guess: Pose) -> Pose:
    """The best pose within about 15 cm and 0.05 rad of the guess: a grid, then ever smaller steps."""
    small = _grey(cv2.resize(frame, (WIDTH_PX, WIDTH_PX * 3 // 4), interpolation=cv2.INTER_AREA))
    camera = CameraParameters(WIDTH_PX, WIDTH_PX * 3 // 4)
    horizon = measure_frame(frame, CameraParameters(frame.shape[1], frame.shape[0]), track, guess).horizon_row
    if horizon is not None:  # a camera that looks a pixel lower would be taken for a car that stands farther back
        camera = replace(camera, pitch_rad=camera_pitch_rad(camera, (horizon + 0.5) * WIDTH_PX / frame.shape[1] - 0.5))
    view, below = OwnView(track, camera), int(camera.horizon_row) + 2

    def cost(pose: Pose) -> float:
        return float(cv2.norm(view.grey(pose)[below:], small[below:], cv2.NORM_L1))

    def descended(best: Pose) -> Pose:
        min_cost, step = cost(best), 0.02
        while step > FINEST_M:
            tries = [
                Pose(best.x + dx * step, best.y + dy * step, best.yaw + turn * step / 2)
                for dx, dy, turn in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))
            ]
            candidate = min(tries, key=cost)
            if (found := cost(candidate)) < min_cost:
                best, min_cost = candidate, found
            else:
                step /= 2
        return best

    near = [Pose(guess.x + dx, guess.y + dy, guess.yaw + turn) for dx, dy, turn in product(*AROUND)]
    best = descended(min(near, key=cost))
    period_m = view.dash_period_m  # one dash on or back the picture is nearly the same
    shifted = [
        Pose(best.x + sign * period_m * math.cos(best.yaw), best.y + sign * period_m * math.sin(best.yaw), best.yaw)
        for sign in (-1, 1)
    ]
    return min([best, *(descended(pose) for pose in shifted)], key=cost)


def _grey(picture: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> Image:
    return cast(Image, cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
