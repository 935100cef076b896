"""The file of the checklists: what is written is read, nothing else gets in, no newest tick is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from station.checklists.items import ITEMS
from station.checklists.records import NO_END_NS, HandTick, SensorSighting, StationSightings
from station.checklists.stored_file import MAX_BYTES, StoredChecklists, as_bytes, checklists_in, with_ticks_of

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
    merged = with_ticks_of(here, carried)
    given_of = {key: [tick for tick in (*carried.ticks, *here.ticks) if tick.key == key] for key in ITEMS}
    for tick in merged.ticks:
        assert all(tick.at_utc_ns >= other.at_utc_ns for other in given_of.get(tick.key, []))
    assert {tick.key for tick in merged.ticks} == {tick.key for tick in (*here.ticks, *carried.ticks)}
    assert set(merged.ticks) <= {*here.ticks, *carried.ticks}
    assert len({tick.key for tick in merged.ticks}) == len(merged.ticks)
    assert merged.sightings == here.sightings
    again = with_ticks_of(merged, carried)
    assert (set(again.ticks), again.sightings) == (set(merged.ticks), merged.sightings)
