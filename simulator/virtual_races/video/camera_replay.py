"""What the car saw at each frame of a trace, drawn again, larger, in colour and without the sensor's noise."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shared.conditions import BotSet, BoxSet, Conditions
from shared.traces.trace import DriveTrace
from simulator.batch.car import WORLD
from simulator.batch.drawing.renderer import Renderer
from simulator.objects.faces import BOX_COLOUR, CAR_COLOUR, face_colours, face_corners
from simulator.objects.outlines import BOT_OUTLINE, BOX_OUTLINE, CAR_OUTLINE
from simulator.virtual_races.worlds import track_of, world_of

SIZE = (400, 300)  # width, height: the camera's shape
Picture = NDArray[np.uint8]
_HERE = np.zeros(1, np.int64)


class CameraReplay:
    """Draws what the camera of world `seed` sees from the places of a trace; without others than are in the trace."""

    def __init__(self, trace: DriveTrace, conditions: Conditions, seed: int) -> None:
        """Raises BadInput for conditions of a track that this release has not."""
        alone = replace(conditions, race_type="time_trial", objects=BoxSet(), bots=BotSet())
        spec = world_of(alone, track_of(alone), seed)
        spec = replace(spec, parts=replace(spec.parts, lens=replace(spec.parts.lens, noise=0.0)))
        self._renderer = Renderer([spec], SIZE, 3)
        self._world = np.zeros(1, WORLD)
        frames = trace.frames
        self._poses = _metres(frames.x_tenths_mm, frames.y_tenths_mm, frames.yaw_mdeg)
        places = [(box.x_tenths_mm, box.y_tenths_mm, box.yaw_mdeg) for box in trace.boxes]
        self._boxes = _metres(*np.array(places).reshape(-1, 3).T)
        self._others = [_metres(car.x_tenths_mm, car.y_tenths_mm, car.yaw_mdeg) for car in trace.others]
        car = CAR_OUTLINE if conditions.race_type == "head_to_head" else BOT_OUTLINE
        sizes = [
            (b.length_mm / 2000, -b.length_mm / 2000, b.width_mm / 2000, BOX_OUTLINE.height_m) for b in trace.boxes
        ]
        sizes += [(*car.size, car.height_m)] * len(trace.others)
        self._sizes = np.array(sizes).reshape(-1, 4)
        colours = [face_colours(BOX_COLOUR)] * len(trace.boxes) + [face_colours(CAR_COLOUR)] * len(trace.others)
        self._colours = np.array(colours).reshape(1, -1, 3)
        self._picture = np.zeros((1, SIZE[1], SIZE[0], 3), np.uint8)

    def picture(self, frame: int) -> Picture:
        """The picture (height, width, BGR) at this frame; it is overwritten by the next one."""
        for name, value in zip(("x", "y", "yaw"), self._poses[frame].tolist(), strict=True):
            self._world[name] = value
        if len(self._sizes):
            places = np.concatenate([self._boxes, *(car[frame : frame + 1] for car in self._others)])
            corners = face_corners(places, self._sizes).reshape(1, -1, 4, 3)
            self._renderer.place_quads(_HERE, corners, self._colours)
        self._renderer.draw(_HERE, self._world, self._picture)
        seen: Picture = self._picture[0]
        return seen


def _metres(x_tenths_mm: ArrayLike, y_tenths_mm: ArrayLike, yaw_mdeg: ArrayLike) -> NDArray[np.float64]:
    """x, y, yaw in metres and radians, (N, 3)."""
    x, y, yaw = (np.array(column, np.float64) for column in (x_tenths_mm, y_tenths_mm, yaw_mdeg))
    return np.stack([x / 10_000, y / 10_000, np.radians(yaw / 1000)], axis=-1)
