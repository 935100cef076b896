"""What a leaderboard's answers say of a race: whether it is there, ranks alike, or was created by our offer."""

import dataclasses
import json
import pathlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.protocol.races import RaceOffer, decode_offer, differences, encode_offer
from shared.protocol.results import PostDeferred
from shared.rules.ranking import RaceRules
from shared.web.http_exchange import Reply
from station.store.event_files.race_offers import OFFERS_FILE, OffersReader, RaceOffers, write_offers
from station.sync.leaderboard_check import Target, readiness_of, target_after_offer, target_from_reply

OURS = RaceOffer("cup", "Cup", "Oval", RaceRules(min_lap_s=5.0, max_laps=10))
MARK = {"raceday-contract": "results/1", "content-type": "application/json"}
MISSING = Target("cup", "missing")


def race(status: int = 200, **changes: Any) -> Reply:
    shown = {"race_id": "cup", "venue": "physical", "rules": dataclasses.asdict(OURS.rules)}
    return Reply(status, MARK, json.dumps(shown | changes).encode())


CASES: list[tuple[dict[str, Any], str, tuple[str, ...]]] = [
    ({}, "ready", ()),
    ({"rules": {"min_lap_s": 5.0, "max_laps": 10}}, "ready", ()),
    ({"rules": {"min_lap_s": 4.4, "max_laps": 10}}, "differs", ("min_lap_s: 4.4 there, 5 here",)),
    ({"rules": {"min_lap_s": 5}}, "differs", ("max_laps: none there, 10 here",)),
    ({"venue": "virtual"}, "differs", ("kind: virtual there, physical here",)),
    ({"rules": "ours"}, "ready", ()),  # rules of another form cannot be compared
    ({"rules": {"max_laps": "many"}}, "ready", ()),
]


@pytest.mark.parametrize(("changes", "readiness", "found"), CASES)
def test_rules_are_compared_field_by_field(changes: dict[str, Any], readiness: str, found: tuple[str, ...]) -> None:
    target = target_from_reply(OURS, race(**changes))
    assert (target.readiness, target.differences) == (readiness, found)
    assert all(each in target.sentence for each in found)


OFFERS: list[tuple[Target, Reply | PostDeferred, str, str]] = [
    (MISSING, race(201), "ready", "ready for the race 'cup'"),
    (MISSING, race(200), "ready", ""),
    (MISSING, race(201, rules={"max_laps": 3}), "differs", "max_laps: 3 there, 10 here"),
    (MISSING, race(201, race_id="other"), "missing", ""),
    (MISSING, Reply(403, MARK, b'{"error": "No races from stations."}'), "missing", "No races from stations."),
    (MISSING, Reply(405, MARK, b'{"error": "Method Not Allowed."}'), "missing", "create it there"),
    (MISSING, Reply(404, {}, b"<html>"), "missing", "create it there"),
    (MISSING, Reply(403, {}, b'{"error": "Blocked by a firewall."}'), "missing", "create it there"),
    (MISSING, Reply(401, MARK, b'{"error": "The secret is wrong."}'), "unreachable", "The secret is wrong."),
    (MISSING, PostDeferred("No connection."), "unreachable", "No connection."),
    (Target("cup", "ready"), Reply(409, MARK, b'{"error": "It has other rules."}'), "ready", ""),
    (
        Target("cup", "differs", "", ("x: 1 there, 2 here",)),
        Reply(409, MARK, b'{"error": "Not yours."}'),
        "differs",
        "x: 1",
    ),
]


@pytest.mark.parametrize(("known", "reply", "readiness", "words"), OFFERS)
def test_an_offer_creates_the_race_or_says_why_not(
    known: Target, reply: Reply | PostDeferred, readiness: str, words: str
) -> None:
    target = target_after_offer(OURS, known, reply)
    assert target.readiness == readiness
    assert words in target.sentence


@pytest.mark.parametrize(
    ("stored", "meant"), [("unknown", "missing"), ("away", "unreachable"), ("ready", "ready"), ("x", "unreachable")]
)
def test_words_of_an_older_sync_are_understood(stored: str, meant: str) -> None:
    assert readiness_of(stored) == meant


rules = st.builds(
    RaceRules,
    consecutive_laps=st.integers(1, 3),
    max_laps=st.none() | st.integers(3, 9),
    min_lap_s=st.floats(0.1, 600),
    off_track_penalty_s=st.floats(0, 600),
)


@given(rules, rules)
def test_differences_are_none_only_between_equal_rules(one: RaceRules, other: RaceRules) -> None:
    assert (differences(one, other) == ()) == (one == other)
    assert len(differences(one, other)) == len(differences(other, one))


@given(rules, st.text(max_size=20), st.sampled_from(["", "final"]))
def test_offers_pass_through_the_file_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, ranked: RaceRules, name: str, current: str
) -> None:
    folder = tmp_path_factory.mktemp("offers")
    offers = RaceOffers(current, (OURS, RaceOffer("final", name, "", ranked, rules_version=2)))
    write_offers(folder / OFFERS_FILE, offers)
    assert OffersReader(folder).offers() == offers


def test_a_file_that_is_not_there_or_damaged_offers_nothing(tmp_path: pathlib.Path) -> None:
    reader = OffersReader(tmp_path)
    assert reader.offers() == RaceOffers()
    (tmp_path / OFFERS_FILE).write_bytes(b"{\nnothing\n" + encode_offer(OURS) + b"\n")
    assert reader.offers() == RaceOffers("", (OURS,))
    write_offers(tmp_path / OFFERS_FILE, RaceOffers("cup", (OURS,)))
    assert reader.offers().offer("cup") == OURS
    (tmp_path / OFFERS_FILE).unlink()
    assert reader.offers() == RaceOffers()


@given(st.binary(max_size=100))
def test_any_bytes_are_an_offer_or_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        decode_offer(data)
    with pytest.raises(BadInput):
        decode_offer(b"x" * 20_000)
