"""What a live page shows, and the difference between two such contents as an event. Pure.

Rows hold nothing that depends on their place: a rank, a gap or an arrow that changes in every row follows in the
browser from the order and from `placing`, so that one who climbs changes one row.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from leaderboard.live_stream.list_moves import Move, list_moves
from shared.web.drawing.html_edits import Edit, edits


@dataclass(frozen=True, slots=True)
class LiveContent:
    """A page's moving content as HTML: rows by key, in order, and named parts beside the table.

    `placing`: what places the rows, as live.js reads it. `public`: everybody may see it; of other content each reader
    is asked for again before each event.
    """

    version: int
    order: tuple[str, ...]
    rows: dict[str, str]
    parts: dict[str, str]
    placing: Mapping[str, object] = field(default_factory=dict)
    public: bool = True


@dataclass(frozen=True, slots=True)
class ContentChange:
    """What a browser must change. A row whose key is not in the list any more is removed.

    `whole`: it is everything, for a browser that has nothing yet. HTML is sent as an edit of what the browser has.
    """

    version: int
    whole: bool
    order: tuple[str, ...] | list[Move]
    rows: Mapping[str, str | Edit]
    parts: Mapping[str, str | Edit]
    placing: Mapping[str, object]


def difference(sent: LiveContent | None, newest: LiveContent) -> ContentChange:
    """The change from the content that a browser was sent (None: nothing yet) to the newest."""
    placing = newest.placing
    if sent is None:
        return ContentChange(newest.version, True, newest.order, newest.rows, newest.parts, placing)
    moves = list_moves(sent.order, newest.order)
    order = newest.order if moves is None else moves
    # Rows that did not change are the same objects: they are drawn once.
    changed = {key: row for key, row in newest.rows.items() if sent.rows.get(key) is not row}
    rows, parts = edits(changed, sent.rows), edits(newest.parts, sent.parts)
    return ContentChange(newest.version, False, order, rows, parts, placing)


def event(change: ContentChange, event_id: str = "") -> bytes:
    """The change as one server-sent event (shared/web/look/stream_hub.js); JSON keeps it on one line."""
    order = change.order if isinstance(change.order, tuple) else {"moves": change.order}
    standings = {
        "whole": change.whole,
        "lists": {} if order == {"moves": []} else {"rows": order},
        "rows": change.rows,
        "parts": change.parts,
        "data": change.placing,
    }
    body = {"version": change.version, "topics": {"standings": standings}}
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return f"id: {event_id or change.version}\nevent: update\ndata: {text}\n\n".encode()
