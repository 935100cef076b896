"""A timing thread that hangs is reported by the thread that does not: on the page, in the log and over MQTT."""

import pathlib
import threading
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocol import messages as m
from station.service.thread_watchdog import LATE_NS, S, ThreadWatchdog, late_sentence
from station.store.journal import JournalEntry
from station.web.presenters.health import alarms
from tests.station.service.station_rig import Rig

MS = 1_000_000
TURN = None


@pytest.mark.parametrize(
    ("looks", "rate", "late_s"),
    [
        ((0,), 1.0, (0,)),  # before the first round too
        ((0, 1_500, 1_501, 2_000, 7_900), 1.0, (0, 0, 1, 2, 7)),
        ((0, TURN, 3_000, 4_000), 1.0, (0, 0, 0)),  # there was a round in between: counted from the check after it
        ((TURN, 0, 3_000, TURN, 3_001, 4_000), 1.0, (0, 3, 0, 0)),
        ((0, 86_400_000), 1.0, (0, 86_400)),
        ((TURN, 0, TURN, 86_400_000), 1.0, (0, 0)),  # the machine slept, both threads with it
        ((0, 7_500, 7_501, 20_000), 5.0, (0, 0, 1, 4)),  # a mock world that runs five times as fast
        ((0, 150, 151), 0.1, (0, 0, 1)),
        ((5_000, 1_000, 2_000, 3_000), 1.0, (0, 0, 0, 2)),  # a clock that started again
    ],
)
def test_late_is_what_the_live_thread_saw(looks: Sequence[int | None], rate: float, late_s: Sequence[int]) -> None:
    watchdog, reported = ThreadWatchdog(), []
    for look in looks:
        if look is TURN:
            watchdog.mark_alive()
        else:
            reported.append(watchdog.late_s(look * MS, rate))
    assert reported == list(late_s)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 10 * S)), max_size=40),
    st.floats(0.01, 100, allow_nan=False),
)
def test_it_is_late_only_after_so_long_without_a_turn(steps: list[tuple[bool, int]], rate: float) -> None:
    watchdog, now_ns, since_ns = ThreadWatchdog(), 0, -1
    for turned, passed_ns in steps:
        now_ns += passed_ns
        if turned or since_ns < 0:
            since_ns = now_ns
        if turned:
            watchdog.mark_alive()
        late_s = watchdog.late_s(now_ns, rate)
        assert bool(late_s) == (now_ns - since_ns > LATE_NS * rate)
        assert bool(late_sentence(late_s)) == bool(late_s)


def test_a_journal_that_neither_takes_nor_refuses_is_an_alarm_until_it_answers(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, entered, answered = Rig(tmp_path / "station.db"), threading.Event(), threading.Event()
    station, clock = rig.station, rig.clock
    states: list[str] = []
    publish = rig.link.publish

    def published(body: m.Body, device: str | None = None) -> bool:
        if isinstance(body, m.StationStatus):
            states.append(body.sentence)
        return publish(body, device)

    monkeypatch.setattr(rig.link, "publish", published)
    reported: list[str] = []
    monkeypatch.setattr(station.storage, "_log", reported.append)
    append = station.journal.append

    def hang(entries: Sequence[JournalEntry]) -> object:
        entered.set()
        assert answered.wait(30)
        return append(entries)

    def live(after_ms: int) -> list[str]:
        """Runs the live thread after this much time; returns the sentence that is shown."""
        clock.advance(clock.now_ns() + after_ms * MS)
        station.pump_live()
        return alarms(station.snapshot())

    rig.open()
    assert live(0) == []
    monkeypatch.setattr(station.journal, "append", hang)
    rig.gate.pass_by()
    timing = threading.Thread(target=station.pump)
    timing.start()
    try:
        assert entered.wait(30)
        assert live(0) == []
        assert live(1_500) == []
        assert live(1) == [late_sentence(1)]
        assert live(3_000) == [late_sentence(4)]
        assert not station.snapshot().store.ok
    finally:
        answered.set()
        timing.join(30)
    station.pump()  # and so another round comes
    assert live(20) == []
    assert station.snapshot().store.ok
    assert reported == [late_sentence(1), "The journal responds again."]
    assert states == [late_sentence(1), "The station is timing."]
    station.close()
