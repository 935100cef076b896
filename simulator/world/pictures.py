"""Pictures for people: a track from above with the driven line, and the view of the car."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from simulator.world.floor_masks import Image
from simulator.world.floor_texture import draw_texture
from simulator.world.geometry import Track
from simulator.world.looks import look_of
from simulator.world.world import World

MAX_PIXELS = 1600
LINE_COLOUR = (60, 220, 255)


def from_above(track: Track, driven: Sequence[tuple[float, float]] = ()) -> Image:
    """The floor with y upwards, the driven line on it; BGR, at most 1600 pixels a side."""
    texture = draw_texture(track, look_of(track.name))
    image = texture.image
    if len(driven) > 1:
        pixels = np.round(texture.to_pixels(np.array(driven))).astype(np.int32)
        cv2.polylines(image, [pixels], False, LINE_COLOUR, 4, cv2.LINE_AA)
    left, right = (np.round(texture.to_pixels(np.array([end]))[0]).astype(int) for end in track.line_at(0.0))
    cv2.line(image, left.tolist(), right.tolist(), (255, 255, 255), 6, cv2.LINE_AA)
    scale = min(1.0, MAX_PIXELS / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cast(Image, np.ascontiguousarray(small[::-1]))


def from_the_car(track: Track, seed: int) -> Image:
    """The car's camera view at the start, in colour (480, 640, 3)."""
    return World(track, seed).picture()


def write_png(image: Image, path: Path) -> None:
    """Write the picture. Raises OSError."""
    done, data = cv2.imencode(".png", image)
    assert done, "a uint8 picture can always be encoded"
    path.write_bytes(data.tobytes())
