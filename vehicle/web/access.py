"""May this request command the car? Only with the header of our own script, which crosses no border."""

from starlette.datastructures import Headers

from shared.web.security import cross_site_reason


def command_refusal(headers: Headers, scheme: str) -> str:
    """Why this request may not command, "" if it may."""
    if headers.get("x-raceday") != "console":
        return "A command comes from the console's own page."
    return cross_site_reason(headers, scheme, "the console's")
