"""Rows 1 to 4, 6, 9 and 10: Raceday's tick beside bare `session.run` on the same session, hot and paced."""

import functools
import pathlib
import socket
import threading
import time
from collections.abc import Iterator

import numpy as np
import onnxruntime as ort

from bench.pacing import Call, Timed, in_turn, paced, request_priority, timed_in_turn
from bench.vehicle.networks import Agent, write_int8, write_shallow
from bench.vehicle.road_picture import in_colours, road
from bench.vehicle.table_rows import Line, line, ratio
from vehicle.core.messages import PilotReady
from vehicle.core.telemetry import telemetry as percentiles
from vehicle.frames.latest_frame import LatestFrame
from vehicle.guard.loop_stats import LoopStats
from vehicle.hardware.frame import Frame
from vehicle.models.running.check import check_model
from vehicle.models.running.policy import Policy
from vehicle.process.channel import Channel, socket_pair
from vehicle.recordings.frame_feed import FrameFeed

RATE_HZ = 30.0


class Net:
    """One network: policy, the path to the motors, and the bare session beside it, with equally warm caches."""

    def __init__(self, model: pathlib.Path) -> None:
        self.path = model
        self.policy = Policy(check_model(model))
        self.session = self.policy._session
        self.agent = Agent(self.policy)
        self.small = road(160, 120)
        self.colours = in_colours(road(640, 480))
        self.feed = {"observation": self.small.reshape(1, 1, 120, 160).astype(np.float32)}

    def bare(self) -> None:
        """The peer: the bare session."""
        self.session.run(None, self.feed)

    def think(self) -> None:
        """The tick without pins: resize, run, decode."""
        self.policy.preprocess(self.small)
        self.policy.model.metadata.space.decode(self.policy.answer(), 1.0)

    def whole(self) -> None:
        """The whole path: pilot, pipe, guard, limiter, two mock pins."""
        self.agent.tick(self.small)

    def whole_from_colours(self) -> None:
        """The whole path from a 640 x 480 BGR picture."""
        self.agent.tick(self.colours)


class Networks:
    """The shallow network at its true size, in both precisions."""

    def __init__(self, folder: pathlib.Path) -> None:
        model = write_shallow(folder / "fp32")
        self.fp32 = Net(model)
        self.int8 = Net(write_int8(model, folder / "int8"))

    def close(self) -> None:
        for net in (self.fp32, self.int8):
            net.agent.close()


def ticks(networks: Networks, quick: bool) -> Iterator[Line]:
    """Rows 1 to 4: the tick, hot and paced."""
    fp32, int8, hot = networks.fp32, networks.int8, 10 if quick else 60
    calls: dict[str, Call] = {"think": fp32.think, "bare": fp32.bare, "whole": fp32.whole}
    times = in_turn(calls | {"colours": fp32.whole_from_colours}, rounds=hot, count=20)
    yield ratio("1", "tick, 160x120 in hand, no pin / bare, hot", times, ("think", "bare"), 1.05)
    yield ratio("1b", "with pipe, guard and 2 mock pins / bare, hot", times, ("whole", "bare"))
    yield ratio("4", "from 640x480 BGR, pipe, guard, 2 pins / bare, hot", times, ("colours", "bare"), 1.40)
    for row, what, net, max_ratio in (("2", "fp32", fp32, 1.15), ("3", "int8", int8, 1.30)):
        pair_ = {"whole": net.whole, "bare": net.bare}
        times = in_turn(pair_, rounds=4 if quick else 20, count=15 if quick else 30, pace_s=1 / RATE_HZ)
        label = f"with pipe, guard and 2 pins / bare, paced 30 Hz, {what}"
        yield ratio(row, label, times, ("whole", "bare"), max_ratio)
    times = in_turn({"think": int8.think, "bare": int8.bare, "whole": int8.whole}, rounds=hot, count=20)
    yield ratio("3b", "tick, no pin / bare, hot, int8", times, ("think", "bare"))


def precision(networks: Networks, quick: bool) -> Iterator[Line]:
    """Row 10: int8 beside fp32, hot and paced as on the track."""
    both = {"int8": networks.int8.bare, "fp32": networks.fp32.bare}
    times = in_turn(both, rounds=10 if quick else 60, count=20)
    yield ratio("10", "int8 / fp32, bare, hot", times, ("int8", "fp32"), 0.40)
    times = in_turn(both, rounds=2 if quick else 8, count=20, pace_s=1 / RATE_HZ)
    yield ratio("10b", "int8 / fp32, bare, paced 30 Hz", times, ("int8", "fp32"))


def spinning(networks: Networks, quick: bool) -> Iterator[Line]:
    """Row 9, processor time at 30 Hz: Raceday's session and whole tick, beside the runtime's default options."""
    net, count = networks.fp32, 40 if quick else 150
    request_priority(threads_too=True)  # the threads that it creates belong to the default options
    default = ort.InferenceSession(net.path.read_bytes(), providers=["CPUExecutionProvider"])
    request_priority()
    theirs = _share(functools.partial(default.run, None, net.feed), count)
    del default  # with its threads
    for row, what, call in (("9", "bare, our options", net.bare), ("9b", "our whole tick", net.whole)):
        ours = _share(call, count)
        label = f"{ours:.1%} / {theirs:.1%} of a core"
        yield line(row, f"processor at 30 Hz, {what} / bare, ORT defaults", ours / theirs, "max", 0.10, label)


def _share(call: Call, count: int) -> float:
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    paced(call, count, 1 / RATE_HZ)
    return (time.process_time() - began_cpu_s) / (time.monotonic() - began_s)


def telemetry(networks: Networks, quick: bool) -> Iterator[Line]:
    """Row 6: the whole tick with and without telemetry, traces and recording."""
    for row, net in (("6", networks.fp32), ("6b", networks.int8)):
        recorded = RecordedTick(net)
        try:
            timed = {"on": _to_motors(recorded.agent, recorded.tick), "off": _to_motors(net.agent, net.whole)}
            rounds, count = (4, 15) if quick else (12, 30)
            times = timed_in_turn(timed, rounds=rounds, count=count, pace_s=1 / RATE_HZ)
            calls = {"on": recorded.tick, "off": net.whole}
            turns = in_turn(calls, rounds=rounds // 2, count=count, pace_s=1 / RATE_HZ)
        finally:
            recorded.close()
        what = "fp32" if row == "6" else "int8"
        label = f"telemetry and black box on / off, paced 30 Hz, {what}"
        yield ratio(row, f"frame to motors, {label}", times, ("on", "off"), 1.05)
        yield ratio(f"{row}'", f"whole turn, {label}", turns, ("on", "off"))


def _to_motors(agent: Agent, call: Call) -> Timed:
    """Times from the frame until its pulses are set; what is published afterwards does not count."""

    def timed(count: int, pace_s: float) -> list[int]:
        agent.ages_us.clear()
        paced(call, count, pace_s)
        return [round(age_us * 1000) for age_us in agent.ages_us]

    return timed


class RecordedTick:
    """A tick with telemetry and recording: trace and figures on a pipe, the frame as JPEG by the feed thread."""

    def __init__(self, net: Net) -> None:
        self._net, self.agent = net, Agent(net.policy)
        self.agent.tally = self._tally = LoopStats()
        (ours, self._trace_reader), (self._frames, self._pictures) = socket_pair(), socket_pair()
        self._trace_channel = Channel(ours)
        self.agent.on_trace = self._trace_channel.send
        self._mailbox, self._feed = LatestFrame(), FrameFeed(self._frames, "grey-area")
        self._feed.armed = True
        self._threads = [threading.Thread(target=self._feed.run, args=(self._mailbox,))]
        self._threads += [threading.Thread(target=_drain, args=(end,)) for end in (self._trace_reader, self._pictures)]
        for thread in self._threads:
            thread.start()
        self._seq = 0

    def tick(self) -> None:
        """Move the frame to the motors, then to the feed as the mailbox does; send figures twice a second."""
        self._seq += 1
        self.agent.tick(self._net.small)
        self._mailbox.put(Frame(self._net.small, time.monotonic_ns(), self._seq))
        self._mailbox.mark_processed(self._seq)
        if self._seq % 15 == 0:
            percentiles(self._tally.take_telemetry(PilotReady("", ""), guard_is_realtime=False))

    def close(self) -> None:
        """End its threads and close its pipe."""
        self._mailbox.close()
        for end in (self._frames, self._trace_reader, self._pictures):
            end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5.0)
        self._trace_channel.close()
        self.agent.close()
        for end in (self._frames, self._trace_reader, self._pictures):
            end.close()


def _drain(end: socket.socket) -> None:
    """Read and discard what arrives, as comms reads it."""
    end.setblocking(True)
    while end.recv(1 << 18):
        pass
