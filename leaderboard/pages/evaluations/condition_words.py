"""The conditions of a virtual race in words, as its page lists them, and the fields of the form that sets them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from leaderboard.core.race import RaceRecord
from leaderboard.pages.league.words import CHOICES
from leaderboard.web.forms import PostedForm
from shared.conditions import PPM, Aggregate, BotSet, BoxSet, CarProfile, Conditions
from shared.errors import BadInput
from shared.text import Sentence, joined, ntext, text
from shared.units import parse_seconds

PROFILES: Mapping[CarProfile, Sentence] = {
    "console-2022": text("The console's car of 2022"),
    "league-2023": text("The league's car of 2023"),
    "droa-2026": text("The car of DeepRacer on AWS, 2026"),
    "physical": text("The physical car"),
}
AGGREGATES: Mapping[Aggregate, Sentence] = {
    "best": text("The best run counts."),
    "median": text("The run in the middle counts."),
    "worst": text("The worst run counts."),
}
# name of a field -> its label; whole numbers
NUMBERS: Mapping[str, Sentence] = {
    "runs": text("Runs of each submission"),
    "laps": text("Laps of a run"),
    "resets": text("Resets after which a run ends"),
    "latency_ms": text("Latency from frame to action, in ms"),
    "final_top_n": text("So many are driven again on the final seeds"),
}


def condition_rows(conditions: Conditions) -> Iterator[tuple[Sentence, Sentence | str]]:
    """Each thing with what it is."""
    directions, types = dict(CHOICES["direction"]), dict(CHOICES["race_type"])
    yield text("Track"), conditions.track
    yield text("Direction"), directions[conditions.direction]
    yield text("Race type"), types[conditions.race_type]
    if conditions.objects.count:
        yield text("Boxes"), _boxes(conditions.objects)
    if conditions.bots.count:
        yield text("Bot cars"), _bots(conditions.bots)
    yield text("Car"), PROFILES[conditions.profile]
    if conditions.look:
        yield text("Hall"), conditions.look
    yield text("Latency"), text("{n} ms from frame to action", n=conditions.latency_ms)
    runs = ntext("{n} run of each submission.", "{n} runs of each submission.", n=conditions.runs)
    yield text("Runs"), text("{runs} {which}", runs=runs, which=AGGREGATES[conditions.aggregate])
    yield (
        text("A run ends"),
        text(
            "after {laps} laps, {resets} resets or {seconds:g} s",
            laps=conditions.laps,
            resets=conditions.resets,
            seconds=conditions.run_limit_ms / 1000,
        ),
    )
    if conditions.final_top_n:
        yield (
            text("Finals"),
            text(
                "After the close down to place {n}, until all of these places stand by the final seeds.",
                n=conditions.final_top_n,
            ),
        )
    yield text("Engine"), conditions.engine


def _boxes(boxes: BoxSet) -> Sentence:
    if not boxes.places:
        return ntext("{n} box, placed by each seed", "{n} boxes, placed by each seed", n=boxes.count)
    lanes = {1: text("in the left lane"), -1: text("in the right lane")}
    places = joined(
        [
            text("{share:g} % {lane}", share=place.share_ppm * 100 / PPM, lane=lanes[place.lane])
            for place in boxes.places
        ],
        ", ",
    )
    return text("at {places} of the way around", places=places)


def _bots(bots: BotSet) -> Sentence:
    return text(
        "{n} at {speed:g} m/s, changing lanes each {first:g} to {last:g} s",
        n=bots.count,
        speed=bots.speed_mm_s / 1000,
        first=bots.lane_ms_from / 1000,
        last=bots.lane_ms_to / 1000,
    )


def form_values(conditions: Conditions) -> dict[str, str]:
    """What the form's fields hold at first."""
    values = {name: str(getattr(conditions, name)) for name in NUMBERS}
    return values | {
        "profile": conditions.profile,
        "aggregate": conditions.aggregate,
        "look": conditions.look,
        "run_limit": f"{conditions.run_limit_ms / 1000:g}",
        "boxes": str(conditions.objects.count),
        "bots": str(conditions.bots.count),
        "bot_speed": f"{conditions.bots.speed_mm_s / 1000:g}",
    }


def document_of(form: PostedForm, before: Conditions, race: RaceRecord) -> bytes:
    """The conditions that a posted form asks for, as JSON; what it has no field for stays. Raises BadInput."""
    wanted: dict[str, Any] = json.loads(before.canonical())
    for name, label in NUMBERS.items():
        wanted[name] = _whole(form.get(name), label)
    wanted |= {name: form.get(name) for name in ("profile", "aggregate")}
    wanted |= {"look": form.get("look").strip(), "run_limit_ms": round(parse_seconds(form.get("run_limit")) * 1000)}
    if race.race_type == "object_avoidance":
        count = _whole(form.get("boxes"), text("Boxes"))
        places = wanted["objects"]["places"] if count == before.objects.count else []
        wanted["objects"] = {"count": count, "places": places}
    if race.race_type == "head_to_bot":
        speed_mm_s = round(parse_seconds(form.get("bot_speed")) * 1000)
        wanted["bots"] |= {"count": _whole(form.get("bots"), text("Bot cars")), "speed_mm_s": speed_mm_s}
    return json.dumps(wanted).encode()


def _whole(entered: str, label: Sentence) -> int:
    if not (entered.strip().isascii() and entered.strip().isdecimal() and len(entered.strip()) < 7):
        raise BadInput(text("{field}: write a whole number.", field=label))
    return int(entered)
