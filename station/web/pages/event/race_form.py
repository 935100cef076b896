"""The form of a race: its rules as people write them, and as the race has them. Pure.

Called by routes.py. `race_fields` fills the form, `race_of` reads it; what is wrong is one sentence with its field.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import BadInput
from shared.rules.ranking import AtLimit, Lap1, Method, RaceRules
from shared.rules.track_lengths import shortest_lap_s, track_length_m
from shared.text import Sentence, text
from shared.text.numbers import parse_number, parse_whole
from shared.units import format_ms, parse_ms
from station.core.event.checks import MAX_SUBMIT_AFTER_S
from station.core.event.records import DIRECTIONS, Direction, EventInfo
from station.views.event_view import RaceLine

METHOD_WORDS: dict[Method, Sentence] = {
    "average": text("Average"),
    "best_lap": text("Best lap"),
    "total_time": text("Total time"),
}
LAP_1_WORDS: dict[Lap1, Sentence] = {"line": text("at the line"), "signal": text("at GO")}
AT_LIMIT_WORDS: dict[AtLimit, Sentence] = {
    "stop": text("the run stops at once"),
    "finish_lap": text("the lap in progress counts"),
}
DIRECTION_WORDS: dict[Direction, Sentence] = {
    "counterclockwise": text("counterclockwise"),
    "clockwise": text("clockwise"),
}
SUBMISSION_WORDS: dict[str, Sentence] = {
    "at_once": text("at once"),
    "later": text("a while after the run"),
    "by_official": text("by an official"),
}
USUAL_WAIT_S = 15.0  # long enough to look at a run before its result leaves the station
OFFICIAL_WORDS: dict[str, Sentence] = {"one": text("one official"), "two": text("two officials")}
MIN_LAP_S = RaceRules().min_lap_s
Fields = Mapping[str, str]
Lengths = Callable[[str], float | None]


@dataclass(frozen=True, slots=True)
class RaceEntry:
    """A race as the form says."""

    name: str
    track: str
    direction: Direction
    cars_on_track: int
    rules: RaceRules
    submit_after_s: float
    official_by_two: bool


def race_fields(race: RaceLine | None, event: EventInfo | None, lengths: Lengths = track_length_m) -> dict[str, str]:
    """What stands in the form for this race; None: for a new one at this event. `lengths`: of tracks, by name."""
    rules = race.rules if race is not None else RaceRules(time_limit_s=180.0)
    track = race.track if race is not None else event.track if event is not None else ""
    shortest = _shortest_lap_s(track, event, lengths)
    unsaid = race is None or rules.min_lap_s == (shortest or MIN_LAP_S)
    return {
        "name": race.name if race is not None else "",
        "track": track,
        "direction": race.direction if race is not None else event.direction if event is not None else DIRECTIONS[0],
        "cars_on_track": str(race.cars_on_track if race is not None else 1),
        "method": rules.method,
        "consecutive_laps": str(rules.consecutive_laps),
        "max_laps": _or_empty(rules.max_laps),
        "time_limit": ""
        if rules.time_limit_s is None
        else format_ms(round(rules.time_limit_s * 1000)).removesuffix(".000"),
        "at_time_limit": rules.at_time_limit,
        "lap_1_from": rules.lap_1_from,
        "off_track_penalty": f"{rules.off_track_penalty_s:g}",
        "collision_penalty": f"{rules.collision_penalty_s:g}",
        "max_resets": _or_empty(rules.max_resets_per_lap),
        "attempts": _or_empty(rules.attempts_per_racer),
        "min_lap": "" if unsaid else f"{rules.min_lap_s:g}",
        "min_lap_default": f"{shortest or MIN_LAP_S:g}",
        "submission": _submission(race.submit_after_s if race is not None else 0.0),
        "submit_after": f"{race.submit_after_s:g}" if race is not None and race.submit_after_s > 0 else "",
        "submit_after_default": f"{USUAL_WAIT_S:g}",
        "official_by": "two" if race is not None and race.official_by_two else "one",
    }


def race_of(fields: Fields, event: EventInfo | None, lengths: Lengths = track_length_m) -> RaceEntry:
    """The race that the form describes. `lengths`: of tracks, by name. Raises BadInput that names the field."""
    track = fields.get("track", "").strip()
    rules = RaceRules(
        method=_choice(fields, "method", METHOD_WORDS, text("How it is ranked")),
        consecutive_laps=_read(
            fields, "consecutive_laps", text("Laps in a row"), lambda entered: parse_whole(entered, 1, 10)
        ),
        max_laps=_read(fields, "max_laps", text("Laps at most"), lambda entered: parse_whole(entered, 1, 1000), None),
        time_limit_s=_read(fields, "time_limit", text("Time limit"), _duration_s, None),
        off_track_penalty_s=_read(fields, "off_track_penalty", text("Off track"), _seconds, 0.0),
        collision_penalty_s=_read(fields, "collision_penalty", text("Collision"), _seconds, 0.0),
        max_resets_per_lap=_read(
            fields, "max_resets", text("Resets in a lap"), lambda entered: parse_whole(entered, 0, 10_000), None
        ),
        attempts_per_racer=_read(
            fields, "attempts", text("Attempts"), lambda entered: parse_whole(entered, 1, 10_000), None
        ),
        min_lap_s=_read(
            fields, "min_lap", text("Shortest lap"), _seconds, _shortest_lap_s(track, event, lengths) or MIN_LAP_S
        ),
        lap_1_from=_choice(fields, "lap_1_from", LAP_1_WORDS, text("Lap 1 begins")),
        at_time_limit=_choice(fields, "at_time_limit", AT_LIMIT_WORDS, text("When time is up")),
    )
    return RaceEntry(
        fields.get("name", "").strip(),
        track,
        _choice(fields, "direction", DIRECTION_WORDS, text("Direction")),
        _read(fields, "cars_on_track", text("Cars on the track"), lambda entered: parse_whole(entered, 1, 12), 1),
        rules,
        _submit_after_s(fields),
        _choice(fields, "official_by", OFFICIAL_WORDS, text("Results are made official by")) == "two",
    )


def submission_line(entry: RaceEntry) -> Sentence:
    """When results of this race are submitted, in words."""
    if entry.submit_after_s < 0:
        return text("A result is submitted when an official does it.")
    if entry.submit_after_s == 0:
        return text("A result is submitted at once, when the run ends.")
    return text(
        "A result is submitted {seconds:g} s after the run ends, unless an official does it before.",
        seconds=entry.submit_after_s,
    )


def length_of(entered: str) -> float:
    """The length of a track in metres; 0 if the field is empty. Raises BadInput."""
    length_m: float = _read(
        {"length": entered}, "length", text("Length of the track"), lambda each: parse_number(each, "m"), 0.0
    )
    return length_m


def _shortest_lap_s(track: str, event: EventInfo | None, lengths: Lengths) -> float | None:
    """The shortest lap by the length of the track: the event's if it is its track, else that of its geometry."""
    if event is not None and (not track or track == event.track):
        measured_m = event.track_length_m
        return shortest_lap_s(event.track, lengths(event.track) if measured_m is None else measured_m)
    return shortest_lap_s(track, lengths(track))


_MUST = object()


def _read(fields: Fields, name: str, label: Sentence, read: Callable[[str], Any], default: Any = _MUST) -> Any:
    """The value of a field, or its default if it is empty. Raises BadInput that begins with the field's label."""
    entered = fields.get(name, "").strip()
    if not entered and default is not _MUST:
        return default
    try:
        return read(entered)
    except BadInput as error:
        raise BadInput(text("{what}: {why}", what=label, why=error.args[0])) from None


def _choice(fields: Fields, name: str, choices: Mapping[Any, Sentence], label: Sentence) -> Any:
    """The chosen value, the first one if the field is empty. Raises BadInput."""
    entered = fields.get(name, "").strip() or next(iter(choices))
    if entered not in choices:
        raise BadInput(text("{what}: choose one of the list.", what=label))
    return entered


def _submission(submit_after_s: float) -> str:
    if submit_after_s < 0:
        return "by_official"
    return "later" if submit_after_s else "at_once"


def _submit_after_s(fields: Fields) -> float:
    """How long a result waits, in s; 0: not at all; negative: for an official. Raises BadInput."""
    label = text("Result submitted")
    chosen = _choice(fields, "submission", SUBMISSION_WORDS, label)
    if chosen != "later":
        return 0.0 if chosen == "at_once" else -1.0
    waits_s: float = _read(fields, "submit_after", text("Seconds until then"), _duration_s, USUAL_WAIT_S)
    if not 0 < waits_s <= MAX_SUBMIT_AFTER_S:
        raise BadInput(
            text(
                "{what}: {why}",
                what=text("Seconds until then"),
                why=text("a result waits for 1 s to {limit:g} s.", limit=MAX_SUBMIT_AFTER_S),
            )
        )
    return waits_s


def _duration_s(entered: str) -> float:
    """'4:00', '240' or '90,5' in seconds. Raises BadInput."""
    if ":" in entered:
        return parse_ms(entered.replace(",", ".")) / 1000
    return parse_number(entered, "s")


def _seconds(entered: str) -> float:
    return parse_number(entered, "s")


def _or_empty(value: int | None) -> str:
    return "" if value is None else str(value)
