"""The world of a run: what conditions and seed make of track, car, floor, camera, boxes and bots."""

from dataclasses import replace
from typing import Any

from shared.conditions import PPM, Conditions
from shared.tracks.shipped import require_shipped, shipped_outline
from simulator.batch.vector import WorldSpec
from simulator.objects.bots import BotSetup, make_bots
from simulator.objects.boxes import BoxSetup, make_boxes
from simulator.objects.lanes import INNER, OUTER, Lanes, lanes_of
from simulator.objects.placing import ObjectPlace
from simulator.world.cars.profiles import PHYSICAL, draw_car
from simulator.world.geometry import Pose, Track
from simulator.world.looks import look_of
from simulator.world.tracks import load_track
from simulator.world.world import START_BEFORE_LINE_M, draw_parts

STAGGER_M = 1.0  # from one of two rivals to the other at the start
_NS_PER_MS = 1_000_000


def require_drivable(conditions: Conditions) -> Track:
    """The track of conditions that this release drives. Raises BadInput for others: no model is at fault then."""
    if conditions.look:
        require_shipped(conditions.look)
    return track_of(conditions)


def track_of(conditions: Conditions) -> Track:
    """The track in the direction of the race. Raises BadInput if it is none that every farm has."""
    name = require_shipped(conditions.track)
    track = load_track(name)
    against = shipped_outline(name).clockwise != (conditions.direction == "clockwise")
    return replace(track.reversed(), name=name) if against else track


def world_of(conditions: Conditions, track: Track, seed: int) -> WorldSpec:
    """World `seed` of the race: the seed draws the car within its profile, and the camera with its light.

    The floor and the walls are those of the track, or of the look that the conditions name. The simulator has no boards
    at its gates; a printed track has.
    """
    parts = replace(
        draw_parts(track, seed, board=conditions.profile == PHYSICAL),
        car=draw_car(seed, 1.0, conditions.profile),
        appearance=look_of(require_shipped(conditions.look) if conditions.look else track.name),
    )
    return WorldSpec(track, parts, seed, conditions.latency_ms * _NS_PER_MS, **_on_the_track(conditions, track, seed))


def start_places(lanes: Lanes) -> tuple[Pose, Pose]:
    """Where two rivals wait: the first on the inner lane, the second STAGGER_M behind it on the outer one."""
    first_m = lanes.length_m - START_BEFORE_LINE_M
    return lanes.pose(first_m, INNER), lanes.pose(first_m - STAGGER_M, OUTER)


def _on_the_track(conditions: Conditions, track: Track, seed: int) -> dict[str, Any]:
    """The boxes or bots of world `seed`. Raises BadInput if they do not fit on the track."""
    if not conditions.objects.count and not conditions.bots.count:
        return {}
    lanes, boxes, bots = lanes_of(track), conditions.objects, conditions.bots
    on_it: dict[str, Any] = {}
    if boxes.count:
        places = tuple(ObjectPlace(place.lane, place.share_ppm / PPM) for place in boxes.places)
        on_it["boxes"] = make_boxes(lanes, BoxSetup(boxes.count, places or None), seed)
    if bots.count:
        waits_s = (bots.lane_ms_from / 1000, bots.lane_ms_to / 1000)
        on_it["bots"] = make_bots(lanes, BotSetup(bots.count, bots.speed_mm_s / 1000, None, waits_s), seed)
    return on_it
