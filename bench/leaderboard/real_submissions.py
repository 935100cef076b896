"""The small campaigns of submissions.py alone: the demo's model is driven for real, by children and by a Ray cluster.

Leaderboard, farms, children and nodes of the cluster are killed meanwhile. A defect of the engines
shows here, in minutes, and one of the store in the campaign of 2,000, which takes long.
"""

from dataclasses import replace

from bench.leaderboard.submissions import REAL_CAMPAIGNS, on_sqlite, report


def main(quick: bool) -> None:
    """Run both; raises AssertionError for a submission that was lost, doubled, or left without a sentence."""
    sizes = REAL_CAMPAIGNS
    if quick:
        sizes = {name: replace(size, submissions=12, racers=3, quiet=1, kills=1) for name, size in sizes.items()}
    report({name: on_sqlite(size) for name, size in sizes.items()}, "real-submissions")
