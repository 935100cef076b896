"""Why who won a heat that farms drove, run by run and in all, as sentences for pages and the API. Pure."""

from collections.abc import Sequence

from shared.protocol.farm_shows import HeatRun
from shared.text import Sentence, text
from shared.units import format_ms


def run_sentence(run: HeatRun, names: Sequence[str]) -> Sentence:
    """Who is ahead after a run, and why; `names`: of the first and of the second."""
    if run.winner is None:
        return text("Level: nobody is ahead.")
    name = names[run.winner]
    apart = "" if run.by_ms is None else format_ms(run.by_ms)
    if run.reason == "first_to_finish" and not apart:
        return text("{name} drove all laps, the other one did not.", name=name)
    if run.reason == "first_to_finish":
        return text("{name} was over the line first, {seconds} s ahead.", name=name, seconds=apart)
    if run.reason == "farther":
        metres = f"{(run.by_mm or 0) / 1000:.2f}"
        return text("Neither drove all laps: {name} got farther, by {metres} m.", name=name, metres=metres)
    return text("Both got as far: {name} was there first, {seconds} s ahead.", name=name, seconds=apart)


def heat_sentence(runs: Sequence[HeatRun], winner: int, names: Sequence[str]) -> Sentence:
    """Who is through, and why. `winner`: 0 is the first, 1 the second; one who is not ahead in more runs has the
    better seed."""
    ahead = [sum(run.winner == side for run in runs) for side in (0, 1)]
    name = names[winner]
    if ahead[0] == ahead[1]:
        return text("{name} is through by the better seed: both were ahead in as many runs.", name=name)
    if len(runs) == 1:
        return text("{name} wins the only run.", name=name)
    return text("{name} wins: ahead in {n} of {runs} runs.", name=name, n=ahead[winner], runs=len(runs))
