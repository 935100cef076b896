"""What reward functions are told of the boxes and bots on the track.

As deepracer-simapp does it (`track_geom/track_data.py`): places are projections on the centre line, `closest_objects`
are the one behind and the one ahead of the car's front, headings are radians for bots and 0 for boxes.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.env.reward.function import Parameters
from simulator.world.camera import CameraParameters

if TYPE_CHECKING:
    from simulator.env.reward.parameters import RewardTrack

BOX = 1  # the kind of a row of simulator.batch.track_objects that stands
NOTHING: Parameters = {
    "closest_objects": [0, 0],
    "objects_location": [],
    "objects_left_of_center": [],
    "object_in_camera": False,
    "objects_speed": [],
    "objects_heading": [],
    "objects_distance_from_center": [],
    "objects_distance": [],
}


@dataclass(frozen=True, slots=True)
class CameraPlace:
    """Where the car is and what its camera covers: base in metres and radians, its front along the centre line."""

    x: float
    y: float
    yaw: float
    front_m: float
    camera: CameraParameters


def object_parameters(road: "RewardTrack", rows: NDArray[Any], car: CameraPlace) -> Parameters:
    """The parameters about `rows`: at least one of OBJECT (batch/track_objects.py), all of one world."""
    x, y, yaw = rows["to_x"], rows["to_y"], rows["to_yaw"]
    places = road.places(x, y, road.segments_at(rows["s_m"]))
    order = np.argsort(places.projection_m, kind="stable").tolist()
    ahead = bisect_right([float(places.projection_m[n]) for n in order], car.front_m)
    behind, ahead = order[ahead - 1], order[ahead % len(order)]
    return {
        "closest_objects": [behind, ahead],
        "objects_location": [[float(a), float(b)] for a, b in zip(x, y, strict=True)],
        "objects_left_of_center": places.is_left.tolist(),
        "object_in_camera": _in_camera(rows[ahead], car),
        "objects_speed": rows["speed_mps"].tolist(),
        "objects_heading": np.where(rows["kind"] == BOX, 0.0, yaw).tolist(),
        "objects_distance_from_center": places.from_centre_m.tolist(),
        "objects_distance": places.projection_m.tolist(),
    }


def _in_camera(row: Any, car: CameraPlace) -> bool:
    """True if the object's middle or a corner of it stands in the angle that the camera covers."""
    eye_x = car.x + car.camera.forward_m * math.cos(car.yaw)
    eye_y = car.y + car.camera.forward_m * math.sin(car.yaw)
    c, s = math.cos(row["to_yaw"]), math.sin(row["to_yaw"])
    sides = (row["half_width_m"], -row["half_width_m"])
    points = [(0.0, 0.0), *((along, across) for along in (row["front_m"], row["rear_m"]) for across in sides)]
    for along, across in points:
        dx = row["to_x"] + along * c - across * s - eye_x
        dy = row["to_y"] + along * s + across * c - eye_y
        bearing = math.remainder(math.atan2(dy, dx) - car.yaw, math.tau)
        if abs(bearing) <= car.camera.fov_rad / 2:
            return True
    return False
