"""Rows 5, 11, 13 and 14: donkeycar's own loop, tf2onnx's graph, and CarRacing, each in its own environment."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bench.pacing import Timed, Times, in_turn, paced, quartiles, timed_in_turn
from bench.peers.environments import CARRACING, DONKEYCAR, Worker, peer_python, tf2onnx_graph
from bench.vehicle.networks import CLASSES
from bench.vehicle.table_rows import Line, line, ratio
from bench.vehicle.tick import RATE_HZ, Net, Networks
from shared.units import NS_PER_S
from simulator.driving.policy import DrivingPolicy as Driver
from simulator.driving.policy import load_policy
from simulator.world.tracks import load_track
from simulator.world.world import World, draw_parts
from vehicle.core.pulses import STOCK_CALIBRATION, to_pulses
from vehicle.models.metadata import parse_metadata
from vehicle.models.running.session import open_session
from vehicle.models.tensorflow.converter import convert
from vehicle.models.tensorflow.graphdef import read_graph

FRAME_NS = NS_PER_S // 15


def donkey(net: Net) -> Worker:
    """Start donkeycar's worker with this network. Raises PeerMissing."""
    return Worker(peer_python(DONKEYCAR), "donkeycar_worker.py", str(net.path), "observation", str(CLASSES))


def beside_donkeycar(networks: Networks, quick: bool) -> Iterator[Line]:
    """Row 5: Raceday's tick beside donkeycar's four parts on the same network; two processes take turns.

    The place of the weights in memory differs between the processes, which alone makes 25 % in int8. So each is
    compared with the bare session of its own process, and then the two ratios with each other.
    """
    for row, net, pace_s in (("5", networks.fp32, 0.0), ("5b", networks.int8, 0.0), ("5c", networks.fp32, 1 / RATE_HZ)):
        worker = donkey(net)
        try:
            timed = {
                "ours": lambda count, pace_s, net=net: paced(net.think, count, pace_s),
                "our bare": lambda count, pace_s, net=net: paced(net.bare, count, pace_s),
                "loop": lambda count, pace_s, worker=worker: worker.timed("loop", count, pace_s),
                "bare": lambda count, pace_s, worker=worker: worker.timed("bare", count, pace_s),
            }
            rounds = (4 if quick else 24) if not pace_s else (3 if quick else 12)
            times = timed_in_turn(timed, rounds=rounds, count=30 if not pace_s else 20, pace_s=pace_s)
        finally:
            worker.close()
        how = f"{'int8' if row == '5b' else 'fp32'}, {'hot' if not pace_s else 'paced 30 Hz'}"
        yield _against_own_bare(row, how, times)
        yield ratio(f"{row}'", f"the same, each as it is, {how}", times, ("ours", "loop"))


def _against_own_bare(row: str, how: str, times: Times) -> Line:
    ours, theirs = times.ratios("ours", "our bare"), times.ratios("loop", "bare")
    figure = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    low, high = quartiles([a / b for a, b in zip(ours, theirs, strict=True)])
    label = (
        f"{statistics.median(ours):.3f} / {statistics.median(theirs):.3f} times its own bare, "
        f"half of the rounds {low:.2f} to {high:.2f}"
    )
    return line(row, f"our tick, no pin / donkeycar's 4 parts, {how}", figure, "max", 1.00, label)


def rates(networks: Networks, quick: bool) -> Iterator[Line]:
    """Row 13: a loop on absolute deadlines at 60 Hz, and donkeycar's own `start`, which sleeps for the remainder."""
    count = 120 if quick else 600
    began_s = time.monotonic()
    paced(networks.int8.whole, count, 1 / 60)
    ours = count / (time.monotonic() - began_s) / 60
    yield line(
        "13", "reached / requested rate, 60 Hz: at least", ours, "min", 0.999, f"{ours * 60:.3f} Hz, {count} turns"
    )
    yield line("13'", "reached / requested rate, 60 Hz: at most", ours, "max", 1.001)
    worker = donkey(networks.int8)
    try:
        theirs = count / float(worker.request(f"start {count} {1 / 60}")) / 60
    finally:
        worker.close()
    yield line("13b", "the same of donkeycar's Vehicle.start", theirs, behind=f"{theirs * 60:.3f} Hz")


def beside_tf2onnx(_networks: Networks, quick: bool) -> Iterator[Line]:
    """Row 11: one frozen graph, converted by Raceday and by tf2onnx, in the same kind of session."""
    frozen, theirs_path = tf2onnx_graph()
    pieces, _ = convert(read_graph(frozen.read_bytes()), parse_metadata(frozen.with_suffix(".json").read_bytes()))
    ours, theirs = open_session(b"".join(pieces)), open_session(theirs_path.read_bytes())
    picture = np.random.default_rng(5).integers(0, 256, (120, 160)).astype(np.float32)
    feeds = [
        {session.get_inputs()[0].name: picture.reshape(shape)}
        for session, shape in ((ours, (1, 1, 120, 160)), (theirs, (1, 120, 160, 1)))
    ]
    apart = float(np.abs(ours.run(None, feeds[0])[0] - theirs.run(None, feeds[1])[0]).max())
    calls = {"ours": lambda: ours.run(None, feeds[0]), "theirs": lambda: theirs.run(None, feeds[1])}
    times = in_turn(calls, rounds=10 if quick else 60, count=20)
    label = f"our converter's graph / tf2onnx's, same .pb, {apart:.0e} apart, hot"
    yield ratio("11", label, times, ("ours", "theirs"), 0.85)


def beside_carracing(networks: Networks, quick: bool) -> Iterator[Line]:
    """Row 14: steps per second in a closed loop of camera, policy and car, beside CarRacing's observation steps.

    CarRacing's picture has 96 x 96 pixels without noise, the mock world's 160 x 120 with lens and noise; Raceday's own
    tests drive with 320 x 240.
    """
    worker = Worker(peer_python(CARRACING), "carracing_worker.py")
    try:
        timed = {
            "demo": _stepper(load_policy("demo")),
            "large": _stepper(load_policy("demo"), width_px=320),
            "fp32": _stepper(Driver(networks.fp32.policy, 0.4)),
            "int8": _stepper(Driver(networks.int8.policy, 0.4)),
            "theirs": lambda count, pace_s: worker.timed("step", count, pace_s),
        }
        times = timed_in_turn(timed, rounds=3 if quick else 12, count=60 if quick else 150)
    finally:
        worker.close()
    names = ("demo", "our policy"), ("fp32", "23 MB"), ("int8", "23 MB in int8"), ("large", "our policy, 320 x 240")
    for row, (name, what) in zip(("14", "14b", "14c", "14d"), names, strict=True):
        ours, theirs = 1e6 / times.p50_us(name), 1e6 / times.p50_us("theirs")
        figure = 1 / times.ratio(name, "theirs")
        label = f"{ours:,.0f} / {theirs:,.0f} steps a second, mean of all {_mean(times.ns[name]):,.0f}"
        yield line(row, f"closed-loop steps/s, {what} / CarRacing-v3", figure, "min", 4.0, label)


def _stepper(driver: Driver, width_px: int = 160) -> Timed:
    """A new world whose steps are timed: frame, policy, a fifteenth of a second of the car."""
    track = load_track("reinvent_base")
    parts = draw_parts(track, 1)
    camera = replace(parts.lens.camera, width_px=width_px, height_px=width_px * 3 // 4)
    world = World(track, 1, parts=replace(parts, lens=replace(parts.lens, camera=camera)))

    def step() -> None:
        world.apply(to_pulses(driver.act(world.frame()), STOCK_CALIBRATION))
        world.step(world.now_ns + FRAME_NS)
        if world.off_track:
            world.put_back()

    return lambda count, pace_s: paced(step, count, pace_s)


def _mean(ns: list[int]) -> float:
    return 1e9 / statistics.fmean(ns)
