"""The random tokens that browsers and scripts show: made here, read from requests here, and stored only as hashes.

Called by web/identification.py (requests) and by station_access.py (which makes them). Pure, but for `new_token`.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

SESSION_COOKIE = "raceday_session"
DEVICE_COOKIE = "raceday_device"
FORM_COOKIE = "raceday_form"
MAX_HEADER = 4096  # a longer Cookie or Authorization header is not read at all
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")  # 256 bits, URL-safe base64
_BEARER = re.compile(r"[Bb]earer +([A-Za-z0-9_-]{43}) *")


@dataclass(frozen=True, slots=True)
class ShownTokens:
    """The tokens that came with a request, "" where there is none of a token's form."""

    session: str = ""
    device: str = ""
    bearer: str = ""
    form: str = ""


def new_token() -> str:
    """A fresh token of 256 random bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a token: its SHA-256 in hexadecimal. A token is random, so that no slow hash is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def shown_tokens(cookie: str, authorization: str) -> ShownTokens:
    """The tokens in the headers `Cookie` and `Authorization`; whatever has another form is ignored."""
    found: dict[str, str] = {}
    for pair in cookie.split(";") if len(cookie) <= MAX_HEADER else ():
        name, _, value = pair.strip().partition("=")
        if name not in found and _TOKEN.fullmatch(value):
            found[name] = value
    bearer = _BEARER.fullmatch(authorization) if len(authorization) <= MAX_HEADER else None
    return ShownTokens(
        found.get(SESSION_COOKIE, ""),
        found.get(DEVICE_COOKIE, ""),
        bearer[1] if bearer else "",
        found.get(FORM_COOKIE, ""),
    )


def form_token(secret: str) -> str:
    """The token in a form, which only a page of ours can hold: made of the cookie that the same browser must send."""
    return hmac.new(secret.encode(), b"raceday form", hashlib.sha256).hexdigest()


def is_form_token(token: str, secret: str) -> bool:
    """Does the token in a form belong to the browser's cookie? False without a cookie."""
    return bool(secret) and hmac.compare_digest(token.encode(), form_token(secret).encode())
