"""Reads request bodies up to a limit of size and time. Used by the API and by posted forms."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import Request
from starlette.requests import ClientDisconnect

from shared.errors import RacedayError

_BODY_WITHIN_S = 10.0


class BodyTooLarge(RacedayError):
    """The body is larger than any that we accept."""


class BodyTooSlow(RacedayError):
    """The body did not arrive in time."""


async def body_pieces(request: Request, nothing_for_s: float) -> AsyncIterator[bytes]:
    """The body as it arrives, however large. Raises BodyTooSlow if it breaks off, or nothing comes for so long."""
    parts = request.stream()
    while True:
        try:
            async with asyncio.timeout(nothing_for_s):
                piece = await anext(parts, None)
        except ClientDisconnect:
            raise BodyTooSlow("The connection was closed in the middle of the body.") from None
        except TimeoutError:
            raise BodyTooSlow(f"Nothing of the body arrived for {nothing_for_s:.0f} s.") from None
        if piece is None:
            return
        yield piece


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body, as sent. Raises BodyTooLarge, BodyTooSlow."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > 12 or int(declared) > max_bytes:
        raise BodyTooLarge(f"The body is larger than {max_bytes} bytes.")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_BODY_WITHIN_S):
            async for part in request.stream():
                parts.append(part)
                size += len(part)
                if size > max_bytes:
                    raise BodyTooLarge(f"The body is larger than {max_bytes} bytes.")
    except ClientDisconnect:
        raise BodyTooSlow("The connection was closed in the middle of the body.") from None
    except TimeoutError:
        raise BodyTooSlow(f"The body did not arrive within {_BODY_WITHIN_S:.0f} s.") from None
    return b"".join(parts)
