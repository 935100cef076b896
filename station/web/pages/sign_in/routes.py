"""The addresses of claiming the station, signing in and out, and pairing a device. They are open to everybody.

Comparing a PIN is slow by intention: two at a time, on threads of their own (`HASHING`), beside which all else goes on.
"""

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from shared.errors import RacedayError, Refused
from shared.text import text
from shared.web.cookies import set_cookie
from shared.web.refused_requests import name_refusal
from shared.web.security import local_path
from station.access.roles import Role
from station.access.station_access import OpenedSession
from station.access.tokens import DEVICE_COOKIE, SESSION_COOKIE, ShownTokens
from station.web.access import client_address, identity_of
from station.web.api import HASHING
from station.web.pages.forms import DEVICE_DAYS, failure, form_page, read_form, see_other
from station.web.site import Site

DAY_S = 86_400
_BROWSERS = (("iPad", "iPad"), ("iPhone", "iPhone"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS", "Mac"))


def claim_routes(site: Site) -> APIRouter:
    """The claim of a new station, or of one whose admins lost their PINs."""
    router = APIRouter()

    @router.get("/claim", response_class=HTMLResponse)
    async def claim_page(request: Request) -> HTMLResponse:
        """The page on which the first admin claims the station with the code of its console."""
        return await form_page(site, request, "claim", waiting=_waiting(site), typed={}, error="")

    @router.post("/claim", response_class=HTMLResponse)
    async def claim(request: Request) -> Response:
        """Makes the first admin, pairs this browser, and signs in."""
        typed: dict[str, str] = {}
        try:
            typed = await read_form(request)
            if typed.get("pass_code") != typed.get("again"):
                raise Refused(text("The two PINs or passphrases differ: type them again."))

            def done() -> OpenedSession:
                code, name, pass_code = (typed.get(field, "") for field in ("code", "name", "pass_code"))
                return site.access.claim(code, name, pass_code, _device_name(request), client_address(request))

            opened = await anyio.to_thread.run_sync(done, limiter=HASHING)
        except (RacedayError, TimeoutError) as error:
            name_refusal(request.scope, error)
            status, sentence = failure(error)
            return await form_page(site, request, "claim", status, waiting=_waiting(site), typed=typed, error=sentence)
        return _signed_in(site, request, opened, "/setup")

    return router


def sign_in_routes(site: Site) -> APIRouter:
    """Signing in and out."""
    router = APIRouter()

    @router.get("/sign-in", response_class=HTMLResponse)
    async def sign_in_page(request: Request) -> Response:
        """The page on which an official chooses his name and enters his PIN."""
        if not site.access.claimed:
            return see_other("/claim")
        return await _sign_in_page(site, request, 200, request.query_params.get("next", ""), "", "")

    @router.post("/sign-in", response_class=HTMLResponse)
    async def sign_in(request: Request) -> Response:
        """Opens a session and goes on to `next`."""
        typed: dict[str, str] = {}
        shown: ShownTokens = request.state.shown
        try:
            typed = await read_form(request)

            def done() -> OpenedSession:
                return site.access.sign_in(
                    typed.get("name", ""), typed.get("pass_code", ""), shown, client_address(request)
                )

            opened = await anyio.to_thread.run_sync(done, limiter=HASHING)
        except (RacedayError, TimeoutError) as error:
            name_refusal(request.scope, error)
            status, sentence = failure(error)
            return await _sign_in_page(site, request, status, typed.get("next", ""), typed.get("name", ""), sentence)
        return _signed_in(site, request, opened, local_path(typed.get("next", "")))

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        """Ends the session; the device stays paired, and can still stop all cars."""
        await read_form(request)
        await anyio.to_thread.run_sync(site.access.sign_out, identity_of(request))
        return see_other("/sign-in", {SESSION_COOKIE: None}, scheme=request.url.scheme)

    return router


def pair_routes(site: Site) -> APIRouter:
    """Pairing this browser by the code that an operator shows."""
    router = APIRouter()

    @router.get("/pair", response_class=HTMLResponse)
    async def pair_page(request: Request) -> HTMLResponse:
        """The page to which the QR code leads; the code stands behind # in its address, which is sent nowhere."""
        return await form_page(site, request, "pair", typed={}, error="")

    @router.post("/pair", response_class=HTMLResponse)
    async def pair(request: Request) -> Response:
        """Pairs this browser, and goes on to signing in, or to the screen's page."""
        typed: dict[str, str] = {}
        shown: ShownTokens = request.state.shown
        try:
            typed = await read_form(request)
            code, address = typed.get("code", ""), client_address(request)
            token = await anyio.to_thread.run_sync(site.access.people.pair, code, shown, address)
        except (RacedayError, TimeoutError) as error:
            name_refusal(request.scope, error)
            status, sentence = failure(error)
            return await form_page(site, request, "pair", status, typed=typed, error=sentence)
        device = site.access.people.device(token)
        officials = device is not None and device.role > Role.VIEWER
        for_screens = "/screen" if "screen" in site.pages.table else "/"
        response = see_other("/sign-in" if officials else for_screens)
        set_cookie(response, request.url.scheme, DEVICE_COOKIE, token, DEVICE_DAYS * DAY_S)
        return response

    return router


async def _sign_in_page(site: Site, request: Request, status: int, path: str, name: str, error: str) -> HTMLResponse:
    shown: ShownTokens = request.state.shown
    device = site.access.people.device(shown.device)
    people = site.access.people.people() if device is not None and device.role > Role.VIEWER else []
    return await form_page(
        site,
        request,
        "sign_in",
        status,
        device=device,
        people=people,
        next=local_path(path),
        typed_name=name,
        error=error,
    )


def _signed_in(site: Site, request: Request, opened: OpenedSession, path: str) -> Response:
    response = see_other(path if path != "/" else "/operate")
    set_cookie(response, request.url.scheme, SESSION_COOKIE, opened.session, round(site.access.absolute_s))
    if opened.device:
        set_cookie(response, request.url.scheme, DEVICE_COOKIE, opened.device, DEVICE_DAYS * DAY_S)
    return response


def _waiting(site: Site) -> bool:
    """Is there a claim code to be entered?"""
    return site.access.may_be_claimed


def _device_name(request: Request) -> str:
    """A first name for a browser that claims the station: what kind of machine it says it is."""
    agent = request.headers.get("user-agent", "")[:300]
    return next((name for part, name in _BROWSERS if part in agent), "Laptop")
