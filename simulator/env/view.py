"""The picture for people: what a car's camera sees, large and in colour, drawn by the reference renderer."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.batch.vector import FRAME_RATE_HZ, BatchWorlds
from simulator.world.camera import render
from simulator.world.floor_texture import draw_texture
from simulator.world.geometry import Pose
from simulator.world.surroundings import surroundings_of

WIDTH_PX, HEIGHT_PX = 640, 480


def frame_rate_hz() -> int:
    """How many frames, and so steps, a second has."""
    return FRAME_RATE_HZ


def view_of(worlds: BatchWorlds, row: int) -> NDArray[np.uint8]:
    """The view from car `row` at its newest frame, (480, 640, 3) RGB."""
    spec = worlds.specs[row]
    x, y, yaw = worlds.pose[row].tolist()
    parts = spec.parts
    around = surroundings_of(spec.track, parts.appearance.surroundings)
    texture = draw_texture(spec.track, parts.appearance)
    camera = replace(parts.lens.camera, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    picture = render(texture, camera, Pose(x, y, yaw), around.sky, parts.boards, around)
    return np.ascontiguousarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
