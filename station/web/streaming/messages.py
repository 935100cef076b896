"""The messages of the event stream: what changed in each topic since the version that a browser has, and the clock.

Made for event_stream.py. A message is made once for all browsers that have the same, and sent as the same bytes.
"""

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from shared.web.drawing.html_edits import edits
from station.views.views import View
from station.web.render import Rendered

Value = TypeVar("Value")

SAME_CLOCK_NS = 5_000_000  # browsers that are sent the same within this time get the clock of the first of them


@dataclass(frozen=True, slots=True)
class TimedView:
    """A view, and when it was made on this process's monotonic clock. `number` grows with each."""

    view: View
    taken_ns: int
    number: int = 1


@dataclass(frozen=True, slots=True)
class SharedTopic:
    """A topic rendered once for all browsers, with the changes since each earlier version that a browser has."""

    timed_view: TimedView
    rendered: Rendered
    _changes_since: dict[int, str] = field(default_factory=dict)  # by number; 0: the browser has none

    @property
    def age_ns(self) -> int:
        return time.monotonic_ns() - self.timed_view.taken_ns

    def changes_since(self, last: "SharedTopic | None") -> str:
        """The JSON for a browser that has `last`, "" if it has everything. Most browsers have the same one."""
        since = last.timed_view.number if last is not None else 0
        if since not in self._changes_since:
            self._changes_since[since] = changes(self.rendered, last.rendered if last is not None else None)
        return self._changes_since[since]


@dataclass(frozen=True, slots=True)
class TopicsTogether:
    """The topics of all browsers that read the same ones, and the messages that were just sent to them.

    `number` grows with each; `view_number`: the oldest view in it. Most browsers get the same message, which is made
    once for all of them: its clock is at most `SAME_CLOCK_NS` old.
    """

    number: int
    view_number: int
    shared: Mapping[str, SharedTopic]
    _made: dict[int, tuple[int, bytes]] = field(default_factory=dict)  # by what the browser has; when (ns), and which

    def update(self, last: "TopicsTogether | None") -> bytes:
        """As the function `update`, for a browser that has `last`."""
        before = {} if last is None else last.shared
        return self._once(0 if last is None else last.number, lambda: update(self.shared, before))

    def heartbeat(self) -> bytes:
        """As the function `heartbeat`."""
        return self._once(-1, lambda: heartbeat(self.shared))

    def _once(self, key: int, make: Callable[[], bytes]) -> bytes:
        known, now_ns = self._made.get(key), time.monotonic_ns()
        if known is None or now_ns - known[0] > SAME_CLOCK_NS:
            known = self._made[key] = now_ns, make()
        return known[1]


def update(shared: Mapping[str, SharedTopic], last: Mapping[str, SharedTopic]) -> bytes:
    """One message: what changed in each topic for a browser that has `last`, and the clock."""
    topics = ((topic, each.changes_since(last.get(topic))) for topic, each in shared.items())
    changed = ",".join(f"{_json(topic)}:{text}" for topic, text in topics if text)
    newest = max(shared.values(), key=lambda each: each.timed_view.number)
    data = f'{{"version":{newest.rendered.version},"clock":{_json(_clock(newest))},"topics":{{{changed}}}}}'
    return f"event: update\ndata: {data}\n\n".encode()


def changes(now: Rendered, last: Rendered | None) -> str:
    """What has changed from `last` to `now`, as JSON; everything if `last` is None, "" if nothing has.

    HTML that the browser has is sent as an edit of it (shared/web/drawing/html_edits.py).
    """
    changed = {
        "data": now.data,
        "parts": edits(now.parts, last.parts if last else {}),
        "rows": edits(now.rows, last.rows if last else {}),
        "lists": _changed(now.lists, last.lists if last else {}),
    }
    if last is not None and now.data == last.data:
        del changed["data"]
        if not any(changed.values()):
            return ""
    return _json({"whole": last is None, **changed})


def heartbeat(shared: Mapping[str, SharedTopic]) -> bytes:
    """The message while nothing changes: only the station's clock, as a sign that it is alive."""
    newest = max(shared.values(), key=lambda each: each.timed_view.number)
    return f"event: heartbeat\ndata: {_json(_clock(newest))}\n\n".encode()


def _clock(shared: SharedTopic) -> dict[str, object]:
    """The clock at the instant of sending: the view is older by now."""
    ticking = shared.rendered.ticking
    now_ms = round(ticking.now_ms + shared.age_ns / 1e6 * ticking.rate, 3)
    return {**dataclasses.asdict(ticking), "now_ms": now_ms}


def denied(topics: tuple[str, ...]) -> bytes:
    """The message that names the topics which a browser asked for and may not read."""
    return f"event: denied\ndata: {_json(topics)}\n\n".encode()


def _json(document: object) -> str:
    return json.dumps(document, separators=(",", ":"), allow_nan=False)


def _changed(now: dict[str, Value], before: dict[str, Value]) -> dict[str, Value]:
    return {key: value for key, value in now.items() if before.get(key) != value}
