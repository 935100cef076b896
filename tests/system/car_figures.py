"""A drive of one car in figures: the setpoints of the model, the pulses to the motors, and the laps that the car saw.

The car is driven round the mock world's track by the teacher, which knows where the car is, so that no figure depends
on the one before. The wheels are given the wishes that were recorded. Times that come out of pictures and of the
world's floating-point numbers are rounded to where another machine's mathematics says the same.
"""

import functools
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from shared.protocol.messages import CarState, DriveOrder, Lease
from simulator.driving.drive_chain import DriveChain
from simulator.driving.policy import find_model
from simulator.train.expert import ExpertDriver
from simulator.world.tracks import load_track
from simulator.world.world import World
from simulator.world.world_events import FrameDue, TrueCrossing
from vehicle.config import ModelChoice, RecorderOptions
from vehicle.core.actions import Action
from vehicle.core.controller import DriveController
from vehicle.core.frame_age import SafetyOptions
from vehicle.core.limiter import DriveLimits
from vehicle.core.messages import ControlTrace, Setpoint
from vehicle.core.pulses import STOCK_CALIBRATION, to_pulses
from vehicle.hardware.frame import Frame
from vehicle.lapwatch.markers import LapwatchOptions
from vehicle.lapwatch.watcher import LapWatcher
from vehicle.models.running.check import check_model
from vehicle.models.running.policy import Policy
from vehicle.models.running.replay import compare
from vehicle.recordings.frame_feed import RecordedFrame, jpeg_of, png_of
from vehicle.recordings.reader import read_recording
from vehicle.recordings.recorder import Recorder, recordings

Document = dict[str, Any]
S, MS = 1_000_000_000, 1_000_000
LATENCY_NS = 30 * MS
POLICY_FRAMES = 120
RECORDED_FRAMES = 40
SURE = 0.01  # the best action leads the next by this much, so that other machines choose the same
THROTTLE_PERCENT = 60
TICK_NS = 20 * MS
BLIND_S = 1.0  # without setpoints for this long at the end, the car must hold, ramp down and trip


@dataclass(frozen=True, eq=False)
class Drive:
    """The camera's frames with their stamps, and the true crossings of the line."""

    frames: tuple[tuple[int, Any], ...]
    crossings_ns: tuple[int, ...]


@functools.cache
def drive() -> Drive:
    """Two laps of the shortest track behind the teacher."""
    track = load_track("reinvent_base")
    world, expert = World(track, seed=11), ExpertDriver(track)
    wires = DriveChain(world, LATENCY_NS)
    frames: list[tuple[int, Any]] = []
    crossings: list[int] = []
    at_ns = 0
    while len(crossings) < 3 or world.now_ns < crossings[2] + S:
        at_ns += S // 60
        for event in wires.run(at_ns):
            if isinstance(event, TrueCrossing):
                crossings.append(event.at_ns)
            elif isinstance(event, FrameDue):
                steering, fast = expert.command(world.pose.place, world.place.segment)
                wires.set_command(event.at_ns, Action(steering, 0.36 + 0.2 * fast))
                frames.append((event.at_ns, world.frame().copy()))
    return Drive(tuple(frames), tuple(crossings))


@functools.cache
def policy() -> Policy:
    """The demo's model as the car runs it."""
    return Policy(check_model(find_model("demo")))


def policy_figures(_folder: pathlib.Path, recorded: Document) -> Document:
    """The model's setpoint for each frame; frames between two actions are left out when figures are recorded."""
    known = {row["frame"] for row in recorded.get("wishes", ())}
    wishes = []
    for number, (at_ns, pixels) in enumerate(drive().frames[:POLICY_FRAMES], 1):
        policy().preprocess(pixels)
        answer = policy().answer()
        first, second = sorted(np.asarray(answer, float).ravel(), reverse=True)[:2]
        if number in known or (not known and first - second >= SURE):
            wish = policy().model.metadata.space.decode(answer, 1.0)
            wishes.append(
                {
                    "frame": number,
                    "at_ns": at_ns,
                    "steering": round(wish.steering, 6),
                    "throttle": round(wish.throttle, 6),
                }
            )
    return {"wishes": wishes}


def controller_figures(folder: pathlib.Path, recorded: Document) -> Document:
    """The pulses to the motors, at each change: armed, driven, and left without frames."""
    wishes = recorded["wishes"] if recorded else policy_figures(folder, {})["wishes"]
    setpoints: list[Document] = []
    for at_ns, mode, action in _driven(wishes):
        widths = to_pulses(action, STOCK_CALIBRATION)
        now = {"mode": mode, "steering_ns": widths.steering_ns, "throttle_ns": widths.throttle_ns}
        if not setpoints or now != {name: setpoints[-1][name] for name in now}:
            setpoints.append({"at_ns": at_ns, **now})
    return {"wishes": wishes, "wheels": setpoints}


def _driven(wishes: list[Document]) -> Iterator[tuple[int, str, Action]]:
    """Runs the car's controller tick by tick: a heartbeat and a lease each 100 ms, a setpoint 30 ms after its frame."""
    controller = DriveController("boot-1", DriveLimits(), SafetyOptions(), calibrated=True)
    controller.set_model_ready()
    waiting = list(wishes)
    begun_ns = wishes[0]["at_ns"]
    end_ns = wishes[-1]["at_ns"] + round(BLIND_S * S)
    for tick, now_ns in enumerate(range(begun_ns, end_ns, TICK_NS)):
        if tick % 5 == 0:
            beat = controller.next_heartbeat(now_ns).heartbeat
            controller.on_lease(Lease("boot-1", beat, "drive", "run-1", 500))
        if tick == 50:
            for number, order in enumerate(("arm", "start")):
                percent = THROTTLE_PERCENT if order == "start" else None
                controller.on_order(
                    DriveOrder(f"order-{number}", order, "boot-1", beat, 5000, "run-1", throttle_percent=percent)  # type: ignore[arg-type]
                )
        while waiting and waiting[0]["at_ns"] + LATENCY_NS <= now_ns:
            wish = waiting.pop(0)
            controller.on_setpoint(
                Setpoint(wish["frame"], wish["at_ns"], wish["steering"], wish["throttle"], 900), now_ns
            )
        action = controller.tick(now_ns)
        yield now_ns, controller.mode, action


def lap_watcher_figures(_folder: pathlib.Path, _recorded: Document) -> Document:
    """The laps that the car finds by the gate's boards, beside the true crossings."""
    watcher = LapWatcher(LapwatchOptions(), "world")
    found = [watcher.process_frame(Frame(pixels, at_ns, at_ns)) for at_ns, pixels in drive().frames]
    laps = [
        {
            "at_ms": round(lap.at_ns / MS),
            "lap_ms": None if lap.lap_ns is None else round(lap.lap_ns / MS),
            "uncertainty_ms": round(lap.uncertainty_ns / MS),
            "frames_seen": lap.frames_seen,
        }
        for lap in found
        if lap is not None
    ]
    crossings = [{"at_us": round(at_ns / 1000)} for at_ns in drive().crossings_ns]
    return {"frames": len(found), "car_laps": laps, "true_crossings": crossings}


def recording_figures(folder: pathlib.Path, _recorded: Document) -> Document:
    """A recorded drive, read back: the model must give the same setpoint for each frame again."""
    options = RecorderOptions(True, folder / "runs", 1, 4)
    recorder = Recorder(
        options, "car-1", "boot-1", ModelChoice(find_model("demo")), lambda: datetime(2026, 1, 2, tzinfo=UTC)
    )
    recorder.record(0, CarState(True, "ready", "", "demo", "ab" * 32, 50))
    for number, (at_ns, pixels) in enumerate(drive().frames[:RECORDED_FRAMES], 1):
        png = png_of(policy().preprocess(pixels))
        wish = policy().model.metadata.space.decode(policy().answer(), 1.0)
        widths = to_pulses(wish, STOCK_CALIBRATION)
        recorder.record(at_ns, RecordedFrame(jpeg_of(pixels), at_ns, number, policy_input=png))
        trace = ControlTrace(
            at_ns + LATENCY_NS,
            "driving",
            number,
            at_ns,
            wish.steering,
            wish.throttle,
            wish.steering,
            wish.throttle,
            widths.steering_ns,
            widths.throttle_ns,
        )
        recorder.record(trace.at_ns, trace)
    recorder.record(at_ns + S, CarState(True, "stopped", "", "demo", "ab" * 32, 50))
    recorder.close()
    paths = recordings(folder / "runs")
    run = read_recording(paths)
    again = compare(run, policy())
    return {
        "files": len(paths),
        "whole": run.is_complete,
        "frames": [{"frame": picture.seq, "at_ns": picture.at_ns} for picture in run.frames],
        "wheels": len(run.traces),
        "states": len(run.states),
        "compared": again.compared,
        "same": again.same,
        "exact": again.exact,
    }
