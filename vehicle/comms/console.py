"""Puts the phone page together: who holds the car, the models, the claim codes, and the web server that serves them.

Called by side_services.py in the comms process, and loaded only in a car whose config enables the console.
"""

import functools
from collections.abc import Callable

from shared.clock import Clock
from shared.web.server import listen
from vehicle.config import VehicleConfig
from vehicle.guard.stop_socket import ask_to_stop
from vehicle.process.channel import IpcMessage
from vehicle.process.log import log
from vehicle.web.app import CarInfo, create_app
from vehicle.web.claim_codes import ClaimCodes
from vehicle.web.model_list import LibraryModelList
from vehicle.web.phone_control import PhoneControl
from vehicle.web.server import ConsoleServer


def build_console(
    config: VehicleConfig, clock: Clock, send_to_guard: Callable[[IpcMessage], bool]
) -> tuple[PhoneControl, ConsoleServer]:
    """The phone's control of the car and the server of its page, which listens already but is not started.

    Raises ConfigError if it cannot listen, StorageError if the claims cannot be read or written.
    """
    stop_locally = functools.partial(ask_to_stop, config.local.socket)
    phone = PhoneControl(clock.boot_id, send_to_guard, stop_locally, clock.rate)
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
    )
    app = create_app(phone, LibraryModelList(options.models), claims, car, options.allowed_hosts)
    server = ConsoleServer(app, listen(options.host, options.port, "console"))
    log(f"the console listens at port {server.port}.")
    if code is not None:
        log(f"claim code of the console: {code} (shown once; `raceday vehicle claim` makes a new one)")
    return phone, server
