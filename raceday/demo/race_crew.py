"""Plays the officials of the demo: an operator who opens and arms each run, and a marshal who watches the track.

Called by demo.py. Both act as people would: through the API of the station's page, and by placing the car. The marshal
reads the ground truth of the mock world and reports off-tracks; nothing here changes a time.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from raceday.demo.plan import DemoRacer
from raceday.demo.station_client import StationClient, StationTimeout
from shared.errors import HardwareMissing, OperatorError, Refused, RetryLater
from shared.units import NS_PER_S
from simulator.realtime.control_client import WorldControl
from simulator.realtime.protocol import TrueEvent
from station.views.car_views import CarView
from station.views.race_views import RunView
from station.views.views import View

POLL_S = 0.1
COMMAND_GAP_S = 1.0
OFF_TRACK_LIMIT_S = 2.0  # simulated time, after which the marshal puts the car back on the track
CAR_ONLINE_S = 60.0
REPORTS_S = 8.0


@dataclass(slots=True)
class Marshal:
    """Follows the ground truth on a thread of its own; `pop_off_tracks` returns the off-tracks not yet reported."""

    world: str
    truths: list[TrueEvent] = field(default_factory=list)
    _reported: int = 0
    _off_since_ns: int | None = None
    _closing: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        threading.Thread(target=self._loop, name="marshal", daemon=True).start()

    def close(self) -> None:
        self._closing.set()

    def pop_off_tracks(self) -> list[TrueEvent]:
        off_tracks = [t for t in self.truths[self._reported :] if t.event == "off_track"]
        self._reported = len(self.truths)
        return off_tracks

    def off_for_s(self, now_ns: int) -> float:
        return 0.0 if self._off_since_ns is None else (now_ns - self._off_since_ns) / NS_PER_S

    def _loop(self) -> None:
        after = 0
        while not self._closing.is_set():
            try:
                with contextlib.closing(WorldControl(self.world)) as control:
                    for truth in control.events(after, POLL_S):
                        after = truth.seq
                        self._record(truth)
            except HardwareMissing:
                self._closing.wait(POLL_S)

    def _record(self, truth: TrueEvent) -> None:
        self.truths.append(truth)
        if truth.event == "off_track":
            self._off_since_ns = truth.at_ns
        elif truth.event in ("back_on_track", "placed", "removed"):
            self._off_since_ns = None


class RaceCrew:
    """Runs one racer after the other. `log` receives sentences, `show` each new state of the station.

    `tokens`: the operator's and the marshal's, for the station's API.
    """

    def __init__(
        self,
        world: str,
        station_url: str,
        tokens: tuple[str, str],
        log: Callable[[str], None],
        show: Callable[[View], None],
    ) -> None:
        self._control = WorldControl(world)
        self._marshal = Marshal(world)
        self._marshal.watch()
        self._operator = StationClient(station_url, tokens[0])
        self._official = StationClient(station_url, tokens[1])
        self._log = log
        self._show = show
        self._timeout = StationTimeout()
        self._commanded_s: dict[str, float] = {}
        self._wait = threading.Event()
        self._finished_s: float | None = None

    @property
    def truths(self) -> list[TrueEvent]:
        return list(self._marshal.truths)

    def place(self, racer: DemoRacer) -> None:
        """Puts the racer's car before the start line."""
        self._control.place(racer.car)

    def wait_online(self, racer: DemoRacer) -> None:
        """Waits until the car is online at the station. Raises OperatorError."""
        deadline = time.monotonic() + CAR_ONLINE_S
        while time.monotonic() < deadline:
            view = self._refresh()
            car = _car(view, racer.car) if view else None
            if car is not None and car.online:
                return
            self._wait.wait(POLL_S)
        raise OperatorError(f"{racer.car} was not online at the station within {CAR_ONLINE_S:.0f} s; see its log.")

    def race(self, racer: DemoRacer, model: str, model_sha256: str) -> RunView:
        """The whole run of one racer; returns the finished run as the station shows it."""
        opening: dict[str, Any] = {
            "run_id": racer.run_id,
            "racer": racer.name,
            "car": racer.car,
            "model": model,
            "model_sha256": model_sha256,
            "throttle_percent": racer.throttle_percent,
        }
        while True:
            view = self._refresh()
            run = view.run if view else None
            if view is None:
                pass
            elif run is None or run.run_id != racer.run_id:
                self._command("open_run", **opening)
            elif run.phase == "finished":
                if self._reports_in(run):
                    self._control.remove()
                    return run
            else:
                self._act(view, run)
            self._wait.wait(POLL_S)

    def wait_for(self, done: Callable[[View], bool], timeout_s: float, failing: str) -> View:
        """Waits until the station's state satisfies `done`. Raises OperatorError with the sentence `failing`."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            view = self._refresh()
            if view is not None and done(view):
                return view
            self._wait.wait(POLL_S)
        raise OperatorError(failing)

    def close(self) -> None:
        self._marshal.close()
        self._control.close()
        self._operator.close()
        self._official.close()

    def _refresh(self) -> View | None:
        """Reads and shows the newest state; None while the station does not answer (it may be restarting)."""
        try:
            view = self._operator.view()
        except RetryLater as error:
            self._timeout.failed(error)
            return None
        self._timeout.succeeded()
        self._show(view)
        return view

    def _reports_in(self, run: RunView) -> bool:
        """Has the car reported its last lap, or does it seem that it never will? Until then it stays on the track."""
        now = time.monotonic()
        self._finished_s = now if self._finished_s is None else self._finished_s
        complete = all(lap.confirmed or not lap.valid for lap in run.laps)
        if complete or now - self._finished_s > REPORTS_S:
            self._finished_s = None
            return True
        return False

    def _act(self, view: View, run: RunView) -> None:
        self._report_off_tracks()
        car = _car(view, run.car)
        if car is None or not car.online:
            return
        if car.mode in ("tripped", "stopped") and run.released:
            self._command_once(
                "resume", f"{run.car} stopped ({car.reason or 'no reason given'}): resumed", action="resume"
            )
        elif car.mode == "disarmed":
            self._command_once("resume" if run.released else "arm", "", action="arm")
        elif car.mode == "ready" and not run.released:
            self._command_once("start", "", action="start")
        if self._marshal.off_for_s(view.clock.now_ns) > OFF_TRACK_LIMIT_S:
            self._command_once("reset", f"{run.car} stayed off the track: the marshal put it back", action="put_back")

    def _report_off_tracks(self) -> None:
        for truth in self._marshal.pop_off_tracks():
            self._command("off_track", client=self._official, at_ns=truth.at_ns, reason="no wheel inside the road")
            self._log(f"{truth.car} left the track.")

    def _command_once(self, command: str, sentence: str, action: str) -> None:
        """Sends a command, but the same `action` not again within COMMAND_GAP_S: a person waits for the effect."""
        now = time.monotonic()
        if now - self._commanded_s.get(action, 0.0) < COMMAND_GAP_S:
            return
        self._commanded_s[action] = now
        if action == "put_back":
            self._control.put_back()
            self._command(command, client=self._official, reason="put back on the track")
        else:
            self._command(command)
        if sentence:
            self._log(sentence)

    def _command(self, name: str, client: StationClient | None = None, **fields: Any) -> None:
        try:
            (client or self._operator).command(name, **fields)
        except Refused as refusal:
            self._log(f"{name}: {refusal}")
        except RetryLater as error:
            self._timeout.failed(error)


def _car(view: View, name: str) -> CarView | None:
    return next((car for car in view.cars if car.name == name), None)
