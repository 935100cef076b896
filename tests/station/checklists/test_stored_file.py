"""The file of the checklists: what is written is read, nothing else gets in, no newest tick is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.rules.person_names import MAX_BYTES_PER_CHARACTER
from station.access.people_and_devices import MAX_NAME
from station.checklists.items import ITEMS
from station.checklists.records import NO_END_NS, CarSighting, HandTick, SensorSighting, StationSightings
from station.checklists.stored_file import (
    MAX_BYTES,
    MAX_CARRIED_TICKS,
    StoredChecklists,
    as_bytes,
    carriable,
    checklists_in,
    with_ticks_of,
)

TIMES_NS = st.integers(0, NO_END_NS)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TICKS = st.lists(
    st.builds(HandTick, st.sampled_from([*ITEMS, "a line of a later version"]), NAMES, TIMES_NS, st.booleans(), NAMES),
    max_size=8,
    unique_by=lambda tick: tick.key,
).map(tuple)
SIGHTINGS = st.builds(
    StationSightings,
    sensors=st.lists(st.builds(SensorSighting, NAMES, NAMES, TIMES_NS), max_size=3).map(tuple),
    button_utc_ns=st.none() | TIMES_NS,
)
STORED = st.builds(StoredChecklists, TICKS, SIGHTINGS)


@given(STORED)
def test_what_is_written_is_read(stored: StoredChecklists) -> None:
    assert checklists_in(as_bytes(stored)) == stored


@given(STORED, st.data())
def test_a_byte_that_was_changed_is_refused_or_read_as_checklists(
    stored: StoredChecklists, data: st.DataObject
) -> None:
    content = bytearray(as_bytes(stored))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    try:
        found = checklists_in(bytes(content))
    except BadInput:
        return
    assert checklists_in(as_bytes(found)) == found


@given(st.binary(max_size=200) | st.recursive(st.just(b"1"), lambda inner: inner.map(lambda part: b"[" + part + b"]")))
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(BadInput):
        checklists_in(content)


def test_a_file_that_is_too_large_is_not_even_parsed() -> None:
    assert checklists_in(b" " * (MAX_BYTES - 2) + b"{}") == StoredChecklists()
    with pytest.raises(BadInput, match="It is larger than 1 MB"):
        checklists_in(b" " * (MAX_BYTES - 1) + b"{}")


@given(STORED, STORED)
def test_no_newest_tick_is_lost_and_only_own_sightings_count(here: StoredChecklists, carried: StoredChecklists) -> None:
    merged = with_ticks_of(here, carried, NO_END_NS)
    given_of = {key: [tick for tick in (*carried.ticks, *here.ticks) if tick.key == key] for key in ITEMS}
    for tick in merged.ticks:
        assert all(tick.at_utc_ns >= other.at_utc_ns for other in given_of.get(tick.key, []))
    assert {tick.key for tick in merged.ticks} == {tick.key for tick in (*here.ticks, *carried.ticks)}
    assert set(merged.ticks) <= {*here.ticks, *carried.ticks}
    assert len({tick.key for tick in merged.ticks}) == len(merged.ticks)
    assert merged.sightings == here.sightings
    again = with_ticks_of(merged, carried, NO_END_NS)
    assert (set(again.ticks), again.sightings) == (set(merged.ticks), merged.sightings)


NOW_NS = 1_790_000_000_000_000_000
HOUR_NS = 3600 * 10**9


@pytest.mark.parametrize(
    ("here_ns", "carried_ns", "wins"),
    [
        (NOW_NS - HOUR_NS, NOW_NS + 1, "here"),  # the other machine's clock was ahead
        (NOW_NS - HOUR_NS, NO_END_NS, "here"),
        (NOW_NS - HOUR_NS, NOW_NS, "carried"),
        (NOW_NS - HOUR_NS, NOW_NS - HOUR_NS, "here"),
        (NOW_NS + HOUR_NS, NOW_NS - HOUR_NS, "here"),
        (NOW_NS + HOUR_NS, NOW_NS + 2 * HOUR_NS, "here"),
        (None, NOW_NS + HOUR_NS, "carried"),  # nobody said anything else of it
    ],
)
def test_a_tick_that_is_later_than_now_is_worth_less_than_one_that_is_here(
    here_ns: int | None, carried_ns: int, wins: str
) -> None:
    here = () if here_ns is None else (HandTick("road", "here", here_ns),)
    merged = with_ticks_of(StoredChecklists(here), StoredChecklists((HandTick("road", "carried", carried_ns),)), NOW_NS)
    assert [each.person for each in merged.ticks] == [wins]


def test_a_file_that_could_not_be_read_again_is_not_even_written() -> None:
    fits = StoredChecklists(sightings=StationSightings(button_utc_ns=1))
    assert checklists_in(as_bytes(fits)) == fits
    with pytest.raises(BadInput, match="It is larger than 1 MB"):
        as_bytes(StoredChecklists((HandTick("road", "R" * MAX_BYTES, 1),)))


def unknown_lines(count: int, chars: int = 236) -> tuple[HandTick, ...]:
    """Ticks of lines that this version does not know, as long as may be: in JSON a control character takes six."""
    return tuple(HandTick(f"{n:05}", "\x01" * chars, NOW_NS + n) for n in range(count))


def test_however_many_ticks_are_brought_the_own_ones_are_kept_and_the_file_can_be_read_again() -> None:
    own = tuple(HandTick(key, "Ruth", NOW_NS) for key in ITEMS)
    cars = tuple(CarSighting(f"car-{n}", NOW_NS, "boot", None) for n in range(9_000))
    here = StoredChecklists(own, StationSightings(cars=cars))
    assert len(as_bytes(here)) > MAX_BYTES * 0.8
    merged = with_ticks_of(here, StoredChecklists(unknown_lines(3_500)), NOW_NS + HOUR_NS)
    assert len(merged.ticks) == MAX_CARRIED_TICKS
    assert set(own) <= set(merged.ticks)
    assert merged.ticks[-1].at_utc_ns > NOW_NS + 3_000, "of the others the newest"
    assert checklists_in(as_bytes(merged)) == merged, "without what was seen, which does not fit and is seen again"
    assert with_ticks_of(here, StoredChecklists(), NOW_NS) == here


def test_what_no_station_writes_is_not_carried() -> None:
    longest = unknown_lines(MAX_CARRIED_TICKS)
    assert carriable(longest) == longest
    assert carriable((*longest, HandTick("road", "Ruth", 1)))[0].key == "road"
    assert carriable(unknown_lines(1, chars=237)) == ()
    longest_name = '"' * (MAX_NAME * MAX_BYTES_PER_CHARACTER)
    named = HandTick(max(ITEMS, key=len), longest_name, NO_END_NS, device=longest_name)
    assert carriable([named]) == (named,)
