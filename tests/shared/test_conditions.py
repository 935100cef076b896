"""Conditions of virtual races: one text and one hash of the same conditions, and a sentence for what cannot be."""

import dataclasses
import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.conditions import (
    PPM,
    BotSet,
    BoxPlace,
    BoxSet,
    Conditions,
    DrivenRules,
    DrivenType,
    check_conditions,
    check_world,
    conditions_from,
)
from shared.errors import BadInput
from shared.rules.ranking import RaceRules
from shared.text import text

_RULES = st.builds(
    RaceRules,
    method=st.sampled_from(["average", "best_lap", "total_time"]),
    consecutive_laps=st.integers(1, 3),
    max_laps=st.none() | st.integers(3, 9),
    time_limit_s=st.none() | st.floats(10, 7200),
    off_track_penalty_s=st.floats(0, 600),
    collision_penalty_s=st.floats(0, 600),
    max_resets_per_lap=st.none() | st.integers(0, 9),
    attempts_per_racer=st.none() | st.integers(1, 9),
    min_lap_s=st.floats(0.1, 600),
)


@st.composite
def _any_conditions(draw: st.DrawFn) -> Conditions:
    kind: DrivenType = draw(st.sampled_from(get_args(DrivenType)))
    objects, bots = BoxSet(), BotSet()
    if kind == "object_avoidance":
        shares = draw(st.lists(st.integers(2, 23), min_size=1, max_size=6, unique=True))
        places = tuple(BoxPlace(draw(st.sampled_from([-1, 1])), share * 40_000) for share in shares)
        objects = BoxSet(len(shares), draw(st.sampled_from([(), places])))
    if kind == "head_to_bot":
        bots = BotSet(draw(st.integers(1, 6)), draw(st.integers(200, 6000)), 500, draw(st.integers(500, 9000)))
    return check_conditions(
        Conditions(
            track=draw(st.sampled_from(["reinvent_base", "Zürich", "a/b 'c'"])),
            direction=draw(st.sampled_from(["counterclockwise", "clockwise"])),
            race_type=kind,
            rules=DrivenRules.of(draw(_RULES)),
            objects=objects,
            bots=bots,
            profile=draw(st.sampled_from(["console-2022", "league-2023", "droa-2026", "physical"])),
            runs=draw(st.integers(1, 9)),
            aggregate=draw(st.sampled_from(["best", "median", "worst"])),
            laps=draw(st.integers(3, 50)),
        )
    )


def _reversed(value: Any) -> Any:
    """The same JSON value, its members in the opposite order."""
    if isinstance(value, dict):
        return {name: _reversed(each) for name, each in reversed(value.items())}
    return [_reversed(each) for each in value] if isinstance(value, list) else value


@settings(max_examples=60)
@given(_any_conditions(), st.integers(0, 3))
def test_one_text_of_the_same_conditions(conditions: Conditions, indent: int) -> None:
    again = conditions_from(conditions.canonical())
    assert again == conditions
    shuffled = json.dumps(_reversed(json.loads(conditions.canonical())), indent=indent)
    assert conditions_from(shuffled).sha256 == conditions.sha256
    assert "." not in json.dumps(dataclasses.asdict(dataclasses.replace(conditions, track="t"))), "only whole numbers"
    assert DrivenRules.of(conditions.rules.race_rules()) == conditions.rules


@settings(max_examples=30)
@given(_any_conditions(), _any_conditions())
def test_other_conditions_have_another_hash(one: Conditions, other: Conditions) -> None:
    assert (one.sha256 == other.sha256) == (one == other)
    assert dataclasses.replace(one, latency_ms=1).sha256 != one.sha256


def test_the_hash_of_the_defaults_stays() -> None:
    # Stored in every result: if this changes, no result of before can be verified. A new field needs a new version.
    before = dataclasses.replace(Conditions(), engine="raceday-1")  # another engine is another hash, and says so
    assert before.sha256 == "9f721fa99af879c3f04703652b30f2c0c9f6a5c56880644da4315bd20d862208"
    assert conditions_from("{}") == Conditions()
    assert (Conditions().runs, Conditions().aggregate, Conditions().resets) == (3, "median", 15)


def _places(*places: tuple[int, int]) -> dict[str, Any]:
    made = [{"lane": lane, "share_ppm": share} for lane, share in places]
    return {"race_type": "object_avoidance", "objects": {"count": len(made), "places": made}}


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ([], "not valid at 'body'"),
        ({"wheels": 4}, "not valid at 'wheels'"),
        ({"runs": 3.0}, "not valid at 'runs'"),
        ({"runs": True}, "not valid at 'runs'"),
        ({"runs": 0}, "`runs` is 0; allowed is 1 to 9"),
        ({"runs": 10}, "`runs` is 10; allowed is 1 to 9"),
        ({"aggregate": "mean"}, "not valid at 'aggregate'"),
        ({"profile": "console-2019"}, "not valid at 'profile'"),
        ({"track": ""}, "`track` is ''"),
        ({"track": "a\nb"}, "`track` is 'a\\nb'"),
        ({"engine": ""}, "`engine` is ''"),
        ({"look": "x" * 201}, "`look` is"),
        ({"latency_ms": -1}, "`latency_ms` is -1"),
        ({"run_limit_ms": 10**30}, "`run_limit_ms` is 1000000"),
        ({"v": 2}, "`v` is 2"),
        ({"laps": 2}, "A run of 2 laps cannot hold the 3 laps"),
        ({"rules": {"consecutive_laps": 11}, "laps": 20}, "rule `consecutive_laps` is 11"),
        ({"rules": {"min_lap_ns": 10**13}}, "a time that is out of range"),
        ({"rules": {"min_lap_ns": -1}}, "a time that is out of range"),
        ({"race_type": "object_avoidance"}, "(1 to 6), and in no other"),
        ({"objects": {"count": 1}}, "(1 to 6), and in no other"),
        ({"race_type": "object_avoidance", "objects": {"count": 7}}, "`objects.count` is 7; allowed is 0 to 6"),
        (_places((0, 500_000)), "Box 1 stands in lane 0"),
        (_places((2, 500_000)), "Box 1 stands in lane 2"),
        (_places((1, PPM)), "`objects.places.1.share_ppm` is 1000000"),
        (_places((1, 500_000), (-1, 0)), "Box 2 overlaps the start"),
        (_places((1, 28_000)), "Box 1 overlaps the start"),  # 0.496 m of 17.71 m
        (_places((1, 972_000)), "Box 1 overlaps the start"),
        (_places((1, 29_000)) | {"track": "unheard of"}, "Box 1 overlaps the start"),
        (_places((1, 500_000), (-1, 700_000), (1, 510_000)), "Boxes 1 and 3 overlap"),
        (_places((1, 500_000)) | {"objects": {"count": 2, "places": [{"lane": 1, "share_ppm": 5}]}}, "1 places for 2"),
        ({"race_type": "head_to_bot", "bots": {"count": 7}}, "`bots.count` is 7; allowed is 0 to 6"),
        ({"race_type": "head_to_bot", "bots": {"count": 1, "speed_mm_s": 6001}}, "`bots.speed_mm_s` is 6001"),
        ({"race_type": "head_to_bot", "bots": {"count": 1, "lane_ms_from": 9000}}, "`bots.lane_ms_to` is 5000"),
        ({"bots": {"count": 1}}, "(1 to 6), and in no other"),
    ],
)
def test_what_cannot_be_gets_one_sentence(document: object, sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        conditions_from(json.dumps(document))
    assert sentence in str(refused.value)
    assert str(refused.value).count("\n") == 0
    assert isinstance(refused.value.args[0], type(text("")))


def test_track_and_look_are_those_that_every_farm_has() -> None:
    check_world(Conditions(track="RE:INVENT 2018", look="Bowtie_track"))
    for conditions, written, names in (
        (Conditions(track="reinvent_bas"), "reinvent_bas", "reinvent_base"),
        (Conditions(track="Nowhere"), "Nowhere", "reinvent_base, reInvent2019_wide"),
        (Conditions(look="Oval"), "Oval", "Oval_track"),
    ):
        with pytest.raises(BadInput) as refused:
            check_world(conditions)
        assert f"has no track '{written}': name one that ships with Raceday, such as {names}" in str(refused.value)


def test_what_is_no_json_or_too_long_gets_one_sentence() -> None:
    for payload in (b"{", b"\xff", b" " * 9000, b'{"runs":NaN}', b'{"track":"\\ud800"}', b"[" * 8000):
        with pytest.raises(BadInput):
            conditions_from(payload)
    assert conditions_from(json.dumps(_places((1, 29_000), (-1, 29_000)))).objects.count == 2, "one in each lane"
