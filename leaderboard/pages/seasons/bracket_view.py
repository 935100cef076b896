"""A bracket as the words and figures of its page: rounds in columns, heats in each."""

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass

from leaderboard.core.seasons.bracket import HeatNow, Part, podium
from leaderboard.seasons.brackets import BracketNow
from shared.text import Sentence, ntext, text
from shared.units import format_ms


@dataclass(frozen=True, slots=True)
class HeatRacer:
    """One side of a heat. `racer` "": not known yet; `name`: as it is shown. `seed` 0: not known."""

    racer: str
    name: str
    seed: int
    score: str
    won: bool
    absent: bool


@dataclass(frozen=True, slots=True)
class HeatView:
    """A heat. `state_text`: in words; `ready`: a result can be entered; `done`: it can be run again.

    `replay`: it can be watched, as a farm drove it.
    """

    number: int
    racers: tuple[HeatRacer, HeatRacer]
    state: str
    state_text: Sentence
    runs: Sentence | str
    replay: bool = False

    @property
    def ready(self) -> bool:
        """Whether its result can be entered."""
        return self.state == "ready"

    @property
    def done(self) -> bool:
        """Whether it has a result."""
        return self.state == "done"


@dataclass(frozen=True, slots=True)
class RoundView:
    """A column of the tree. `pairs`: two heats each lead to one of the next column."""

    name: Sentence
    heats: tuple[HeatView, ...]
    pairs: bool = False


@dataclass(frozen=True, slots=True)
class BracketView:
    """The page: parts of the tree, each with its rounds. `podium`: (place, name)."""

    bracket_id: str
    name: str
    race_id: str
    season_id: str
    edition: int
    summary: Sentence
    trees: tuple[tuple[Sentence | str, tuple[RoundView, ...]], ...]
    podium: tuple[tuple[int, str], ...]


_STATES = {
    "waiting": text("waits for its racers"),
    "ready": text("to be run"),
    "done": text("run"),
    "bye": text("no opponent"),
}


def bracket_view(now: BracketNow, replays: Collection[int] = ()) -> BracketView:
    """The bracket as it stands. `replays`: the heats that can be watched."""
    bracket, double = now.bracket, now.bracket.settings.elimination == "double"
    seeds = {racer: number for number, racer in enumerate(bracket.seeds, 1)}
    last = max(heat.plan.round for heat in now.heats if heat.plan.part == "winners")
    groups: dict[tuple[Part, int], list[HeatView]] = {}
    for heat in now.heats:
        shown = _heat(heat, seeds, now, heat.plan.number in replays)
        groups.setdefault((heat.plan.part, heat.plan.round), []).append(shown)
    rounds = {
        key: RoundView(_round_name(*key, len(heats), last, double), tuple(heats)) for key, heats in groups.items()
    }
    trees: list[tuple[Sentence | str, tuple[RoundView, ...]]] = []
    headings: tuple[tuple[Sentence | str, tuple[Part, ...]], ...] = (
        (text("Without a defeat") if double else "", ("winners",)),
        (text("After one defeat"), ("losers",)),
        (text("For place 3"), ("third",)),
        (text("The final"), ("final", "second_final")),
    )
    for heading, parts in headings:
        of_part = tuple(each for (part, _), each in rounds.items() if part in parts)
        if of_part:
            trees.append((heading, _paired(of_part)))
    kind = text("Double elimination") if double else text("Single elimination")
    summary = text("{kind}, {n} places, seeded from the race.", kind=kind, n=bracket.settings.size)
    places = tuple(enumerate((now.names.get(each, each) for each in podium(now.heats)), 1))
    return BracketView(
        bracket.bracket_id,
        bracket.name,
        bracket.race_id,
        bracket.season_id,
        bracket.edition,
        summary,
        tuple(trees),
        places,
    )


def _paired(rounds: tuple[RoundView, ...]) -> tuple[RoundView, ...]:
    following = [len(each.heats) for each in rounds[1:]] + [0]
    return tuple(
        dataclasses.replace(each, pairs=len(each.heats) == 2 * many)
        for each, many in zip(rounds, following, strict=True)
    )


def _round_name(part: Part, number: int, heats: int, last: int, double: bool) -> Sentence:
    if part == "third":
        return text("Heat for place 3")
    if part == "final":
        return text("Final heat")
    if part == "second_final":
        return text("Second final")
    if part == "winners" and not double and number == last:
        return text("Final heat")
    if part == "winners" and not double and number == last - 1:
        return text("Semifinals")
    if part == "winners" and not double and number == last - 2:
        return text("Quarterfinals")
    return ntext("Round {round}", "Round {round}, {n} heats", n=heats, round=number)


def _heat(heat: HeatNow, seeds: dict[str, int], now: BracketNow, replay: bool) -> HeatView:
    scores = (None, None) if heat.result is None else (heat.result.first_score_ms, heat.result.second_score_ms)
    sides = (
        _side(heat.first, scores[0], heat, seeds, now.names),
        _side(heat.second, scores[1], heat, seeds, now.names),
    )
    times = now.runs.get(heat.plan.number, 0)
    again = text("run {n} times", n=times) if times > 1 else ""
    words = _STATES[heat.state]
    if now.bracket.settings.driven and heat.state == "ready":
        words = text("a farm drives it")
    return HeatView(heat.plan.number, sides, heat.state, words, again, replay)


def _side(
    racer: str | None, score_ms: int | None, heat: HeatNow, seeds: dict[str, int], names: dict[str, str]
) -> HeatRacer:
    won = bool(racer) and heat.winner == racer
    score = "" if score_ms is None else format_ms(score_ms)
    known = racer or ""
    return HeatRacer(known, names.get(known, known), seeds.get(known, 0), score, won, racer is None)
