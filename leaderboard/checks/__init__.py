"""Whether what is derived and stored agrees with what it is derived from; `raceday leaderboard check` runs these.

A subject that stores something derived adds its check to CHECKS: what disagrees in a race, and how it is made anew.
"""

from leaderboard.checks.check import StoredCheck
from leaderboard.checks.counts import COUNTS
from leaderboard.checks.lines import LINES_OF_RESULTS

# In the order in which they are repaired: counts are of lines.
CHECKS: tuple[StoredCheck, ...] = (LINES_OF_RESULTS, COUNTS)
