"""Sends a file to the leaderboard that serves, and asks what became of it. Called by the import command."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any, BinaryIO

from shared.errors import BadInput, OperatorError

_TIMEOUT_S = 300.0
_MAX_ANSWER_BYTES = 256 * 1024 * 1024  # a report names every row that was changed


def send_import(base: str, token: str, query: Mapping[str, str], data: BinaryIO, size: int) -> dict[str, Any]:
    """The report of the import, as the API's JSON; also of a refused one.

    Raises OperatorError if the leaderboard cannot be reached or refuses without a report, BadInput for a bad address.
    """
    if not base.startswith(("http://", "https://")):
        raise BadInput(f"{base[:80]!r} is not the address of a leaderboard: write it as http://HOST:PORT.")
    address = f"{base.rstrip('/')}/api/v1/import?{urllib.parse.urlencode(query)}"
    headers = {
        "authorization": f"Bearer {token}",
        "content-type": "application/octet-stream",
        "content-length": str(size),
    }
    request = urllib.request.Request(address, data, headers, method="POST")  # noqa: S310  http
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310  checked above
            return _document(answer.read(_MAX_ANSWER_BYTES), base)
    except urllib.error.HTTPError as error:
        refusal = _document(error.read(_MAX_ANSWER_BYTES), base)
        report = refusal.get("report")
        if isinstance(report, dict):
            return report
        reason = refusal.get("error", f"HTTP {error.code}")
        raise OperatorError(f"The leaderboard at {base} imported nothing: {reason}") from None
    except OSError as error:
        why = getattr(error, "reason", error)
        raise OperatorError(
            f"The leaderboard at {base} cannot be reached ({why}), and its database is in use: give its address "
            "with --url, or stop it."
        ) from None


def _document(body: bytes, base: str) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise OperatorError(f"What answers at {base} is not this leaderboard.")
    return document
