"""The mock world: a frame, a policy's answer, and one closed-loop step, beside bare `session.run` on the same model."""

import numpy as np
import onnxruntime

from bench.report import Candidate, measure, report
from shared.units import NS_PER_S
from simulator.driving.policy import DEMO, find_model, load_policy
from simulator.world.tracks import load_track
from simulator.world.world import World
from vehicle.core.pulses import STOCK_CALIBRATION, to_pulses

FRAME_NS = NS_PER_S // 15


def main(quick: bool) -> None:
    """Prints the table and writes run/bench/world.json."""
    policy = load_policy(DEMO)
    world = World(load_track("reinvent_base"), 1)
    frame = world.frame()
    session = onnxruntime.InferenceSession(find_model(DEMO).read_bytes(), _one_thread())
    observation = np.zeros((1, 1, 120, 160), np.float32)
    name = session.get_inputs()[0].name

    def step() -> None:
        world.apply(to_pulses(policy.act(world.frame()), STOCK_CALIBRATION))
        world.step(world.now_ns + FRAME_NS)

    candidates = [
        Candidate("bare session.run", lambda: session.run(None, {name: observation})),
        Candidate("policy from a camera frame", lambda: policy.act(frame)),
        Candidate("one camera frame, 320 x 240", world.frame),
        Candidate("closed loop: frame, policy, 1/15 s of the car", step),
    ]
    rows = measure(candidates, rounds=3 if quick else 20, calls=30 if quick else 150)
    report("world", rows, {"real time": f"{rows[-1].per_s / 15:.0f} times"})


def _one_thread() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return options
