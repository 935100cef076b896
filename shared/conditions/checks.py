"""Conditions from outside: parsed strictly, checked, one sentence for what cannot be driven."""

from pydantic import TypeAdapter, ValidationError

from shared.conditions.records import CONDITIONS_VERSION, PPM, Conditions
from shared.errors import BadInput, ConfigError
from shared.rules.ranking import check_rules
from shared.rules.track_lengths import track_length_m
from shared.text import text
from shared.tracks.shipped import require_shipped

MAX_CONDITIONS_BYTES = 8192
_CLEAR_OF_START_M = 0.5  # half a box and a car
_CLEAR_OF_START_PPM = 30_000  # the same, on a track of unknown length
_BETWEEN_OBJECTS_PPM = 20_000
_CONDITIONS = TypeAdapter(Conditions)


def conditions_from(payload: bytes | str) -> Conditions:
    """Conditions from outside, checked; what is absent has its default. Raises BadInput with one sentence."""
    if len(payload) > MAX_CONDITIONS_BYTES:
        raise BadInput(
            text("The conditions have {n} bytes; at most {max} are read.", n=len(payload), max=MAX_CONDITIONS_BYTES)
        )
    try:
        conditions = _CONDITIONS.validate_json(payload, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadInput(
            text("The conditions are not valid at {where}: {what}.", where=repr(where[:60]), what=first["msg"])
        ) from None
    return check_conditions(conditions)


# name -> (lowest, highest) of what stands in Conditions itself.
_RANGES: dict[str, tuple[int, int]] = {
    "latency_ms": (0, 1000),
    "runs": (1, 9),
    "laps": (1, 50),
    "resets": (0, 1000),
    "run_limit_ms": (10_000, 1_800_000),
    "final_top_n": (0, 100),
    "v": (1, CONDITIONS_VERSION),
}


def check_conditions(conditions: Conditions) -> Conditions:
    """The conditions, if a model can be driven by them. Raises BadInput with one sentence."""
    for name, (lowest, highest) in _RANGES.items():
        _check_range(name, getattr(conditions, name), lowest, highest)
    for name, word, empty in (
        ("engine", conditions.engine, False),
        ("track", conditions.track, False),
        ("look", conditions.look, True),
    ):
        _check_word(name, word, empty=empty)
    _check_rules(conditions)
    _check_objects(conditions)
    _check_bots(conditions)
    return conditions


def check_world(conditions: Conditions) -> None:
    """Check that track and look are among those that every farm has. Raises BadInput."""
    require_shipped(conditions.track)
    if conditions.look:
        require_shipped(conditions.look)


def _check_range(name: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise BadInput(
            text(
                "The conditions' {name} is {value}; allowed is {lowest} to {highest}.",
                name=f"`{name}`",
                value=str(value)[:40],
                lowest=lowest,
                highest=highest,
            )
        )


def _check_word(name: str, word: str, *, empty: bool) -> None:
    fine = len(word) <= 200 and word == word.strip() and word.isprintable() and (empty or bool(word))
    if not fine:
        raise BadInput(
            text(
                "The conditions' {name} is {word}; write 1 to 200 visible characters.",
                name=f"`{name}`",
                word=repr(word[:40]),
            )
        )


def _check_rules(conditions: Conditions) -> None:
    rules = conditions.rules
    ns = (rules.min_lap_ns, rules.off_track_penalty_ns, rules.collision_penalty_ns, rules.time_limit_ns or 0)
    if any(not 0 <= value < 10**13 for value in ns):
        raise BadInput(text("The conditions' rules hold a time that is out of range."))
    try:
        check_rules(rules.race_rules())
    except ConfigError as error:
        raise BadInput(text("The conditions' rules: {sentence}", sentence=str(error))) from None
    if conditions.laps < rules.consecutive_laps:
        raise BadInput(
            text(
                "A run of {laps} laps cannot hold the {wanted} laps in a row that a score needs.",
                laps=conditions.laps,
                wanted=rules.consecutive_laps,
            )
        )


def _check_objects(conditions: Conditions) -> None:
    objects, places = conditions.objects, conditions.objects.places
    _check_range("objects.count", objects.count, 0, 6)
    if (conditions.race_type == "object_avoidance") != (objects.count > 0):
        raise BadInput(text("Boxes stand on the track in a race of object avoidance (1 to 6), and in no other."))
    if places and len(places) != objects.count:
        raise BadInput(
            text("There are {n} places for {count} boxes: name one each, or none.", n=len(places), count=objects.count)
        )
    for number, place in enumerate(places, 1):
        if place.lane not in (-1, 1):
            raise BadInput(
                text(
                    "Box {number} stands in lane {lane}; there are lanes 1 (inner) and -1 (outer).",
                    number=number,
                    lane=str(place.lane)[:40],
                )
            )
        _check_range(f"objects.places.{number}.share_ppm", place.share_ppm, 0, PPM - 1)
        if _around(place.share_ppm, 0) < _clear_of_start_ppm(conditions.track):
            raise BadInput(text("Box {number} overlaps the start: place it further along the track.", number=number))
        for other, before in enumerate(places[: number - 1], 1):
            if place.lane == before.lane and _around(place.share_ppm, before.share_ppm) < _BETWEEN_OBJECTS_PPM:
                raise BadInput(text("Boxes {other} and {number} overlap.", other=other, number=number))


def _around(one_ppm: int, other_ppm: int) -> int:
    """How far apart two places lie, the shorter way around the track."""
    apart_ppm = abs(one_ppm - other_ppm)
    return min(apart_ppm, PPM - apart_ppm)


def _clear_of_start_ppm(track: str) -> int:
    length_m = track_length_m(track)
    return _CLEAR_OF_START_PPM if length_m is None else round(_CLEAR_OF_START_M / length_m * PPM)


def _check_bots(conditions: Conditions) -> None:
    bots = conditions.bots
    _check_range("bots.count", bots.count, 0, 6)
    if (conditions.race_type == "head_to_bot") != (bots.count > 0):
        raise BadInput(text("Bot cars drive in a race against bots (1 to 6), and in no other."))
    _check_range("bots.speed_mm_s", bots.speed_mm_s, 200, 6000)
    _check_range("bots.lane_ms_from", bots.lane_ms_from, 100, 600_000)
    _check_range("bots.lane_ms_to", bots.lane_ms_to, bots.lane_ms_from, 600_000)
