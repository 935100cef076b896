"""The JSON API behind the pages: the state, and the officials' commands; a refusal is one sentence."""

import asyncio
import dataclasses
import json

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from shared.addresses import Addresses
from shared.errors import BadInput, RacedayError, Refused
from shared.text import text
from shared.web.language import JSONAnswer
from station.core.inputs import Command, OrderCar, StopAll
from station.views.command_answers import Accepted, Declined
from station.views.views import ServicePort
from station.web.access import command_refusal
from station.web.command_parser import parse_command

MAX_COMMAND_BYTES = 8_192
BODY_TIMEOUT_S = 5.0


class CommandTooLarge(RacedayError):
    """The body of a command is longer than any command is."""


def api_routes(service: ServicePort, operators: Addresses) -> APIRouter:
    """The routes of the API over a station. `operators`: the client addresses that may command."""
    router = APIRouter(prefix="/api/v1")
    # Commands wait for the disk. Emergency stops have places of their own, which other commands cannot fill.
    waiting, stops = CapacityLimiter(8), CapacityLimiter(4)

    @router.get("/state")
    async def state() -> JSONResponse:
        """Everything that the pages show, as JSON."""
        view = await anyio.to_thread.run_sync(service.snapshot)
        return JSONResponse(dataclasses.asdict(view), headers={"cache-control": "no-store"})

    @router.post("/commands")
    async def commands(request: Request) -> JSONAnswer:
        """Gives the command `{"command": NAME, ...}`; 200 once it is stored, 409 with a sentence if it is refused."""
        if refused := command_refusal(request, operators):
            return error_answer(*refused)
        try:
            command = await _command(request)
        except CommandTooLarge as error:
            return error_answer(413, str(error))
        except (BadInput, TimeoutError) as error:
            return error_answer(400, str(error) or text("The command did not arrive in time."))
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


async def _command(request: Request) -> Command:
    try:
        document = json.loads(await read_body(request))
    except (ValueError, RecursionError):
        raise BadInput(text("The command is not JSON.")) from None
    return parse_command(document)


async def read_body(request: Request) -> bytes:
    """The whole body, within limits of size and time. Raises CommandTooLarge, TimeoutError, BadInput."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for part in request.stream():
                size += len(part)
                if size > MAX_COMMAND_BYTES:
                    raise CommandTooLarge(
                        text("A command has at most {max_command_bytes} bytes.", max_command_bytes=MAX_COMMAND_BYTES)
                    )
                parts.append(part)
    except ClientDisconnect:
        raise BadInput(text("The command was cut short.")) from None
    return b"".join(parts)


def error_answer(status: int, sentence: str) -> JSONAnswer:
    """The answer to a request that is refused: the status, and `{"error": sentence}`."""
    return JSONAnswer({"error": sentence}, status)
