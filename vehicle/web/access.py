"""Accepts commands only from the console's own page: its header, and no cross-site request."""

from starlette.datastructures import Headers

from shared.text import text
from shared.web.security import cross_site_reason


def command_refusal(headers: Headers, scheme: str) -> str:
    """Why a request with these headers may not command the car, as a sentence; "" if it may."""
    if headers.get("x-raceday") != "console":
        return text("A command must come from the console's own page.")
    return cross_site_reason(headers, scheme, text("the console's"))
