"""Raw HTTP answers to sync, all over real sockets: each gives an Answer, and the rows of others go on.

Half of the trials post one row over and over; half go through the whole syncer with its store and schedule, on virtual
time, beside rows that are answered well. `./dev bench raw-answers`.
"""

import functools
import pathlib
import tempfile

from bench.campaigns.campaign import Campaign, CampaignPart, PartOutcome
from bench.campaigns.runner import run_and_report
from simulator.races.simulation import scratch
from tests.station.sync import raw_answers
from tests.station.sync.answered_rows import answer_raw

SEED = 1
ANSWERS, QUICK = 100_000, 4_000
AT_ONCE = 5_000


def main(quick: bool, *, resume: bool = False) -> None:
    run_and_report(campaign(quick), quick, resume=resume)


def campaign(quick: bool) -> Campaign:
    answers = QUICK if quick else ANSWERS
    at_once = min(AT_ONCE, answers // 2)
    parts = []
    for number in range(answers // 2 // at_once):
        seed = SEED * 1000 + number
        parts.append(CampaignPart(f"one row {number + 1}", functools.partial(one_row, at_once, seed)))
        parts.append(CampaignPart(f"many rows {number + 1}", functools.partial(many_rows, at_once, seed)))
    return Campaign(
        "raw-answers",
        "Raw HTTP answers to sync: mutated, cut, reset, silent, slow, endless",
        SEED,
        "raw answers",
        answers,
        tuple(parts),
        zero=("good rows held up by others for more than a minute", "rows that were never settled"),
        above_zero=("rows of others that went on", "answers: PostAccepted", "answers: PostRejected"),
    )


def one_row(count: int, seed: int) -> PartOutcome:
    """Answers to the same post; an exception that escapes, or an answer that is none, raises."""
    kinds = raw_answers.run(count, seed, raw_answers.AnswerChecker())
    return PartOutcome({"raw answers": count, **{f"answers: {name}": times for name, times in kinds.items()}})


def many_rows(count: int, seed: int) -> PartOutcome:
    with tempfile.TemporaryDirectory(prefix="rd-answers-", dir=scratch()) as name:
        tally = answer_raw(pathlib.Path(name), count, seed)
    return PartOutcome(
        {
            "raw answers": tally.raw,
            **{f"answers: {name}": times for name, times in tally.kinds.items()},
            "rows of others that went on": tally.good,
            "good rows held up by others for more than a minute": tally.held_up,
            "rows that were never settled": tally.not_settled,
        },
        {"s until the next good row (virtual time)": tally.waits_s},
        tuple(tally.escaped),
    )
