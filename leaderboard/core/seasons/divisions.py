"""Divisions: who moves up and down after a race, and who may enter which. Pure; called by the seasons' services."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from leaderboard.core.seasons.rules import DivisionRule
from shared.errors import Refused
from shared.text import text


@dataclass(frozen=True, slots=True)
class DivisionMove:
    """A racer goes from one division to another after a race; `race_id` "": put there by a person."""

    racer: str
    before: str
    after: str
    race_id: str = ""


def up_places(racers: int, up_percent: int) -> int:
    """How many of so many racers move up: the share rounded up."""
    return -(-racers * up_percent // 100)


def down_places(racers: int, down_percent: int) -> int:
    """How many move down: the share rounded down."""
    return racers * down_percent // 100


def moves_after(
    rule: DivisionRule, race_id: str, division: str, in_rank: Sequence[str], divisions: Mapping[str, str]
) -> list[DivisionMove]:
    """The moves after a race of `division`, whose racers are given in rank. `divisions`: where each one is before it.

    A racer who is in another division by now (put there by a person) is left there. The field is all that ran.
    """
    if division not in rule.names:
        return []
    number, size = rule.names.index(division), len(in_rank)
    moves: list[DivisionMove] = []
    if number + 1 < len(rule.names):
        rising = in_rank[: up_places(size, rule.up_percent)]
        moves += _to(rule.names[number + 1], rising, race_id, division, rule, divisions)
    if number > 0 and (falling := down_places(size, rule.down_percent)):
        moves += _to(rule.names[number - 1], in_rank[size - falling :], race_id, division, rule, divisions)
    return moves


def _to(
    after: str,
    racers: Sequence[str],
    race_id: str,
    division: str,
    rule: DivisionRule,
    divisions: Mapping[str, str],
) -> list[DivisionMove]:
    here = [racer for racer in racers if divisions.get(racer, lowest(rule)) == division]
    return [DivisionMove(racer, division, after, race_id) for racer in here]


def lowest(rule: DivisionRule) -> str:
    """The division of a racer who was never moved; "" without divisions."""
    return rule.names[0] if rule.names else ""


def after_moves(moves: Iterable[DivisionMove]) -> dict[str, str]:
    """Where each moved racer is now; moves in the order in which they were made."""
    return {move.racer: move.after for move in moves}


def check_division(rule: DivisionRule, race_division: str, racer: str, division: str) -> None:
    """Check that a racer of `division` may enter a race of `race_division`. Raises Refused."""
    if race_division and rule.names and division != race_division:
        raise Refused(
            text(
                "This race is for the division {wanted}, and {racer} is in {division}: its board can be seen, but not "
                "entered.",
                wanted=repr(race_division),
                racer=repr(racer),
                division=repr(division),
            )
        )
