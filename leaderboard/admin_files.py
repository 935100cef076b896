"""Sends a file to the leaderboard that serves, and asks what became of it. Called by the import command."""

import urllib.parse
from collections.abc import Mapping
from typing import Any, BinaryIO

from shared.errors import OperatorError, RetryLater
from shared.web.keyed_calls import KeyedCalls

_TIMEOUT_S = 300.0
_MAX_ANSWER_BYTES = 256 * 1024 * 1024  # a report names every row that was changed


def send_import(base: str, token: str, query: Mapping[str, str], data: BinaryIO, size: int) -> dict[str, Any]:
    """The report of the import, as the API's JSON; also of a refused one.

    Raises OperatorError if the leaderboard cannot be reached or refuses without a report, BadInput for a bad address.
    """
    calls, path = KeyedCalls(base, token, _TIMEOUT_S), f"/api/v1/import?{urllib.parse.urlencode(query)}"
    headers = {"content-type": "application/octet-stream", "content-length": str(size)}
    try:
        answer = calls.send("POST", path, data, _MAX_ANSWER_BYTES, headers)
    except RetryLater as away:
        raise OperatorError(f"{away} As its database is in use, give its address with --url, or stop it.") from None
    if answer.document is None:
        raise OperatorError(f"What answers at {base} is not this leaderboard.")
    report = answer.document.get("report")
    if answer.status >= 300 and isinstance(report, dict):
        return report
    if answer.status >= 300:
        raise OperatorError(f"The leaderboard at {base} imported nothing: {answer.sentence}")
    return answer.document
