"""Whether a stock console still answers, as we left it and under our login; and what it says of the battery. Pure.

Used by core/stock_car.py. A person in a browser and the bridge share one login at a stock console: the bridge leaves it
to the person while the car is idle, and while it drives takes it back for a question each half a minute at most.
"""

from shared.text import text
from shared.units import NS_PER_S
from vehicle.bridge.core.console_calls import ConsoleCall, StockConsoleAnswer, battery_percent

ARMED_NS = 2 * NS_PER_S  # how often an armed car's console is asked whether all is as it was
IDLE_NS = 5 * NS_PER_S
BATTERY_NS = 30 * NS_PER_S
AWAY_NS = 10 * NS_PER_S  # a console that is silent for longer is away
TAKE_BACK_NS = 30 * NS_PER_S
LONG_AGO_NS = -(2**62)


class ConsoleWatch:
    """One console; times are ns of the machine's clock, rising."""

    def __init__(self) -> None:
        self.trouble = ""  # what is wrong, as a sentence for the pages
        self.battery_percent: int | None = None
        self._contact_ns = LONG_AGO_NS
        self._taken_back_ns = LONG_AGO_NS
        self._asked_ns = {"loading": LONG_AGO_NS, "battery": LONG_AGO_NS}

    def is_away(self, now_ns: int) -> bool:
        return now_ns - self._contact_ns > AWAY_NS

    def next_call(self, now_ns: int, *, is_armed: bool) -> ConsoleCall | None:
        """What is due to be asked now, if anything."""
        if self._is_due("loading", ARMED_NS if is_armed else IDLE_NS, now_ns):
            may_log_in = is_armed and now_ns - self._taken_back_ns > TAKE_BACK_NS
            return ConsoleCall("loading", may_log_in=may_log_in)
        if self._is_due("battery", BATTERY_NS, now_ns):
            return ConsoleCall("battery", may_log_in=False)
        return None

    def on_answer(self, answer: StockConsoleAnswer, now_ns: int) -> None:
        """Note what became of any call."""
        if answer.outcome == "cancelled":
            return  # the console was not asked
        if answer.logged_in_again:
            self._taken_back_ns = now_ns
        if answer.outcome != "unreachable":
            self._contact_ns = now_ns
        if answer.outcome == "done" and answer.call.kind == "battery":
            self.battery_percent = battery_percent(answer.number)
        self.trouble = self._trouble(answer)

    def _trouble(self, answer: StockConsoleAnswer) -> str:
        """What is wrong after this answer; what other parts say of their own calls is not repeated here."""
        if answer.outcome == "thrown_out":
            return text(
                "Somebody has logged in to the car's console in a browser, which ended the bridge's login: a stop, or "
                "an order to arm, takes it back."
            )
        why = answer.why.rstrip(".")
        if answer.outcome == "unreachable":
            return text("The car's console does not answer: {why}.", why=why)
        if answer.outcome == "refused" and answer.call.kind in ("stop", "loading", "battery"):
            return text(
                "The car's console did not do what it was asked ({call}): {why}.", call=answer.call.kind, why=why
            )
        return self.trouble if answer.outcome == "refused" else ""

    def _is_due(self, what: str, every_ns: int, now_ns: int) -> bool:
        if now_ns - self._asked_ns[what] < every_ns:
            return False
        self._asked_ns[what] = now_ns
        return True
