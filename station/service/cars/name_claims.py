"""Which machine owns a car's name: one boot of one machine at a time. Pure; called by car_control.py.

Two SD cards flashed from one image are two machines with one name. The owner keeps the name while it reports; another
machine gets no lease. Once both have reported in turn they are duplicates, which is an alarm: a machine that rebooted
never reports under its old boot again. The name becomes free once its owner is silent: soon if nothing is odd, later
if two machines are known to use it, and never before the owner's lease has ended: without the broker it still drives.
Machines that disconnect each other from the broker (same client id) never report at the same time; they are recognised
when a boot that had lost the name returns.

A stop of all cars applies to all of them: a machine that does not own the name must confirm it too, online or silent.
"""

from collections import deque
from dataclasses import dataclass

from shared.protocol import messages as m
from shared.units import NS_PER_MS

SILENT_NS = 3_000_000_000
PROOF_NS = 300_000_000  # who reports for longer than this is a machine: a burst of old heartbeats is shorter
FORGET_NS = 10_000_000_000
RETURN_ALARM_NS = 60_000_000_000  # how long the alarm lasts after a boot came back
LEASE_MARGIN_NS = 10_000_000  # the car's clock may run slower than the station's
MAX_OTHERS = 8
ARMED: frozenset[m.CarMode] = frozenset({"ready", "driving"})


@dataclass(slots=True)
class OtherMachine:
    """A boot that does not own the name. It last reported at `reported_ns`, without a break since `first_ns`.

    `proven_other`: it is proven to be another machine than the owner. `owes_stop`: it was ordered to stop, last at
    `ordered_ns`, and has not confirmed it yet.
    """

    boot: str
    first_ns: int
    reported_ns: int
    mode: m.CarMode
    state: m.CarState | None = None
    proven_other: bool = False
    owes_stop: bool = False
    ordered_ns: int = -(2**62)


class NameClaim:
    """The owner of one name; `lease_ms`: how long a lease lasts; `rate`: seconds of the clock per real second."""

    def __init__(self, lease_ms: int, rate: float = 1.0) -> None:
        self._lease_ns = lease_ms * NS_PER_MS + LEASE_MARGIN_NS
        self._rate = rate
        self.boot = ""
        self._reported_ns = 0
        self._mode: m.CarMode = "disarmed"
        self._gone = False  # the broker reported that the owner is no longer connected
        self._others: dict[str, OtherMachine] = {}
        self._former: deque[str] = deque(maxlen=MAX_OTHERS)  # boots that had the name before
        self._duplicates_until_ns: int | None = None
        self._stopping = False

    def on_heartbeat(self, boot: str, mode: m.CarMode, now_ns: int) -> bool:
        """Handles a heartbeat. True if this boot owns the name or takes it over (then `self.boot` has changed)."""
        if boot == self.boot:
            self._reported_ns, self._mode, self._gone = now_ns, mode, False
            for each in self._all:
                if self._proven(each, now_ns):
                    each.proven_other = True
                    self._alarm(now_ns, FORGET_NS)
            return True
        if self._is_free(now_ns):
            self._assign(boot, mode, now_ns)
            return True
        self._on_other_heartbeat(self._other(boot, mode, now_ns), mode, now_ns)
        return False

    def on_state(self, boot: str, state: m.CarState, now_ns: int) -> bool:
        """Handles a state. True if it is the owner's, or no owner is online; another machine's is stored for later."""
        if boot in ("", self.boot) or not self.boot:
            self._gone = self._gone or not state.online
            return True
        if not state.online:
            return False  # the last will of a boot that is gone
        self._other(boot, "disarmed", now_ns).state = state  # the mode comes from heartbeats: a state may be old
        return self._is_free(now_ns)

    def silent(self, now_ns: int) -> bool:
        """Is the owner offline, or is there none?"""
        return not self.boot or self._gone or now_ns - self._reported_ns >= SILENT_NS * self._rate

    def state_of(self, boot: str) -> m.CarState | None:
        """The state that a boot reported before it owned the name; None if none."""
        other = self._others.get(boot)
        return other.state if other is not None else None

    def duplicates(self, now_ns: int) -> tuple[str, ...]:
        """All boots that use the name, the owner first; empty if only one machine does."""
        if self._duplicates_until_ns is None or now_ns >= self._duplicates_until_ns:
            return ()
        return (self.boot, *sorted({*self._former, *self._others} - {self.boot}))

    def stop(self, now_ns: int) -> None:
        """All machines were ordered to stop: those online, and those armed when they last reported, must confirm it."""
        self._stopping = True
        for each in self._all:
            each.owes_stop = each.owes_stop or self._fresh(each, now_ns) or each.mode in ARMED

    def release(self) -> None:
        """The stop of all cars is released: no machine has to confirm it any more."""
        self._stopping = False
        for each in self._all:
            each.owes_stop = False

    def unconfirmed_stop(self, now_ns: int) -> OtherMachine | None:
        """Of the machines without the name that have not confirmed the stop, the one silent for longest; None: none."""
        unconfirmed = [
            each for each in self._all if each.owes_stop and (self._fresh(each, now_ns) or self._is_machine(each))
        ]
        return min(unconfirmed, key=lambda each: each.reported_ns, default=None)

    def is_online(self, other: OtherMachine, now_ns: int) -> bool:
        """Has the machine reported lately?"""
        return self._fresh(other, now_ns)

    def stop_order_due(self, boot: str, again_ns: int, now_ns: int) -> bool:
        """Is a stop order due for a machine without the name, `again_ns` after the last? If so, records it as sent."""
        other = self._others[boot]
        if not (other.owes_stop or other.mode in ARMED) or now_ns - other.ordered_ns < again_ns:
            return False
        other.ordered_ns = now_ns
        return True

    @property
    def _all(self) -> list[OtherMachine]:
        return list(self._others.values())

    def _other(self, boot: str, mode: m.CarMode, now_ns: int) -> OtherMachine:
        """The record of a boot without the name; a full table drops the one silent for longest, unarmed ones first."""
        if boot not in self._others:
            if len(self._others) >= MAX_OTHERS:
                del self._others[min(self._all, key=lambda each: (each.mode in ARMED, each.reported_ns)).boot]
            self._others[boot] = OtherMachine(boot, now_ns, now_ns - round(FORGET_NS * self._rate), mode)
        return self._others[boot]

    def _on_other_heartbeat(self, other: OtherMachine, mode: m.CarMode, now_ns: int) -> None:
        is_new = not self._fresh(other, now_ns)
        if is_new:
            other.first_ns = now_ns
        other.reported_ns, other.mode = now_ns, mode
        if mode == "tripped":
            other.owes_stop = False
        elif self._stopping and (is_new or mode in ARMED):
            other.owes_stop = True
        if other.boot in self._former and self._proven(other, now_ns):
            other.proven_other = True
            self._alarm(now_ns, RETURN_ALARM_NS)

    def _assign(self, boot: str, mode: m.CarMode, now_ns: int) -> None:
        other = self._others.pop(boot, None)
        is_back = boot in self._former
        if is_back:
            self._alarm(now_ns, RETURN_ALARM_NS)
        if self.boot:
            self._former.append(self.boot)
            # This is no reboot of the former owner: that machine still exists.
            if is_back or (other is not None and other.proven_other):
                self._demote(now_ns)
        self.boot, self._mode, self._reported_ns, self._gone = boot, mode, now_ns, False

    def _demote(self, now_ns: int) -> None:
        """The former owner becomes a machine without the name."""
        lost = self._other(self.boot, self._mode, now_ns)
        lost.mode, lost.first_ns, lost.reported_ns, lost.proven_other = (
            self._mode,
            self._reported_ns,
            self._reported_ns,
            True,
        )
        lost.owes_stop = self._stopping and self._mode != "tripped"

    def _alarm(self, now_ns: int, for_ns: int) -> None:
        self._duplicates_until_ns = max(self._duplicates_until_ns or 0, now_ns + round(for_ns * self._rate))

    def _proven(self, other: OtherMachine, now_ns: int) -> bool:
        """Has it reported until now, for longer than a burst of old messages lasts?"""
        return self._fresh(other, now_ns) and now_ns - other.first_ns > PROOF_NS * self._rate

    def _is_machine(self, other: OtherMachine) -> bool:
        """Is it a machine of its own, and not late heartbeats of one that has rebooted?"""
        return other.proven_other or other.boot not in self._former

    def _fresh(self, other: OtherMachine, now_ns: int) -> bool:
        return now_ns - other.reported_ns < SILENT_NS * self._rate

    def _is_free(self, now_ns: int) -> bool:
        if not self.boot:
            return True
        wait_ns = FORGET_NS if self.duplicates(now_ns) else 0 if self._gone else SILENT_NS
        # Its last lease counts from a heartbeat that it sent before that one arrived here.
        return now_ns - self._reported_ns >= max(wait_ns * self._rate, self._lease_ns)
