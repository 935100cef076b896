"""The questions to officials on race control: one is shown at a time, and the keys Y and N answer that one. Pure."""

from dataclasses import dataclass, replace

from station.views.views import View
from station.web.presenters.proposals import DecisionButton, PendingDecision, pending_decisions


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """One question. `number` of `count`: the page shows one of them; its first button has the key Y, its last N."""

    key: str
    number: int
    count: int
    decision: PendingDecision
    actions: tuple[DecisionButton, ...]


def questions(view: View) -> tuple[QuestionRow, ...]:
    """All open questions: the oldest first."""
    decisions = pending_decisions(view)
    return tuple(
        QuestionRow(f"question-{each.key}", number, len(decisions), each, _keyed(each.actions))
        for number, each in enumerate(decisions, 1)
    )


def _keyed(actions: tuple[DecisionButton, ...]) -> tuple[DecisionButton, ...]:
    if len(actions) == 1:
        return (replace(actions[0], key="y"),)
    return tuple(
        replace(each, key="y" if place == 0 else "n" if place == len(actions) - 1 else "")
        for place, each in enumerate(actions)
    )
