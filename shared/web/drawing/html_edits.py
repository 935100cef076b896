"""What has changed within a piece of HTML, so that a new score costs a few bytes and not its whole row. Pure.

HTML is a sequence of tags and texts. An edit is a list of places and what stands there now, as
`[5, "9.412", 9, "+0.1"]`. The browser's stream (look/stream_hub.js) has the HTML before and splits it alike.
"""

import re
from collections.abc import Mapping

Edit = list[int | str]
_PIECES = re.compile(r"<[^>]*>|[^<]+")


def edits(now: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str | Edit]:
    """Of each key whose HTML is another than before: the edit, or the whole HTML where that is new or shorter."""
    return {key: edit(html, before.get(key)) for key, html in now.items() if html != before.get(key)}


def edit(now: str, before: str | None) -> str | Edit:
    """The edit that makes `now` of `before`, or `now` where there is no shorter one."""
    if before is None:
        return now
    pieces, pieces_before = _PIECES.findall(now), _PIECES.findall(before)
    if len(pieces) != len(pieces_before) or "".join(pieces_before) != before:
        return now
    found: Edit = []
    for place, (piece, piece_before) in enumerate(zip(pieces, pieces_before, strict=True)):
        if piece != piece_before:
            found += [place, piece]
    whole = "".join(pieces) == now and 6 * len(found) + sum(len(str(each)) for each in found) < len(now)
    return found if whole else now
