"""Schemathesis over every address of the car's console: no 5xx, no answer of an undeclared status or type.

The console serves no document (docs are closed on a car); here one is made of its routes.
"""

import contextlib
import pathlib
import warnings
from collections.abc import Iterator

import pytest

from tests.generated_calls import CallWorld, Documented, GeneratedCaller, document_of, try_every_call
from tests.vehicle.web.test_access import FakeModelList
from tests.vehicle.web.test_phone_control import Bench
from vehicle.core.pulses import STOCK_CALIBRATION
from vehicle.web.app import CarInfo, create_app
from vehicle.web.claim_codes import ClaimCodes
from vehicle.web.session_auth import COOKIE

NOW_S = 1_800_000_000.0


@contextlib.contextmanager
def console_calls(folder: pathlib.Path) -> Iterator[CallWorld]:
    """The console's app, and who calls it: a phone that claimed the car, and nobody."""
    claims = ClaimCodes(folder / "console.json")
    car = CarInfo("car-7", STOCK_CALIBRATION, "mock", "mock", folder, folder / "calibration.json")
    app = create_app(Bench().control, FakeModelList(), claims, car, wall_s=lambda: NOW_S, now_s=lambda: 100.0)
    ours = {"x-raceday": "console", "origin": "http://127.0.0.1"}
    phone = ours | {"cookie": f"{COOKIE}={claims.claim(claims.new_code(), NOW_S)}"}
    # Leaving ends the session, so it is not called here: test_access.py does.
    yield CallWorld(
        Documented(app, document_of(app, {}, ("/api/leave",))), [GeneratedCaller(phone), GeneratedCaller(ours)]
    )


@pytest.mark.slow
def test_every_call_answers_as_declared(tmp_path: pathlib.Path) -> None:
    with warnings.catch_warnings(), console_calls(tmp_path) as world:
        warnings.simplefilter("ignore")
        made = try_every_call(world, examples=4)
    assert made.operations > 15
    assert made.requests > 4 * made.operations
