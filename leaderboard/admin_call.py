"""The admin's call from the command line: a change of a race, by the API of the leaderboard that serves."""

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from shared.errors import BadInput, OperatorError

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 65_536


def change_race(base: str, token: str, race_id: str, change: dict[str, object]) -> dict[str, Any]:
    """The race as it is then. Raises OperatorError: it cannot be reached, or says why not; BadInput: no address."""
    if not base.startswith(("http://", "https://")):
        raise BadInput(f"{base[:80]!r} is no address of a leaderboard: write it as http://HOST:PORT.")
    address = f"{base.rstrip('/')}/api/v1/races/{urllib.parse.quote(race_id, safe='')}"
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    request = urllib.request.Request(address, json.dumps(change).encode(), headers, method="PATCH")  # noqa: S310  http
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310  checked above
            return _document(answer.read(MAX_ANSWER_BYTES), base)
    except urllib.error.HTTPError as error:
        said = _document(error.read(MAX_ANSWER_BYTES), base).get("error", f"HTTP {error.code}")
        raise OperatorError(f"The leaderboard at {base} did not change {race_id!r}: {said}") from None
    except OSError as error:
        why = getattr(error, "reason", error)
        raise OperatorError(f"The leaderboard at {base} cannot be reached ({why}): start it, or say --url.") from None


def _document(body: bytes, base: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise OperatorError(f"What answers at {base} is no leaderboard of ours.")
    return found
