"""Measures the lens by a board that is shown to the camera: a few times at a known distance, and all over the picture.

A board of known size at a known distance gives the focal length; boards near the picture's rim give how the lens bends
there. Each view has a pose of its own, so a board may be held in any way. Pure; called by `vehicle/commands/lens.py`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from shared.errors import BadInput
from vehicle.lapwatch.lens import Lens
from vehicle.lapwatch.marker_finder import BoardCorners
from vehicle.lens.bundle import BundleFit, Floats, Prior, fit
from vehicle.lens.lens_candidates import LensCandidate, choose_lens
from vehicle.lens.measured_lens import (
    INSET_PX,
    INSET_SIGMA_PX,
    PIXEL_SIGMA,
    MeasuredLens,
    corner_misses,
    inset,
    measured,
)

_DISTANCE_SIGMA_M = 0.01  # a tape measure from the lens to the middle of a board
_DISTANCE_SIGMA_SHARE = 0.005
_UNSEEN_PX = 50.0  # the miss of a corner that a lens could not see where it was seen
_MIN_DISTANCES = 2
_STEPS = 15
_UNIT_CORNERS = np.array([(-0.5, -0.5, 0.0), (0.5, -0.5, 0.0), (0.5, 0.5, 0.0), (-0.5, 0.5, 0.0)])  # y is down


@dataclass(frozen=True, slots=True)
class ShownBoard:
    """One board in one picture. `distance_m`: from the lens straight to its middle, as measured; None: not measured.

    `is_upright`: it stood on the floor, so that it shows how far down the camera points.
    """

    corners: BoardCorners
    distance_m: float | None = None
    is_upright: bool = False


def measure_by_shown_boards(boards: Sequence[ShownBoard], width_px: int, height_px: int) -> MeasuredLens:
    """The lens of pictures of this size. Raises BadInput, with what to do, if the boards cannot show it."""
    distances = {round(one.distance_m, 2) for one in boards if one.distance_m is not None}
    if len(distances) < _MIN_DISTANCES:
        raise BadInput(
            f"{len(distances)} distances of a board are known, and at least {_MIN_DISTANCES} are needed, "
            "better three from 0.5 to 2 m: show the board, and type the distance that you measured."
        )
    views = _Views(boards)
    candidate, found = choose_lens(views.fitted, width_px, height_px)
    missed = (found.misses[:, :8] * PIXEL_SIGMA).reshape(-1, 4, 2)
    corners = corner_misses(views.points, missed)
    return measured(candidate, found, corners, len(boards), height_px, views.pitch_rad(found.own))


class _Views:
    """The boards as arrays: what was seen (V, 4, 2), the corners in metres (V, 4, 3), and the distances (V,)."""

    def __init__(self, boards: Sequence[ShownBoard]) -> None:
        self.points = np.stack([one.corners.points for one in boards])
        self._solid = np.stack([_UNIT_CORNERS * one.corners.kind.size_m for one in boards])
        self._distance_m = np.array([math.nan if one.distance_m is None else one.distance_m for one in boards])
        self._upright = np.array([one.is_upright for one in boards])

    def fitted(self, candidate: LensCandidate, before: BundleFit | None) -> BundleFit:
        """The candidate's unknowns and the pose of each board, as they fit best; begun where `before` ended."""
        of_lens, of_pose = candidate.prior, Prior(np.zeros(6), np.full(6, math.inf))
        prior = Prior(np.append(of_lens.mean, INSET_PX), np.append(of_lens.sigma, INSET_SIGMA_PX))

        def begun(shared: Floats, poses: Floats, steps: int) -> BundleFit:
            return fit(lambda some, own: self._misses(candidate, some, own), shared, poses, prior, of_pose, steps)

        if before is not None:
            shared = np.append(candidate.unknowns, before.shared[-1])
            return begun(shared, self._better(candidate, shared, before.own), _STEPS)
        rough = begun(np.append(candidate.unknowns, INSET_PX), self._poses(candidate.lens(candidate.unknowns)), _STEPS)
        # A wrong lens may have turned a board the wrong way.
        again = begun(rough.shared, self._poses(candidate.lens(rough.shared)), _STEPS)
        return min((rough, again), key=lambda one: one.scatter)

    def pitch_rad(self, poses: Floats) -> float | None:
        """How far down the camera points by the boards that stood upright; None if none did."""
        if not self._upright.any():
            return None
        downs = _rotation_matrices(poses[self._upright, :3])[:, :, 1]  # the boards' downwards, as the camera has it
        return float(np.median(np.arctan2(downs[:, 2], downs[:, 1])))

    def _misses(self, candidate: LensCandidate, shared: Floats, poses: Floats) -> Floats:
        spots = self._solid @ np.swapaxes(_rotation_matrices(poses[:, :3]), 1, 2) + poses[:, None, 3:]
        seen = inset(candidate.lens(shared).pixels(spots), float(shared[-1]))
        missed = np.where(np.isfinite(seen), seen - self.points, _UNSEEN_PX) / PIXEL_SIGMA
        sigma_m = _DISTANCE_SIGMA_M + _DISTANCE_SIGMA_SHARE * self._distance_m
        too_far = (np.linalg.norm(poses[:, 3:], axis=1) - self._distance_m) / sigma_m
        return np.concatenate([missed.reshape(len(poses), 8), too_far[:, None]], axis=1)

    def _better(self, candidate: LensCandidate, shared: Floats, poses: Floats) -> Floats:
        """These poses, or for boards that a new look puts nearer to where they were seen, that one."""
        fresh = self._poses(candidate.lens(shared))
        missed, missed_now = (
            np.nansum(np.abs(self._misses(candidate, shared, each)), axis=1) for each in (poses, fresh)
        )
        return np.where((missed_now < missed)[:, None], fresh, poses)

    def _poses(self, lens: Lens) -> Floats:
        """Each board's pose (turn and place, (V, 6)) as this lens would see it."""
        return np.array([_pose(lens.rays(seen), solid) for seen, solid in zip(self.points, self._solid, strict=True)])


def _pose(rays: Floats, solid: Floats) -> list[float]:
    """A board's turn (3) and place (3) by the rays of its corners; straight ahead if they show none."""
    ahead = rays[:, 2]
    flat = rays[:, :2] / ahead[:, None]
    if np.isfinite(flat).all() and (ahead > 0.05).all():
        # OpenCV's order of corners has y upwards: turn the board's axes half around x, and back.
        upward = solid * (1.0, -1.0, -1.0)
        done, rotations, places, _ = cv2.solvePnPGeneric(
            upward, np.ascontiguousarray(flat), np.eye(3), None, flags=cv2.SOLVEPNP_IPPE_SQUARE
        )
        if done:
            turn = cv2.Rodrigues(cv2.Rodrigues(rotations[0])[0] @ np.diag([1.0, -1.0, -1.0]))[0]
            return [*turn.ravel().tolist(), *places[0].ravel().tolist()]
    middle = np.nan_to_num(rays).mean(axis=0)
    return [0.0, 0.0, 0.0, *(middle if middle[2] > 0.05 else np.array([0.0, 0.0, 1.0])).tolist()]


def _rotation_matrices(vectors: Floats) -> Floats:
    """Rotation matrices (V, 3, 3) of rotation vectors (V, 3), after Rodrigues."""
    angle = np.linalg.norm(vectors, axis=1)[:, None, None]
    axis = vectors / np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)[:, None]
    x, y, z = axis.T
    zero = np.zeros_like(x)
    across = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    return np.asarray(np.eye(3) + np.sin(angle) * across + (1.0 - np.cos(angle)) * (across @ across))
