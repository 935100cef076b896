"""Seeds: what is published at the opening fits what is told at the close, and says nothing before."""

import hashlib
import json
import random

from leaderboard.core.evaluations.scoring import EvaluatedRun, chosen_run
from leaderboard.core.evaluations.seeds import RUNS, draw, entropy_bytes
from shared.rules.ranking import RaceRules
from tests.leaderboard.sample_races import laps


def test_the_commitment_binds_both_kinds_of_seeds() -> None:
    entropy = random.Random(1).randbytes(entropy_bytes())
    seeds = draw("cup", entropy)
    assert draw("cup", entropy) == seeds
    assert (len(seeds.race), len(seeds.final)) == (RUNS, RUNS)
    assert len(set(seeds.race + seeds.final)) == 2 * RUNS
    assert all(0 <= seed < 2**48 for seed in seeds.race + seeds.final)
    told = json.dumps(json.loads(seeds.canonical()), sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(told.encode()).hexdigest() == seeds.commitment, "anybody can check it"


def test_every_random_byte_and_the_race_change_the_commitment() -> None:
    entropy = bytes(entropy_bytes())
    commitments = {draw("cup", entropy).commitment, draw("cup-2", entropy).commitment}
    for place in range(entropy_bytes()):
        commitments.add(draw("cup", entropy[:place] + b"\1" + entropy[place + 1 :]).commitment)
    assert len(commitments) == entropy_bytes() + 2


def test_the_result_is_a_run_that_was_driven() -> None:
    rules = RaceRules()
    fast, slow, fair = (EvaluatedRun(run, laps([ms] * 3)) for run, ms in ((1, 9000), (2, 9900), (3, 9300)))
    crashed = EvaluatedRun(4, laps([9000]))
    assert chosen_run([fast, slow, fair], rules, "best") == fast
    assert chosen_run([fast, slow, fair], rules, "median") == fair
    assert chosen_run([fast, slow, fair], rules, "worst") == slow
    assert chosen_run([fast, slow, crashed], rules, "median") == slow
    assert chosen_run([fast, crashed, EvaluatedRun(5, ())], rules, "median") == crashed, "two of three did not qualify"
    assert chosen_run([fast, crashed], rules, "median") == crashed, "of two the worse"
    assert chosen_run([EvaluatedRun(2, fast.laps), fast], rules, "best") == fast, "of equal ones the earlier"
