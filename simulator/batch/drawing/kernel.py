"""One frame of one world, compiled: floor, walls, boards and other uprights, then lens and sensor."""

import math
from typing import Any

import numpy as np

from simulator.batch.chance import mixed
from simulator.batch.compiled import compiled, compiled_part
from simulator.batch.drawing.floor_rows import draw_floor
from simulator.batch.drawing.sensor import MAX_BLUR, expose
from simulator.batch.drawing.surfaces import (
    MAX_CORNERS,
    PLAIN_BACK,
    SUB_ROWS,
    draw_picture,
    fill,
    is_turned,
    outline,
    project,
    unprojected,
)
from simulator.world.camera import CUT_M, NEAR_M


@compiled
def draw_worlds(
    members: Any, worlds: Any, views: Any, looks: Any, lights: Any, floors: Any, uprights: Any, pools: Any, out: Any
) -> Any:
    """Draw each world of `members` into its row of `out` (N, H, W, C) uint8.

    `floors` is (pictures, texels), `uprights` (quads, their counts, boards, texels), `pools` (grain, noise).
    """
    height, width, channels = out.shape[1], out.shape[2], out.shape[3]
    plane, blurred = np.empty((height, width), np.float32), np.empty((height, width), np.float32)
    weights = np.empty(2 * MAX_BLUR + 1, np.float32)
    floats, whole = np.empty((5, width + 8), np.float32), np.empty((3, width + 8), np.uint32)
    row = (floats[0], whole[0], whole[1], whole[2], (floats[1], floats[2], floats[3], floats[4]))
    order, depths = np.empty(uprights[0].shape[1], np.int64), np.empty(uprights[0].shape[1])
    matrix, back, corners = np.empty((3, 4)), np.empty((2, 3, 3)), np.empty((4, 3))
    polygon = (np.empty((MAX_CORNERS, 2)), np.empty((SUB_ROWS, 2)), np.empty(MAX_CORNERS))
    pictures, texels = floors
    quads, quad_counts, boards, board_texels = uprights
    grain, noise = pools
    for place in range(len(members)):
        n = members[place]
        world, view = worlds[n], views[n]
        c, s = math.cos(world.yaw), math.sin(world.yaw)
        eye = (world.x + view.forward_m * c, world.y + view.forward_m * s, c, s, 1.0 / view.focal_px)
        _projection(eye, view, width, height, matrix)
        for channel in range(channels):
            look = looks[n, channel]
            paint = (look.palette, look.strength, grain, (view.grain_x, view.grain_y))
            draw_floor(plane, eye, (view, look, pictures[view.floor], texels, paint, lights[n]), row)
            shown = (quads[n], quad_counts[n], boards, board_texels)
            scene = (matrix, eye, view, look, channel if channels == 3 else -1)
            _draw_uprights(plane, scene, shown, (order, depths, back, corners), polygon)
            chance = mixed(view.noise_seed + np.uint64(channel), world.steps)
            expose(plane, blurred, weights, view, chance, noise, out[n, :, :, channel])


@compiled_part
def _projection(eye: Any, view: Any, width: Any, height: Any, matrix: Any) -> Any:
    """Fill the 3 x 4 matrix from metres to pixels (`world/camera.py`)."""
    c, s, cp, sp, f = eye[2], eye[3], view.cos_pitch, view.sin_pitch, view.focal_px
    right, down, ahead = (s, -c, 0.0), (-sp * c, -sp * s, -cp), (cp * c, cp * s, -sp)
    for i in range(3):
        matrix[0, i] = f * right[i] + (width - 1) / 2 * ahead[i]
        matrix[1, i] = f * down[i] + (height - 1) / 2 * ahead[i]
        matrix[2, i] = ahead[i]
    for i in range(3):
        matrix[i, 3] = -(matrix[i, 0] * eye[0] + matrix[i, 1] * eye[1] + matrix[i, 2] * view.up_m)


@compiled_part
def _draw_uprights(plane: Any, scene: Any, shown: Any, spare: Any, polygon: Any) -> Any:
    """Walls whose inner side is seen, then boards and boxes from far to near, then walls seen from outside.

    `scene` is (matrix, eye, view, look, channel or -1 for grey), `spare` (order, depths, two 3 x 3 matrices, four
    corners), `polygon` (corners in pixels, spans of a row, slopes of the sides): room for what is worked out.
    """
    matrix = scene[0]
    quads, count, _, _ = shown
    order, depths, _, corners = spare
    for i in range(count):
        depth = _depth(matrix, quads[i])
        at = i
        while at > 0 and depths[at - 1] < depth:
            depths[at], order[at] = depths[at - 1], order[at - 1]
            at -= 1
        depths[at], order[at] = depth, i
    for turn in range(2):  # written once, as each call of what fills a polygon is compiled anew
        _draw_walls(plane, scene, turn == 0, corners, polygon)
        for place in range(count if turn == 0 else 0):
            if depths[place] > 0.0:
                _draw_quad(plane, scene, quads[order[place]], shown, spare, polygon)


@compiled_part
def _depth(matrix: Any, quad: Any) -> Any:
    """How far ahead the middle is; -1 for a quad that is not in front of the camera, or not there.

    A plain one is cut off where it passes the lens; a board is left out then, as in `world/camera.py`.
    """
    total, nearest, farthest = 0.0, math.inf, -math.inf
    for i in range(4):
        corner = quad.corners[i]
        _, _, depth = project(matrix, corner[0], corner[1], corner[2])
        total += depth
        nearest, farthest = min(nearest, depth), max(farthest, depth)
    if quad.picture < 0:
        return max(total / 4, CUT_M) if farthest >= CUT_M else -1.0
    return total / 4 if nearest >= NEAR_M else -1.0


@compiled_part
def _draw_quad(plane: Any, scene: Any, quad: Any, shown: Any, spare: Any, polygon: Any) -> Any:
    matrix, _, _, look, channel = scene
    _, _, boards, texels = shown
    _, _, back, place = spare
    spots = polygon[0]
    for i in range(4):
        for axis in range(3):
            place[i, axis] = quad.corners[i, axis]
    corners = outline(matrix, place, spots)
    if corners < 3:
        return
    exposed, turned, shade = look.exposed, is_turned(spots, corners), np.uint8(PLAIN_BACK)
    if quad.picture < 0:
        if turned:  # the far sides of a box are not seen
            return
        colour = quad.colour
        level = colour[channel] if channel >= 0 else 0.114 * colour[0] + 0.587 * colour[1] + 0.299 * colour[2]
        shade = np.uint8(min(255.0, max(0.0, level + 0.5)))
    elif not turned and unprojected(matrix, place, back[1], back[0]):
        draw_picture(plane, polygon, corners, back[0], boards[quad.picture], texels, exposed)
        return
    fill(plane, polygon, corners, exposed[shade])


@compiled_part
def _draw_walls(plane: Any, scene: Any, inner: Any, corners: Any, polygon: Any) -> Any:
    matrix, eye, view, look, _ = scene
    if view.wall_height_m <= 0.0:
        return
    corners[:2, 2], corners[2:, 2] = 0.0, view.wall_height_m
    x, y = eye[0], eye[1]
    sides = (
        (view.x0, view.y0, view.x0, view.y1, x > view.x0),
        (view.x1, view.y0, view.x1, view.y1, x < view.x1),
        (view.x0, view.y0, view.x1, view.y0, y > view.y0),
        (view.x0, view.y1, view.x1, view.y1, y < view.y1),
    )
    for number in range(4):
        ax, ay, bx, by, is_inner = sides[number]
        if is_inner != inner:
            continue
        # A hair longer than it is, so that no gap opens at the corner of two walls.
        longer = 0.004 * (abs(bx - ax) + abs(by - ay))
        if ax == bx:
            ay, by = ay - longer, by + longer
        else:
            ax, bx = ax - longer, bx + longer
        corners[0, 0], corners[0, 1], corners[1, 0], corners[1, 1] = ax, ay, bx, by
        corners[2, 0], corners[2, 1], corners[3, 0], corners[3, 1] = bx, by, ax, ay
        count = outline(matrix, corners, polygon[0])
        fill(plane, polygon, count, look.walls[number])
