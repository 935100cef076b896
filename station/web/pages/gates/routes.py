"""The addresses of the gates' page: the page, and the comparison of a two-pulse test whose pulses it has seen."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import TypeAdapter

from shared.errors import BadInput
from shared.protocol.strict_json import read_json
from shared.text import joined, text
from shared.web.language import JSONAnswer
from station.core.timing.two_pulses import GateInterval, Pulse, compare
from station.web.access import official_refusal
from station.web.api import CommandTooLarge, error_answer, read_body
from station.web.site import Site

_PULSES = TypeAdapter(list[dict[str, Pulse]])


def gates_routes(site: Site) -> APIRouter:
    """The routes of /gates."""
    router = APIRouter()

    @router.get("/gates", response_class=HTMLResponse)
    async def page(request: Request) -> HTMLResponse:
        """Whether each gate, and each of its sensors, is ready."""
        return await site.html(request, "gates")

    @router.post("/gates/two-pulses")
    async def two_pulses(request: Request) -> Response:
        """Compares the gates by two pulses: `[{GATE: {"boot", "at_ns"}}, {GATE: ...}]`; nothing is stored."""
        if refused := official_refusal(request):
            return error_answer(*refused)
        try:
            first, second = _PULSES.validate_python(read_json(await read_body(request)))
        except CommandTooLarge as error:
            return error_answer(413, str(error))
        except (BadInput, TimeoutError, ValueError):
            return error_answer(400, text("The two pulses of the gates cannot be read."))
        gates = tuple(gate.name for gate in site.service.snapshot().gates)
        lines = compare(first, second, gates)
        return JSONAnswer(
            {"agree": not any(line.why for line in lines), "sentences": [_sentence(each) for each in lines]}
        )

    return router


def _sentence(line: GateInterval) -> str:
    """One gate's part of the outcome."""
    if line.interval_ns is None:
        return text("✕ {gate}: {why}.", gate=line.gate, why=line.why)
    interval = f"{line.interval_ns / 1e9:.6f} s"
    if line.why:
        return joined([text("✕ {gate}: {why}.", gate=line.gate, why=line.why), interval])
    return joined([text("✓ {gate} agrees:", gate=line.gate), interval])
