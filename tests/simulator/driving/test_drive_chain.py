"""The drive chain on virtual time: latency, the limiter, and nothing left over when the car is put back."""

import pytest

from simulator.driving.drive_chain import DriveChain
from simulator.world.world import World
from tests.simulator.world.sample_tracks import box
from vehicle.core.actions import Action
from vehicle.core.limiter import DriveLimits

MS = 1_000_000


def speed_after(latency_ms: int, until_ms: int, limits: DriveLimits | None = None) -> float:
    world = World(box(), 1)
    chain = DriveChain(world, latency_ms * MS, limits)
    chain.set_command(0, Action(0.0, 0.5))
    chain.run(until_ms * MS)
    return world.pose.speed_mps


@pytest.mark.parametrize("latency_ms", [0, 40, 80])
def test_a_command_takes_effect_after_its_latency_and_the_cars_delay(latency_ms: int) -> None:
    assert speed_after(latency_ms, latency_ms + 38) == 0.0
    assert speed_after(latency_ms, latency_ms + 200) > 0.1


def test_the_limiter_is_in_the_chain() -> None:
    assert speed_after(0, 3000, DriveLimits(throttle_cap=0.1)) == pytest.approx(
        0.1 / 0.5 * speed_after(0, 3000), rel=0.03
    )


def test_clear_forgets_the_command_and_what_is_under_way() -> None:
    world = World(box(), 1)
    chain = DriveChain(world, 40 * MS)
    chain.set_command(0, Action(0.0, 0.5))
    chain.run(500 * MS)
    chain.set_command(world.now_ns, Action(0.0, 0.5))
    world.put_back()
    chain.clear()
    chain.run(2_000 * MS)
    assert world.pose.speed_mps == 0.0


def test_the_newest_command_holds_until_another_comes() -> None:
    world = World(box(side_m=30.0), 1)
    chain = DriveChain(world)
    chain.set_command(0, Action(0.0, 0.25))
    chain.run(3_000 * MS)
    steady = world.pose.speed_mps
    chain.run(4_000 * MS)
    assert world.pose.speed_mps == pytest.approx(steady, rel=0.02)
