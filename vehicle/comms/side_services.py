"""What runs beside MQTT in the comms process, each on its own threads: recorder, console, figures, battery, lights."""

import functools
import socket
import time
from collections.abc import Callable
from typing import Protocol

from shared.clock import Clock
from shared.link.interface import LinkState
from shared.protocol.messages import DriveOrder, Lease
from shared.refusals import Refusals
from shared.web.server import BackgroundServer, listen
from shared.web.tls.web_tls import web_tls
from vehicle.comms.battery_monitor import BatteryMonitor
from vehicle.comms.car_lights import CarLights
from vehicle.config import NO_LIGHTS, VehicleConfig
from vehicle.core.light_patterns import WHITE
from vehicle.drivers import build_lights
from vehicle.guard.stop_socket import ask_to_stop
from vehicle.process.channel import IpcMessage
from vehicle.process.log import log
from vehicle.recordings.frame_feed import FramePump, RecordedFrame
from vehicle.recordings.recorder import Recorder, RecorderThread, utc_now
from vehicle.web.app import CarInfo, create_app
from vehicle.web.claim_codes import ClaimCodes
from vehicle.web.model_list import LibraryModelList
from vehicle.web.phone_control import PhoneControl
from vehicle.web.server import ConsoleServer


class CommsAccess(Protocol):
    """The part of Comms that recorder, console and figures use."""

    listeners: list[Callable[[IpcMessage], None]]
    admits: Callable[[Lease | DriveOrder], bool]

    def send_to_guard(self, message: IpcMessage) -> bool:
        """Send a message to the guard, from any thread; False if it was dropped."""

    def lease_age_s(self) -> float | None:
        """How long ago the newest lease came; None before any."""

    def link_state(self) -> LinkState: ...


class SideServices:
    """Starts and ends them. Raises ConfigError or StorageError before anything runs."""

    def __init__(
        self,
        config: VehicleConfig,
        clock: Clock,
        comms: CommsAccess,
        frame_fd: int | None,
        battery: BatteryMonitor,
        refusals: Refusals,
    ) -> None:
        self._battery = battery
        self._lights: CarLights | None = None
        if config.lights.driver != NO_LIGHTS:
            own = config.lights.own_colour() or WHITE
            self._lights = CarLights(lambda: build_lights(config, clock), own, lambda: battery.is_low)
            comms.listeners.append(self._lights.on_message)
        self._recorder: RecorderThread | None = None
        self._console: ConsoleServer | None = None
        viewers: list[Callable[[RecordedFrame], None]] = []
        if config.recorder.enabled:
            recorder = Recorder(config.recorder, config.device, clock.boot_id, config.model, utc_now)
            self._recorder = RecorderThread(recorder, clock)
            comms.listeners.append(self._recorder.on_message)
            viewers.append(self._recorder.on_frame)
        if config.console.enabled:
            stop_locally = functools.partial(ask_to_stop, config.local.socket)
            phone = PhoneControl(clock.boot_id, comms.send_to_guard, stop_locally, clock.rate)
            comms.listeners.append(phone.on_guard_message)
            comms.admits = lambda message: phone.admits(message, time.monotonic())
            viewers.append(phone.on_picture)
            self._console = _console(config, phone, battery, refusals)
        self._metrics: BackgroundServer | None = None
        if config.metrics.enabled:
            self._metrics = _metrics(config, comms, battery, refusals, self._console)
        self._pump: FramePump | None = None
        if viewers and frame_fd is not None:
            self._pump = FramePump(socket.socket(fileno=frame_fd), tuple(viewers))

    def start(self) -> None:
        """Start all threads."""
        for part in (self._recorder, self._pump, self._console, self._metrics, self._battery, self._lights):
            if part is not None:
                part.start()

    def close(self) -> None:
        """End all threads; the recorder last, so that its file receives everything and is closed with an index."""
        for part in (self._lights, self._battery, self._metrics, self._console, self._pump, self._recorder):
            if part is not None:
                part.close()


def _console(config: VehicleConfig, phone: PhoneControl, battery: BatteryMonitor, refusals: Refusals) -> ConsoleServer:
    options = config.console
    claims = ClaimCodes(options.claims)
    code = claims.first_code()
    car = CarInfo(
        config.device,
        config.calibration.load(),
        config.camera.driver,
        config.motors.driver,
        options.claims.absolute().parent,
        config.calibration.file,
        battery.percent,
    )
    tls = web_tls(options.tls_certificate, options.tls_key, "console")
    app = create_app(
        phone,
        LibraryModelList(options.models),
        claims,
        car,
        options.allowed_hosts,
        refusals=refusals,
        tls=tls,
        claim_over_http=options.claim_over_http,
    )
    server = ConsoleServer(app, listen(options.host, options.port, "console"), tls)
    log(f"the console listens on port {server.port}{', also by https' if tls is not None else ''}.")
    if tls is not None and (trouble := tls.trouble(time.time_ns())):
        log(trouble)
    if code is not None:
        log(f"claim code of the console: {code} (shown once; `raceday vehicle claim` makes a new one)")
    return server


def _metrics(
    config: VehicleConfig,
    comms: CommsAccess,
    battery: BatteryMonitor,
    refusals: Refusals,
    console: ConsoleServer | None,
) -> BackgroundServer:
    """The server of the car's figures. Raises ConfigError."""
    from shared.metrics.server import metrics_server  # noqa: PLC0415 (their library is loaded only where it is wanted)
    from vehicle.comms.car_figures import CarFigures, gather  # noqa: PLC0415

    figures = CarFigures(battery.percent, comms.lease_age_s)
    comms.listeners.append(figures.on_guard_message)
    folder = config.outbox.path.absolute().parent
    connections = (lambda: console.open_connections) if console is not None else lambda: 0
    figures_of_car = gather(figures, comms.link_state, refusals, folder, connections)
    server = metrics_server(config.metrics, figures_of_car, "This car", refusals)
    log(f"figures for Prometheus at http://{config.metrics.host}:{server.port}/metrics")
    return server
