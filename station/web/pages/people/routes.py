"""The addresses of the page of people, devices and sessions. Operators pair devices; only admins manage people."""

from collections.abc import Callable

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from shared.errors import BadInput, RacedayError
from shared.text import text
from station.access.identity import Identity
from station.access.records import DEVICE_KINDS, DeviceKind
from station.access.roles import Role, role_of_word
from station.web.access import AccessDenied, identity_of, role_refusal
from station.web.api import HASHING
from station.web.pages.forms import failure, form_page, read_form, see_other
from station.web.pages.people.hall_address import hall_origin
from station.web.pages.people.presenter import DONE, people_panel
from station.web.site import Site

Act = Callable[[Site, Identity, dict[str, str]], None]


def people_routes(site: Site) -> APIRouter:
    """The page, and one address for each act; every act goes back to the page."""
    router = APIRouter()

    @router.get("/people", response_class=HTMLResponse)
    async def people_page(request: Request) -> HTMLResponse:
        """People, devices and sessions."""
        return await _page(site, request)

    @router.post("/people/{act}", response_class=HTMLResponse)
    async def change(request: Request, act: str) -> Response:
        """Does one of the acts of the page."""
        done, needed, key = ACTS.get(act, (None, Role.ADMIN, ""))
        identity = identity_of(request)
        if refused := role_refusal(identity, needed):
            raise AccessDenied(*refused)
        try:
            fields = await read_form(request)
            if done is None:
                raise BadInput(text("There is no such act."))
            await anyio.to_thread.run_sync(done, site, identity, fields, limiter=HASHING)
        except (RacedayError, TimeoutError) as error:
            status, sentence = failure(error)
            return await _page(site, request, status, sentence)
        return see_other(f"/people?done={key}")

    return router


def _offer(site: Site, by: Identity, fields: dict[str, str]) -> None:
    kind = fields.get("kind", "")
    known: dict[str, DeviceKind] = {each: each for each in DEVICE_KINDS}
    if kind not in known:
        raise BadInput(text("Choose what kind of device it is."))
    role = Role.VIEWER if kind == "screen" else role_of_word(fields.get("role", ""))
    site.access.people.offer_pairing(by, fields.get("name", ""), known[kind], role)


def _revoke(site: Site, by: Identity, fields: dict[str, str]) -> None:
    site.access.people.revoke_device(by, fields.get("id", ""))


def _end(site: Site, by: Identity, fields: dict[str, str]) -> None:
    site.access.people.end_session(by, fields.get("id", ""))


def _add(site: Site, by: Identity, fields: dict[str, str]) -> None:
    role = role_of_word(fields.get("role", ""))
    site.access.people.add_person(by, fields.get("name", ""), role, fields.get("pass_code", ""))


def _change(site: Site, by: Identity, fields: dict[str, str]) -> None:
    role = role_of_word(fields.get("role", ""))
    site.access.people.change_person(by, fields.get("id", ""), role, fields.get("pass_code", ""))


def _remove(site: Site, by: Identity, fields: dict[str, str]) -> None:
    site.access.people.remove_person(by, fields.get("id", ""))


# The last part of the address: what it does, the role that it needs, and which sentence says that it is done.
ACTS: dict[str, tuple[Act, Role, str]] = {
    "pair": (_offer, Role.OPERATOR, "paired"),
    "revoke": (_revoke, Role.OPERATOR, "revoked"),
    "end": (_end, Role.OPERATOR, "ended"),
    "add": (_add, Role.ADMIN, "added"),
    "change": (_change, Role.ADMIN, "changed"),
    "remove": (_remove, Role.ADMIN, "removed"),
}


async def _page(site: Site, request: Request, status: int = 200, error: str = "") -> HTMLResponse:
    done = DONE.get(request.query_params.get("done", ""), "") if not error else ""
    panel = people_panel(site.access.people, identity_of(request), hall_origin(request), site.access.state.now_s())
    return await form_page(site, request, "people", status, panel=panel, done=done, error=error)
