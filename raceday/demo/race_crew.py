"""The demo's people: the operator who opens and arms each run, and the marshal who watches the track.

Both work as people would: through the station's page API, and with hands on the car. The marshal sees what
happens on the track (the world's truth) and reports off-tracks; nothing here touches a time.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from raceday.demo.plan import Racer
from raceday.demo.station_client import Patience, StationHand
from shared.errors import HardwareMissing, OperatorError, Refused, RetryLater
from shared.units import NS_PER_S
from simulator.realtime.control_client import WorldControl
from simulator.realtime.protocol import TrueEvent
from station.views.views import CarView, RunView, View

LOOK_S = 0.1
COMMAND_GAP_S = 1.0
OFF_TRACK_PATIENCE_S = 2.0  # of the world's time: then the marshal lifts the car back onto the road
CAR_ONLINE_S = 60.0
REPORTS_S = 8.0


@dataclass(slots=True)
class Marshal:
    """Watches the truth on a thread of its own; `take_off_tracks` hands over what is to be reported."""

    world: str
    truths: list[TrueEvent] = field(default_factory=list)
    _reported: int = 0
    _off_since_ns: int | None = None
    _closing: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        threading.Thread(target=self._loop, name="marshal", daemon=True).start()

    def close(self) -> None:
        self._closing.set()

    def take_off_tracks(self) -> list[TrueEvent]:
        seen = [t for t in self.truths[self._reported :] if t.event == "off_track"]
        self._reported = len(self.truths)
        return seen

    def off_for_s(self, now_ns: int) -> float:
        return 0.0 if self._off_since_ns is None else (now_ns - self._off_since_ns) / NS_PER_S

    def _loop(self) -> None:
        after = 0
        while not self._closing.is_set():
            try:
                with contextlib.closing(WorldControl(self.world)) as control:
                    for truth in control.events(after, LOOK_S):
                        after = truth.seq
                        self._note(truth)
            except HardwareMissing:
                self._closing.wait(LOOK_S)

    def _note(self, truth: TrueEvent) -> None:
        self.truths.append(truth)
        if truth.event == "off_track":
            self._off_since_ns = truth.at_ns
        elif truth.event in ("back_on_track", "placed", "removed"):
            self._off_since_ns = None


class Director:
    """Runs one racer after the other."""

    def __init__(self, world: str, station_url: str, tell: Callable[[str], None], show: Callable[[View], None]) -> None:
        self._control = WorldControl(world)
        self._marshal = Marshal(world)
        self._marshal.watch()
        self._operator = StationHand(station_url, "operator")
        self._official = StationHand(station_url, "marshal")
        self._tell = tell
        self._show = show
        self._patience = Patience()
        self._commanded_s: dict[str, float] = {}
        self._wait = threading.Event()
        self._finished_s: float | None = None

    @property
    def truths(self) -> list[TrueEvent]:
        return list(self._marshal.truths)

    def place(self, racer: Racer) -> None:
        """The racer's car is put before the start line."""
        self._control.place(racer.car)

    def wait_online(self, racer: Racer) -> None:
        """Until the station hears the car. Raises OperatorError."""
        deadline = time.monotonic() + CAR_ONLINE_S
        while time.monotonic() < deadline:
            view = self._look()
            car = _car(view, racer.car) if view else None
            if car is not None and car.online:
                return
            self._wait.wait(LOOK_S)
        raise OperatorError(f"the station did not hear {racer.car} within {CAR_ONLINE_S:.0f} s; see its log.")

    def race(self, racer: Racer, model: str, model_sha256: str) -> RunView:
        """One racer's whole turn; the finished run as the station shows it."""
        opening: dict[str, Any] = {
            "run_id": racer.run_id,
            "racer": racer.name,
            "car": racer.car,
            "model": model,
            "model_sha256": model_sha256,
            "throttle_percent": racer.throttle_percent,
        }
        while True:
            view = self._look()
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
                self._steward(view, run)
            self._wait.wait(LOOK_S)

    def watch(self, done: Callable[[View], bool], timeout_s: float, failing: str) -> View:
        """Until the station's state satisfies `done`. Raises OperatorError."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            view = self._look()
            if view is not None and done(view):
                return view
            self._wait.wait(LOOK_S)
        raise OperatorError(failing)

    def close(self) -> None:
        self._marshal.close()
        self._control.close()
        self._operator.close()
        self._official.close()

    def _look(self) -> View | None:
        """The newest state; None while the station is away (it may be restarting)."""
        try:
            view = self._operator.view()
        except RetryLater as error:
            self._patience.failed(error)
            return None
        self._patience.well()
        self._show(view)
        return view

    def _reports_in(self, run: RunView) -> bool:
        """The car stays on the track until its own report of the last lap has come, or seems not to come."""
        now = time.monotonic()
        self._finished_s = now if self._finished_s is None else self._finished_s
        complete = all(lap.confirmed or not lap.valid for lap in run.laps)
        if complete or now - self._finished_s > REPORTS_S:
            self._finished_s = None
            return True
        return False

    def _steward(self, view: View, run: RunView) -> None:
        self._report_off_tracks()
        car = _car(view, run.car)
        if car is None or not car.online:
            return
        if car.mode in ("tripped", "stopped") and run.released:
            self._once("resume", f"{run.car} stopped ({car.reason or 'no reason given'}): resumed", action="resume")
        elif car.mode == "disarmed":
            self._once("resume" if run.released else "arm", "", action="arm")
        elif car.mode == "ready" and not run.released:
            self._once("start", "", action="start")
        if self._marshal.off_for_s(view.clock.now_ns) > OFF_TRACK_PATIENCE_S:
            self._once("reset", f"{run.car} stayed off the track: the marshal put it back", action="put_back")

    def _report_off_tracks(self) -> None:
        for truth in self._marshal.take_off_tracks():
            self._command("off_track", hand=self._official, at_ns=truth.at_ns, reason="no wheel inside the road")
            self._tell(f"{truth.car} left the track.")

    def _once(self, command: str, sentence: str, action: str) -> None:
        """A person gives an order and waits a moment before giving it again."""
        now = time.monotonic()
        if now - self._commanded_s.get(action, 0.0) < COMMAND_GAP_S:
            return
        self._commanded_s[action] = now
        if action == "put_back":
            self._control.put_back()
            self._command(command, hand=self._official, reason="put back on the track")
        else:
            self._command(command)
        if sentence:
            self._tell(sentence)

    def _command(self, name: str, hand: StationHand | None = None, **fields: Any) -> None:
        try:
            (hand or self._operator).command(name, **fields)
        except Refused as refusal:
            self._tell(f"{name}: {refusal}")
        except RetryLater as error:
            self._patience.failed(error)


def _car(view: View, name: str) -> CarView | None:
    return next((car for car in view.cars if car.name == name), None)
