"""The wizard's steps: what is wrong where, where a button leads, and the race that comes out."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.pages.participation import race_steps
from leaderboard.pages.participation.race_steps import ALLOWED, CHOICES, FIELDS, STEPS, RaceDraft, Step
from shared.errors import ConfigError
from shared.rules.ranking import METHODS, RaceRules, rules_from

NOW = 1_800_000_000_000_000_000  # 2027-01-15
GOOD = RaceDraft(name="Cup", track="reinvent_base", zone="Europe/Berlin", closes="2027-03-01T18:00")


@pytest.mark.parametrize(
    ("step", "changes", "wrong"),
    [
        ("what", {}, {}),
        ("what", {"name": ""}, {"name": "Give the race a name."}),
        ("what", {"name": "x" * 201, "track": ""}, {"name": "at most 200", "track": "Say on which track"}),
        ("what", {"name": "a\u202eb"}, {"name": "invisible"}),
        ("what", {"direction": "up", "venue": "moon"}, {"direction": "Choose one", "venue": "Choose one"}),
        ("what", {"track": "Nowhere", "venue": "virtual"}, {"track": "The virtual circuit has no track 'Nowhere'"}),
        ("what", {"track": "Nowhere"}, {}),
        ("what", {"description": "x" * 10_001}, {"description": "10000"}),
        ("when", {}, {}),
        ("when", {"opens": "2027-02-01T10:00"}, {}),
        ("when", {"zone": "Mars/Olympus"}, {"zone": "no time zone Mars/Olympus"}),
        ("when", {"opens": "soon"}, {"opens": "no date and time"}),
        ("when", {"closes": "2027-01-01T00:00"}, {"closes": "over already"}),
        ("when", {"opens": "2027-03-01T18:00"}, {"closes": "close before it opens"}),
        # The hour that is not there, and the one that is there twice.
        ("when", {"closes": "2027-03-28T02:30"}, {"closes": "write 2027-03-28T01:30+01:00 or 2027-03-28T03:30+02:00"}),
        ("when", {"closes": "2027-10-31T02:30"}, {"closes": "2027-10-31T02:30+02:00 or 2027-10-31T02:30+01:00"}),
        ("when", {"closes": "2027-10-31T02:30+01:00"}, {}),
        ("who", {}, {}),
        ("who", {"consecutive_laps": "0"}, {"consecutive_laps": "Allowed is 1 to 10."}),
        ("who", {"consecutive_laps": "three"}, {"consecutive_laps": "Write a number"}),
        ("who", {"off_track_penalty_s": "2,5"}, {}),
        ("who", {"off_track_penalty_s": "nan"}, {"off_track_penalty_s": "Allowed is 0 to 600."}),
        ("who", {"attempts_per_racer": ""}, {}),
        ("who", {"attempts_per_racer": "10001"}, {"attempts_per_racer": "1 to 10000"}),
        ("who", {"visibility": "secret", "method": "luck"}, {"visibility": "Choose", "method": "Choose"}),
        ("review", {}, {}),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_step(step: Step, changes: dict[str, str], wrong: dict[str, str]) -> None:
    found = race_steps.problems(dataclasses.replace(GOOD, **changes), step, NOW)
    assert found.keys() == wrong.keys()
    for name, said in wrong.items():
        assert said in found[name]


@pytest.mark.parametrize(
    ("changes", "here", "go", "step", "wrong"),
    [
        ({}, "what", "when", "when", ()),
        ({}, "what", "", "when", ()),
        ({}, "what", "review", "review", ()),
        ({"name": ""}, "what", "when", "what", ("name",)),
        ({"opens": "soon"}, "when", "what", "what", ()),
        ({"opens": "soon"}, "when", "who", "when", ("opens",)),
        ({}, "who", "when", "when", ()),
        ({}, "who", "review", "review", ()),
        ({"name": ""}, "who", "review", "what", ("name",)),  # a hidden field that somebody changed
        ({}, "review", "create", "review", ()),
        ({"closes": "2027-01-14T00:00"}, "review", "create", "when", ("closes",)),  # over by now
        ({}, "review", "nonsense", "review", ()),
    ],
)
def test_where_a_button_leads(changes: dict[str, str], here: Step, go: str, step: Step, wrong: tuple[str, ...]) -> None:
    found, errors = race_steps.move(dataclasses.replace(GOOD, **changes), here, go, NOW)
    assert (found, tuple(errors)) == (step, wrong)


@pytest.mark.parametrize(
    ("written", "needs"),
    [("", False), ("2027-03-01T18:00", False), ("2027-03-28T02:30", True), ("2027-10-31T02:30+01:00", True)],
)
def test_when_a_time_is_written_with_its_offset(written: str, needs: bool) -> None:
    assert race_steps.needs_offset(dataclasses.replace(GOOD, closes=written), "closes") == needs


def test_the_race_that_comes_out() -> None:
    draft = dataclasses.replace(GOOD, visibility="public", method="best_lap", off_track_penalty_s="2,5")
    race = race_steps.race_of(dataclasses.replace(draft, opens="2027-02-01T10:00", consecutive_laps="1"))
    assert (race.kind, race.visibility, race.zone, race.venue) == ("community", "public", "Europe/Berlin", "physical")
    assert race.opens_utc_ns == 1_801_472_400_000_000_000
    assert (race.rules.method, race.rules.consecutive_laps, race.rules.off_track_penalty_s) == ("best_lap", 1, 2.5)
    assert race.rules.attempts_per_racer is None
    assert race.rules.min_lap_s > RaceRules().min_lap_s  # of the published track


@given(st.dictionaries(st.sampled_from([f.name for f in dataclasses.fields(RaceDraft)]), st.text(max_size=30)))
@settings(max_examples=60)
def test_whatever_is_typed_is_a_race_or_a_sentence(values: dict[str, str]) -> None:
    draft = RaceDraft.of(values)
    found = [each for step in STEPS for each in race_steps.problems(draft, step, NOW)]
    if not found:
        assert race_steps.race_of(draft).name == draft.name
    # Nothing that was typed is lost on the way.
    for step in STEPS:
        assert set(draft.but(step)) | set(FIELDS[step]) == {f.name for f in dataclasses.fields(RaceDraft)}


def test_limits_and_choices_are_those_of_the_rules() -> None:
    assert {value for value, _ in CHOICES["method"]} == set(METHODS)
    for name, (lowest, highest) in ALLOWED.items():
        for value in (lowest, highest):
            rules_from({name: value})
        for value in (lowest - 1, highest + 1):
            with pytest.raises(ConfigError):
                rules_from({name: value})
