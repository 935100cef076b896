"""The wizard of a community race: three steps of fields, what is wrong in each, and the race that they make. Pure.

What was typed goes along as text from step to step, so that nothing is stored and going back loses nothing.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from leaderboard.core.acceptance import check_name
from leaderboard.core.league import editing, local_time
from leaderboard.core.race import Direction, RaceRecord, RaceType, Venue, Visibility
from shared.errors import BadInput, ConfigError, Refused
from shared.rules.ranking import RaceRules, rules_from
from shared.rules.track_lengths import shortest_lap_s
from shared.text import Sentence, text
from shared.tracks.shipped import require_shipped

Step = Literal["what", "when", "who", "review"]
STEPS: tuple[Step, ...] = get_args(Step)

FIELDS: Mapping[Step, tuple[str, ...]] = {
    "what": ("name", "track", "direction", "race_type", "venue", "live", "description"),
    "when": ("zone", "opens", "closes"),
    "who": (
        "visibility",
        "method",
        "consecutive_laps",
        "off_track_penalty_s",
        "collision_penalty_s",
        "attempts_per_racer",
    ),
    "review": (),
}
TITLES: Mapping[Step, Sentence] = {
    "what": text("What"),
    "when": text("When"),
    "who": text("Who and how"),
    "review": text("Review"),
}
CHOICES: Mapping[str, tuple[tuple[str, Sentence], ...]] = {
    "direction": (("counterclockwise", text("Counterclockwise")), ("clockwise", text("Clockwise"))),
    "race_type": (
        ("time_trial", text("Time trial")),
        ("object_avoidance", text("Object avoidance")),
        ("head_to_bot", text("Head to bot")),
        ("head_to_head", text("Head to head")),
    ),
    "venue": (
        ("physical", text("On a real track")),
        ("virtual", text("On the virtual circuit")),
        ("any", text("Both")),
    ),
    "visibility": (
        ("private", text("Private: only whom you invite knows of it")),
        ("public", text("Public: everybody sees it and may enter")),
    ),
    "method": (
        ("best_lap", text("Best lap")),
        ("average", text("Average of laps in a row")),
        ("total_time", text("Total time of laps in a row")),
    ),
}
_NUMBERS: Mapping[str, Callable[[str], int | float]] = {
    "consecutive_laps": int,
    "off_track_penalty_s": float,
    "collision_penalty_s": float,
    "attempts_per_racer": int,
}

ALLOWED: Mapping[str, tuple[int, int]] = {
    "consecutive_laps": (1, 10),
    "off_track_penalty_s": (0, 600),
    "collision_penalty_s": (0, 600),
    "attempts_per_racer": (1, 10_000),
}


@dataclass(frozen=True, slots=True)
class RaceDraft:
    """What was typed, or the defaults. `live`: "yes" where it is ticked."""

    name: str = ""
    track: str = ""
    direction: str = "counterclockwise"
    race_type: str = "time_trial"
    venue: str = "physical"
    live: str = ""
    description: str = ""
    zone: str = "UTC"
    opens: str = ""
    closes: str = ""
    visibility: str = "private"
    method: str = "average"
    consecutive_laps: str = "3"
    off_track_penalty_s: str = "3"
    collision_penalty_s: str = "5"
    attempts_per_racer: str = ""

    @classmethod
    def of(cls, values: Mapping[str, str]) -> "RaceDraft":
        """The draft in a form's fields; what did not come has its default."""
        names = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: value.strip() for name, value in values.items() if name in names})

    def get(self, name: str) -> str:
        """The text of this field."""
        return cast(str, getattr(self, name))

    def but(self, step: Step) -> dict[str, str]:
        """All fields that the step does not ask for: they go along unseen."""
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in FIELDS[step]}


def problems(draft: RaceDraft, step: Step, now_utc_ns: int) -> dict[str, str]:
    """What is wrong in a step, by its fields; nothing if the next one can be shown."""
    found: dict[str, str] = {}
    for name in FIELDS[step]:
        try:
            _check(draft, name)
        except Refused as refusal:
            found[name] = str_of(refusal)
    if step == "what" and not found and draft.venue == "virtual":
        found |= _track_problems(draft.track)
    if step == "when" and not found:
        found |= _window_problems(draft, now_utc_ns)
    return found


def move(draft: RaceDraft, here: Step, go: str, now_utc_ns: int) -> tuple[Step, dict[str, str]]:
    """The step to show after the button `go` of the step `here`, and what is wrong in it.

    Going back checks nothing. Going on checks every step up to the wanted one: also what went along unseen, and what
    time has made wrong meanwhile.
    """
    following = STEPS[min(STEPS.index(here) + 1, len(STEPS) - 1)]
    wanted: Step = "review" if go == "create" else go if go in STEPS else following
    if STEPS.index(wanted) < STEPS.index(here):
        return wanted, {}
    for step in STEPS[: STEPS.index(wanted)]:
        if found := problems(draft, step, now_utc_ns):
            return step, found
    return wanted, {}


def needs_offset(draft: RaceDraft, name: str) -> bool:
    """Whether the time is to be written with an offset, which browsers' own fields for times cannot hold."""
    written = draft.get(name)
    if not written or draft.zone not in local_time.zone_names():
        return False
    try:
        local_time.parsed_local(written)
    except Refused:
        return True
    try:
        local_time.instant_utc_ns(written, draft.zone)
    except Refused:
        return True
    return False


def race_of(draft: RaceDraft) -> RaceRecord:
    """The race of a draft without problems; its id is given when it is stored. Raises Refused."""
    opens, closes = (_instant(draft, name) for name in ("opens", "closes"))
    return RaceRecord(
        "race",
        draft.name,
        "community",
        cast(Venue, draft.venue),
        draft.track,
        rules_of(draft),
        opens_utc_ns=opens,
        closes_utc_ns=closes,
        race_type=cast(RaceType, draft.race_type),
        direction=cast(Direction, draft.direction),
        visibility=cast(Visibility, draft.visibility),
        zone=draft.zone,
        description=draft.description,
        live=draft.live == "yes",
    )


def rules_of(draft: RaceDraft) -> RaceRules:
    """The rules of a draft without problems. Raises Refused."""
    values: dict[str, Any] = {name: _number(draft, name) for name in _NUMBERS}
    min_lap_s = shortest_lap_s(draft.track, None)
    if min_lap_s is not None:
        values["min_lap_s"] = min_lap_s
    try:
        return rules_from(values | {"method": draft.method})
    except ConfigError as error:
        raise Refused(str(error)) from None


def str_of(refusal: Exception) -> str:
    """The sentence of a refusal, still to be translated."""
    return cast(str, refusal.args[0])


def _check(draft: RaceDraft, name: str) -> None:
    written = draft.get(name)
    if name in CHOICES:
        if written not in {value for value, _ in CHOICES[name]}:
            raise Refused(text("Choose one of these."))
    elif name in _NUMBERS:
        number = _number(draft, name)
        if number is not None:
            _check_number(name, number)
    elif name in ("name", "track"):
        if not written:
            raise Refused(text("Give the race a name.") if name == "name" else text("Say on which track it is driven."))
        check_name(name, written)
    elif name == "description":
        editing.check_description(written)
    elif name == "zone":
        local_time.check_zone(written)
    elif name in ("opens", "closes") and written and draft.zone in local_time.zone_names():
        local_time.instant_utc_ns(written, draft.zone)


def _number(draft: RaceDraft, name: str) -> int | float | None:
    written = draft.get(name)
    if not written and name == "attempts_per_racer":
        return None
    try:
        return _NUMBERS[name](written[:20].replace(",", "."))
    except ValueError:
        raise Refused(text("Write a number, such as {example}.", example="3")) from None


def _check_number(name: str, number: float) -> None:
    lowest, highest = ALLOWED[name]
    if not lowest <= number <= highest:
        raise Refused(text("Allowed is {lowest} to {highest}.", lowest=lowest, highest=highest))


def _instant(draft: RaceDraft, name: str) -> int | None:
    written = draft.get(name)
    return local_time.instant_utc_ns(written, draft.zone) if written else None


def _track_problems(track: str) -> dict[str, str]:
    try:
        require_shipped(track)
    except BadInput as refusal:
        return {"track": str_of(refusal)}
    return {}


def _window_problems(draft: RaceDraft, now_utc_ns: int) -> dict[str, str]:
    opens, closes = (_instant(draft, name) for name in ("opens", "closes"))
    if closes is not None and closes <= now_utc_ns:
        return {"closes": text("The race would be over already: let it close at a time to come.")}
    if opens is not None and closes is not None and opens >= closes:
        return {"closes": text("The race would close before it opens.")}
    return {}
