"""Whether a car's reports are constantly ahead of the gate's crossings, or behind them: then its lens is set wrong.

Where the car stamps with the gate's clock, a report's time is compared as it is. Otherwise the offset between the two
clocks is bounded by what no lens can shift: a report cannot be received before the car decided it, and the quickest of
several came with little delay. Chance differs from lap to lap and a wrong lens does not, so only what several reports
agree on is said. Called by car_witness.py; it decides nothing, and makes no fact.
"""

import statistics
from collections import deque
from dataclasses import dataclass

from shared.units import NS_PER_MS
from station.core.attribution.car_clock import STAMP_NS

ENOUGH = 5  # reports
REMEMBERED = 8  # so few that two clocks drift by no more than some milliseconds meanwhile
# Reports of measured lenses are within 30 ms in the median; a lens of 120 degrees that is set as one of 65, 100 to 300.
DOUBTFUL_NS = 100 * NS_PER_MS
DELAY_NS = 150 * NS_PER_MS  # that the quickest report of a busy car over busy Wi-Fi may take: it looks like a lag


@dataclass(frozen=True, slots=True)
class LeadSample:
    """One report that met its crossing; times in ns, of the car's clock (`stated`, `decided`) and the gate's.

    `taken_ns`: when the station received it, None if the gate has another clock. `decided_ns` 0: the car did not say.
    """

    crossed_ns: int
    stated_ns: int
    decided_ns: int
    taken_ns: int | None
    uncertainty_ns: int


class ReportLead:
    """The newest reports of one boot of a car against one clock of the gate."""

    def __init__(self, one_clock: bool) -> None:
        """`one_clock`: the car stamps with the gate's clock."""
        self._one_clock = one_clock
        self._samples: deque[LeadSample] = deque(maxlen=REMEMBERED)

    def add(self, sample: LeadSample) -> None:
        """Take one more report; one that does not show its delay says nothing on two clocks."""
        if self._one_clock or (sample.taken_ns is not None and sample.decided_ns > 0):
            self._samples.append(sample)

    @property
    def doubt_ns(self) -> int | None:
        """By how much reports are constantly ahead (behind: negative), in ns; None: not, or not known yet."""
        if len(self._samples) < ENOUGH:
            return None
        offset_ns = 0 if self._one_clock else min(_received_after(each) for each in self._samples)
        leads = [each.crossed_ns - each.stated_ns - offset_ns for each in self._samples]
        lead_ns = round(statistics.median(leads))
        if abs(lead_ns) > STAMP_NS:
            return None  # no lens is off by so much: the reports met the crossings of other laps
        limit_ns = DOUBTFUL_NS if self._one_clock or lead_ns > 0 else DOUBTFUL_NS + DELAY_NS
        limit_ns += round(statistics.median(each.uncertainty_ns for each in self._samples))
        agreeing = sum(lead * lead_ns > 0 and 2 * abs(lead) > limit_ns for lead in leads)
        return lead_ns if abs(lead_ns) > limit_ns and agreeing >= len(leads) - 1 else None


def _received_after(sample: LeadSample) -> int:
    """An upper bound of gate clock minus car clock."""
    assert sample.taken_ns is not None, "only such samples are kept on two clocks"
    return sample.taken_ns - sample.decided_ns
