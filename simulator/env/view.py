"""The picture for people: what a car's camera sees, large and in colour, drawn by the reference renderer."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.batch.track_objects import BOT, BOX
from simulator.batch.vector import FRAME_RATE_HZ, BatchWorlds
from simulator.objects.faces import bot_surfaces, box_surfaces
from simulator.world.camera import UprightBoard, render
from simulator.world.floor_texture import draw_texture
from simulator.world.geometry import Pose
from simulator.world.surroundings import Surface, surroundings_of

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
    uprights: list[UprightBoard | Surface] = [*parts.boards, *_objects(worlds.objects[row])]
    picture = render(texture, camera, Pose(x, y, yaw), around.sky, uprights, around)
    return np.ascontiguousarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


def _objects(rows: NDArray[Any]) -> Iterator[Surface]:
    """The sides of the boxes and bots of one world."""
    surfaces = {BOX: box_surfaces, BOT: bot_surfaces}
    for row in rows:
        if int(row["kind"]) in surfaces:
            yield from surfaces[int(row["kind"])](float(row["to_x"]), float(row["to_y"]), float(row["to_yaw"]))
