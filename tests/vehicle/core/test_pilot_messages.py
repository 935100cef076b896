"""What a hijacked pilot may say to guard and comms: whatever it sends, the car's own messages stay readable."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocol.codec import MAX_TEXT
from shared.protocol.messages import CarLap
from vehicle.core.messages import CameraAbsent, FrameCounts, PilotFault, PilotReady, Setpoint, UnusableFrame
from vehicle.core.pilot_messages import (
    MAX_SENTENCE,
    checked_said,
    is_possible_lap,
    plain,
)
from vehicle.process.channel import pack, unpack

SHA = "ab" * 32


@pytest.mark.parametrize(
    "message",
    [
        Setpoint(1, 1_000, 0.5, 1.0, 900, 100, 1_500),
        Setpoint(0, 0, -1.0, -1.0, 0),
        FrameCounts(10, 2, 0),
        PilotReady("sample_model-2", SHA, "int8", realtime=True),
        PilotReady("", "", ""),
        PilotReady("", ""),
        PilotFault("The model gave no number."),
        UnusableFrame("The picture is dark: 3 of 255."),
        CameraAbsent("there is no camera at /dev/video0; found here: none."),
    ],
)
def test_what_an_honest_pilot_says_is_taken_as_it_is(message: object) -> None:
    assert checked_said(message) == message


@pytest.mark.parametrize(
    "message",
    [
        Setpoint(-1, 1_000, 0.5, 1.0, 900),
        Setpoint(1, -1, 0.5, 1.0, 900),
        Setpoint(1, 1 << 63, 0.5, 1.0, 900),
        Setpoint(1, 1_000, float("nan"), 1.0, 900),
        Setpoint(1, 1_000, 0.5, 1.0, -1),
        Setpoint(1, 1_000, 0.5, 1.0, 900, 1 << 40),
        FrameCounts(1 << 60, 0, 0),
        FrameCounts(-1, 0, 0),
        PilotReady("x" * 81, SHA),
        PilotReady("two\nlines", SHA),
        PilotReady("model", "<b>"),
        PilotReady("model", SHA, "fast"),
        CarLap(1, "boot"),
        None,
    ],
)
def test_what_no_honest_pilot_says_is_ignored(message: object) -> None:
    assert checked_said(message) is None


SENTENCES = st.text(max_size=2_000).map(PilotFault) | st.text(max_size=2_000).map(UnusableFrame)
COUNTS = st.builds(FrameCounts, st.integers(), st.integers(), st.integers())
READY = st.builds(PilotReady, st.text(max_size=200), st.text(max_size=200), st.text(max_size=9), st.booleans())


@given(SENTENCES | COUNTS | READY)
def test_whatever_comes_through_the_channel_is_short_and_plain(message: PilotFault | FrameCounts | PilotReady) -> None:
    received = unpack(pack(message))
    said = checked_said(received)
    if isinstance(said, PilotFault | UnusableFrame):
        assert len(said.sentence) <= MAX_SENTENCE < MAX_TEXT
        assert said.sentence.isprintable()
        json.dumps(said.sentence).encode()
    elif isinstance(said, FrameCounts):
        assert min(said.frames, said.dropped, said.repeated) >= 0


def test_a_long_sentence_is_cut_where_it_shows() -> None:
    assert plain("x" * 400) == "x" * 299 + "…"
    assert plain("a\x1b[2Jb\u202ec") == "a?[2Jb?c"


@pytest.mark.parametrize(
    ("lap", "is_possible"),
    [
        (CarLap(1, "boot-1", 4, 9_000_000_000, 200, 5, 1), True),
        (CarLap(1, ""), False),
        (CarLap(1, "b" * 30_000), False),
        (CarLap(-1, "boot-1"), False),
        (CarLap(1, "boot-1", lap_ns=1 << 70), False),
        (CarLap(1, "boot-1", uncertainty_ns=-5), False),
    ],
)
def test_a_lap_that_can_be(lap: CarLap, is_possible: bool) -> None:
    assert is_possible_lap(lap) == is_possible
