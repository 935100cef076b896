"""One meeting from the first call to the last post: the machines, the faults, the end, and then the checks."""

import pathlib
import random
import zlib
from collections.abc import Callable, Iterator

from leaderboard.core.race import RaceRecord
from shared.link.mock import MockBroker
from shared.units import NS_PER_S
from shared.virtual_time import VirtualTime
from simulator.races.fault_injector import FaultInjector, InjectorWorld, wire_faults
from simulator.races.hosts.leaderboard_host import LeaderboardHost
from simulator.races.hosts.station_host import StationHost
from simulator.races.hosts.tally import MeetingTally
from simulator.races.officials import Officials
from simulator.races.physical.fault_table import FaultSource
from simulator.races.physical.ground_truth import GroundTruth
from simulator.races.physical.kernel_clock import UTC_AT_START_NS
from simulator.races.physical.sim_car import SimCar
from simulator.races.schedule import PlannedRace, draw_meeting
from simulator.races.starter import RacerTurn, Starter
from simulator.races.verify.gate_oracle import GateOracle
from simulator.races.verify.invariants import MeetingOutcome, check_all
from station.core.inputs import NEVER, OpenRace

TRACK = "reinvent_base"
LAST_TURN_NS = 150 * NS_PER_S
IDLE_TICK_NS, BUSY_TICK_NS = 2 * NS_PER_S, NS_PER_S // 2
WINDOW_NS = 12 * 3600 * NS_PER_S  # around the meeting: clocks step by an hour, and lose days
HEALING_NS = 3600 * NS_PER_S


class RaceDay:
    """One meeting: all simulated machines, and the loop that runs them."""

    def __init__(self, seed: str, length_ns: int, kinds: frozenset[str], folder: pathlib.Path) -> None:
        self.plan = draw_meeting(seed, length_ns)
        self.tally = MeetingTally()
        self.faults = FaultSource(seed, kinds)
        self.virtual_time = VirtualTime()
        self.broker = MockBroker(zlib.crc32(seed.encode()), wire_faults(kinds))
        self.board_path = folder / "board.db"
        self.leaderboard = LeaderboardHost(self.virtual_time, self.board_path, self.faults)
        aside = self.faults.occurs("side_by_side")
        self.host = StationHost(
            self.virtual_time, self.broker, self.leaderboard, self.faults, folder, self.tally, side_by_side=aside
        )
        self.truth = GroundTruth(self.virtual_time, self.host.gate_device, self.faults, side_by_side=aside)
        self.cars = {name: self._car(name) for name in sorted({r.car for p in self.plan.races for r in p.attempts})}
        rng = random.Random(f"{seed}/track")
        self.track = Starter(self.virtual_time, self.host, self.truth, self.cars, rng)
        self.officials = Officials(self.host, self.truth, random.Random(f"{seed}/officials"))
        world = InjectorWorld(
            self.virtual_time, self.broker, self.leaderboard, self.host, self.truth, self.cars, self.track
        )
        self.fault_injector = FaultInjector(world, self.faults)
        self._over = False

    def run(self) -> MeetingTally:
        """Run the races, end the faults, stop the machines, and check the invariants."""
        try:
            self._race_and_heal()
            self.host.shut_down()
        finally:
            self.host.drop()
            self.leaderboard.board.close()
        self._count_faults()
        self._check()
        return self.tally

    def _race_and_heal(self) -> None:
        self.fault_injector.plan(self.plan.length_ns)
        self.virtual_time.follow(self._story())
        self.virtual_time.after(0, self._tick)
        self._live_until(lambda: self._over, self.plan.length_ns + LAST_TURN_NS * 8)
        self.fault_injector.heal()
        # Until the station has read the corrected clock: only then does it know what it has to correct.
        self._live_until(lambda: False, self.virtual_time.now_ns + 2 * IDLE_TICK_NS)
        self._live_until(self._settled, self.virtual_time.now_ns + HEALING_NS)
        self.tally.invariants["healed"].check(self._settled(), "the meeting did not come to rest within an hour")

    # The meeting

    def _story(self) -> Iterator[int]:
        for race in self.plan.races:
            self._open(race)
            self.tally.races += 1
            for number, racer in enumerate(race.attempts, 1):
                if self.virtual_time.now_ns > self.plan.length_ns - LAST_TURN_NS:
                    break
                turn = RacerTurn(f"{race.race_id}-run-{number}", race, racer)
                yield from self.track.hold(turn)
                yield from self.officials.review(turn)
                yield 5 * NS_PER_S
        self._over = True

    def _open(self, race: PlannedRace) -> None:
        opens_utc_ns, closes_utc_ns = UTC_AT_START_NS - WINDOW_NS, UTC_AT_START_NS + self.plan.length_ns + WINDOW_NS
        board_race = RaceRecord(
            race.race_id,
            race.name,
            race.kind,
            "physical",
            TRACK,
            race.rules,
            opens_utc_ns=opens_utc_ns,
            closes_utc_ns=closes_utc_ns,
        )
        self.leaderboard.board.create_race(board_race, self.leaderboard.utc_ns())
        self.host.open_race(OpenRace(NEVER, race.race_id, race.name, race.rules, TRACK, ties_by_uncertainty=True))

    def _car(self, name: str) -> SimCar:
        rng = random.Random(f"{self.faults.seed}/{name}")
        return SimCar(self.virtual_time, self.broker, name, rng)

    def _tick(self) -> None:
        """Tick as the station's timer does, and plan the next tick."""
        busy = self.track.on_track is not None
        self.virtual_time.after(BUSY_TICK_NS if busy else IDLE_TICK_NS, self._tick)

    def _live_until(self, done: Callable[[], bool], at_most_ns: int) -> None:
        virtual_time, broker = self.virtual_time, self.broker
        while not done():
            at_ns = virtual_time.next_at_ns
            assert at_ns is not None, "the station's timer always ticks"
            if broker.next_at_ns is not None:
                at_ns = min(at_ns, max(broker.next_at_ns, virtual_time.now_ns))
            if at_ns > at_most_ns:
                return
            virtual_time.move_to(at_ns)
            broker.run_until(at_ns)
            while virtual_time.next_at_ns == at_ns:
                virtual_time.run_next()
            self.host.pump()

    def _settled(self) -> bool:
        return self.host.settled and not any(car.outbox for car in self.cars.values())

    # The end

    def _count_faults(self) -> None:
        names = {"loss": "lost_message", "late": "late_message", "repeat": "repeated_message"}
        for word, count in self.broker.injected.items():
            if word in (*names, "partition"):
                self.faults.counts[names.get(word, word)] += count
        self.tally.faults.update(self.faults.counts)

    def _check(self) -> None:
        truth = GateOracle(self.truth, self.host.gate_device, self.host.boots)
        outcome = MeetingOutcome(
            self.host.journal_tail,
            truth,
            self.host.gate_device,
            self.cars,
            self.leaderboard.log,
            self.host.path,
            self.board_path,
        )
        try:
            check_all(outcome, self.tally)
        finally:
            self.host.journal_tail.close()


def hold(seed: str, length_ns: int, kinds: frozenset[str], folder: pathlib.Path) -> MeetingTally:
    """Run a whole meeting with its files in `folder`; return its tally."""
    try:
        tally = RaceDay(seed, length_ns, kinds, folder).run()
    except Exception as error:
        error.add_note(f"in meeting {seed}")
        raise
    for invariant in tally.invariants.values():
        invariant.broken = [f"meeting {seed}: {sentence}" for sentence in invariant.broken]
    return tally
