"""A console in a process of its own, for tests of what requests cost it: prints its port and a session's token."""

import pathlib
import signal
import sys
import tempfile

from shared.web.server import listen
from tests.vehicle.web.test_access import FakeModelList
from tests.vehicle.web.test_phone_control import Bench
from vehicle.core.pulses import STOCK_CALIBRATION
from vehicle.web.app import CarInfo, create_app
from vehicle.web.claim_codes import ClaimCodes
from vehicle.web.server import ConsoleServer


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        claims = ClaimCodes(pathlib.Path(folder) / "console.json")
        token = claims.claim(claims.new_code(), 1000.0)
        car = CarInfo("car-7", STOCK_CALIBRATION, "mock", "mock", pathlib.Path(folder))
        app = create_app(Bench().control, FakeModelList(), claims, car, wall_s=lambda: 1000.0)
        server = ConsoleServer(app, listen("127.0.0.1", 0, "console"))
        server.start()
        sys.stdout.write(f"{server.port} {token}\n")
        sys.stdout.flush()
        signal.sigwait({signal.SIGTERM})
        server.close()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    sys.exit(main())
