"""The pilot: a child process of the guard. Camera, newest frame, policy, setpoint; beside it the lap watcher.

It owns no motor and no network: before it loads the model, the kernel takes from it all files but the model's and the
camera's, and all calls that reach another process (confinement.py). When it cannot compute a setpoint, it reports a
fault instead.

Started by: `guard/child.py` as `python -P -m vehicle.pilot.pilot`. Calls: `confinement.py` (camera), `frames/` (newest
frame, its check), `models/running/policy.py`, `lapwatch/watcher.py`. Sends: `Setpoint`, `FrameCounts`, `PilotReady`,
`PilotFault`, `UnusableFrame` to the guard, lap reports to comms.
"""

import sys
import threading
import time

import cv2

from shared.clock import Clock, build_clock
from shared.config import load
from shared.errors import BadInput, RacedayError
from vehicle.config import VehicleConfig
from vehicle.core.messages import FrameCounts, ModeNotice, PilotFault, PilotReady, Setpoint, UnusableFrame
from vehicle.core.modes import ARMED
from vehicle.frames.frame_check import REPEATED, FrameCheck
from vehicle.frames.latest_frame import LatestFrame
from vehicle.hardware.frame import Frame, Pixels
from vehicle.hardware.interfaces import Camera
from vehicle.lapwatch.watcher import LapWatcher
from vehicle.models.int8.choose_precision import PrecisionChoice, choose
from vehicle.models.library import SELECTED
from vehicle.models.running.policy import Policy
from vehicle.pilot.confinement import filter_calls, open_camera
from vehicle.process.channel import Channel, channel_from_fd
from vehicle.process.child_main import child_arguments, run_child
from vehicle.process.log import log
from vehicle.process.realtime import CAMERA_PRIORITY, POLICY_PRIORITY, freeze_garbage_collector, request_realtime
from vehicle.process.sandbox import PILOT, confine
from vehicle.recordings.frame_feed import FrameFeed, feed_of

_READ_TIMEOUT_S = 0.5
_WAIT_S = 0.1
_REPORT_PERIOD_S = 0.5
SWITCH_INTERVAL_S = 0.0005  # the longest that the lap watcher's thread may delay the policy


class Pilot:
    """Frames in, setpoints out; counts frames. Without a policy it sends no setpoint and the car cannot be armed."""

    def __init__(self, policy: Policy | None, guard: Channel, clock: Clock) -> None:
        self._policy = policy
        self._guard = guard
        self._clock = clock
        self._frames = 0
        self._dropped = 0
        self._repeated = 0
        self._last_seq: int | None = None
        self._check = FrameCheck()

    def process_frame(self, frame: Frame) -> None:
        """Send the setpoint of one frame, or the reason for having none. A frame that shows nothing new gives none."""
        if self._policy is None:
            return
        capture_us = max(0, self._clock.now_ns() - frame.at_ns) // 1000
        preprocess_began_ns = time.perf_counter_ns()
        small = self._policy.preprocess(frame.pixels)
        if problem := self._frame_problem(frame, small):
            self._guard.send(UnusableFrame(problem))
            return
        policy_began_ns = time.perf_counter_ns()
        try:
            action = self._policy.model.metadata.space.decode(self._policy.answer(), 1.0)
        except BadInput as error:
            self._guard.send(PilotFault(str(error)))
            return
        policy_us = (time.perf_counter_ns() - policy_began_ns) // 1000
        preprocess_us = (policy_began_ns - preprocess_began_ns) // 1000
        self._guard.send(
            Setpoint(frame.seq, frame.at_ns, action.steering, action.throttle, policy_us, preprocess_us, capture_us)
        )

    def report_counts(self) -> None:
        """Report how many frames were new, dropped and repeated."""
        self._guard.send(FrameCounts(self._frames, self._dropped, self._repeated))

    def _frame_problem(self, frame: Frame, small: Pixels) -> str:
        """Count the frame, and return why it cannot be driven by, as a sentence; "" if it can."""
        problem = self._check.problem(small)
        if frame.seq == self._last_seq:
            problem = REPEATED
        if problem == REPEATED:
            self._repeated += 1
        else:
            self._frames += 1
            self._dropped += max(0, frame.seq - self._last_seq - 1) if self._last_seq is not None else 0
        self._last_seq = frame.seq
        return problem


def run_pilot(pilot: Pilot, mailbox: LatestFrame, guard: Channel, feed: FrameFeed | None = None) -> None:
    """Process frames until the guard or the camera is gone."""
    number, report_due_s = 0, 0.0
    while not guard.closed and not mailbox.closed:
        newest = mailbox.wait_for_newer(number, _WAIT_S)
        if newest is not None:
            frame, number = newest
            pilot.process_frame(frame)
            mailbox.mark_processed(number)
        if (now_s := time.monotonic()) >= report_due_s:
            report_due_s = now_s + _REPORT_PERIOD_S
            pilot.report_counts()
        for message in guard.receive():
            if isinstance(message, ModeNotice) and feed is not None:
                feed.armed = message.mode in ARMED
            if isinstance(message, ModeNotice) and message.mode == "ready":
                freeze_garbage_collector()


def run_camera(camera: Camera, mailbox: LatestFrame, guard: Channel, *, realtime: bool = False) -> None:
    """The camera's thread: put each frame into the mailbox until the camera is gone, then report a fault."""
    if realtime:
        request_realtime("camera", CAMERA_PRIORITY)
    try:
        while not mailbox.closed:
            frame = camera.read(_READ_TIMEOUT_S)
            if frame is not None:
                mailbox.put(frame)
    except RacedayError as error:
        guard.send(PilotFault(f"The camera is gone: {error}"))
        log(str(error))
    finally:
        mailbox.close()


def main(arguments: list[str]) -> int:
    """Run the process; returns its exit code."""
    parsed = child_arguments(arguments)
    for sentence in confine(parsed.parent, PILOT):
        log(f"pilot: {sentence}")
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    cv2.setNumThreads(1)
    config = load(parsed.config, VehicleConfig)
    guard, laps = channel_from_fd(parsed.guard_fd), channel_from_fd(parsed.lap_fd)
    clock = build_clock(config.clock)
    camera = open_camera(config, clock, guard)
    if camera is None:
        return 0
    filter_calls(config, camera)
    choice = load_model(config, flushes_denormals=True)
    mailbox = LatestFrame()
    needs_feed = config.recorder.enabled or config.console.enabled
    recorded_profile = config.model.profile if config.recorder.enabled else None
    feed = feed_of(parsed.frame_fd, recorded_profile) if needs_feed else None
    return _run_threads(config, clock, camera, mailbox, choice, guard, laps, feed)


def load_model(config: VehicleConfig, flushes_denormals: bool = False) -> PrecisionChoice | None:
    """The loaded, warm model in its precision; None on a new car that has no model yet. Raises BadInput.

    `flushes_denormals`: no picture makes a model slow; for a process that does nothing but drive (running/session.py).
    """
    path = config.model.path
    if config.console.enabled and path == config.console.models / SELECTED and not path.exists():
        log("no model is selected yet: upload one on the phone page, or use `raceday model import` and `select`.")
        return None
    choice = choose(path, config.model.profile, config.model.precision, flushes_denormals)
    log(f"{choice.policy.model.name}: {choice.sentence}")
    return choice


def _ready(choice: PrecisionChoice | None, *, realtime: bool) -> PilotReady:
    if choice is None:
        return PilotReady("", "", "", realtime)
    model = choice.policy.model
    return PilotReady(model.name, model.sha256, choice.precision, realtime)


def _run_threads(
    config: VehicleConfig,
    clock: Clock,
    camera: Camera,
    mailbox: LatestFrame,
    choice: PrecisionChoice | None,
    guard: Channel,
    laps: Channel,
    feed: FrameFeed | None,
) -> int:
    """Start up to three threads around the mailbox, and run the policy on this one; returns the exit code."""
    pilot, realtime = Pilot(choice.policy if choice is not None else None, guard, clock), config.safety.realtime
    camera_options = {"realtime": realtime}
    threads = [
        threading.Thread(
            target=run_camera, args=(camera, mailbox, guard), kwargs=camera_options, name="camera", daemon=True
        )
    ]
    if config.lapwatch.enabled:
        watcher = LapWatcher(config.lapwatch, clock.boot_id)
        threads.append(threading.Thread(target=watcher.run, args=(mailbox, laps.send), name="lapwatch", daemon=True))
    if feed is not None:
        threads.append(threading.Thread(target=feed.run, args=(mailbox,), name="feed", daemon=True))
    for thread in threads:
        thread.start()
    is_realtime = realtime and request_realtime("policy", POLICY_PRIORITY)
    guard.send(_ready(choice, realtime=is_realtime))
    try:
        run_pilot(pilot, mailbox, guard, feed)
    finally:
        camera_gone = mailbox.closed
        mailbox.close()
        camera.close()
        for thread in threads:
            thread.join(1.0)
    return 2 if camera_gone else 0


if __name__ == "__main__":
    run_child(main)
