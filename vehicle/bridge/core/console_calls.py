"""What the bridge asks of a stock console, and what its answers are worth. Pure.

Called by core/ (which calls), and by console_session.py (which sends). Both versions of the console take these:
`vehicle_control.py`, `models.py` and `device_info_api.py` of aws-deepracer/aws-deepracer-webserver-pkg.
"""

import json
import urllib.parse
from dataclasses import dataclass
from typing import Literal

CallKind = Literal["mode", "load", "loading", "throttle", "start", "stop", "battery", "models"]
Outcome = Literal["done", "refused", "unreachable", "thrown_out", "cancelled"]
MAX_TEXT = 200  # of what a console says about itself


@dataclass(frozen=True, slots=True)
class ConsoleCall:
    """One call. `text` or `number`: its value, where it takes one; else what tells it from others of its kind.

    `may_log_in`: whether to log in again if somebody else's login has ended ours (the stock console knows one only).
    """

    kind: CallKind
    text: str = ""
    number: int = 0
    may_log_in: bool = True


@dataclass(frozen=True, slots=True)
class StockConsoleAnswer:
    """What became of a call. `why`: a sentence, unless it is done; `text`, `number`: what was asked for.

    `done` is the console's word, which is worth nothing for `throttle` and `load` outside the automatic mode.
    `thrown_out`: somebody else has logged in, and the call did not allow to take the login back; `logged_in_again`: it
    did, and the login was taken back. `cancelled`: a start that was not sent, since a stop was ordered meanwhile.
    """

    call: ConsoleCall
    outcome: Outcome
    why: str = ""
    text: str = ""
    number: int | None = None
    names: tuple[str, ...] = ()
    logged_in_again: bool = False


@dataclass(frozen=True, slots=True)
class HttpCall:
    """A call as HTTP: `body` None for a GET."""

    method: Literal["GET", "PUT"]
    path: str
    body: bytes | None = None


def http_call(call: ConsoleCall) -> HttpCall:
    """The request of a call. A number is made to fit: the console says `success` to any, and obeys 0 to 100 only."""
    match call.kind:
        case "mode":
            return _put("/api/drive_mode", drive_mode="auto")
        case "load":
            return HttpCall("PUT", f"/api/models/{urllib.parse.quote(call.text, safe='')}/model", b"")
        case "throttle":
            return _put("/api/max_nav_throttle", throttle=min(100, max(0, call.number)))
        case "start":
            return _put("/api/start_stop", start_stop="start")
        case "stop":
            return _put("/api/start_stop", start_stop="stop")  # any other text would start the car
        case "loading":
            return HttpCall("GET", "/api/isModelLoading")
        case "battery":
            return HttpCall("GET", "/api/get_battery_level")
        case "models":
            return HttpCall("GET", "/api/models")


def _put(path: str, **fields: object) -> HttpCall:
    return HttpCall("PUT", path, json.dumps(fields).encode())


def answer_of(call: ConsoleCall, status: int, body: bytes) -> StockConsoleAnswer:
    """Judge an answer. Whatever is not recognisably the console's own `success` is a refusal."""
    content = _object(body)
    if status != 200 or (call.kind != "models" and content.get("success") is not True):
        reason = content.get("reason")
        reported = reason if isinstance(reason, str) and reason.isprintable() else f"status {status}"
        return StockConsoleAnswer(call, "refused", reported[:MAX_TEXT])
    match call.kind:
        case "loading":
            loading = content.get("isModelLoading")
            return StockConsoleAnswer(call, "done", text=loading if isinstance(loading, str) else "error")
        case "battery":
            level = content.get("battery_level")
            return StockConsoleAnswer(call, "done", number=level if type(level) is int else None)
        case "models":
            return _models(call, content.get("models"))
    return StockConsoleAnswer(call, "done")


def _models(call: ConsoleCall, models: object) -> StockConsoleAnswer:
    if not isinstance(models, list):
        return StockConsoleAnswer(call, "refused", "its list of models is none")
    names = [model.get("model_folder_name") for model in models if isinstance(model, dict)]
    return StockConsoleAnswer(call, "done", names=tuple(name for name in names if isinstance(name, str)))


def battery_percent(level: int | None) -> int | None:
    """The charge in per cent of the console's level, 0 to 11, of which its own page calls 10 full; None: no battery."""
    return min(100, level * 10) if level is not None and 0 <= level <= 11 else None


def _object(body: bytes) -> dict[str, object]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
