"""Decides whether a request may command the station: JSON, which a form cannot send, from our own page or a program."""

from fastapi import Request
from starlette.datastructures import Headers

from shared.addresses import Addresses
from shared.text import text
from shared.web.security import cross_site_reason

NO_OFFICIAL = text("Only the station's officials may send commands, and this device is not one of theirs.")


def request_refusal(headers: Headers, scheme: str) -> tuple[int, str] | None:
    """Why a request in this form may not command, as status and sentence; None if it may."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return 415, text("Send commands as application/json.")
    why = cross_site_reason(headers, scheme, text("the station's"))
    return (403, why) if why else None


def client_address(request: Request) -> str:
    """The address at the other end of the connection; headers that claim another one are ignored."""
    return request.client.host if request.client is not None else ""


def command_refusal(request: Request, operators: Addresses) -> tuple[int, str] | None:
    """Why this request, from its client's address and in its form, may not command; None if it may.

    Returns status and sentence. `operators`: the client addresses that may command.
    """
    if not operators.contains(client_address(request)):
        return 403, NO_OFFICIAL
    return request_refusal(request.headers, request.url.scheme)
