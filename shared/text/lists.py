"""Names in a row for a sentence, the first few of them where there are many. Used by presenters of pages."""

from collections.abc import Sequence

from shared.text.sentence import text


def listed(names: Sequence[str], limit: int = 4) -> str:
    """The names, at most `limit` of them: "car-1, car-2 and 3 more"."""
    if len(names) <= limit:
        return ", ".join(names)
    return text("{names} and {count} more", names=", ".join(names[:limit]), count=len(names) - limit)
