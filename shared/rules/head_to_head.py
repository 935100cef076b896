"""Head-to-head: why one of two racers is ahead, as a word in records and as a sentence for people. Pure."""

from collections.abc import Mapping
from enum import StrEnum

from shared.text import Sentence, text


class Reason(StrEnum):
    """Why a car is ahead."""

    FIRST_TO_FINISH = "first_to_finish"
    FARTHER = "farther"
    EARLIER = "earlier"  # as far, and there first
    LEVEL = "level"  # nothing between them


REASONS: Mapping[Reason, Sentence] = {
    Reason.FIRST_TO_FINISH: text("first over the line"),
    Reason.FARTHER: text("farther"),
    Reason.EARLIER: text("as far, and there first"),
    Reason.LEVEL: text("level"),
}


def why_ahead(reason: Reason, by_s: float | None, by_m: float | None) -> Sentence:
    """The reason, and by how much where it is known."""
    if reason is Reason.FIRST_TO_FINISH and by_s is not None:
        return text("first over the line, by {seconds} s", seconds=f"{by_s:.3f}")
    if reason is Reason.FARTHER and by_m is not None:
        return text("farther, by {metres} m", metres=f"{by_m:.2f}")
    if reason is Reason.EARLIER and by_s is not None:
        return text("as far, and there first, by {seconds} s", seconds=f"{by_s:.3f}")
    return REASONS[reason]
