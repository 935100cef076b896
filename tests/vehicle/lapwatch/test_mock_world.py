"""The lap watcher in the mock world: the demo's model drives, the boards are seen in its frames, the truth is known."""

import pytest

from simulator.driving.drive_chain import DriveChain
from simulator.driving.policy import load_policy
from simulator.world.tracks import load_track, shipped_tracks
from simulator.world.world import World
from simulator.world.world_events import FrameDue, TrueCrossing
from vehicle.hardware.frame import Frame
from vehicle.lapwatch.markers import LapwatchOptions
from vehicle.lapwatch.watcher import LapWatcher

S = 1_000_000_000
NEAR_ENOUGH_NS = 250_000_000


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_tracks())
def test_every_lap_is_reported_once_near_the_truth(name: str) -> None:
    world = World(load_track(name), seed=11)
    policy, wires, watcher = load_policy("demo"), DriveChain(world, 30_000_000), LapWatcher(LapwatchOptions(), "world")
    truth: list[int] = []
    reports: list[int] = []
    at_ns = 0
    while len(truth) < 3 or world.now_ns < truth[2] + 2 * S:
        at_ns += S // 60
        assert at_ns < 90 * S, "the car came to no third lap"
        for event in wires.run(at_ns):
            if isinstance(event, TrueCrossing):
                truth.append(event.at_ns)
            elif isinstance(event, FrameDue):
                pixels = world.frame()
                wires.set_command(event.at_ns, policy.act(pixels))
                lap = watcher.process_frame(Frame(pixels, event.at_ns, event.at_ns))
                reports += [lap.at_ns] if lap is not None else []
    # The first crossing, from standing, may be left out or be a rough guess; the ends of laps may not.
    ends = [at for at in reports if at > truth[0] + 2 * S]
    assert len(ends) == len(truth) - 1
    assert max(abs(one - other) for one, other in zip(ends, truth[1:], strict=True)) < NEAR_ENOUGH_NS
