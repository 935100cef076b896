"""Changes a race from the command line, through the admin API of the leaderboard that serves it."""

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from shared.errors import BadInput, OperatorError

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 65_536


def change_race(base: str, token: str, race_id: str, change: dict[str, object]) -> dict[str, Any]:
    """The race after the change, as the API's JSON.

    Raises OperatorError if the leaderboard cannot be reached or refuses (with its reason), BadInput for a bad address.
    """
    if not base.startswith(("http://", "https://")):
        raise BadInput(f"{base[:80]!r} is not the address of a leaderboard: write it as http://HOST:PORT.")
    address = f"{base.rstrip('/')}/api/v1/races/{urllib.parse.quote(race_id, safe='')}"
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    request = urllib.request.Request(address, json.dumps(change).encode(), headers, method="PATCH")  # noqa: S310  http
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310  checked above
            return _document(answer.read(MAX_ANSWER_BYTES), base)
    except urllib.error.HTTPError as error:
        reason = _document(error.read(MAX_ANSWER_BYTES), base).get("error", f"HTTP {error.code}")
        raise OperatorError(f"The leaderboard at {base} did not change {race_id!r}: {reason}") from None
    except OSError as error:
        why = getattr(error, "reason", error)
        raise OperatorError(
            f"The leaderboard at {base} cannot be reached ({why}): start it, or give its address with --url."
        ) from None


def _document(body: bytes, base: str) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise OperatorError(f"What answers at {base} is not this leaderboard.")
    return document
