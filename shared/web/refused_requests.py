"""Counts and logs the requests that a machine's web server refused, by the status of the answer.

The guard of hosts and headers (security.py) calls `record_refused_request` as each answer begins. A route that answers
to an error which knows better than the status what was refused says so before it answers:

    name_refusal(request.scope, error)
"""

import logging

from starlette.types import Scope

from shared.refusals import Refusals

ORIGIN = "origin"  # a command from a foreign page
# 401: nobody is signed in; 403: it is not for this person.
KIND_OF_STATUS = {401: "sign-in", 403: "permission", 413: "size", 415: "form", 421: "host", 429: "rate"}
_STATE_KEY = "refusal_kind"
LOG = logging.getLogger("raceday.web")


def name_refusal(scope: Scope, refusal: Exception | str) -> None:
    """Have the answer to this request counted by this kind, or an error's if it has one, whatever its status."""
    kind = refusal if isinstance(refusal, str) else getattr(refusal, "refusal_kind", "")
    if kind:
        scope.setdefault("state", {})[_STATE_KEY] = kind


def record_refused_request(refusals: Refusals, scope: Scope, status: int, now_s: float) -> None:
    """Count the request and log it if a line is due, if its answer is a refusal; otherwise nothing happens."""
    kind = scope.get("state", {}).get(_STATE_KEY) or KIND_OF_STATUS.get(status)
    if kind is not None:
        client = scope.get("client") or ("", 0)
        line = refusals.record(kind, client[0], f"{scope['method']} {scope['path']}", now_s)
        if line is not None:
            LOG.warning("%s", line)
