"""The calibration routes of the phone page: each tap becomes a command to the guard; the result is written to disk."""

import pathlib
from collections.abc import Callable
from typing import Annotated, Literal

import anyio.to_thread
from fastapi import Body, Depends, FastAPI, Request

from shared.errors import Refused
from shared.text import text
from vehicle.calibration.file import write_calibration
from vehicle.core.calibration_steps import MAX_US
from vehicle.web.phone_control import PhoneControl, PhoneStatus

PageAction = Literal["begin", "try", "show", "keep", "yes", "no", "back", "neutral", "cancel"]
NO_FILE = text("This car's settings name no `calibration.file` to save a calibration in: add one first.")


def add_calibration_routes(
    app: FastAPI,
    session: Callable[[Request], str],
    phone: PhoneControl,
    file: pathlib.Path | None,
    now_s: Callable[[], float],
) -> None:
    """Add the two calibration routes, which need a session. `file` is where a calibration is saved; None: nowhere."""
    session_of = Annotated[str, Depends(session)]

    @app.post("/api/calibration")
    async def tap(
        name: session_of,
        action: Annotated[PageAction, Body()],
        width_us: Annotated[int, Body(ge=0, le=2 * MAX_US)] = 0,
        wheels_off: Annotated[bool, Body()] = False,
    ) -> PhoneStatus:
        """Send the phone's next command to the guard; `begin` must confirm that no wheel touches the ground."""
        if action == "begin" and file is None:
            raise Refused(NO_FILE)
        if action == "begin" and not wheels_off:
            raise Refused(text("Put the car on a stand so that no wheel touches anything, and confirm it."))
        phone.calibration.command(name, action, width_us, now_s())
        return phone.status(name, now_s())

    @app.post("/api/calibration/keep")
    async def keep(name: session_of) -> PhoneStatus:
        """Save the finished calibration to disk, then notify the guard."""
        if file is None:
            raise Refused(NO_FILE)
        await anyio.to_thread.run_sync(write_calibration, file, phone.calibration.finished(name))
        phone.calibration.command(name, "saved", 0, now_s())
        return phone.status(name, now_s())
