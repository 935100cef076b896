"""The station reboots within a run, and has any time of day afterwards: no lap of the run is lost by that.

All times are true times. A gate stamps by the station's own clock ("beam"), by a count of its own on that clock
("pico"), by a device that keeps running ("device"), or by one that begins a new session with the station ("decoder").
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from station.core.runs.run import Run
from station.core.timing.utc_scale import UtcScale
from station.store.encoding import decode_input, encode_facts, encode_input
from station.views.projection import run_view
from tests.station.core.scripted_race import MS, THOROUGH, UTC, Hand, S, corners, only

HOUR, DAYS = 3_600 * S, 10 * 86_400 * S
OFFS = [0, 3 * S, -3 * S, 40 * S, -40 * S, HOUR, -HOUR, DAYS, -DAYS, -19_000 * 86_400 * S]
SOME = corners(OFFS, 0, -HOUR)
KINDS = ["beam", "pico", "device", "decoder"]
FAR = 5_000 * S
UP = 20 * S  # the kernel's uptime when the station starts
LAP = 10_100 * MS
FIRST = ("boot-1", "boot-1/p1", "device:d:1.0")  # the gates of the first boot
LIMIT = RaceRules(time_limit_s=60.0)


@dataclass
class Rig:
    """A station with one gate of this kind; its time of day is off by `off_ns`."""

    kind: str = "beam"
    rules: RaceRules = LIMIT
    off_ns: int = 0
    trusted: bool = True
    edition: int = 2
    boots: int = 0
    zero_ns: int = 0
    hand: Hand = field(default_factory=lambda: Hand(started=False))
    paired: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.boot(0, self.off_ns, self.trusted)
        self.do(e.OpenRace(self.at(0), "race-1", "A race", self.rules, officiating=self.edition))

    def do(self, event: e.Input) -> tuple[f.Fact, ...]:
        return self.hand.do(event)

    @property
    def station(self) -> str:
        return f"boot-{self.boots}"

    @property
    def gate(self) -> str:
        names = {"beam": self.station, "pico": f"{self.station}/p1", "device": "device:a.1"}
        return names.get(self.kind, f"device:d:{self.boots}.0")

    def at(self, at_ns: int) -> e.Moment:
        return e.Moment(self.station, at_ns - self.zero_ns, UTC + self.off_ns + at_ns)

    def boot(self, at_ns: int, off_ns: int, trusted: bool) -> None:
        self.boots, self.zero_ns, self.off_ns, self.trusted = self.boots + 1, at_ns - UP, off_ns, trusted
        self.paired.clear()
        self.do(e.Booted(self.at(at_ns), "station-1", (e.GateSpec("start"),), clock_trusted=trusted))

    def step(self, at_ns: int, off_ns: int, trusted: bool) -> None:
        self.off_ns, self.trusted = off_ns, trusted
        self.do(e.ClockPair(self.at(at_ns), trusted))

    def start(self, at_ns: int, racer: str = "Ann") -> None:
        self.do(e.OpenRun(author="j", racer=racer, car="car-1", moment=self.at(at_ns)))
        self.do(e.StartRun(author="j", moment=self.at(at_ns)))

    def cross(self, at_ns: int) -> tuple[f.Fact, ...]:
        """Pairs a device when its first edge is received, as the station does."""
        own_ns = at_ns + FAR if self.gate.startswith("device:") else at_ns - self.zero_ns
        if self.gate.startswith("device:") and self.gate not in self.paired:
            self.paired.add(self.gate)
            self.do(e.ClockPair(e.Moment(self.gate, own_ns, self.at(at_ns).utc_ns), self.trusted))
        facts = self.hand.edge(own_ns, boot=self.gate)
        return facts + self.hand.edge(own_ns + 100 * MS, broken=False, boot=self.gate)

    def ticks(self, begin_ns: int, end_ns: int) -> None:
        for at_ns in range(begin_ns, end_ns, S):
            self.do(e.Tick(self.at(at_ns)))

    def lap_after_lap(self, begin_ns: int, end_ns: int) -> None:
        """Drives laps from the crossing at `begin_ns` on, with a tick each second."""
        for at_ns in range(begin_ns, end_ns, LAP):
            self.cross(at_ns)
            self.ticks(at_ns + S // 5, min(at_ns + LAP, end_ns))

    @property
    def run(self) -> Run:
        return self.hand.run

    @property
    def all_facts(self) -> list[f.Fact]:
        return [fact for facts in self.hand.facts for fact in facts]

    @property
    def lap_times(self) -> list[int]:
        return [lap.lap_ns for lap in self.run.book.laps()]


def rebooted(kind: str, off_ns: int, trusted: bool, rules: RaceRules = LIMIT, edition: int = 2) -> Rig:
    """Lap 1 begins at 10 s; the machine is down from 25 s to 28 s, and the car drives for two minutes."""
    rig = Rig(kind, rules, edition=edition)
    rig.start(5 * S)
    rig.cross(10 * S)
    rig.ticks(10_200 * MS, 20 * S)
    rig.cross(10 * S + LAP)
    rig.ticks(20_300 * MS, 25 * S)
    rig.boot(28 * S, off_ns, trusted)
    rig.ticks(28 * S, 30 * S)
    rig.lap_after_lap(10 * S + 2 * LAP, 130 * S)
    return rig


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("off_ns", SOME)
def test_a_device_that_lives_on_measures_the_limit_to_the_end(off_ns: int, trusted: bool) -> None:
    rig = rebooted("device", off_ns, trusted)
    assert rig.lap_times == [LAP] * 5
    assert [fact.reason for fact in only(rig.all_facts, f.RunFinished)] == ["time is up"]
    assert rig.run.finished_utc_ns - rig.run.started_utc_ns == 60 * S
    assert [fact.latest_ns is None for fact in only(rig.all_facts, f.RunClock)] == [True, False, True]


@pytest.mark.parametrize("kind", ["beam", "pico", "decoder"])
@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("off_ns", SOME)
def test_where_only_the_time_of_day_ties_the_boots_no_lap_within_the_limit_is_lost(
    off_ns: int, trusted: bool, kind: str
) -> None:
    """The limit stands still while nothing is stored: the run ends later, and never earlier."""
    rig = rebooted(kind, off_ns, trusted)
    assert rig.lap_times[:5] == [LAP, 0, LAP, LAP, LAP]
    assert [fact.reason for fact in only(rig.all_facts, f.RunFinished)] == ["time is up"]
    assert rig.run.book.done in (5, 6)  # the last stored input was 5 s before, and the station was down for 3 s
    away_ns = 28 * S - 20_200 * MS
    ended = [event for event, facts in zip(rig.hand.inputs, rig.hand.facts, strict=True) if only(facts, f.RunFinished)]
    assert isinstance(ended[0], e.Tick)
    assert 70 * S < ended[0].moment.at_ns + rig.zero_ns <= 70 * S + away_ns + 2 * S


@pytest.mark.parametrize("off_ns", SOME)
@pytest.mark.parametrize("kind", KINDS)
def test_the_lap_that_is_on_when_the_time_is_up_still_counts(off_ns: int, kind: str) -> None:
    rig = rebooted(kind, off_ns, False, RaceRules(time_limit_s=60.0, at_time_limit="finish_lap"))
    assert rig.run.phase == "finished"
    assert rig.run.book.done in ((6,) if kind == "device" else (6, 7))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("off_ns", SOME)
def test_the_runs_after_a_reboot_have_their_whole_time(off_ns: int, trusted: bool, kind: str) -> None:
    """A device that knew the time of day continues with it, whatever the station's clock shows."""
    rig = rebooted(kind, off_ns, trusted)
    rig.start(140 * S, "Bob")
    rig.lap_after_lap(150 * S, 260 * S)
    assert rig.lap_times == [LAP] * 5
    assert rig.run.finished_utc_ns - rig.run.started_utc_ns == 60 * S


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("off_ns", SOME)
def test_each_of_several_reboots_stops_the_limit_and_none_begins_it_anew(off_ns: int, kind: str) -> None:
    rig = Rig(kind)
    rig.start(5 * S)
    for number, at_ns in enumerate(range(10 * S, 130 * S, LAP)):
        rig.cross(at_ns)
        rig.ticks(at_ns + S // 5, at_ns + 5 * S)
        if number < 4:
            rig.boot(at_ns + 6 * S, (-1) ** number * off_ns, bool(number % 2))
        rig.ticks(at_ns + 6 * S, at_ns + LAP)
    within = 5 if kind == "device" else 9
    assert rig.run.phase == "finished"
    assert 5 <= rig.run.book.done <= within
    assert rig.lap_times[4:] == [LAP] * (rig.run.book.done - 4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("off_ns", SOME)
def test_test_mode_before_the_reboot_takes_nothing_after_it(off_ns: int, trusted: bool, kind: str) -> None:
    rig = Rig(kind)
    rig.do(e.SetMode(author="j", mode="test", moment=rig.at(2 * S)))
    tested = rig.cross(3 * S)
    rig.do(e.SetMode(author="j", mode="race", moment=rig.at(5 * S)))
    rig.boot(20 * S, off_ns, trusted)
    rig.start(25 * S)
    rig.lap_after_lap(30 * S, 52 * S)
    assert rig.lap_times == [LAP] * 2
    assert [fact.why for fact in only(tested, f.Unattributed)] == ["it was made in test mode"]
    assert not only(rig.all_facts[rig.all_facts.index(tested[-1]) + 1 :], f.Unattributed)


@pytest.mark.parametrize("off_ns", SOME)
def test_what_a_device_stamped_in_test_mode_and_tells_after_the_reboot_stays_there(off_ns: int) -> None:
    rig = Rig("device")
    rig.cross(S)
    rig.do(e.SetMode(author="j", mode="test", moment=rig.at(2 * S)))
    rig.do(e.SetMode(author="j", mode="race", moment=rig.at(5 * S)))
    rig.boot(20 * S, off_ns, trusted=False)
    rig.start(25 * S)
    assert [fact.why for fact in only(rig.cross(4 * S), f.Unattributed)] == ["it was made in test mode"]
    rig.lap_after_lap(30 * S, 52 * S)
    assert rig.lap_times == [LAP] * 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("off_ns", SOME)
def test_lap_1_from_the_signal_is_no_difference_of_two_times_of_day(off_ns: int, kind: str) -> None:
    rig = Rig(kind, RaceRules(time_limit_s=60.0, lap_1_from="signal"))
    rig.cross(S)
    rig.start(5 * S)
    rig.boot(10 * S, off_ns, trusted=False)
    rig.lap_after_lap(5 * S + LAP, 130 * S)
    first = rig.run.book.laps()[0]
    assert (first.lap_ns, first.valid) == ((LAP, True) if kind == "device" else (0, False))
    assert rig.lap_times[1:5] == [LAP] * 4
    assert rig.run.phase == "finished"


@pytest.mark.parametrize("off_ns", [HOUR, -HOUR])
@pytest.mark.parametrize("kind", KINDS)
def test_a_false_first_crossing_gives_the_limit_back_also_after_a_reboot(off_ns: int, kind: str) -> None:
    rig = Rig(kind)
    rig.start(5 * S)
    rig.cross(10 * S)
    rig.cross(40 * S)
    rig.boot(45 * S, off_ns, trusted=False)
    rig.ticks(45 * S, 47 * S)
    rig.do(e.DropCrossing(author="j", number=0, moment=rig.at(47 * S)))
    rig.lap_after_lap(50_100 * MS, 200 * S)
    assert rig.lap_times[0] == (LAP if kind == "device" else 0)
    assert rig.lap_times[1:5] == [LAP] * 4
    assert rig.run.phase == "finished"


def test_the_page_says_that_the_limit_is_not_sure_until_a_device_tells_it() -> None:
    for kind in ("beam", "device"):
        rig = Rig(kind)
        rig.start(5 * S)
        rig.cross(10 * S)
        assert not run_view(rig.run, rig.at(11 * S)).limit_unsure
        rig.boot(28 * S, HOUR, trusted=True)
        rig.ticks(29 * S, 30 * S)
        view = run_view(rig.run, rig.at(30 * S))
        assert view.limit_unsure
        assert view.ends_ns is not None
        assert view.ends_ns < rig.at(30 * S).at_ns  # by a time of day that is trusted
        rig.cross(31 * S)
        rig.ticks(32 * S, 33 * S)
        assert run_view(rig.run, rig.at(33 * S)).limit_unsure == (kind == "beam")
        rig.do(e.FinishRun(author="j", moment=rig.at(40 * S)))
        assert not run_view(rig.run, rig.at(41 * S)).limit_unsure


@pytest.mark.parametrize("off_ns", [HOUR, -HOUR])
def test_without_a_trusted_time_of_day_the_page_shows_the_sure_end(off_ns: int) -> None:
    rig = Rig("beam")
    rig.start(5 * S)
    rig.cross(10 * S)
    rig.boot(28 * S, off_ns, trusted=False)
    rig.ticks(28 * S, 29 * S)
    assert rig.run.ends_ns(rig.station) == rig.run.cutoff_ns(rig.station)


@pytest.mark.parametrize("edition", [0, 1])
def test_a_race_of_an_earlier_edition_is_judged_as_it_was(edition: int) -> None:
    rig = rebooted("device", HOUR, trusted=False, edition=edition)
    assert rig.lap_times == [LAP]
    assert only(rig.all_facts, f.RunFinished)[0].utc_ns - UTC == 70 * S
    begun = rig.run.started_utc_ns - UTC
    assert [fact.started_ns for fact in only(rig.all_facts, f.RunClock)] == [30 * S, UP - HOUR - 18 * S]
    assert begun == 10 * S
    again = Engine()
    for event, facts in zip(rig.hand.inputs, rig.hand.facts, strict=True):
        assert again.handle(decode_input(encode_input(event))) == facts
    assert b"latest_ns" not in encode_facts(tuple(rig.all_facts))


def test_a_pair_that_arrived_late_ties_no_boot_too_far() -> None:
    """A device may first send stored stamps: their pair shows a lag, until another pair shows none."""
    scale = UtcScale()
    scale.booted(e.Moment("b", 0, UTC), run_is_on=False, trusted=True)
    for own_ns, heard_ns in ((FAR + 5 * S, 30 * S), (FAR + 40 * S, 40 * S), (FAR + 41 * S, 50 * S)):
        scale.pair(e.Moment("device:x", own_ns, UTC + heard_ns), True, True, False)
    assert scale.on_device(e.Moment("b", 60 * S, UTC), "device:x") == FAR + 60 * S
    assert scale.on_device(e.Moment("c", 60 * S, UTC), "device:x") is None


def driven(
    rig: Rig, passes: list[int], boots: list[tuple[int, int, int, bool]], steps: list[tuple[int, int, bool]]
) -> list[tuple[int, str]]:
    """Drives a run from 5 s on, with a tick each second; gives the passes while the station was up, and their gate."""
    away: list[tuple[int, int, int, bool]] = []
    for begin_s, down_s, off_ns, trusted in sorted(boots):
        if not away or begin_s * S > away[-1][1]:
            away.append((begin_s * S, (begin_s + down_s) * S, off_ns, trusted))
    happens: list[tuple[int, int, Callable[..., object], tuple[int, ...]]] = [(5 * S, 2, rig.start, (5 * S,))]
    happens += [(up_ns, 0, rig.boot, (up_ns, off_ns, trusted)) for _, up_ns, off_ns, trusted in away]
    happens += [(at_s * S, 1, rig.step, (at_s * S, off_ns, trusted)) for at_s, off_ns, trusted in steps]
    happens += [(at_ns, 3, rig.cross, (at_ns,)) for at_ns in passes]
    last_ns = passes[-1] + 200 * S
    happens += [(at_ns, 4, rig.ticks, (at_ns, at_ns + 1)) for at_ns in range(1_900 * MS, last_ns, S)]
    timed = []
    for at_ns, _, act, words in sorted(happens, key=lambda each: each[:2]):
        if any(begin_ns <= at_ns < up_ns for begin_ns, up_ns, *_ in away):
            continue
        act(*words)
        if act == rig.cross:
            timed.append((at_ns, rig.gate))
    return timed


AFTER = st.sampled_from(OFFS) | st.integers(-DAYS, DAYS)
BOOTS = st.tuples(st.integers(6, 80), st.integers(1, 15), AFTER, st.booleans())
STEPS = st.tuples(st.integers(1, 90), st.sampled_from(OFFS), st.booleans())


@pytest.mark.slow
@THOROUGH
@given(
    boots=st.lists(BOOTS, max_size=3),
    steps=st.lists(STEPS, max_size=3),
    gaps=st.lists(st.integers(6_000, 14_000), min_size=3, max_size=9),
    kind=st.sampled_from(KINDS),
    signal=st.booleans(),
    began=st.tuples(st.sampled_from(OFFS), st.booleans()),
)
def test_whatever_boots_and_steps_there_are_no_lap_within_the_limit_is_lost(
    boots: list[tuple[int, int, int, bool]],
    steps: list[tuple[int, int, bool]],
    gaps: list[int],
    kind: str,
    signal: bool,
    began: tuple[int, bool],
) -> None:
    rig = Rig(kind, RaceRules(time_limit_s=40.0, lap_1_from="signal" if signal else "line"), *began)
    rig.cross(S)
    timed = driven(rig, [(10_000 + sum(gaps[:n])) * MS for n in range(len(gaps) + 1)], boots, steps)
    if signal:  # the gate of the first boot knows when that was, and so does a device that keeps running
        timed.insert(0, (5 * S, timed[0][1] if kind == "device" or timed[0][1] in FIRST else "nobody"))
    assert [fact.reason for fact in only(rig.all_facts, f.RunFinished)] == ["time is up"]
    within = sum(1 for at_ns, _ in timed if at_ns <= timed[0][0] + 40 * S)
    laps = [b[0] - a[0] if a[1] == b[1] else 0 for a, b in itertools.pairwise(timed)]
    assert rig.lap_times[: within - 1] == laps[: within - 1]
    if kind == "device" or not boots:
        assert len(rig.lap_times) == within - 1
    again = Engine()
    for event, facts in zip(rig.hand.inputs, rig.hand.facts, strict=True):
        if facts:  # an input without facts is not stored
            assert again.handle(decode_input(encode_input(event))) == facts
