"""Live messages: which one is the newest, how often one may come, and the colours of sectors."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.core.live import newest, sectors
from leaderboard.core.live.newest import LiveSender
from shared.errors import BadInput
from shared.protocol.live import MAX_LIVE_BYTES, LiveMessage, RivalCar, decode_live, encode_live
from shared.units import NS_PER_S

NOW = 1_700_000_000_000_000_000


def message(seq: int, boot: str = "b1", **more: Any) -> LiveMessage:
    return LiveMessage("cup", "Anna", boot, seq, **more)


@given(st.permutations(range(8)))
def test_the_newest_wins_in_any_order(seqs: list[int]) -> None:
    sender = LiveSender()
    for place, seq in enumerate(seqs):
        after = newest.received(sender, message(seq), NOW)
        assert (after is not None) == (seq > max(seqs[:place], default=-1))
        sender = after or sender
    assert sender.message == message(7)


def test_a_boot_that_another_followed_stays_old() -> None:
    sender = newest.received(LiveSender(), message(900), NOW)
    assert sender is not None
    sender = newest.received(sender, message(0, "b2"), NOW)
    assert sender is not None
    assert newest.received(sender, message(901, "b1"), NOW) is None  # was under way while the sender started again
    assert newest.received(sender, message(1, "b2"), NOW) is not None


def test_five_a_second_and_no_more() -> None:
    sender = LiveSender()
    for number in range(5):
        assert newest.wait_ns(sender, NOW + number) == 0
        sender = newest.counted(sender, NOW + number)
    assert newest.wait_ns(sender, NOW + 5) == NS_PER_S - 5
    assert newest.wait_ns(sender, NOW + NS_PER_S) == 0
    assert newest.wait_ns(sender, NOW - 10 * NS_PER_S) == 0  # the clock was set back


def test_levels_of_sectors() -> None:
    bests = sectors.SessionBests()
    for racer, times, wanted in (
        ("Anna", (3000, 4000, None), ("best", "best", "pending")),
        ("Tom", (2900, 4100, 5000), ("best", "own", "best")),
        ("Anna", (3100, 4000, 5100), ("slower", "best", "own")),
        ("anna", (3050, 3999, 5000), ("slower", "best", "best")),  # another spelling of the same racer
        ("Tom", (2901, 4099, 5001), ("slower", "own", "slower")),
    ):
        bests = sectors.with_times(bests, racer, times)
        assert sectors.levels(bests, racer, times) == wanted
    assert bests.overall == (2900, 3999, 5000)
    assert bests.of("ANNA") == (3000, 3999, 5000)


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"race_id": ""}, "race_id"),
        ({"race_id": "a b"}, "race_id"),
        ({"racer": ""}, "racer"),
        ({"racer": "A\u202enna"}, "racer"),
        ({"racer": "x" * 100}, "racer"),
        ({"seq": -1}, "seq"),
        ({"seq": 2**60}, "seq"),
        ({"boot": "b" * 81}, "boot"),
        ({"sectors": [1] * 13}, "sectors"),
        ({"sectors": [-1]}, "sectors"),
        ({"track_share": 1.01}, "track_share"),
        ({"speed_mps": "fast"}, "speed_mps"),
        ({"stage": "flying"}, "stage"),
        ({"v": 2}, "version 2"),
        ({"lap": None}, "lap"),
    ],
)
def test_bad_messages_get_a_sentence(changed: dict[str, Any], word: str) -> None:
    document = json.loads(encode_live(message(1))) | changed
    with pytest.raises(BadInput, match=word):
        decode_live(json.dumps(document).encode())


def test_size_and_unknown_fields() -> None:
    document = json.loads(encode_live(message(1, sectors=(1, None), track_share=0.25)))
    assert decode_live(json.dumps(document | {"weather": "dry"}).encode()) == message(
        1, sectors=(1, None), track_share=0.25
    )
    with pytest.raises(BadInput, match=str(MAX_LIVE_BYTES)):
        decode_live(json.dumps(document | {"weather": "x" * MAX_LIVE_BYTES}).encode())
    longest = LiveMessage("r" * 64, "\U0001f3c1" * 64, "b" * 80, 2**53, "s" * 80, sectors=(86_400_000,) * 12)
    assert len(encode_live(longest)) <= 2048  # the longest that a station can send
    times: dict[str, Any] = {
        "sectors": (86_400_000,) * 12,
        "lap_ms": 86_400_000,
        "last_lap_ms": 86_400_000,
        "best_lap_ms": 86_400_000,
    }
    rival = RivalCar("\U0001f3c1" * 64, 10_000, **times, track_share=1 / 3, speed_mps=100 / 3, resets=10_000)
    heat = replace(longest, **times, run_ms=86_400_000, left_ms=86_400_000, rival=rival, ahead_m=-10_000 / 3)
    assert len(encode_live(heat)) <= MAX_LIVE_BYTES


def test_what_is_told_of_a_heat_names_both_and_only_then() -> None:
    alone, rival = message(1), RivalCar("Zoë", lap=2, through=True)
    assert b"rival" not in encode_live(alone)  # as stations send it
    heat = replace(alone, rival=rival, ahead_m=-1.25)
    assert decode_live(encode_live(heat)) == heat
    document = json.loads(encode_live(heat))
    with pytest.raises(BadInput, match="racer"):
        decode_live(json.dumps(document | {"rival": document["rival"] | {"racer": "\u202e"}}).encode())
    with pytest.raises(BadInput, match=r"rival\.lap"):
        decode_live(json.dumps(document | {"rival": document["rival"] | {"lap": -1}}).encode())


@given(st.binary(max_size=80))
def test_any_bytes_are_refused_in_one_way(payload: bytes) -> None:
    with pytest.raises(BadInput):
        decode_live(payload)
