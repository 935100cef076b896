"""The cookies of the leaderboard: of a session, of a visitor's forms, and of a sentence for the next page.

Their names follow from the connection (shared/web/cookies.py).
"""

import re

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response

from shared.access.tokens import RANDOM_256_BITS
from shared.web import cookies
from shared.web.cookies import cookie_name

SESSION, FORM, FLASH = "raceday_league", "raceday_league_form", "raceday_league_said"
MAX_COOKIES = 8192
_RANDOM = re.compile(RANDOM_256_BITS)


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
    # Lax: a link in a message, such as an invitation, finds its reader signed in.
    cookies.set_cookie(response, request.url.scheme, name, value, max_age_s, same_site="lax")


def drop_cookie(response: Response, request: HTTPConnection, name: str) -> None:
    """Let the browser forget the cookie."""
    cookies.drop_cookie(response, request.url.scheme, name, same_site="lax")
