"""Brackets: heats of two, seeded by rank, single or double elimination, as a pure fold over their results.

A bracket is its racers in the order of their seeds and the plan of its heats; each place of a heat is a seed, or the
winner or the loser of an earlier heat. Without an opponent (a bye) a racer is through at once. The state of a bracket
follows from the results alone, so a heat that is run again needs no other repair than its new result.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from leaderboard.core.errors import Conflict
from shared.errors import Refused
from shared.text import text

SIZES = (8, 16, 32, 64)
Elimination = Literal["single", "double"]
HeatState = Literal["waiting", "ready", "done", "bye"]
Part = Literal["winners", "losers", "third", "final", "second_final"]
_FEWEST_WITH_BYES = 3


@dataclass(frozen=True, slots=True)
class BracketSettings:
    """`byes`: fewer racers than places are allowed, the best have no opponent then. `third`: place 3 is run for.

    `driven`: farms drive its heats with the racers' models, and enter the results.
    """

    size: int
    elimination: Elimination = "single"
    byes: bool = True
    third: bool = True
    driven: bool = False


@dataclass(frozen=True, slots=True)
class HeatSource:
    """Where a place of a heat comes from: `seed` (number from 1), or the `winner` or `loser` of heat `number`."""

    what: Literal["seed", "winner", "loser"]
    number: int


@dataclass(frozen=True, slots=True)
class HeatPlan:
    """A heat before anything is known of it. `round` counts from 1 within its part."""

    number: int
    part: Part
    round: int
    first: HeatSource
    second: HeatSource


@dataclass(frozen=True, slots=True)
class HeatResult:
    """What was entered for a heat: who won, and the scores in ms if there are any (None: did not finish)."""

    winner: str
    first_score_ms: int | None = None
    second_score_ms: int | None = None


@dataclass(frozen=True, slots=True)
class HeatNow:
    """A heat as it stands. A racer is "" while nobody is known, None where nobody comes (a bye)."""

    plan: HeatPlan
    first: str | None
    second: str | None
    state: HeatState
    winner: str | None = ""
    loser: str | None = ""
    result: HeatResult | None = None


def check_bracket(settings: BracketSettings, racers: int) -> BracketSettings:
    """The settings, or Refused with the sentence that says why no bracket can be made of so many racers."""
    sizes = ", ".join(map(str, SIZES))
    if settings.size not in SIZES:
        raise Refused(text("A bracket of {size} is not possible: choose {sizes}.", size=settings.size, sizes=sizes))
    if settings.elimination not in ("single", "double"):
        raise Refused(
            text(
                "A bracket with {elimination} elimination is not known: choose single or double.",
                elimination=repr(settings.elimination),
            )
        )
    if racers > settings.size:
        raise Refused(
            text("{racers} racers are more than the {size} places of the bracket.", racers=racers, size=settings.size)
        )
    if not settings.byes and racers < settings.size:
        raise Refused(
            text(
                "A bracket of {racers} with no byes is not possible: seed {size} racers, or allow byes.",
                racers=racers,
                size=settings.size,
            )
        )
    if racers < _FEWEST_WITH_BYES:
        raise Refused(
            text(
                "A bracket of {racers} is not possible: seed at least {fewest} racers.",
                racers=racers,
                fewest=_FEWEST_WITH_BYES,
            )
        )
    return settings


def seed_order(size: int) -> list[int]:
    """The seeds from top to bottom, so that the best meet as late as can be: 1, 8, 4, 5, 2, 7, 3, 6."""
    order = [1]
    while len(order) < size:
        order = [seed for each in order for seed in (each, 2 * len(order) + 1 - each)]
    return order


def plan(settings: BracketSettings) -> list[HeatPlan]:
    """All heats, each after those that it depends on."""
    heats: list[HeatPlan] = []
    order = seed_order(settings.size)
    seeds = [HeatSource("seed", seed) for seed in order]
    rounds = [_round(heats, "winners", 1, _pairs(seeds))]
    while len(rounds[-1]) > 1:
        rounds.append(_round(heats, "winners", len(rounds) + 1, _pairs(_from("winner", rounds[-1]))))
    if settings.elimination == "double":
        _losers_side(heats, rounds)
    elif settings.third:
        losers = _from("loser", rounds[-2])
        _round(heats, "third", 1, [(losers[0], losers[1])])
    return heats


def _losers_side(heats: list[HeatPlan], rounds: Sequence[Sequence[int]]) -> None:
    """Whoever lost once meets others who did: among themselves, then against the losers of the next round, and so on.

    The one who never lost goes into the final with that lead: after a first defeat there is a second final.
    """
    left = _round(heats, "losers", 1, _pairs(_from("loser", rounds[0])))
    number = 1
    for fallen in rounds[1:]:
        number += 1
        # Turned round, so that nobody soon meets the same one again.
        down = list(reversed(_from("loser", fallen)))
        left = _round(heats, "losers", number, list(zip(_from("winner", left), down, strict=True)))
        if len(left) > 1:
            number += 1
            left = _round(heats, "losers", number, _pairs(_from("winner", left)))
    final = _round(heats, "final", 1, [(HeatSource("winner", rounds[-1][0]), HeatSource("winner", left[0]))])
    _round(heats, "second_final", 1, [(HeatSource("winner", final[0]), HeatSource("loser", final[0]))])


def _round(heats: list[HeatPlan], part: Part, number: int, pairs: Sequence[tuple[HeatSource, HeatSource]]) -> list[int]:
    made = [HeatPlan(len(heats) + 1 + index, part, number, *pair) for index, pair in enumerate(pairs)]
    heats.extend(made)
    return [heat.number for heat in made]


def _from(what: Literal["winner", "loser"], heats: Sequence[int]) -> list[HeatSource]:
    return [HeatSource(what, number) for number in heats]


def _pairs(sources: Sequence[HeatSource]) -> list[tuple[HeatSource, HeatSource]]:
    return list(zip(sources[::2], sources[1::2], strict=True))


def heats_now(settings: BracketSettings, seeds: Sequence[str], results: Mapping[int, HeatResult]) -> list[HeatNow]:
    """Every heat as it stands, by the results of the heats that were run (by number)."""
    now: dict[int, HeatNow] = {}
    for heat in plan(settings):
        first, second = (_who(source, seeds, now) for source in (heat.first, heat.second))
        if heat.part == "second_final" and (now[heat.first.number].winner == now[heat.first.number].first):
            # The one who never lost has won the final (or nothing is known yet): there is no second one.
            known = now[heat.first.number].state == "done"
            now[heat.number] = HeatNow(heat, first if known else "", None, "bye" if known else "waiting", first, None)
            continue
        now[heat.number] = _heat(heat, first, second, results.get(heat.number))
    return list(now.values())


def _who(source: HeatSource, seeds: Sequence[str], now: Mapping[int, HeatNow]) -> str | None:
    if source.what == "seed":
        return seeds[source.number - 1] if source.number <= len(seeds) else None
    return now[source.number].winner if source.what == "winner" else now[source.number].loser


def _heat(heat: HeatPlan, first: str | None, second: str | None, result: HeatResult | None) -> HeatNow:
    if first is None or second is None:
        through = second if first is None else first
        return HeatNow(heat, first, second, "bye", through, None)
    if not first or not second:
        return HeatNow(heat, first, second, "waiting")
    if result is None or result.winner not in (first, second):
        return HeatNow(heat, first, second, "ready")
    loser = second if result.winner == first else first
    return HeatNow(heat, first, second, "done", result.winner, loser, result)


def check_result(heats: Sequence[HeatNow], number: int, result: HeatResult) -> HeatNow:
    """The heat, if this result can be entered for it. Raises Refused, Conflict (it has one already)."""
    heat = find(heats, number)
    if heat.state == "done":
        raise Conflict(text("Heat {number} has a result already: let it be run again first (re-run).", number=number))
    if heat.state == "bye":
        raise Refused(text("Heat {number} is a bye: nobody runs it.", number=number))
    if heat.state == "waiting":
        raise Refused(text("Heat {number} cannot be run yet: its racers are not known.", number=number))
    if result.winner not in (heat.first, heat.second):
        raise Refused(
            text(
                "{winner} is not in heat {number}: {first} runs against {second}.",
                winner=repr(result.winner[:80]),
                number=number,
                first=repr(heat.first),
                second=repr(heat.second),
            )
        )
    for score_ms in (result.first_score_ms, result.second_score_ms):
        if score_ms is not None and not 0 < score_ms < 10**9:
            raise Refused(text("A score of {score_ms} ms is not possible.", score_ms=score_ms))
    _check_scores(heat, result)
    return heat


def _check_scores(heat: HeatNow, result: HeatResult) -> None:
    first, second = result.first_score_ms, result.second_score_ms
    if result.winner == heat.second:
        first, second = second, first
    if second is not None and (first is None or first > second):
        raise Refused(
            text(
                "The scores of heat {number} do not fit its winner {winner}: lower wins.",
                number=heat.plan.number,
                winner=repr(result.winner),
            )
        )


def check_rerun(heats: Sequence[HeatNow], number: int) -> HeatNow:
    """The heat, if its result can be taken back so that it is run again. Raises Refused, Conflict."""
    heat = find(heats, number)
    if heat.state != "done":
        raise Refused(text("Heat {number} has no result: it cannot be run again.", number=number))
    reached = {number}
    for later in heats:
        sources = (later.plan.first, later.plan.second)
        if not any(source.what != "seed" and source.number in reached for source in sources):
            continue
        if later.state == "done":
            raise Conflict(
                text(
                    "Heat {number}, which follows heat {earlier}, was run: let that be run again first.",
                    number=later.plan.number,
                    earlier=number,
                )
            )
        if later.state == "bye":
            reached.add(later.plan.number)
    return heat


def find(heats: Sequence[HeatNow], number: int) -> HeatNow:
    """The heat of this number. Raises Refused."""
    if not 1 <= number <= len(heats):
        raise Refused(
            text("There is no heat {number}: this bracket has heats 1 to {count}.", number=number, count=len(heats))
        )
    return heats[number - 1]


def podium(heats: Sequence[HeatNow]) -> tuple[str, ...]:
    """The places that are decided, from the first on: none before the final, then two, and the third if it is known."""
    third = next((heat for heat in heats if heat.plan.part == "third"), None)
    losing = [heat for heat in heats if heat.plan.part == "losers"]
    last = next(
        (heat for heat in reversed(heats) if heat.plan.part in ("winners", "final", "second_final") and heat.winner),
        None,
    )
    finals = [heat for heat in heats if heat.plan.part in ("final", "second_final")]
    if finals:
        # A second final without an opponent means that the first one decided.
        decided = finals[1].state == "done" or finals[1].state == "bye"
        last = (finals[1] if finals[1].state == "done" else finals[0]) if decided else None
    elif last is not None and last.plan.round < max(h.plan.round for h in heats if h.plan.part == "winners"):
        last = None
    if last is None or not last.winner:
        return ()
    rest = (third.winner if third else losing[-1].loser if losing else "") or ""
    places = (last.winner, last.loser or "", rest)
    return places[: places.index("")] if "" in places else places
