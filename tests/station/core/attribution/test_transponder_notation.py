"""A transponder that is assigned in another notation than the config's or the decoder's is still the same one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.core import facts as f
from station.core import inputs as e
from station.store.encoding import decode_input, encode_facts, encode_input
from tests.station.core.attribution.test_transponders import Loop, worn
from tests.station.core.attribution.test_wrong_owner import OPEN, replays
from tests.station.core.scripted_race import QUICK, corners, only

NUMBER = 13499724
NOTATIONS = ["13499724", "0013499724", "13 499 724", "CDFD4C", "cdfd4c", "0xCDFD4C", "00CD:FD:4C", "cd-fd-4c"]
SOME = corners(NOTATIONS, "0013499724", "CDFD4C", "cd-fd-4c")


def two(*known: e.Transponder) -> tuple[Loop, str, str]:
    loop = Loop(*known, cars=2, rules=OPEN)
    return loop, loop.on(), loop.on("Bob", "car-2", 1.1)


@pytest.mark.parametrize("written", SOME)
@pytest.mark.parametrize("read", corners(["13499724", "CDFD4C", "00cdfd4c"], "13499724", "00cdfd4c"))
@pytest.mark.parametrize("known", corners(["13499724", "CDFD4C", "0xcdfd4c"], "0xcdfd4c"))
def test_the_configs_wrong_car_is_put_right_in_any_notation(known: str, read: str, written: str) -> None:
    loop, ann, bob = two(*worn(known, car="car-2"))
    loop.read(read, 3, 13)
    assert loop.laps_of(bob) == [10]
    new_facts = loop.whose(written, car="car-1", at_s=18)
    assert only(new_facts, f.TransponderAssigned)[0].crossings == 2
    loop.read(read, 23)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([10, 10], [])
    assert replays(loop)


@pytest.mark.parametrize("right", SOME)
@pytest.mark.parametrize("wrong", SOME)
def test_the_officials_last_word_stands_in_any_notation(wrong: str, right: str) -> None:
    loop, ann, bob = two(*worn("999", car="car-9"))
    loop.read(str(NUMBER), 3)
    loop.whose(wrong, car="car-2", at_s=5)
    loop.read(str(NUMBER), 13)
    assert loop.laps_of(bob) == [10]
    loop.whose(right, car="car-1", at_s=18)
    loop.read(str(NUMBER), 23)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([10, 10], [])
    loop.whose(wrong, car="car-2", at_s=28)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([], [10, 10])


@pytest.mark.parametrize("known", [(), worn("13499724", car="car-2")], ids=["unknown", "in the config"])
@pytest.mark.parametrize("written", SOME)
def test_nobodys_is_nobodys_in_any_notation(written: str, known: tuple[e.Transponder, ...]) -> None:
    loop, ann, bob = two(*worn("999", car="car-9"), *known)
    if not known:
        assert only(loop.read("13499724", 2), f.UnknownTransponder)
    loop.whose(written)
    assert only(loop.read("13499724", 3, 13), f.UnknownTransponder) == []
    assert loop.engine.unknown_transponders == ()
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([], [])


def test_digits_in_hexadecimal_mean_the_one_that_is_read() -> None:
    loop, ann, bob = two(*worn("1193046", car="car-2"))
    loop.read("1193046", 3)
    loop.whose("123456", car="car-1", at_s=5)
    loop.read("1193046", 13)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([10], [])


def test_digits_that_were_sent_as_they_stand_mean_themselves() -> None:
    loop, ann, bob = two(*worn("1193046", car="car-2"))
    loop.read("1193046", 3, 13)
    loop.read("123456", 4, 15)
    loop.whose("123456", car="car-1", at_s=20)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([11], [10])


def test_digits_that_are_sent_as_they_stand_after_all_give_the_other_one_back() -> None:
    loop, ann, bob = two(*worn("1193046", car="car-2"))
    loop.whose("123456", car="car-1", at_s=2)  # no pass of either yet
    loop.read("123456", 4, 15)
    loop.read("1193046", 5, 17)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([11], [12])


def test_an_official_decides_which_of_two_in_hexadecimal_is_meant() -> None:
    loop, ann, bob = two(*worn("123456"))
    loop.read("1193046", 3)
    loop.whose("0x123456", car="car-2", at_s=5)
    loop.read("1193046", 13)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([], [10])


def test_what_was_given_in_another_notation_outlives_a_restart_until_the_config_says_something_new() -> None:
    loop, ann, bob = two(*worn("13499724", car="car-2"))
    loop.whose("CDFD4C", car="car-1", at_s=2)
    loop.booted(*worn("13499724", car="car-2"))
    loop.read("13499724", 3, 13)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([10], [])
    loop.booted(*worn("13499724", car="car-3"))
    new_facts = loop.read("13499724", 23)
    assert "car-3, who is not on the track" in only(new_facts, f.Unattributed)[0].why


def test_both_systems_notations_of_one_transponder_go_over() -> None:
    """The first gate was replaced by a decoder that writes ids differently."""
    loop, ann, bob = two(*worn("999", car="car-9"))
    loop.read("13499724", 3)
    loop.read("cdfd4c", 13)
    new_facts = loop.whose("CD FD 4C", car="car-1", at_s=18)
    assert only(new_facts, f.TransponderAssigned)[0].crossings == 2
    assert loop.engine.unknown_transponders == ()
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([10], [])


def test_a_journal_of_the_second_edition_is_judged_as_it_was() -> None:
    loop, ann, bob = two()
    loop.booted(*worn("13499724", car="car-2"), edition=2)
    loop.read("13499724", 3)
    loop.whose("CDFD4C", car="car-1", at_s=5)
    loop.read("13499724", 13)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([], [10])
    assert replays(loop)
    for event, facts in zip(loop.inputs, loop.facts, strict=True):
        assert decode_input(encode_input(event)) == event
        assert encode_facts(facts)


@QUICK
@given(
    number=st.integers(1_000_000, 2**32 - 1),
    forms=st.lists(st.sampled_from(["{:d}", "{:010d}", "{:X}", "0x{:x}", "00{:X}"]), min_size=3, max_size=3),
    owners=st.lists(st.sampled_from(["car-1", "car-2", "car-3", ""]), max_size=3),
)
def test_in_whatever_notation_it_was_named_its_last_owner_has_it(
    number: int, forms: list[str], owners: list[str]
) -> None:
    known, *given_as = [form.format(number) for form in forms]
    loop, ann, bob = two(*worn(known, car="car-2"))
    loop.read(str(number), 3, 13)
    for count, owner in enumerate([*owners, "car-1"]):
        loop.whose(given_as[count % 2], car=owner, at_s=15)
    loop.read(str(number), 23)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([10, 10], [])
