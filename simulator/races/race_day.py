"""One meeting from the first call to the last post: its world, its faults, its end, and then the checks."""

import pathlib
import random
import zlib
from collections.abc import Callable, Iterator

from leaderboard.domain import RaceRecord
from shared.link.mock import MockBroker
from shared.units import NS_PER_S
from simulator.races.fault_injector import Strikes, World, wire_faults
from simulator.races.hosts.leaderboard_host import Vendor
from simulator.races.hosts.station_host import House
from simulator.races.hosts.tally import Tally
from simulator.races.officials import Officials
from simulator.races.physical.fault_table import Bad
from simulator.races.physical.ground_truth import Hall
from simulator.races.physical.sim_car import CarRadio
from simulator.races.physical.virtual_time import UTC_AT_START_NS, Universe
from simulator.races.schedule import PlannedRace, draw_meeting
from simulator.races.starter import Track, Turn
from simulator.races.verify.gate_oracle import GateTruth
from simulator.races.verify.invariants import Evidence, check_all
from station.core.inputs import NEVER, OpenRace

TRACK = "reinvent_base"
LAST_TURN_NS = 150 * NS_PER_S
IDLE_TICK_NS, BUSY_TICK_NS = 2 * NS_PER_S, NS_PER_S // 2
WINDOW_NS = 12 * 3600 * NS_PER_S  # the day of the meeting: clocks step by an hour, and lose days
HEALING_NS = 3600 * NS_PER_S


class Held:
    """A meeting while it is held."""

    def __init__(self, seed: str, length_ns: int, kinds: frozenset[str], folder: pathlib.Path) -> None:
        self.plan = draw_meeting(seed, length_ns)
        self.tally = Tally()
        self.bad = Bad(seed, kinds)
        self.universe = Universe()
        self.broker = MockBroker(zlib.crc32(seed.encode()), wire_faults(kinds))
        self.board_path = folder / "board.db"
        self.vendor = Vendor(self.universe, self.board_path, self.bad)
        aside = self.bad.strikes("side_by_side")
        self.house = House(self.universe, self.broker, self.vendor, self.bad, folder, self.tally, side_by_side=aside)
        self.hall = Hall(self.universe, self.house.box, self.bad, side_by_side=aside)
        self.radios = {name: self._radio(name) for name in sorted({r.car for p in self.plan.races for r in p.turns})}
        rng = random.Random(f"{seed}/track")
        self.track = Track(self.universe, self.house, self.hall, self.radios, rng)
        self.officials = Officials(self.house, self.hall, random.Random(f"{seed}/officials"))
        world = World(self.universe, self.broker, self.vendor, self.house, self.hall, self.radios, self.track)
        self.strikes = Strikes(world, self.bad)
        self._over = False

    def run(self) -> Tally:
        """RaceRecord, heal, stop, check."""
        try:
            self._race_and_heal()
            self.house.shut_down()
        finally:
            self.house.drop()
            self.vendor.board.close()
        self._count_faults()
        self._check()
        return self.tally

    def _race_and_heal(self) -> None:
        self.strikes.plan(self.plan.length_ns)
        self.universe.follow(self._story())
        self.universe.after(0, self._tick)
        self._live_until(lambda: self._over, self.plan.length_ns + LAST_TURN_NS * 8)
        self.strikes.heal()
        # Until the station has looked at the clock that was put right: only then it knows what it has to correct.
        self._live_until(lambda: False, self.universe.now_ns + 2 * IDLE_TICK_NS)
        self._live_until(self._settled, self.universe.now_ns + HEALING_NS)
        self.tally.invariants["healed"].check(self._settled(), "the meeting did not come to rest within an hour")

    # The meeting

    def _story(self) -> Iterator[int]:
        for race in self.plan.races:
            self._open(race)
            self.tally.races += 1
            for number, racer in enumerate(race.turns, 1):
                if self.universe.now_ns > self.plan.length_ns - LAST_TURN_NS:
                    break
                turn = Turn(f"{race.race_id}-run-{number}", race, racer)
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
        self.vendor.board.create_race(board_race, self.vendor.utc_ns())
        self.house.open_race(OpenRace(NEVER, race.race_id, race.name, race.rules, TRACK, ties_by_uncertainty=True))

    def _radio(self, name: str) -> CarRadio:
        rng = random.Random(f"{self.bad.seed}/{name}")
        return CarRadio(self.universe, self.broker, name, rng)

    def _tick(self) -> None:
        """The station's timer."""
        busy = self.track.on_track is not None
        self.universe.after(BUSY_TICK_NS if busy else IDLE_TICK_NS, self._tick)

    def _live_until(self, done: Callable[[], bool], at_most_ns: int) -> None:
        universe, broker = self.universe, self.broker
        while not done():
            at_ns = universe.next_at_ns
            assert at_ns is not None, "the station's timer always ticks"
            if broker.next_at_ns is not None:
                at_ns = min(at_ns, max(broker.next_at_ns, universe.now_ns))
            if at_ns > at_most_ns:
                return
            universe.move_to(at_ns)
            broker.run_until(at_ns)
            while universe.next_at_ns == at_ns:
                universe.happen()
            self.house.pump()

    def _settled(self) -> bool:
        return self.house.settled and not any(radio.outbox for radio in self.radios.values())

    # The end

    def _count_faults(self) -> None:
        names = {"loss": "lost_message", "late": "late_message", "repeat": "repeated_message"}
        for word, count in self.broker.injected.items():
            if word in (*names, "partition"):
                self.bad.counts[names.get(word, word)] += count
        self.tally.faults.update(self.bad.counts)

    def _check(self) -> None:
        truth = GateTruth(self.hall, self.house.box, self.house.boots)
        evidence = Evidence(
            self.house.tail,
            truth,
            self.house.box,
            self.radios,
            self.vendor.log,
            self.house.path,
            self.board_path,
        )
        try:
            check_all(evidence, self.tally)
        finally:
            self.house.tail.close()


def hold(seed: str, length_ns: int, kinds: frozenset[str], folder: pathlib.Path) -> Tally:
    """A whole meeting in `folder`; what it came to."""
    try:
        tally = Held(seed, length_ns, kinds, folder).run()
    except Exception as error:
        error.add_note(f"in meeting {seed}")
        raise
    for invariant in tally.invariants.values():
        invariant.broken = [f"meeting {seed}: {sentence}" for sentence in invariant.broken]
    return tally
