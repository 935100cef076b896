"""What the camera of each world sees its surroundings with, in tables: optics, field, light, exposure, walls."""

from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.batch.drawing.materials import grain_strength, palette
from simulator.batch.specs import WorldSpec
from simulator.world.camera_sensor import CameraSensor
from simulator.world.floor_texture import Appearance, coarse_light, grain_shift
from simulator.world.surroundings import GREY_WEIGHTS, Colour, surroundings_of

LIGHT_SIDE = 64  # the light of a floor is kept as a grid of at most 64 x 64
REFERENCE_WIDTH_PX = 320  # the picture that blur and noise of a camera are given for

VIEW = np.dtype(
    [
        ("forward_m", np.float64),
        ("up_m", np.float64),
        ("cos_pitch", np.float64),
        ("sin_pitch", np.float64),
        ("focal_px", np.float64),
        ("x0", np.float64),
        ("y0", np.float64),
        ("x1", np.float64),
        ("y1", np.float64),
        ("wall_height_m", np.float64),
        ("floor", np.int64),
        ("light_columns", np.int64),
        ("light_rows", np.int64),
        ("light_x_per_px", np.float64),
        ("light_y_per_px", np.float64),
        ("blur_px", np.float64),
        ("noise", np.float64),
        ("grain_x", np.int64),
        ("grain_y", np.int64),
        ("offset", np.float64),
        ("noise_seed", np.uint64),
    ]
)

# The levels of one channel of one world: of what has no texture, and tables of 256.
LOOK = np.dtype(
    [
        ("sky", np.float32),
        ("ground", np.float32),
        ("field", np.float32),
        ("walls", np.float32, (4,)),
        ("palette", np.float32, (256,)),
        ("strength", np.float32, (256,)),
        ("exposed", np.float32, (256,)),
    ]
)


def channel_weights(channels: int) -> NDArray[np.float64]:
    """How much of blue, green and red each channel takes, (C, 3): grey as the car's camera, or each alone."""
    return np.array([GREY_WEIGHTS]) if channels == 1 else np.eye(3)


def view_row(spec: WorldSpec, size: tuple[int, int], floor: int, masks_shape: tuple[int, int]) -> Any:
    """The row of VIEW of one world, for pictures of this size (width, height)."""
    lens, appearance = spec.parts.lens, spec.parts.appearance
    row = np.zeros((), VIEW)
    width = size[0]
    row["forward_m"], row["up_m"] = lens.camera.forward_m, lens.camera.up_m
    row["cos_pitch"], row["sin_pitch"] = np.cos(lens.camera.pitch_rad), np.sin(lens.camera.pitch_rad)
    row["focal_px"] = width / 2 / np.tan(lens.camera.fov_rad / 2)
    around = surroundings_of(spec.track, appearance.surroundings)
    row["x0"], row["y0"], row["x1"], row["y1"] = around.x0, around.y0, around.x1, around.y1
    row["wall_height_m"], row["floor"] = around.wall_height_m, floor
    row["blur_px"] = lens.blur_px * width / REFERENCE_WIDTH_PX
    row["noise"] = lens.noise * min(1.0, width / REFERENCE_WIDTH_PX)
    row["grain_x"], row["grain_y"] = grain_shift(appearance.seed)
    row["offset"] = lens.offset
    row["noise_seed"] = (spec.seed * 0x9E3779B97F4A7C15 + 0xCA) % (1 << 64)
    height, columns = masks_shape
    if appearance.blotches > 0.0:
        row["light_columns"], row["light_rows"] = light_shape(masks_shape)
        row["light_x_per_px"] = row["light_columns"] / columns
        row["light_y_per_px"] = row["light_rows"] / height
    return row


def look_rows(spec: WorldSpec, weights: NDArray[np.float64]) -> Any:
    """The rows of LOOK of one world, one for each channel: levels as the camera's exposure makes them.

    Exposed colours are mixed, not colours exposed when mixed: the table then is asked once a colour, not once a pixel.
    """
    appearance, lens = spec.parts.appearance, spec.parts.lens
    rows = np.zeros(len(weights), LOOK)
    style = appearance.surroundings
    for name, colour in (("sky", style.sky), ("ground", style.ground), ("field", appearance.field)):
        rows[name] = exposed(_levels(colour, weights), lens)
    rows["walls"] = np.stack([exposed(_levels(wall, weights), lens) for wall in style.walls], axis=1)
    plain = palette(appearance, weights)
    rows["palette"] = exposed(plain, lens)
    slope = lens.gain * lens.gamma * (np.maximum(plain, 1.0) / 255.0) ** (lens.gamma - 1.0)
    rows["strength"] = grain_strength(appearance) * slope
    rows["exposed"] = exposed(np.arange(256.0), lens)
    return rows


def exposed(levels: NDArray[Any], lens: CameraSensor) -> NDArray[np.float64]:
    """Levels after the camera's gain and gamma (`camera_sensor.expose`); the offset is added to the whole picture."""
    return np.asarray(255.0 * lens.gain * (levels / 255.0) ** lens.gamma)


def _levels(colour: Colour, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(weights @ np.array(colour, np.float64))


def light_shape(masks_shape: tuple[int, int]) -> tuple[int, int]:
    """(columns, rows) of the grid of a floor's light."""
    height, width = masks_shape
    return tuple(min(LIGHT_SIDE, max(2, -(-side // 24))) for side in (width, height))  # type: ignore[return-value]


def light_grid(appearance: Appearance, gamma: float, masks_shape: tuple[int, int]) -> NDArray[np.float32]:
    """The floor's light (rows, columns) on a coarser grid than `floor_texture` draws it, as the camera exposes it."""
    coarse = coarse_light(appearance, masks_shape)
    grid = cv2.resize(coarse, light_shape(masks_shape), interpolation=cv2.INTER_CUBIC)
    return cast(NDArray[np.float32], np.maximum(grid, 0.0) ** np.float32(gamma))
