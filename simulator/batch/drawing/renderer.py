"""The pictures of all worlds of a batch: its floors, looks, boards and moving uprights in tables for the kernel.

`world/camera.py` is the reference: tests compare the two.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.batch.compiled import call
from simulator.batch.drawing.atlas import Atlas, Picture, board_picture, floor_picture, grain_pool
from simulator.batch.drawing.kernel import draw_worlds
from simulator.batch.drawing.sensor import NOISE_POOL
from simulator.batch.drawing.surfaces import QUAD
from simulator.batch.drawing.views import LIGHT_SIDE, LOOK, VIEW, channel_weights, light_grid, look_rows, view_row
from simulator.batch.specs import WorldSpec
from simulator.world.camera import UprightBoard

Members = NDArray[np.int64]
Frames = NDArray[np.uint8]


class Renderer:
    """Draws the worlds of `specs`; built anew for those that are reset."""

    def __init__(self, specs: Sequence[WorldSpec], size: tuple[int, int], channels: int) -> None:
        count = len(specs)
        self._size, self._channels = size, channels
        self._weights = channel_weights(channels)
        self._floors, self._boards = Atlas(), Atlas()
        self._views = np.zeros(count, VIEW)
        self._looks = np.zeros((count, channels), LOOK)
        self._lights = np.zeros((count, LIGHT_SIDE, LIGHT_SIDE), np.float32)
        self._quads = np.zeros((count, 4), QUAD)
        self._fixed_counts = np.zeros(count, np.int64)  # boards, which stand where they are
        self._quad_counts = np.zeros(count, np.int64)
        self._pictures = [_floor(spec) for spec in specs]
        self._board_keys: list[tuple[tuple[object, object], ...]] = [()] * count  # hashed once for each world
        self._grain, self._noise = grain_pool(), _noise_pool()
        self.rebuild(range(count), specs)

    @property
    def bytes_a_world(self) -> int:
        """What one world holds beyond the shared floors, boards and pools."""
        tables = (self._views, self._looks, self._lights, self._quads)
        return sum(table.nbytes for table in tables) // max(1, len(self._views))

    @property
    def shared_bytes(self) -> int:
        """What all worlds share: floors, boards and pools."""
        return self._floors.texels.nbytes + self._boards.texels.nbytes + self._grain.nbytes + self._noise.nbytes

    def rebuild(self, places: Sequence[int], specs: Sequence[WorldSpec]) -> None:
        """Take over the specs of the worlds at `places`; `specs` is the list of all."""
        for n in places:
            self._pictures[n] = _floor(specs[n])
        self._floors.hold((picture, picture) for picture in self._pictures)
        for n in places:
            self._board_keys[n] = tuple(map(_board_key, specs[n].parts.boards))
        boards = {
            key: board.image
            for keys, spec in zip(self._board_keys, specs, strict=True)
            for key, board in zip(keys, spec.parts.boards, strict=True)
        }
        if not self._boards.holds(boards.keys()):  # else every reset would make their smaller pictures again
            self._boards.hold((key, board_picture(image)) for key, image in boards.items())
        self._views["floor"] = [self._floors.number(picture) for picture in self._pictures]
        for n in places:
            self._rebuild_one(n, specs[n])
        self._number_boards()

    def _rebuild_one(self, n: int, spec: WorldSpec) -> None:
        appearance, masks_shape = spec.parts.appearance, self._pictures[n].drawn_shape
        self._views[n] = view_row(spec, self._size, self._floors.number(self._pictures[n]), masks_shape)
        self._looks[n] = look_rows(spec, self._weights)
        if appearance.blotches > 0.0:
            grid = light_grid(appearance, spec.parts.lens.gamma, masks_shape)
            self._lights[n, : grid.shape[0], : grid.shape[1]] = grid
        self._fixed_counts[n] = self._quad_counts[n] = 0
        corners = np.array([board.corners for board in spec.parts.boards]).reshape(1, -1, 4, 3)
        self.place_quads(np.array([n]), corners, np.zeros((*corners.shape[:2], 3)))
        self._fixed_counts[n] = self._quad_counts[n]

    def _number_boards(self) -> None:
        for n, keys in enumerate(self._board_keys):
            for place, key in enumerate(keys):
                self._quads["picture"][n, place] = self._boards.number(key)

    def place_quads(self, worlds: Members, corners: ArrayLike, colours: ArrayLike) -> None:
        """Let plain quads stand in these worlds in place of those before; see `BatchWorlds.place_quads`."""
        table, levels = np.asarray(corners, np.float64), np.asarray(colours, np.float64)
        width = int(self._fixed_counts[worlds].max(initial=0)) + table.shape[1]
        if width > self._quads.shape[1]:
            more = np.zeros((len(self._quads), width), QUAD)
            more[:, : self._quads.shape[1]] = self._quads
            self._quads = more
        for row, n in enumerate(worlds.tolist()):
            first = int(self._fixed_counts[n])
            quads = self._quads[n, first : first + table.shape[1]]
            quads["corners"], quads["colour"], quads["picture"] = table[row], levels[row], -1
            self._quad_counts[n] = first + table.shape[1]

    def draw(self, members: Members, worlds: NDArray[Any], out: Frames) -> None:
        """Draw these worlds from where their cars are into `out` (N, H, W, C)."""
        floors = (self._floors.pictures, self._floors.texels)
        uprights = (self._quads, self._quad_counts, self._boards.pictures, self._boards.texels)
        pools = (self._grain, self._noise)
        # Floor by floor: each is a megabyte or more, and stays in the processor's cache for all worlds that share it.
        by_floor = members if len(members) == 1 else members[np.argsort(self._views["floor"][members], kind="stable")]
        call(draw_worlds, by_floor, worlds, self._views, self._looks, self._lights, floors, uprights, pools, out)


def _floor(spec: WorldSpec) -> Picture:
    return floor_picture(spec.track, spec.parts.appearance.geometry)


def _board_key(board: UprightBoard) -> tuple[object, object]:
    """Boards that look the same share one picture."""
    return board.image.shape, hashlib.sha256(board.image.tobytes()).digest()


@cache
def _noise_pool() -> NDArray[np.int8]:
    """Noise for all cameras: normal numbers whose standard deviation is 32, (NOISE_POOL,)."""
    drawn = np.random.default_rng(0xCA).normal(0.0, 32.0, NOISE_POOL)
    return np.clip(np.rint(drawn), -127, 127).astype(np.int8)
