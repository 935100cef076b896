"""The calibration from the phone: a tap is a word to the guard; what was found is written here, to the disk."""

import pathlib
from collections.abc import Callable
from typing import Annotated, Literal

import anyio.to_thread
from fastapi import Body, Depends, FastAPI, Request

from shared.errors import Refused
from vehicle.calibration.file import write_calibration
from vehicle.core.calibration_steps import MAX_US
from vehicle.web.phone_control import PhoneControl, PhoneStatus

PageAction = Literal["begin", "try", "show", "keep", "yes", "no", "back", "neutral", "cancel"]
NO_FILE = "This car's settings name no `calibration.file` to keep a calibration in: name one first."


def add_calibration_routes(
    app: FastAPI,
    session: Callable[[Request], str],
    phone: PhoneControl,
    file: pathlib.Path | None,
    now_s: Callable[[], float],
) -> None:
    """Two paths, behind the session."""
    session_of = Annotated[str, Depends(session)]

    @app.post("/api/calibration")
    async def tap(
        name: session_of,
        action: Annotated[PageAction, Body()],
        width_us: Annotated[int, Body(ge=0, le=2 * MAX_US)] = 0,
        wheels_off: Annotated[bool, Body()] = False,
    ) -> PhoneStatus:
        """The next word; the first says that no wheel touches the ground."""
        if action == "begin" and file is None:
            raise Refused(NO_FILE)
        if action == "begin" and not wheels_off:
            raise Refused("Put the car on a stand so that no wheel touches anything, and say so.")
        phone.calibration.command(name, action, width_us, now_s())
        return phone.status(name, now_s())

    @app.post("/api/calibration/keep")
    async def keep(name: session_of) -> PhoneStatus:
        """All steps are done: to the disk, then to the guard."""
        if file is None:
            raise Refused(NO_FILE)
        await anyio.to_thread.run_sync(write_calibration, file, phone.calibration.finished(name))
        phone.calibration.command(name, "kept", 0, now_s())
        return phone.status(name, now_s())
