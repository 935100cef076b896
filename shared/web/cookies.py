"""Cookies that no script reads, under a name that follows from the connection. Used by station, car and leaderboard.

Over https they have the prefix `__Host-`, which no other host and no http page can set (RFC 6265bis, 4.1.3.2); over
http, as on a hall's network, no browser takes that prefix. So a cookie that was set over one is not read over the
other: what somebody plants over http signs nobody in over https, and no secret of https is ever sent over http.
"""

from typing import Literal

from starlette.responses import Response

SameSite = Literal["strict", "lax"]


def cookie_name(name: str, scheme: str) -> str:
    """The cookie's name on connections of this scheme."""
    return f"__Host-{name}" if scheme == "https" else name


def set_cookie(
    response: Response, scheme: str, name: str, value: str, max_age_s: int | None, *, same_site: SameSite = "strict"
) -> None:
    """Set a cookie that no script reads; `max_age_s` None: until the browser is closed."""
    response.set_cookie(
        cookie_name(name, scheme),
        value,
        max_age_s,
        path="/",
        secure=scheme == "https",
        httponly=True,
        samesite=same_site,
    )


def drop_cookie(response: Response, scheme: str, name: str, *, same_site: SameSite = "strict") -> None:
    """Let the browser forget the cookie."""
    response.delete_cookie(
        cookie_name(name, scheme), path="/", secure=scheme == "https", httponly=True, samesite=same_site
    )
