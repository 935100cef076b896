"""The faults that occur at an hourly rate: what each does to the simulated machines, and how all of them end."""

import functools
import random
from collections.abc import Callable
from dataclasses import dataclass

from shared.link.mock import Faults, MockBroker
from shared.units import NS_PER_MS, NS_PER_S
from shared.virtual_time import VirtualTime
from simulator.races.hosts.leaderboard_host import LeaderboardHost
from simulator.races.hosts.station_host import StationHost
from simulator.races.physical.fault_table import BY_NAME, FaultSource
from simulator.races.physical.ground_truth import GroundTruth
from simulator.races.physical.kernel_clock import UTC_AT_START_NS
from simulator.races.physical.sim_car import SimCar
from simulator.races.starter import Starter

DAY_NS = 86_400 * NS_PER_S
CALM = Faults(delay_ns=(NS_PER_MS, 15 * NS_PER_MS))


@dataclass(frozen=True, slots=True)
class InjectorWorld:
    """The simulated machines that a fault can affect."""

    virtual_time: VirtualTime
    broker: MockBroker
    leaderboard: LeaderboardHost
    host: StationHost
    truth: GroundTruth
    cars: dict[str, SimCar]
    track: Starter


def wire_faults(kinds: frozenset[str]) -> Faults:
    """The broker's packet faults for the enabled kinds."""
    rate = {name: BY_NAME[name].rate if name in kinds else 0.0 for name in BY_NAME}
    return Faults(
        loss=rate["lost_message"],
        repeat=rate["repeated_message"],
        late=rate["late_message"],
        late_ns=5 * NS_PER_S,
        delay_ns=CALM.delay_ns,
    )


class FaultInjector:
    """Plans the faults, injects them, counts them, and ends them."""

    def __init__(self, world: InjectorWorld, faults: FaultSource) -> None:
        self._world, self._faults = world, faults

    def plan(self, length_ns: int) -> None:
        """Apply the faults that exist from the start, and plan every hourly fault at its times."""
        if self._faults.occurs("untrusted_clock"):
            self._untrusted_clock(self._faults.source("untrusted_clock"))
        for name, inject in self._by_fault().items():
            for at_ns in self._faults.instants(name, length_ns):
                self._world.virtual_time.at(at_ns, functools.partial(inject, self._faults.source(name)))

    def _by_fault(self) -> dict[str, Callable[[random.Random], None]]:
        return {
            "sensor_noise": self._noise,
            "partition": self._partition,
            "broker_restart": self._broker_restart,
            "car_restart": self._car_restart,
            "car_trip": self._car_trip,
            "cloned_car": self._cloned_car,
            "station_restart": self._station_restart,
            "station_reboot": self._station_reboot,
            "disk_full": self._disk_full,
            "clock_step": self._clock_step,
            "sync_restart": self._sync_restart,
            "leaderboard_down": self._leaderboard_down,
            "leaderboard_restart": self._leaderboard_restart,
        }

    def _noise(self, rng: random.Random) -> None:
        self._faults.count("sensor_noise")
        self._world.truth.noise(rng)

    def _partition(self, rng: random.Random) -> None:
        device = rng.choice(["station", *self._world.cars])
        self._world.broker.partition(device)
        self._world.virtual_time.after(rng.randint(1, 120) * NS_PER_S, lambda: self._world.broker.heal(device))

    def _broker_restart(self, rng: random.Random) -> None:
        self._faults.count("broker_restart")
        self._world.broker.kill()
        self._world.virtual_time.after(rng.randint(1, 20) * NS_PER_S, self._world.broker.restart)

    def _car_restart(self, rng: random.Random) -> None:
        self._faults.count("car_restart")
        self._world.cars[rng.choice(list(self._world.cars))].restart()

    def _car_trip(self, _rng: random.Random) -> None:
        turn = self._world.track.on_track
        if turn is not None and self._world.cars[turn.racer.car].trips():
            self._faults.count("car_trip")

    def _cloned_car(self, rng: random.Random) -> None:
        """Clone a car, mostly the one on the track, where a clone does most harm."""
        turn = self._world.track.on_track
        drawn = rng.choice(list(self._world.cars))
        car = self._world.cars[turn.racer.car if turn is not None and rng.random() < 0.8 else drawn]
        self._faults.count("cloned_car")
        clone, stays_ns = car.clone(rng), rng.randint(5, 180) * NS_PER_S
        clone.on_duty(self._world.virtual_time.now_ns + stays_ns)
        self._world.virtual_time.after(stays_ns, functools.partial(_unplug, clone, car))

    def _station_restart(self, rng: random.Random) -> None:
        """Kill the station at once, or at one of the next steps around a commit, or after a minute without one."""
        if rng.random() < 0.3:
            self._faults.count("station_restart")
            self._world.host.kill_station()
            return
        self._world.host.crash_point.arm(rng.randint(0, 12))
        self._world.virtual_time.after(60 * NS_PER_S, self._kill_if_armed)

    def _kill_if_armed(self) -> None:
        if self._world.host.crash_point.disarm():
            self._faults.count("station_restart")
            self._world.host.kill_station()

    def _station_reboot(self, rng: random.Random) -> None:
        self._faults.count("station_reboot")
        down_ns = rng.randint(4, 45) * NS_PER_S
        self._world.host.reboot(down_ns)
        if rng.random() < 0.5:
            # Its clock has no battery: it boots with a time saved earlier, until NTP sets it right.
            self._world.host.clock.lose_utc(-down_ns - rng.randint(0, 900) * NS_PER_S)
            self._world.virtual_time.after(
                down_ns + rng.randint(20, 300) * NS_PER_S, self._world.host.clock.set_utc_right
            )

    def _disk_full(self, rng: random.Random) -> None:
        self._faults.count("disk_full")
        self._world.host.disk_full(True)
        self._world.virtual_time.after(rng.randint(5, 90) * NS_PER_S, lambda: self._world.host.disk_full(False))

    def _clock_step(self, rng: random.Random) -> None:
        self._faults.count("clock_step")
        self._world.host.clock.step_utc(rng.choice((-1, 1)) * rng.choice((1, 60, 3600)) * rng.randint(1, NS_PER_S))
        if rng.random() < 0.7:
            self._world.virtual_time.after(rng.randint(30, 1200) * NS_PER_S, self._world.host.clock.set_utc_right)

    def _untrusted_clock(self, rng: random.Random) -> None:
        """Start with a wrong clock, as without battery and network: the epoch, the last saved time, or set by hand."""
        clock = self._world.host.clock
        clock.lose_utc(rng.choice((-UTC_AT_START_NS, -rng.randint(1, 30) * DAY_NS, rng.randint(1, 30) * DAY_NS)))
        self._world.virtual_time.after(rng.randint(60, 2_400) * NS_PER_S, clock.set_utc_right)

    def _sync_restart(self, rng: random.Random) -> None:
        if rng.random() < 0.3:
            self._faults.count("sync_restart")
            self._world.host.kill_sync()
        else:
            self._world.host.sync_crash_point.arm(rng.randint(0, 5))

    def _leaderboard_down(self, rng: random.Random) -> None:
        self._faults.count("leaderboard_down")
        self._world.leaderboard.away(rng.randint(10, 1200) * NS_PER_S)

    def _leaderboard_restart(self, _rng: random.Random) -> None:
        self._faults.count("leaderboard_restart")
        self._world.leaderboard.restart()

    def heal(self) -> None:
        """End all faults: from here on everything must be delivered."""
        self._faults.kinds = frozenset()
        self._world.host.crash_point.disarm()
        self._world.host.sync_crash_point.disarm()
        self._world.host.disk_full(False)
        self._world.host.clock.set_utc_right()
        self._world.broker.faults = CALM
        for device in ("station", *self._world.cars):
            self._world.broker.heal(device)


def _unplug(clone: SimCar, of: SimCar) -> None:
    clone.switch_off()
    of.clones -= 1
