"""The random tokens that browsers and scripts show, read from requests; shared/access/tokens.py makes and hashes them.

Called by web/identification.py. Pure.
"""

import re
from dataclasses import dataclass

from shared.access.tokens import RANDOM_256_BITS
from shared.web.cookies import cookie_name

SESSION_COOKIE = "raceday_session"
DEVICE_COOKIE = "raceday_device"
FORM_COOKIE = "raceday_form"
MAX_HEADER = 4096  # a longer Cookie or Authorization header is not read at all
_TOKEN = re.compile(RANDOM_256_BITS)
_BEARER = re.compile(rf"[Bb]earer +({RANDOM_256_BITS}) *")


@dataclass(frozen=True, slots=True)
class ShownTokens:
    """The tokens that came with a request, "" where there is none of a token's form."""

    session: str = ""
    device: str = ""
    bearer: str = ""
    form: str = ""


def shown_tokens(cookie: str, authorization: str, scheme: str = "http") -> ShownTokens:
    """The tokens in the headers `Cookie` and `Authorization`; whatever has another form is ignored.

    `scheme`: of the connection, from which the names of the cookies follow.
    """
    found: dict[str, str] = {}
    for pair in cookie.split(";") if len(cookie) <= MAX_HEADER else ():
        name, _, value = pair.strip().partition("=")
        if name not in found and _TOKEN.fullmatch(value):
            found[name] = value
    bearer = _BEARER.fullmatch(authorization) if len(authorization) <= MAX_HEADER else None
    return ShownTokens(
        found.get(cookie_name(SESSION_COOKIE, scheme), ""),
        found.get(cookie_name(DEVICE_COOKIE, scheme), ""),
        bearer[1] if bearer else "",
        found.get(cookie_name(FORM_COOKIE, scheme), ""),
    )
