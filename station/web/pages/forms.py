"""Forms of the pages that work without a script: their token against forged requests, their body, their cookies.

A form is accepted only from a page of ours (Origin, Sec-Fetch-Site) and with the token of the same browser: made of a
cookie that only this browser has, so that another site's form cannot hold it. Used by the pages of access.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse

from shared.access.tokens import form_token, is_form_token, new_token
from shared.errors import BadInput, RacedayError, Refused
from shared.text import text
from shared.web.cookies import drop_cookie, set_cookie
from shared.web.security import cross_site_reason
from station.access.access_state import TooManyTries
from station.access.tokens import FORM_COOKIE, ShownTokens
from station.web.access import FORMS_ALLOWED, AccessDenied
from station.web.api import read_body
from station.web.site import Site

FORM_FIELD = "form_token"
MAX_FIELDS = 60
DEVICE_DAYS = 400  # the longest that browsers hold a cookie


async def form_page(site: Site, request: Request, name: str, status: int = 200, **values: object) -> HTMLResponse:
    """A page with forms; its template writes `form_token` into each."""
    shown: ShownTokens = request.state.shown
    secret = shown.session or shown.form or new_token()
    page = await site.html(request, name, status, form_token=form_token(secret), **values)
    page.headers.update(FORMS_ALLOWED)
    if secret not in (shown.session, shown.form):
        set_cookie(page, request.url.scheme, FORM_COOKIE, secret, None)
    return page


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form that a page of ours sent. Raises AccessDenied, BadInput, TimeoutError."""
    if why := cross_site_reason(request.headers, request.url.scheme, text("the station's")):
        raise AccessDenied(403, why)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise AccessDenied(415, text("Send the form of the page."))
    try:
        fields = dict(parse_qsl((await read_body(request)).decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise BadInput(text("The form cannot be read.")) from None
    if not check_token(request, fields.pop(FORM_FIELD, "")):
        raise AccessDenied(403, text("This form is from another session or browser: open the page again."))
    return fields


def check_token(request: Request, token: str) -> bool:
    """Is this the form token of the browser that sent the request?"""
    shown: ShownTokens = request.state.shown
    return is_form_token(token, shown.session) or is_form_token(token, shown.form)


def failure(error: Exception) -> tuple[int, str]:
    """Status and sentence for what a form could not do."""
    match error:
        case TooManyTries():
            return 429, str(error)
        case BadInput():
            return 400, str(error)
        case Refused():
            return 409, str(error)
        case RacedayError():
            return 503, str(error)
    return 400, text("The form did not arrive in time.")


def see_other(path: str, cookies: Mapping[str, None] | None = None, *, scheme: str = "http") -> RedirectResponse:
    """On to another page, by GET; `cookies`: those to be deleted on connections of this `scheme`."""
    response = RedirectResponse(path, 303, {"cache-control": "no-store"})
    for name in cookies or ():
        drop_cookie(response, scheme, name)
    return response
