"""How much of the journal each car may fill: 1 MB in any hour. Pure; called by receiver.py before an input is queued.

A car's certificate may be an attacker's, and each report that differs from the last is kept for good and read at every
start. Honest racing stays below: a lap report takes 0.6 kB (measured), so 1,600 fit in an hour, and 1,000 that waited
for the broker come through as fast as their rate lets them. A report beyond it is not acknowledged, so that the
car sends it again, and it is stored once there is room: nothing that witnesses a passing is lost.
"""

from shared.link.inflow.rate_limits import TokenBucket
from station.core import facts as f
from station.core import inputs as e
from station.store.encoding import encode_facts, encode_input

BURST_BYTES, BYTES_PER_HOUR = 600_000, 400_000  # together what an hour can take, at most
MAX_CARS = 512
_ROW_BYTES = 60  # a record's hash and its place in the table
_PAGE_BYTES, _USED_BYTES = 4_096, 4_000  # of a page of the file, and what records can take of it
_INNER_PAGES = 1.03  # the pages that lead to those of the records
_NS_PER_HOUR = 3_600e9


class JournalBudget:
    """The room that is left to each car. Call from one thread; `rate`: seconds of the station's clock per real one."""

    def __init__(self, rate: float = 1.0) -> None:
        self._ns_per_hour = _NS_PER_HOUR * rate
        self._cars: dict[str, TokenBucket] = {}

    def takes(self, event: e.CarReport | e.CarModel, now_ns: int) -> bool:
        """Is there room for this input? If so, it is taken."""
        now_h = now_ns / self._ns_per_hour
        bucket = self._cars.pop(event.car, None) or TokenBucket(BYTES_PER_HOUR, BURST_BYTES, now_h)
        if len(self._cars) >= MAX_CARS:
            del self._cars[next(iter(self._cars))]  # whose last report is the oldest
        self._cars[event.car] = bucket
        return bucket.take(now_h, stored_bytes(event))


def stored_bytes(event: e.CarReport | e.CarModel) -> int:
    """About how much the journal grows by this input and what it is stored with."""
    size = len(encode_input(event)) + _ROW_BYTES
    if isinstance(event, e.CarReport):
        size += len(encode_facts((f.CarReportStored(event.car, event.boot, event.seq, "run-1000"),)))
    in_a_page = _USED_BYTES // size  # a record that does not fit behind the others begins a page
    pages = 1 / in_a_page if in_a_page else 2 + size // _USED_BYTES
    return round(_INNER_PAGES * pages * _PAGE_BYTES)
