"""The cookies of the leaderboard: of a session, of a visitor's forms, and of a sentence for the next page.

Over https they have the prefix `__Host-`, which no other host and no http page can set; over http, as on a hall's
network, no browser takes that prefix. No script reads them.
"""

import re

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response

from shared.access.tokens import RANDOM_256_BITS

SESSION, FORM, FLASH = "raceday_league", "raceday_league_form", "raceday_league_said"
MAX_COOKIES = 8192
_RANDOM = re.compile(RANDOM_256_BITS)


def cookie_name(name: str, scheme: str) -> str:
    """The cookie's name on connections of this scheme."""
    return f"__Host-{name}" if scheme == "https" else name


def cookie_value(headers: Headers, name: str, scheme: str) -> str:
    """The value that came with the request; "" if none did. Of two with one name, the first counts."""
    wanted, found = cookie_name(name, scheme), "; ".join(headers.getlist("cookie"))
    for pair in found.split(";") if len(found) <= MAX_COOKIES else ():
        each, _, value = pair.strip().partition("=")
        if each == wanted:
            return value
    return ""


def token_in(headers: Headers, name: str, scheme: str) -> str:
    """The random token in this cookie; "" for anything of another form."""
    value = cookie_value(headers, name, scheme)
    return value if _RANDOM.fullmatch(value) else ""


def set_cookie(response: Response, request: HTTPConnection, name: str, value: str, max_age_s: int | None) -> None:
    """Set a cookie that no script reads and no other site's form sends; None: until the browser is closed."""
    scheme = request.url.scheme
    response.set_cookie(
        cookie_name(name, scheme),
        value,
        max_age_s,
        path="/",
        secure=scheme == "https",
        httponly=True,
        samesite="lax",  # a link in a message, such as an invitation, finds its reader signed in
    )


def drop_cookie(response: Response, request: HTTPConnection, name: str) -> None:
    """Let the browser forget the cookie."""
    scheme = request.url.scheme
    response.delete_cookie(cookie_name(name, scheme), path="/", secure=scheme == "https", httponly=True, samesite="lax")
