"""Pictures for people: a track from above with the driven line, and the view of the car."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from simulator.world.floor_masks import Image
from simulator.world.floor_texture import FloorTexture, draw_texture
from simulator.world.geometry import Track
from simulator.world.looks import look_of
from simulator.world.surroundings import Surroundings, surroundings_of
from simulator.world.world import World

MAX_PIXELS = 1600
LINE_COLOUR = (60, 220, 255)
OUTSIDE_COLOUR = (200, 200, 200)


def from_above(track: Track, driven: Sequence[tuple[float, float]] = ()) -> Image:
    """The floor with y upwards, its walls where they are near, the driven line; BGR, at most 1600 pixels a side."""
    look = look_of(track.name)
    look = replace(look, geometry=replace(look.geometry, start_line_m=0.0))  # the line of the gate is drawn instead
    texture = draw_texture(track, look)
    image = texture.image
    _draw_surroundings(texture, surroundings_of(track, look.surroundings))
    if len(driven) > 1:
        pixels = np.round(texture.to_pixels(np.array(driven))).astype(np.int32)
        cv2.polylines(image, [pixels], False, LINE_COLOUR, 4, cv2.LINE_AA)
    left, right = (np.round(texture.to_pixels(np.array([end]))[0]).astype(int) for end in track.line_at(0.0))
    cv2.line(image, left.tolist(), right.tolist(), (255, 255, 255), 6, cv2.LINE_AA)
    scale = min(1.0, MAX_PIXELS / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cast(Image, np.ascontiguousarray(small[::-1]))


def _draw_surroundings(texture: FloorTexture, around: Surroundings) -> None:
    """The ground beyond the field, and the walls on its sides."""
    corners = np.array([(around.x0, around.y0), (around.x1, around.y1)])
    (left, top), (right, bottom) = np.clip(np.round(texture.to_pixels(corners)), -10, 30_000).astype(int).tolist()
    image, beyond = texture.image, around.ground if around.wall_height_m <= 0.0 else OUTSIDE_COLOUR
    image[: max(0, top)] = image[max(0, bottom) :] = beyond
    image[:, : max(0, left)] = image[:, max(0, right) :] = beyond
    if around.wall_height_m > 0.0:
        sides = (
            (left, top, left, bottom),
            (right, top, right, bottom),
            (left, top, right, top),
            (left, bottom, right, bottom),
        )
        for (ax, ay, bx, by), colour in zip(sides, around.walls, strict=True):
            cv2.line(image, (ax, ay), (bx, by), colour, 6)


def from_the_car(track: Track, seed: int) -> Image:
    """The car's camera view at the start, in colour (480, 640, 3)."""
    return World(track, seed).picture()


def write_png(image: Image, path: Path) -> None:
    """Write the picture. Raises OSError."""
    done, data = cv2.imencode(".png", image)
    assert done, "a uint8 picture can always be encoded"
    path.write_bytes(data.tobytes())
