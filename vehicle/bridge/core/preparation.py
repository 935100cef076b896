"""Bringing a stock car to where `start` makes it drive: automatic mode, our model, our throttle, each read back. Pure.

Used by core/stock_car.py. The console says `success` to a model or a throttle that it drops (outside the automatic
mode, or out of range), so nothing counts before `isModelLoading` says `loaded` behind it: outside the automatic mode
that answer is `error`. Which model is loaded cannot be asked: one that loads without our order takes ours away.
"""

from shared.text import text
from shared.units import NS_PER_S
from vehicle.bridge.core.console_calls import ConsoleCall, StockConsoleAnswer

POLL_NS = NS_PER_S
LOAD_MOST_NS = 120 * NS_PER_S  # optimising a model for the first time takes a car's computer tens of seconds


class Preparation:
    """What the console has been brought to. Times are ns of the machine's clock, rising."""

    def __init__(self, model: str, throttle_percent: int) -> None:
        """`model`: the folder's name on the car; `throttle_percent`: of the full speed of the model's actions."""
        self.model = model
        self.throttle_percent = throttle_percent
        self.failure = ""
        self._is_auto = False
        self._has_model = False
        self._asked_ns: int | None = None  # when our model was asked for, until it is loaded
        self._polled_ns: int | None = None
        self._throttle: int | None = None  # what was accepted last
        self._is_read_back = False

    @property
    def is_ready(self) -> bool:
        """Whether all of it was read back since it was last changed."""
        return self._is_read_back and self._throttle == self.throttle_percent

    @property
    def has_model(self) -> bool:
        """Whether the last load that finished was ours."""
        return self._has_model

    @property
    def missing(self) -> str:
        """What is not there yet, as a sentence; "" if nothing is."""
        if self.is_ready:
            return ""
        if self.failure:
            return self.failure
        if self._asked_ns is not None:
            return text("The car's console is loading the model {model}.", model=self.model)
        return text("The car's console has not confirmed its mode, model and throttle yet.")

    def begin(self) -> None:
        """Take nothing for granted but the model, which a change of the mode leaves where it is."""
        self._is_auto = self._is_read_back = False
        self._throttle, self.failure = None, ""

    def forget(self) -> None:
        """The console was away: it may have restarted, with no model and in the manual mode."""
        self.begin()
        self._has_model, self._asked_ns = False, None

    def next_call(self, now_ns: int) -> ConsoleCall | None:
        """The next call towards ready; None if it is ready, has failed, or only time helps."""
        if self.failure or self.is_ready:
            return None
        if not self._is_auto:
            return ConsoleCall("mode")
        if self._asked_ns is not None:
            return ConsoleCall("loading") if now_ns - (self._polled_ns or self._asked_ns) >= POLL_NS else None
        if not self._has_model:
            return ConsoleCall("load", self.model)
        if self._throttle != self.throttle_percent:
            return ConsoleCall("throttle", number=self.throttle_percent)
        return ConsoleCall("loading")

    def on_answer(self, answer: StockConsoleAnswer, now_ns: int) -> None:
        """Apply what became of a call, whoever made it."""
        kind = answer.call.kind
        if answer.outcome != "done":
            if kind in ("mode", "load", "throttle") and answer.outcome == "refused":
                self._refused(kind, answer.why)
            return
        if kind == "mode":
            self._is_auto, self._is_read_back = True, False
        elif kind == "load":
            self._asked_ns, self._polled_ns, self._is_read_back = now_ns, None, False
        elif kind == "throttle":
            self._throttle, self._is_read_back = answer.call.number, False
        elif kind == "loading":
            self._on_status(answer.text, now_ns)

    def _refused(self, kind: str, why: str) -> None:
        if kind == "load":
            self.failure = text("The car's console does not load the model {model}: {why}.", model=self.model, why=why)
        else:
            self.failure = text("The car's console refused the call {call}: {why}.", call=kind, why=why)

    def _on_status(self, status: str, now_ns: int) -> None:
        self._polled_ns = now_ns
        if self._asked_ns is not None:
            self._on_load_status(status, now_ns - self._asked_ns)
        elif status == "loaded":
            self._is_read_back = self._is_auto and self._has_model and self._throttle is not None
        else:
            # `loading`: another model than ours; `error`: another mode, or a core that restarted.
            self._has_model = False
            self.begin()

    def _on_load_status(self, status: str, age_ns: int) -> None:
        if status == "loaded":
            self._has_model, self._asked_ns = True, None
        elif status != "loading" or age_ns > LOAD_MOST_NS:
            self._asked_ns = None
            self.failure = text(
                "The car's console could not load the model {model}: look at it on the console's own page.",
                model=self.model,
            )
