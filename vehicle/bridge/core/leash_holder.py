"""The bridge's end of the leash: which datagram goes out next, and what the car's answers prove. Pure.

Used by core/stock_car.py; the datagrams are those of leash/raceday_leash.py. An answer counts if it echoes the number
of a datagram of ours that is newer than any echoed before, so an old answer proves nothing.
"""

from shared.units import NS_PER_MS
from vehicle.bridge.leash.raceday_leash import FAULTS, NO_LINE, NO_NONCE, STATES, Hold, LeashState

SILENT_NS = 500 * NS_PER_MS
_FIRST_STATE = LeashState(NO_NONCE, 0, 0, 0, 0, NO_LINE, 0)


class LeashHolder:
    """One leash; times are ns of this machine's clock, rising."""

    def __init__(self, now_ns: int) -> None:
        """The numbers begin at the time, so that the signed answers of an earlier bridge echo none of ours."""
        self._sent = now_ns
        self._echoed = now_ns
        self._release = 0
        self._requested_at = now_ns  # answers to older datagrams say nothing of the newest request
        self._state = _FIRST_STATE
        self._answered_ns: int | None = None

    def request(self, release: int) -> None:
        """From now on: the release with this number, 0 to cut."""
        if release != self._release:
            self._release, self._requested_at = release, self._sent

    @property
    def has_new_request(self) -> bool:
        """Whether no datagram has carried the newest request yet."""
        return self._requested_at == self._sent

    def next_hold(self, light: bytes = bytes(3)) -> Hold:
        """The datagram to send now."""
        self._sent += 1
        return Hold(self._state.nonce, self._state.stamp_ns, self._sent, self._release, light)

    def on_state(self, state: LeashState, now_ns: int) -> None:
        """Apply an answer of the leash."""
        if self._echoed < state.number <= self._sent:
            self._echoed, self._state, self._answered_ns = state.number, state, now_ns

    def is_answering(self, now_ns: int) -> bool:
        return self._answered_ns is not None and now_ns - self._answered_ns <= SILENT_NS

    def is_released(self, now_ns: int) -> bool:
        """Whether the leash has answered the release that is requested, and lets the pulses through."""
        answered = bool(self._release) and self._echoed > self._requested_at
        released = STATES[self._state.state] == "released" and not self._state.fault
        return self.is_answering(now_ns) and answered and released

    def is_cut(self, now_ns: int) -> bool:
        """Whether the leash has answered the newest request, and the enable line is cut, read back, without a fault.

        Neutral without a line proves nothing: the car's own software may write its pulse over it.
        """
        answered = self._echoed > self._requested_at
        cut = STATES[self._state.state] != "released" and self._state.line == 1 and not self._state.fault
        return self.is_answering(now_ns) and answered and cut

    @property
    def has_line(self) -> bool:
        """Whether the leash has found an enable line on this car, without which it can promise nothing."""
        return self._state.line != NO_LINE

    @property
    def fault(self) -> str:
        """What the leash cannot do on this car, "" if it can."""
        return FAULTS[self._state.fault]

    @property
    def reported(self) -> str:
        """The leash's newest state, in its own words."""
        return STATES[self._state.state]
