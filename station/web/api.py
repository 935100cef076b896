"""The JSON API behind the pages: the state, and the officials' commands; a refusal is one sentence."""

import asyncio
import dataclasses
from dataclasses import dataclass, replace

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from shared.errors import BadInput, RacedayError, Refused
from shared.protocol.strict_json import read_json
from shared.text import text
from shared.web.language import JSONAnswer
from shared.web.refused_requests import name_refusal
from station.access.access_state import TooManyTries
from station.access.identity import Identity
from station.access.station_access import StationAccess
from station.core.inputs import Command, Official, OrderCar, ReopenResults, StopAll
from station.views.command_answers import Accepted, Declined
from station.views.views import ServicePort
from station.web.access import command_refusal, identity_of, official_refusal
from station.web.command_parser import parse_command
from station.web.presenters.visitors import visitor_view

MAX_COMMAND_BYTES = 8_192
_PAGES_ONLY = ("checklists",)  # kept beside the station, and filled in for the pages alone
BODY_TIMEOUT_S = 5.0
# A PIN is compared slowly by intention: two at a time leave the machine to timing and pages.
HASHING = CapacityLimiter(2)


class CommandTooLarge(RacedayError):
    """The body of a command is longer than any command is."""


def api_routes(service: ServicePort, access: StationAccess) -> APIRouter:
    """The routes of the API over a station."""
    router = APIRouter(prefix="/api/v1")
    # Commands wait for the disk. Emergency stops have places of their own, which other commands cannot fill.
    waiting, stops = CapacityLimiter(8), CapacityLimiter(4)

    @router.get("/state")
    async def state(request: Request) -> JSONResponse:
        """What the pages show of the station, as JSON; for a visitor without what concerns officials only."""
        view = await anyio.to_thread.run_sync(service.snapshot)
        view = view if identity_of(request).is_official else visitor_view(view)
        shown = {key: value for key, value in dataclasses.asdict(view).items() if key not in _PAGES_ONLY}
        return JSONResponse(shown, headers={"cache-control": "no-store"})

    @router.post("/commands")
    async def commands(request: Request) -> JSONAnswer:
        """Gives the command `{"command": NAME, ...}`; 200 once it is stored, 409 with a sentence if it is refused."""
        if refused := official_refusal(request):
            return error_answer(*refused)
        identity = identity_of(request)
        try:
            command, pins = await _command(request, identity)
        except CommandTooLarge as error:
            return error_answer(413, str(error))
        except (BadInput, TimeoutError) as error:
            return error_answer(400, str(error) or text("The command did not arrive in time."))
        refused = command_refusal(identity, command) or await _unconfirmed(request, access, command, pins)
        if refused:
            return error_answer(*refused)
        stopping = isinstance(command, StopAll) or (isinstance(command, OrderCar) and command.action == "estop")
        limiter = stops if stopping else waiting
        return await _submitted(service, command, limiter)

    return router


async def _submitted(service: ServicePort, command: Command, limiter: CapacityLimiter) -> JSONAnswer:
    try:
        answer = await anyio.to_thread.run_sync(service.submit, command, limiter=limiter)
    except Refused as error:
        return error_answer(409, str(error))
    except RacedayError as error:
        return error_answer(503, str(error))
    match answer:
        case Accepted(seq, run_id, effect=effect):
            changed = {} if effect is None else {"effect": dataclasses.asdict(effect)}
            ordered = {"car": answer.car, "goal": answer.goal, "note": answer.note} if answer.car else {}
            created = {"race_id": answer.race_id} if answer.race_id else {}
            return JSONAnswer({"accepted": True, "seq": seq, "run_id": run_id, **created, **changed, **ordered})
        case Declined(sentence):
            may = {"override": True} if answer.may_be_overridden else {}
            return JSONAnswer({"error": sentence, **may}, 409)


@dataclass(frozen=True, slots=True)
class Pins:
    """The PIN of who is signed in, and that of a second official; "" if not given."""

    own: str = ""
    second: str = ""


async def _command(request: Request, identity: Identity) -> tuple[Command, Pins]:
    """The command in the body, and the PINs beside it, which are no part of it.

    Its author and device are who is signed in, whatever the body says.
    """
    try:
        document = read_json(await read_body(request))
    except ValueError:
        raise BadInput(text("The command is not JSON, or names a thing twice.")) from None
    given = [document.pop(name, "") if isinstance(document, dict) else "" for name in ("pin", "second_pin")]
    if not all(isinstance(pin, str) for pin in given):
        raise BadInput(text("`pin` is a text."))
    return replace(parse_command(document), author=identity.author, device=identity.device), Pins(*given)


async def _unconfirmed(request: Request, access: StationAccess, command: Command, pins: Pins) -> tuple[int, str] | None:
    """Why this command is not yet confirmed by the PINs that it needs; None if it needs none, or is.

    To open results again takes the PIN of who is signed in. A second official confirms with his own.
    """
    if not isinstance(command, Official | ReopenResults):
        return None
    identity = identity_of(request)
    try:
        if isinstance(command, ReopenResults):
            await anyio.to_thread.run_sync(access.confirm_pin, identity.session, pins.own, limiter=HASHING)
        if command.confirmed_by:
            await anyio.to_thread.run_sync(
                access.confirm_second, command.confirmed_by, pins.second, identity, limiter=HASHING
            )
    except Refused as error:
        name_refusal(request.scope, error)
        return 403, str(error)
    except TooManyTries as error:
        return 429, str(error)
    except RacedayError as error:
        return 503, str(error)
    return None


async def read_body(request: Request, max_bytes: int = MAX_COMMAND_BYTES) -> bytes:
    """The whole body, within limits of size and time. Raises CommandTooLarge, TimeoutError, BadInput."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for part in request.stream():
                size += len(part)
                if size > max_bytes:
                    raise CommandTooLarge(text("A command has at most {max_bytes} bytes.", max_bytes=max_bytes))
                parts.append(part)
    except ClientDisconnect:
        raise BadInput(text("The command was cut short.")) from None
    return b"".join(parts)


def error_answer(status: int, sentence: str) -> JSONAnswer:
    """The answer to a request that is refused: the status, and `{"error": sentence}`."""
    return JSONAnswer({"error": sentence}, status)
