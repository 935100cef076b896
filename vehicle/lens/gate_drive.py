"""Measures the lens by a drive over the gate's line: its boards are of known sizes, and of each kind it is known how
far behind the line they stand.

The car's place and direction in each frame are unknown, and so is where beside the road each board stands; but the
kinds stand a known distance behind each other, and that fixes the scale. Neither clocks nor speeds are needed.
Pure; called by `vehicle/commands/lens.py` with the frames of a recording.
"""

import math
from collections.abc import Sequence

import numpy as np

from shared.errors import BadInput
from vehicle.lapwatch.lens import Lens
from vehicle.lens.board_sides import GateFrame, PlacedBoards, placed_boards
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

_MAX_FRAMES = 45
_MIN_FRAMES = 8
_STEPS = 25
_MIN_BOTH = 5  # frames that show two kinds of boards
_UNSEEN_PX = 50.0
_PLACE_SIGMA_M = 0.01  # how well the boards stand where the config says, along the road
_TURN_SIGMA_RAD = math.radians(3.0)
_BEND_SIGMA_RAD = math.radians(20.0)  # how far the road may turn from the nearest kind of boards to the next
_PITCH_SIGMA_RAD = 0.1
_ROLL_SIGMA_RAD = 0.03
_NOD_SIGMA_RAD = 0.004  # the car's nose goes up and down as it drives
_OWN = 4  # of each frame: metres before the line and to the left, heading, nod


def measure_by_gate_drive(frames: Sequence[GateFrame], width_px: int, height_px: int, pitch_rad: float) -> MeasuredLens:
    """The lens of pictures of this size; `pitch_rad`: how far down the camera points, roughly.

    Raises BadInput, with what to do, if the drive does not show it.
    """
    both = [frame for frame in frames if len({one.kind.after_line_m for one in frame.boards}) > 1]
    if len(both) < _MIN_BOTH:
        raise BadInput(
            f"{len(both)} frames show two kinds of boards, and at least {_MIN_BOTH} are needed, since the distance "
            "between them gives the scale: set up both kinds, or show a board at measured distances instead."
        )
    gate = _Gate(_thinned(placed_boards(frames)), pitch_rad)
    candidate, found = choose_lens(gate.fitted, width_px, height_px)
    missed = (found.misses * PIXEL_SIGMA).reshape(*gate.points.shape)
    corners = corner_misses(gate.points, missed)
    pitch = float(found.shared[len(candidate.free)])
    return measured(candidate, found, corners, len(gate.points), height_px, pitch)


def _thinned(frames: Sequence[PlacedBoards]) -> list[PlacedBoards]:
    """At most so many frames, those with many boards first; in their order."""
    ranked = sorted((n for n in range(len(frames)) if frames[n]), key=lambda n: -len(frames[n]))
    every = max(1, len(ranked) // _MAX_FRAMES)
    return [frames[n] for n in sorted(ranked[::every][:_MAX_FRAMES])]


class _Gate:
    """The frames as arrays: `points` (V, B, 4, 2), NaN for a board that a frame does not show.

    Shared unknowns after those of the lens: pitch, roll, inset of the corners; for each kind of boards how far the road
    has turned there; for each board its place along the road, to the left, the height of its middle above the lens,
    and its turn.
    """

    def __init__(self, sides: Sequence[PlacedBoards], pitch_rad: float) -> None:
        kept = [shown for shown in sides if shown]
        if len(kept) < _MIN_FRAMES:
            raise BadInput(
                f"{len(kept)} frames show the gate's boards well enough, and at least {_MIN_FRAMES} are needed: "
                "drive over the line once more, slowly and in the middle of the road."
            )
        self._places = sorted({place for shown in kept for place in shown}, key=lambda p: (p.kind.id, p.is_left))
        self.points = np.full((len(kept), len(self._places), 4, 2), np.nan)
        for row, shown in enumerate(kept):
            for place, corners in shown.items():
                self.points[row, self._places.index(place)] = corners
        kinds = sorted({place.kind for place in self._places}, key=lambda kind: kind.after_line_m)
        self._kinds = kinds
        self._kind_of = np.array([kinds.index(place.kind) for place in self._places])
        self._sizes = np.array([place.kind.size_m for place in self._places])
        self._pitch_rad = pitch_rad

    def fitted(self, candidate: LensCandidate, before: BundleFit | None) -> BundleFit:
        """The unknowns of the candidate, the gate and each frame, as they fit best; begun where `before` ended."""
        around = self._around()
        gate = around.mean if before is None else before.shared[-len(around.mean) :]
        shared = np.concatenate([candidate.unknowns, gate])
        lens_prior = candidate.prior
        prior = Prior(np.concatenate([lens_prior.mean, around.mean]), np.concatenate([lens_prior.sigma, around.sigma]))
        # The gauge: nothing says where the middle of the road is, so the cars are said to be near it.
        own_prior = Prior(np.zeros(_OWN), np.array([math.inf, 0.5, 0.3, _NOD_SIGMA_RAD]))
        own = self._first_own(candidate.lens(candidate.unknowns)) if before is None else before.own
        return fit(lambda some, each: self._misses(candidate, some, each), shared, own, prior, own_prior, _STEPS)

    def _around(self) -> Prior:
        """What is known of the camera's mounting and of the boards."""
        mean, sigma = [self._pitch_rad, 0.0, INSET_PX], [_PITCH_SIGMA_RAD, _ROLL_SIGMA_RAD, INSET_SIGMA_PX]
        for number in range(len(self._kinds)):  # the nearest kind says what is straight ahead
            mean.append(0.0)
            sigma.append(_BEND_SIGMA_RAD if number else _TURN_SIGMA_RAD)
        for place in self._places:
            mean += [place.kind.after_line_m, 0.6 if place.is_left else -0.6, 0.0, 0.0]
            sigma += [_PLACE_SIGMA_M, math.inf, 0.2, _TURN_SIGMA_RAD]
        return Prior(np.array(mean), np.array(sigma))

    def _first_own(self, lens: Lens) -> Floats:
        """Each frame's place by the height of its boards, in the middle of the road."""
        rays = lens.rays(self.points)
        angles = np.arctan2(rays[..., 1], np.hypot(rays[..., 0], rays[..., 2]))
        heights = (angles[:, :, 3] + angles[:, :, 2] - angles[:, :, 0] - angles[:, :, 1]) / 2
        after_m = np.array([place.kind.after_line_m for place in self._places])
        to_board_m = self._sizes / np.maximum(np.abs(np.nan_to_num(heights, nan=0.1)), 0.01)
        to_line_m = np.where(np.isfinite(heights), to_board_m - after_m, np.nan)
        own = np.zeros((len(self.points), _OWN))
        own[:, 0] = np.nanmedian(to_line_m, axis=1)
        return own

    def _misses(self, candidate: LensCandidate, shared: Floats, own: Floats) -> Floats:
        count = len(candidate.free)
        pitch, roll, inset_px = (float(shared[count + n]) for n in range(3))
        bends, boards = np.split(shared[count + 3 :], [len(self._kinds)])
        ahead, left, up = self._corners_m(
            bends[self._kind_of], boards.reshape(-1, 4)
        )  # (B, 4) each, in metres of the road
        before_m, aside_m, heading, nod = (own[:, n, None, None] for n in range(_OWN))
        along, across = ahead + before_m, left - aside_m
        facing = along * np.cos(heading) + across * np.sin(heading)
        beside = across * np.cos(heading) - along * np.sin(heading)
        down_rad = pitch + nod
        depth = facing * np.cos(down_rad) - up * np.sin(down_rad)
        below = -facing * np.sin(down_rad) - up * np.cos(down_rad)
        right = -beside * math.cos(roll) + below * math.sin(roll)
        turned = beside * math.sin(roll) + below * math.cos(roll)
        seen = inset(candidate.lens(shared).pixels(np.stack([right, turned, depth], axis=-1)), inset_px)
        missed = np.where(np.isfinite(seen), seen - self.points, _UNSEEN_PX) / PIXEL_SIGMA
        missed[np.isnan(self.points)] = np.nan
        return np.asarray(missed.reshape(len(own), -1))

    def _corners_m(self, bends: Floats, boards: Floats) -> tuple[Floats, Floats, Floats]:
        """The corners of the boards, (B, 4) each: along the road from the line, to the left, above the lens."""
        half = self._sizes[:, None] / 2
        across = half * np.array([1.0, -1.0, -1.0, 1.0])  # as the arriving car sees them: the left side first
        bend, turn = bends[:, None], bends[:, None] + boards[:, 3:4]
        ahead = boards[:, 0:1] - boards[:, 1:2] * np.sin(bend) - across * np.sin(turn)
        left = boards[:, 1:2] * np.cos(bend) + across * np.cos(turn)
        return ahead, left, boards[:, 2:3] + half * np.array([1.0, 1.0, -1.0, -1.0])
