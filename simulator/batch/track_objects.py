"""Boxes, bots and rivals of all worlds: where they are in each frame interval, and whether the car meets one.

Within a frame interval an object goes straight from its place at the last frame to its place at the next. Contact is
looked for with the road, 60 times a second. The arithmetic is that of `simulator/objects`, compiled.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.batch.compiled import compiled, compiled_part
from simulator.objects.bots import Bots, bot_place
from simulator.objects.faces import BOX_COLOUR, CAR_COLOUR, face_colours, face_corners
from simulator.objects.lanes import Lanes, lanes_of, pose_between
from simulator.objects.outlines import BOT_OUTLINE, BOX_OUTLINE, CAR_OUTLINE, Outline, outlines_overlap
from simulator.objects.placing import MAX_OBJECTS, PlacedObject
from simulator.objects.putting_back import nearest_lane, nearest_object, put_back_place
from simulator.objects.reset_rules import is_behind
from simulator.world.geometry import Pose, Track

if TYPE_CHECKING:
    from simulator.batch.specs import WorldSpec

BOX, BOT, RIVAL = 1, 2, 3
OBJECTS_OF_A_WORLD = 2 * MAX_OBJECTS + 1  # boxes, bots and a rival
FRAME_S = 1.0 / 15

# One object: what it is, its places (m, rad) at the last frame and at the next, its outline, its way along the track.
OBJECT = np.dtype(
    [
        ("kind", np.int64),
        ("x", np.float64),
        ("y", np.float64),
        ("yaw", np.float64),
        ("to_x", np.float64),
        ("to_y", np.float64),
        ("to_yaw", np.float64),
        ("front_m", np.float64),
        ("rear_m", np.float64),
        ("half_width_m", np.float64),
        ("height_m", np.float64),
        ("s_m", np.float64),
        ("speed_mps", np.float64),
        ("touching", np.bool_),
    ]
)

_CAR_SIZE = CAR_OUTLINE.size
_BOX_COLOURS, _CAR_COLOURS = face_colours(BOX_COLOUR), face_colours(CAR_COLOUR)
_REACH_M = 0.45  # no two outlines whose middles are farther apart than this touch
_STEPS_PER_FRAME = 16

_overlap = compiled_part(outlines_overlap)
_behind = compiled_part(is_behind)
_bot_place = compiled(bot_place)
_pose_between = compiled(pose_between)


@compiled_part
def first_contact(world: Any, one: Any) -> Any:
    """0 if the car does not come into contact with the object now, else 1 if the car was behind it, -1 if ahead."""
    u = ((world.steps - 1) % _STEPS_PER_FRAME + 1) / _STEPS_PER_FRAME
    x, y = one.x + u * (one.to_x - one.x), one.y + u * (one.to_y - one.y)
    touched, one.touching = one.touching, False
    if (x - world.x) ** 2 + (y - world.y) ** 2 > _REACH_M * _REACH_M:
        return 0
    turn = one.to_yaw - one.yaw
    yaw = one.yaw + u * (turn - math.tau * round(turn / math.tau))
    size = (one.front_m, one.rear_m, one.half_width_m)
    one.touching = world.solid and _overlap((world.x, world.y, world.yaw), _CAR_SIZE, (x, y, yaw), size)
    if touched or not one.touching:
        return 0
    return 1 if _behind(world.s_m, one.s_m, world.road_length_m) else -1


@compiled
def _move_bots(
    rows: Any, points: Any, step_m: Any, starts: Any, speed: Any, inner: Any, changes: Any, periods: Any, clock: Any
) -> Any:
    """The bots' rows from `clock[0]` to `clock[1]` (s)."""
    length_m = step_m * points.shape[1]
    for n in range(len(starts)):
        row = rows[n]
        for end in range(2):
            s_m, share, per_m = _bot_place(starts[n], speed, inner[n], changes[n], periods[n], clock[end])
            x, y, yaw = _pose_between(points, step_m, s_m, share, per_m)
            if end == 0:
                row.x, row.y, row.yaw = x, y, yaw
            else:
                row.to_x, row.to_y, row.to_yaw = x, y, yaw
                row.s_m = s_m - math.floor(s_m / length_m) * length_m


class TrackObjects:
    """What is on the tracks of N worlds beside their cars; `rows` is an array of OBJECT, (N, OBJECTS_OF_A_WORLD)."""

    def __init__(self, count: int) -> None:
        self.rows: NDArray[Any] = np.zeros((count, OBJECTS_OF_A_WORLD), OBJECT)
        self._lanes: dict[Track, Lanes] = {}
        self._specs: dict[int, WorldSpec] = {}  # of the worlds that have objects
        self._clock_s = np.zeros(count)
        self._waits_s = np.zeros(count)
        self._resets_at: dict[int, tuple[float, int]] = {}  # at which object a car was put back last, how often running

    def build(self, n: int, spec: "WorldSpec") -> int:
        """Place the objects of world `n` anew; return how many there are."""
        self._specs.pop(n, None)
        self._resets_at.pop(n, None)
        self._clock_s[n] = self._waits_s[n] = 0.0
        self.rows[n] = np.zeros((), OBJECT)
        if not spec.boxes and spec.bots is None and spec.rival is None:
            return 0
        self._specs[n] = spec
        kinds = [(BOX, BOX_OUTLINE)] * len(spec.boxes) + [(BOT, BOT_OUTLINE)] * len(spec.bots or ())
        kinds += [(RIVAL, CAR_OUTLINE)] if spec.rival is not None else []
        for row, (kind, outline) in zip(self.rows[n], kinds, strict=False):
            _dress(row, kind, outline)
        for row, box in zip(self.rows[n], spec.boxes, strict=False):
            row["x"], row["y"], row["yaw"] = row["to_x"], row["to_y"], row["to_yaw"] = box.pose
            row["s_m"] = box.s_m
        if spec.bots is not None:
            self._move(n, spec, 0.0, 0.0)
        return len(kinds)

    def advance(self, members: NDArray[np.int64], worlds: NDArray[Any]) -> None:
        """Set out from the frame just shown towards the next, in the worlds of `members`."""
        if not self._specs:
            return
        for n in members.tolist():
            spec = self._specs.get(n)
            if spec is None:
                continue
            if spec.bots is not None:
                before_s = float(self._clock_s[n])
                wait_s = min(FRAME_S, float(self._waits_s[n]))
                self._waits_s[n] -= wait_s
                self._clock_s[n] = before_s + FRAME_S - wait_s
                self._move(n, spec, before_s, float(self._clock_s[n]))
            if spec.rival is not None:
                _follow(self.rows[n, len(spec.boxes) + len(spec.bots or ())], worlds[spec.rival])

    def faces(
        self, members: NDArray[np.int64], worlds: NDArray[Any]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]] | None:
        """How the objects of `members` look now: the worlds (K,) that have some, and the corners (K, Q, 4, 3) and
        colours (K, Q, 3) of their faces, not a number where there is none; None if no world has objects."""
        shown = np.array([n for n in members.tolist() if n in self._specs] if self._specs else [], np.int64)
        if not len(shown):
            return None
        rows, places = self._now(shown, worlds)
        sizes = np.stack([rows[name] for name in ("front_m", "rear_m", "half_width_m", "height_m")], axis=-1)
        corners = face_corners(places, sizes)
        corners[rows["kind"] == 0] = np.nan
        colours = np.where((rows["kind"] == BOX)[..., None, None], _BOX_COLOURS, _CAR_COLOURS)
        return shown, corners.reshape(len(shown), -1, 4, 3), colours.reshape(len(shown), -1, 3)

    def outlines(self, members: NDArray[np.int64], worlds: NDArray[Any]) -> NDArray[np.float64]:
        """Where the objects of `members` are now, (K, Q, 6): x, y, yaw, front, rear and half width, not a number where
        there is none."""
        rows, places = self._now(members, worlds)
        sizes = np.stack([rows[name] for name in ("front_m", "rear_m", "half_width_m")], axis=-1)
        outlines = np.concatenate([places, sizes], axis=-1)
        outlines[rows["kind"] == 0] = np.nan
        return outlines

    def _now(self, members: NDArray[np.int64], worlds: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """The rows (K, Q) of the objects of `members`, and their places now (K, Q, 3): x, y, yaw."""
        rows = self.rows[members, : int(worlds["object_count"][members].max(initial=0))]
        places = np.stack([rows["to_x"], rows["to_y"], rows["to_yaw"]], axis=-1)
        for k, n in enumerate(members.tolist()):
            rival = self._specs[n].rival if n in self._specs else None
            if rival is not None:  # where it is, not where it was thought to go
                car = worlds[rival]
                places[k, int(worlds["object_count"][n]) - 1] = car["x"], car["y"], car["yaw"]
        return rows, places

    def pause(self, n: int, seconds: float) -> None:
        """Let the bots of world `n` wait, one of which ran into the car; waits add up."""
        self._waits_s[n] += seconds

    def put_back(self, n: int, s_m: float, x: float, y: float) -> tuple[float, Pose] | None:
        """Where (s_m, pose) a car that got to `s_m`, at x, y, is put back; None in a world without objects."""
        spec = self._specs.get(n)
        if spec is None:
            return None
        lanes = self._lanes_of(spec.track)
        objects = [*spec.boxes, *self._bots_now(n, spec, lanes)]
        before = self._count_reset(n, nearest_object(lanes, s_m, spec.boxes))
        back_m, lane = put_back_place(lanes, s_m, nearest_lane(lanes, s_m, x, y), objects, before)
        return back_m, lanes.pose(back_m, lane)

    def _bots_now(self, n: int, spec: "WorldSpec", lanes: Lanes) -> list[PlacedObject]:
        """The bots where they are, each in the lane that is nearer to it."""
        first = len(spec.boxes)
        placed = []
        for row in self.rows[n, first : first + len(spec.bots or ())]:
            s_m, pose = float(row["s_m"]), Pose(float(row["to_x"]), float(row["to_y"]), float(row["to_yaw"]))
            placed.append(PlacedObject(s_m, nearest_lane(lanes, s_m, pose.x, pose.y), pose))
        return placed

    def _count_reset(self, n: int, near: PlacedObject | None) -> int:
        """How often in a row the car of world `n` was put back at this object before."""
        if near is None:
            self._resets_at.pop(n, None)
            return 0
        at_m, before = self._resets_at.get(n, (near.s_m, 0))
        before = before if at_m == near.s_m else 0
        self._resets_at[n] = (near.s_m, before + 1)
        return before

    def _lanes_of(self, track: Track) -> Lanes:
        if track not in self._lanes:
            self._lanes[track] = lanes_of(track)
        return self._lanes[track]

    def _move(self, n: int, spec: "WorldSpec", before_s: float, after_s: float) -> None:
        bots = spec.bots
        assert bots is not None
        first = len(spec.boxes)
        rows = self.rows[n, first : first + len(bots)]
        rows["speed_mps"] = bots.speed_mps if after_s > before_s else 0.0
        _move_bots(rows, *_tables(bots), np.array([before_s, after_s]))


def _tables(bots: Bots) -> tuple[Any, ...]:
    lanes = bots.lanes
    return (
        lanes.points,
        lanes.step_m,
        bots.starts_m,
        bots.speed_mps,
        bots.first_inner,
        bots.changes_s,
        bots.periods_s,
    )


def _dress(row: Any, kind: int, outline: Outline) -> None:
    row["kind"], row["height_m"] = kind, outline.height_m
    row["front_m"], row["rear_m"], row["half_width_m"] = outline.size


def _follow(row: Any, car: Any) -> None:
    """The rival's car, as it drives on in this frame interval at its present speed and turn."""
    row["x"], row["y"], row["yaw"] = car["x"], car["y"], car["yaw"]
    way_m = car["speed_mps"] * FRAME_S
    row["to_x"], row["to_y"] = car["x"] + way_m * math.cos(car["yaw"]), car["y"] + way_m * math.sin(car["yaw"])
    row["to_yaw"] = car["yaw"]
    row["s_m"], row["speed_mps"] = car["s_m"], car["speed_mps"]


def check_rivals(specs: Sequence["WorldSpec"]) -> None:
    """Assert that rivals drive in pairs on one track."""
    for n, spec in enumerate(specs):
        if spec.rival is not None:
            other = specs[spec.rival]
            assert other.rival == n, "rivals are each other's"
            assert other.track is spec.track, "rivals drive on one track"
