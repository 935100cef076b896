"""The console's web app: one page, and a small API that needs a session. Built by `comms/side_services.py`."""

import pathlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Annotated

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import Body, Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from jinja2 import FileSystemLoader

from shared.errors import BadInput, OperatorError, Refused
from shared.refusals import Refusals
from shared.text import text
from shared.web.assets import Assets
from shared.web.bodies.guard import BodyGuard
from shared.web.cookies import drop_cookie, set_cookie
from shared.web.drawing.refusal_rows import refusal_table
from shared.web.drawing.templates import page_environment
from shared.web.error_pages import ErrorPages
from shared.web.language import JSONAnswer, LanguageChoice
from shared.web.refused_requests import name_refusal
from shared.web.security import HostAndHeaderGuard
from shared.web.tls.protected_sign_in import ProtectedSignIn
from shared.web.tls.trust_page import TrustPage
from shared.web.tls.web_tls import WebTls
from vehicle.calibration.file import read_calibration
from vehicle.core.pulses import Calibration
from vehicle.web.body_table import CONSOLE_BODIES, body_answer, body_refusal
from vehicle.web.calibration_api import add_calibration_routes
from vehicle.web.claim_codes import MAX_SESSION_S, ClaimCodes
from vehicle.web.model_list import ModelList, ModelRow
from vehicle.web.phone_control import PhoneControl, PhoneStatus
from vehicle.web.session_auth import COOKIE, SessionAuth, session_token
from vehicle.web.system_health import SystemHealth, read_health
from vehicle.web.upload import receive_upload

_HERE = pathlib.Path(__file__).parent
STATIC = _HERE / "static"
REFUSALS_SHOWN = 8  # on a phone
Percent = Annotated[int, Body(embed=True, ge=0, le=100)]


@dataclass(frozen=True, slots=True)
class CarInfo:
    """What the page shows of the car that does not change while it runs. `disk` is a folder on the disk to report."""

    device: str
    calibration: Calibration | None
    camera: str
    motors: str
    disk: pathlib.Path
    calibration_file: pathlib.Path | None = None
    battery: Callable[[], int | None] = lambda: None  # the charge in per cent, None if it is unknown

    def current_calibration(self) -> Calibration | None:
        """The calibration, read again from its file, which may have been written since the start. Raises BadInput."""
        if self.calibration_file is None or not self.calibration_file.exists():
            return self.calibration
        return read_calibration(self.calibration_file)


@dataclass(frozen=True, slots=True)
class CarDetails:
    """The answer of `/api/about`: hardware, calibration and health."""

    device: str
    camera: str
    motors: str
    calibration: Calibration | None
    health: SystemHealth
    can_calibrate: bool = False


class ConsoleAnswer(JSONAnswer):
    """JSON for the console: what the guard and the model library report is in the reader's language too."""

    sentences = JSONAnswer.sentences | {"reason", "refusal", "message", "question", "detail", "choice", "station"}


def create_app(
    phone: PhoneControl,
    model_list: ModelList,
    claims: ClaimCodes,
    car: CarInfo,
    allowed_hosts: tuple[str, ...] = (),
    wall_s: Callable[[], float] = time.time,
    now_s: Callable[[], float] = time.monotonic,
    refusals: Refusals | None = None,
    tls: WebTls | None = None,
    claim_over_http: bool = True,
) -> FastAPI:
    """The console's app. `wall_s` (UTC) dates sessions, `now_s` (monotonic) times how long a phone holds the car.

    `refusals`: those of the process, which the page shows too; None: new ones. `tls`: what makes the page a protected
    one; a phone then claims the car over http only with `claim_over_http`.
    """
    refusals = Refusals() if refusals is None else refusals
    auth = SessionAuth(claims, wall_s)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        phone.stop()  # when the console ends, no phone holds the car any longer

    app = FastAPI(
        title="Raceday console",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        default_response_class=ConsoleAnswer,
    )
    app.state.refusals = refusals
    app.add_middleware(BodyGuard, bounds=CONSOLE_BODIES, refusal=body_refusal(auth), answer=body_answer)
    app.add_middleware(TrustPage, tls=tls, home=text("The console"))
    if tls is not None and not claim_over_http:
        app.add_middleware(ProtectedSignIn, paths=("/api/claim",))
    app.add_middleware(HostAndHeaderGuard, machine=text("This car"), allowed_hosts=allowed_hosts, refusals=refusals)
    app.add_middleware(ErrorPages, machine=text("This car"), home=text("The console"))
    app.add_middleware(LanguageChoice)
    app.mount("/static", Assets(STATIC))
    _add_error_handlers(app)
    _add_claim_routes(app, auth, car)
    _add_drive_routes(app, auth, phone, now_s)
    add_calibration_routes(app, auth.session, phone, car.calibration_file, now_s)
    _add_health_routes(app, auth, car, now_s, refusals)
    _add_model_routes(app, auth, phone, model_list, now_s)
    return app


def _add_error_handlers(app: FastAPI) -> None:
    def error_response(sentence: str, status: int) -> JSONAnswer:
        return JSONAnswer({"error": sentence}, status, {"cache-control": "no-store"})

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Exception) -> JSONAnswer:
        name_refusal(request.scope, error)
        return error_response(str(error), 409)

    @app.exception_handler(OperatorError)
    async def operator(_: Request, error: Exception) -> JSONAnswer:
        return error_response(str(error), 422)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, __: Exception) -> JSONAnswer:
        return error_response(text("The request is not what the console's page sends."), 422)

    @app.exception_handler(HTTPException)
    async def declined(_: Request, error: Exception) -> JSONAnswer:
        assert isinstance(error, HTTPException)
        return error_response(str(error.detail), error.status_code)

    @app.exception_handler(404)
    async def nothing(_: Request, __: Exception) -> JSONAnswer:
        return error_response(text("There is nothing here; the console is at /."), 404)


def _add_claim_routes(app: FastAPI, auth: SessionAuth, car: CarInfo) -> None:
    comparing = CapacityLimiter(1)
    console = page_environment(FileSystemLoader(_HERE / "templates")).get_template("console.html")

    @app.get("/")
    async def page() -> HTMLResponse:
        """The page, the same for every visitor: it contains nothing about this car."""
        return HTMLResponse(console.render(), headers={"cache-control": "no-store"})

    @app.get("/api/session")
    async def session(request: Request) -> dict[str, object]:
        """Whether this browser has claimed the car."""
        is_claimed = auth.name(request) is not None
        return {"device": car.device, "claimed": is_claimed}

    @app.post("/api/claim", dependencies=[Depends(auth.require_own_page)])
    async def claim(request: Request, code: Annotated[str, Body(embed=True, max_length=80)]) -> Response:
        """Exchange the claim code for a session cookie."""
        address = request.client.host if request.client is not None else ""
        shown = session_token(request)
        # One at a time: comparing a code is slow by intention, and no flood of wrong ones may take all threads.
        token = await anyio.to_thread.run_sync(auth.claims.claim, code, auth.now_s(), address, shown, limiter=comparing)
        answer = JSONAnswer({"claimed": True})
        set_cookie(answer, request.url.scheme, COOKIE, token, int(MAX_SESSION_S))
        return answer

    @app.post("/api/leave", dependencies=[Depends(auth.session)])
    async def leave(request: Request) -> Response:
        """End this phone's session."""
        await anyio.to_thread.run_sync(auth.claims.leave, session_token(request))
        answer = JSONAnswer({"claimed": False})
        drop_cookie(answer, request.url.scheme, COOKIE)
        return answer


def _add_drive_routes(app: FastAPI, auth: SessionAuth, phone: PhoneControl, now_s: Callable[[], float]) -> None:
    session_of = Annotated[str, Depends(auth.session)]

    @app.get("/api/status")
    async def status(session: session_of) -> PhoneStatus:
        """The state of the car, as the page shows it."""
        return phone.status(session, now_s())

    @app.post("/api/hold")
    async def hold(session: session_of, heartbeat: Annotated[int, Body(embed=True)]) -> PhoneStatus:
        """Renew the lease for a heartbeat of the guard; the page sends this while it is open and visible."""
        phone.hold(session, heartbeat, now_s())
        return phone.status(session, now_s())

    @app.post("/api/start")
    async def start(session: session_of, throttle_percent: Percent) -> PhoneStatus:
        """Take control of the car, arm it and drive with this throttle limit."""
        phone.start(session, throttle_percent, now_s())
        return phone.status(session, now_s())

    @app.post("/api/stop")
    async def stop(_: session_of) -> dict[str, str]:
        """Stop the car, whoever drives it."""
        return {"message": phone.stop()}

    @app.post("/api/reset")
    async def reset(session: session_of) -> PhoneStatus:
        """Reset a tripped car, which is then disarmed."""
        phone.reset(session, now_s())
        return phone.status(session, now_s())

    @app.post("/api/throttle")
    async def throttle(session: session_of, throttle_percent: Percent) -> PhoneStatus:
        """Change the throttle limit of the car that this phone holds."""
        phone.throttle(session, throttle_percent)
        return phone.status(session, now_s())

    @app.get("/api/camera.jpg")
    async def camera(_: session_of) -> Response:
        """The newest frame as JPEG; 204 if there is none yet."""
        if (picture := phone.picture) is None:
            return Response(status_code=204)
        return Response(picture.jpeg, media_type="image/jpeg", headers={"cache-control": "no-store"})


def _add_health_routes(
    app: FastAPI, auth: SessionAuth, car: CarInfo, now_s: Callable[[], float], refusals: Refusals
) -> None:
    guarded = [Depends(auth.session)]

    @app.get("/api/about", dependencies=guarded)
    async def about() -> CarDetails:
        """The car's hardware, calibration and health."""
        health = await anyio.to_thread.run_sync(read_health, car.disk, car.battery())
        calibration = await anyio.to_thread.run_sync(car.current_calibration)
        return CarDetails(car.device, car.camera, car.motors, calibration, health, car.calibration_file is not None)

    @app.get("/api/refusals", dependencies=guarded)
    async def refused() -> ConsoleAnswer:
        """Whom the car refused since it started, for the page's health."""
        table = refusal_table(refusals.counts(), now_s(), REFUSALS_SHOWN)
        return ConsoleAnswer({"refusals": table.total, "rows": [asdict(row) for row in table.rows]})


def _add_model_routes(
    app: FastAPI, auth: SessionAuth, phone: PhoneControl, model_list: ModelList, now_s: Callable[[], float]
) -> None:
    guarded = [Depends(auth.session)]
    name_in = Annotated[str, Body(embed=True, max_length=80)]

    @app.get("/api/models", dependencies=guarded)
    async def models() -> list[ModelRow]:
        """The models on this car."""
        return await anyio.to_thread.run_sync(model_list.rows)

    @app.put("/api/models", dependencies=guarded)
    async def upload(request: Request, file: str) -> ModelRow:
        """Import a model. The body is the file itself, so that the page can show the upload's progress."""
        phone.require_idle(now_s())
        try:
            async with receive_upload(request, file) as path:
                return await anyio.to_thread.run_sync(model_list.add, path, path.name.split(".")[0])
        except BadInput:
            name_refusal(request.scope, "model")
            raise

    @app.post("/api/models/select", dependencies=guarded)
    async def select(name: name_in) -> list[ModelRow]:
        """Select the model that drives, and restart the pilot with it. Returns all models."""
        phone.require_idle(now_s())
        await anyio.to_thread.run_sync(model_list.select, name)
        phone.reload_model(now_s())
        return await anyio.to_thread.run_sync(model_list.rows)

    @app.post("/api/models/remove", dependencies=guarded)
    async def remove(name: name_in) -> list[ModelRow]:
        """Remove a model from this car. Returns the others."""
        await anyio.to_thread.run_sync(model_list.remove, name)
        return await anyio.to_thread.run_sync(model_list.rows)
