"""Whose a car's name is: one boot of one machine at a time. Pure; called by the cars.

Two cards flashed from one image are two machines with one name. Whoever has the name keeps it while it is heard;
another one gets nothing, and once both were heard in turn they are twins: that is an alarm, and never a reboot, since
a machine that rebooted is not heard again as it was. The name is free once its holder is silent: soon where nothing
speaks against it, later where two machines are known to use it. Machines that knock each other off the wire are never
heard together: there it tells that a boot is back that had lost the name.
"""

from collections import deque
from dataclasses import dataclass

from shared import messages as m

SILENT_NS = 3_000_000_000
PROOF_NS = 300_000_000  # the holder still speaks so long after another was first heard: a burst of old beats is shorter
FORGET_NS = 10_000_000_000
BACK_NS = 60_000_000_000  # so long it is said that a boot came back
OTHERS_MOST = 8


@dataclass(slots=True)
class Other:
    """A boot that does not have the name."""

    boot: str
    first_ns: int
    heard_ns: int
    mode: m.CarMode
    state: m.CarState | None = None


class Claim:
    """The holder of one name; `rate`: seconds of the clock per real second."""

    def __init__(self, rate: float = 1.0) -> None:
        self._rate = rate
        self.boot = ""
        self._heard_ns = 0
        self._gone = False  # the wire says that the holder is not connected any more
        self._others: dict[str, Other] = {}
        self._former: deque[str] = deque(maxlen=OTHERS_MOST)  # boots that had the name before
        self._twins_until_ns: int | None = None

    def hear(self, boot: str, mode: m.CarMode, now_ns: int) -> bool:
        """A beat. True if this boot has the name (or takes it: then `boot` is another than before)."""
        if boot == self.boot:
            self._heard_ns, self._gone = now_ns, False
            if any(self._proven(each, now_ns) for each in self._all):
                self._alarm(now_ns, FORGET_NS)
            return True
        if self._free(now_ns):
            self._take(boot, now_ns)
            return True
        other = self._other(boot, mode, now_ns)
        if not self._fresh(other, now_ns):
            other.first_ns = now_ns
        other.heard_ns, other.mode = now_ns, mode
        if boot in self._former and self._proven(other, now_ns):
            self._alarm(now_ns, BACK_NS)
        return False

    def said(self, boot: str, state: m.CarState, now_ns: int) -> bool:
        """A state. True if it is the holder's, or there is none that is heard; another's is kept for later."""
        if boot in ("", self.boot) or not self.boot:
            self._gone = self._gone or not state.online
            return True
        if not state.online:
            return False  # the will of a boot that is gone
        self._other(boot, state.mode, now_ns).state = state
        return self._free(now_ns)

    def silent(self, now_ns: int) -> bool:
        """The holder is not there, or there is none."""
        return not self.boot or self._gone or now_ns - self._heard_ns >= SILENT_NS * self._rate

    def state_of(self, boot: str) -> m.CarState | None:
        """What a boot said of itself before it had the name."""
        other = self._others.get(boot)
        return other.state if other is not None else None

    def twins(self, now_ns: int) -> tuple[str, ...]:
        """All boots that use the name, the holder first; none if it is one machine's."""
        if self._twins_until_ns is None or now_ns >= self._twins_until_ns:
            return ()
        return (self.boot, *sorted({*self._former, *self._others} - {self.boot}))

    def others_move(self, now_ns: int) -> bool:
        """A machine without the name is armed."""
        return any(self._fresh(each, now_ns) and each.mode in ("ready", "driving") for each in self._all)

    @property
    def _all(self) -> list[Other]:
        return list(self._others.values())

    def _other(self, boot: str, mode: m.CarMode, now_ns: int) -> Other:
        """The place of a boot without the name: that of the one heard least lately if there is no other."""
        if boot not in self._others:
            if len(self._others) >= OTHERS_MOST:
                del self._others[min(self._all, key=lambda each: each.heard_ns).boot]
            self._others[boot] = Other(boot, now_ns, now_ns - round(FORGET_NS * self._rate), mode)
        return self._others[boot]

    def _take(self, boot: str, now_ns: int) -> None:
        if boot in self._former:
            self._alarm(now_ns, BACK_NS)
        if self.boot:
            self._former.append(self.boot)
        self._others.pop(boot, None)
        self.boot, self._heard_ns, self._gone = boot, now_ns, False

    def _alarm(self, now_ns: int, for_ns: int) -> None:
        self._twins_until_ns = max(self._twins_until_ns or 0, now_ns + round(for_ns * self._rate))

    def _proven(self, other: Other, now_ns: int) -> bool:
        """It speaks, and spoke long enough ago to be no burst of old words."""
        return self._fresh(other, now_ns) and now_ns - other.first_ns > PROOF_NS * self._rate

    def _fresh(self, other: Other, now_ns: int) -> bool:
        return now_ns - other.heard_ns < SILENT_NS * self._rate

    def _free(self, now_ns: int) -> bool:
        wait_ns = FORGET_NS if self.twins(now_ns) else 0 if self._gone else SILENT_NS
        return not self.boot or now_ns - self._heard_ns >= wait_ns * self._rate
