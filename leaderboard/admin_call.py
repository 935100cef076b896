"""Changes a race from the command line, through the admin API of the leaderboard that serves it."""

import json
import urllib.parse
from typing import Any

from shared.errors import OperatorError, RetryLater
from shared.web.keyed_calls import KeyedCalls

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 65_536


def change_race(base: str, token: str, race_id: str, change: dict[str, object]) -> dict[str, Any]:
    """The race after the change, as the API's JSON.

    Raises OperatorError if the leaderboard cannot be reached or refuses (with its reason), BadInput for a bad address.
    """
    calls, path = KeyedCalls(base, token, TIMEOUT_S), f"/api/v1/races/{urllib.parse.quote(race_id, safe='')}"
    try:
        answer = calls.send(
            "PATCH", path, json.dumps(change).encode(), MAX_ANSWER_BYTES, {"content-type": "application/json"}
        )
    except RetryLater as away:
        raise OperatorError(f"{away} Start it, or give its address with --url.") from None
    if answer.document is None:
        raise OperatorError(f"What answers at {base} is not this leaderboard.")
    if answer.status >= 300:
        raise OperatorError(f"The leaderboard at {base} did not change {race_id!r}: {answer.sentence}")
    return answer.document
