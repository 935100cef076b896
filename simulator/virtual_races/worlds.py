"""The world of a run: what conditions and seed make of track, car, floor and camera."""

from dataclasses import replace

from shared.conditions import PPM, Conditions
from shared.errors import BadInput
from shared.text import text
from shared.tracks.shipped import shipped_name, shipped_outline
from simulator.batch.vector import WorldSpec
from simulator.objects.boxes import BoxSetup, make_boxes
from simulator.objects.lanes import lanes_of
from simulator.objects.placing import ObjectPlace, PlacedObject
from simulator.world.cars.profiles import PHYSICAL, draw_car
from simulator.world.geometry import Track
from simulator.world.looks import look_of
from simulator.world.tracks import load_track
from simulator.world.world import draw_parts

_NS_PER_MS = 1_000_000


def track_of(conditions: Conditions) -> Track:
    """The track in the direction of the race. Raises BadInput if it is none that every farm has."""
    name = _shipped(conditions.track)
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
        appearance=look_of(_shipped(conditions.look) if conditions.look else track.name),
    )
    return WorldSpec(track, parts, seed, conditions.latency_ms * _NS_PER_MS, boxes=_boxes(conditions, track, seed))


def _boxes(conditions: Conditions, track: Track, seed: int) -> tuple[PlacedObject, ...]:
    """The boxes of an object avoidance race, where the conditions or the seed place them."""
    if conditions.race_type != "object_avoidance":
        return ()
    places = tuple(ObjectPlace(place.lane, place.share_ppm / PPM) for place in conditions.objects.places)
    return make_boxes(lanes_of(track), BoxSetup(conditions.objects.count, places or None), seed)


def _shipped(written: str) -> str:
    name = shipped_name(written)
    if name is None:
        raise BadInput(
            text(
                "The track {track} is not among those that ship with Raceday, so that it cannot be raced here.",
                track=repr(written[:60]),
            )
        )
    return name
