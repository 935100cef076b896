"""The pilot: a child process. Camera to newest frame to policy to wish; beside it the lap watcher.

It owns no motor and no network: before it loads the model, the kernel takes its sockets away. What it cannot do it
says as a fault, and there is no wish.
"""

import gc
import sys
import threading
import time
import zlib

import cv2

from shared.clock import Clock
from shared.config import load
from shared.errors import BadInput, RacedayError
from vehicle.build import build_camera, build_clock, camera_sockets
from vehicle.childmain import child_arguments, run_child
from vehicle.config import VehicleConfig
from vehicle.core.modes import ARMED
from vehicle.core.words import Fault, ModeNotice, PilotReady, Seen, Wish
from vehicle.hardware.devices import Camera, Frame
from vehicle.ipc import Channel, from_fd
from vehicle.lapwatch.watcher import LapWatcher
from vehicle.log import say
from vehicle.mailbox import Mailbox
from vehicle.models.check import check_model
from vehicle.models.library import SELECTED
from vehicle.models.policy import Policy
from vehicle.netless import leave_the_network
from vehicle.recorder.feed import FrameFeed, feed_of
from vehicle.sandbox import confine

_READ_S = 0.5
_LOOK_S = 0.1
_TELL_S = 0.5
_SWITCH_S = 0.0005  # the lap watcher's thread may not hold up the policy for longer


class Pilot:
    """Frames in, wishes out; counts what it saw. Without a policy it wishes nothing: the car cannot be armed."""

    def __init__(self, policy: Policy | None, guard: Channel) -> None:
        self._policy = policy
        self._guard = guard
        self._frames = 0
        self._dropped = 0
        self._repeated = 0
        self._last_seq: int | None = None
        self._last_sum: int | None = None

    def look(self, frame: Frame) -> None:
        """Make a wish of one frame, or say why there is none. A frame that is the last one again makes none."""
        if self._policy is None:
            return
        looked_ns = time.perf_counter_ns()
        small = self._policy.see(frame.pixels)
        if self._is_repeat(frame, zlib.crc32(small.data)):
            self._repeated += 1
            return
        began_ns = time.perf_counter_ns()
        try:
            action = self._policy.model.metadata.space.decode(self._policy.answer(), 1.0)
        except BadInput as error:
            self._guard.send(Fault(str(error)))
            return
        policy_us = (time.perf_counter_ns() - began_ns) // 1000
        shrink_us = (began_ns - looked_ns) // 1000
        self._guard.send(Wish(frame.seq, frame.at_ns, action.steering, action.throttle, policy_us, shrink_us))

    def tell(self) -> None:
        """Say what the camera gave."""
        self._guard.send(Seen(self._frames, self._dropped, self._repeated))

    def _is_repeat(self, frame: Frame, checksum: int) -> bool:
        """The same number or the same picture is no fresh frame, whatever its stamp says."""
        repeat = frame.seq == self._last_seq or checksum == self._last_sum
        if not repeat:
            self._frames += 1
            self._dropped += max(0, frame.seq - self._last_seq - 1) if self._last_seq is not None else 0
        self._last_seq, self._last_sum = frame.seq, checksum
        return repeat


def fly(pilot: Pilot, mailbox: Mailbox, guard: Channel, feed: FrameFeed | None = None) -> None:
    """Until the guard or the camera is gone."""
    number, tell_due_s = 0, 0.0
    while not guard.closed and not mailbox.closed:
        found = mailbox.newest(number, _LOOK_S)
        if found is not None:
            frame, number = found
            pilot.look(frame)
        if (now_s := time.monotonic()) >= tell_due_s:
            tell_due_s = now_s + _TELL_S
            pilot.tell()
        for word in guard.receive():
            if isinstance(word, ModeNotice) and feed is not None:
                feed.armed = word.mode in ARMED
            if isinstance(word, ModeNotice) and word.mode == "ready":
                # What lives now lives long: later collections need not walk it.
                gc.collect()
                gc.freeze()


def capture(camera: Camera, mailbox: Mailbox, guard: Channel) -> None:
    """The camera's thread: the newest frame into the mailbox, until the camera is gone."""
    try:
        while not mailbox.closed:
            frame = camera.read(_READ_S)
            if frame is not None:
                mailbox.put(frame)
    except RacedayError as error:
        guard.send(Fault(f"The camera is gone: {error}"))
        say(str(error))
    finally:
        mailbox.close()


def main(arguments: list[str]) -> int:
    """The child's life; returns the exit code."""
    asked = child_arguments(arguments)
    for sentence in confine(asked.parent):
        say(f"pilot: {sentence}")
    sys.setswitchinterval(_SWITCH_S)
    cv2.setNumThreads(1)
    config = load(asked.config, VehicleConfig)
    guard, laps = from_fd(asked.guard_fd), from_fd(asked.lap_fd)
    clock = build_clock(config)
    camera = build_camera(config, clock)
    for sentence in leave_the_network(camera_sockets(config)):
        say(f"pilot: {sentence}")
    policy = first_policy(config)
    mailbox = Mailbox()
    guard.send(PilotReady(policy.model.name, policy.model.sha256) if policy is not None else PilotReady("", ""))
    wanted = config.recorder.enabled or config.console.enabled
    recorded = config.model.profile if config.recorder.enabled else None
    feed = feed_of(asked.frame_fd, recorded) if wanted else None
    return _run(config, clock, camera, mailbox, Pilot(policy, guard), guard, laps, feed)


def first_policy(config: VehicleConfig) -> Policy | None:
    """The model, warm; None on a new car whose phone page is there to bring one. Raises BadInput."""
    chosen = config.model.path
    if config.console.enabled and chosen == config.console.models / SELECTED and not chosen.exists():
        say("no model is selected yet: bring one on the phone page, or with `raceday model import` and `select`.")
        return None
    return Policy(check_model(chosen), config.model.profile)


def _run(
    config: VehicleConfig,
    clock: Clock,
    camera: Camera,
    mailbox: Mailbox,
    pilot: Pilot,
    guard: Channel,
    laps: Channel,
    feed: FrameFeed | None,
) -> int:
    """Up to four threads around one mailbox; this one flies."""
    threads = [threading.Thread(target=capture, args=(camera, mailbox, guard), name="camera", daemon=True)]
    if config.lapwatch.enabled:
        watcher = LapWatcher(config.lapwatch, clock.boot_id)
        threads.append(threading.Thread(target=watcher.run, args=(mailbox, laps.send), name="lapwatch", daemon=True))
    if feed is not None:
        threads.append(threading.Thread(target=feed.run, args=(mailbox,), name="feed", daemon=True))
    for thread in threads:
        thread.start()
    try:
        fly(pilot, mailbox, guard, feed)
    finally:
        camera_gone = mailbox.closed
        mailbox.close()
        camera.close()
        for thread in threads:
            thread.join(1.0)
    return 2 if camera_gone else 0


if __name__ == "__main__":
    run_child(main)
