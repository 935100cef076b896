"""Does the broker still deny what nobody may do? Tried by a station's link with each connection, and again and again.

One version of mosquitto (2.1) enforced no access rules, and said nothing; a line that an upgrade lost does the same. So
the link itself publishes in another machine's name, which must be denied, and beside it a client without a certificate
asks to be let in. Used by mqtt.py, on its thread; seconds are arguments.
"""

import threading
from collections.abc import Callable

from shared.link.broker_probe import BrokerAnswer, handshake
from shared.link.inflow.filtered_client import FilteredClient
from shared.link.options import MqttOptions
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY, Speaker
from shared.text import Sentence, text

CANARY = "canary"  # a machine that nobody has; only who had a certificate of this name could publish for it
TOPIC = BY_BODY[m.CarHeartbeat].of(CANARY)
AGAIN_S, AGAIN_UNSAFE_S = 60.0, 5.0
ECHO_S = 2.0  # in MQTT 3.1.1, whose answers tell nothing: how long the message may take to come back to us

ASKED = text("The broker has not yet shown that its rules hold; try again in a moment.")
LET_THROUGH = text(
    "The broker lets a machine speak in another's name, so no run can start. Set `acl_file /etc/raceday/acl` in its "
    "file and restart it; one version of mosquitto (2.1) enforces no rules: use another."
)
LET_IN = text(
    "The broker lets in who has no certificate, so no run can start. Set `require_certificate true` in its file and "
    "restart it."
)
WITHOUT_NAMES = text("It asks for no certificate: whoever reaches it can speak for any car.")
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


class CanaryTrial:
    """What a station knows of the rules of its broker. `unsafe`: why no run may start, "" if nothing is against it.

    Tried by a machine that names itself by a certificate or a password: a broker that asks for neither has no rules,
    which is what `notice` says of one in the network.
    """

    def __init__(
        self, options: MqttOptions, speaker: Speaker, ask_as_nobody: Callable[..., BrokerAnswer] = handshake
    ) -> None:
        self.is_tried = speaker == "station" and bool(options.cert or options.username)
        is_open = speaker == "station" and not self.is_tried and options.host not in _THIS_MACHINE
        self.notice: Sentence | str = WITHOUT_NAMES if is_open else ""
        self._options, self._ask_as_nobody = options, ask_as_nobody
        self._asked_ids: set[int] = set()
        self._next_s = 0.0
        self._verdict: Sentence | str = ASKED
        self._echo_until_s: float | None = None
        self._nobody = threading.Thread()
        self._is_nobody_let_in = False

    def unsafe(self, now_s: float) -> Sentence | str:
        if not self.is_tried:
            return ""
        if self._echo_until_s is not None and now_s >= self._echo_until_s:
            self._verdict, self._echo_until_s = "", None
        return LET_IN if self._is_nobody_let_in else self._verdict

    def on_connected(self) -> None:
        """Another connection, perhaps to another broker: nothing is known of it yet."""
        self._asked_ids.clear()
        self._verdict, self._next_s, self._echo_until_s = ASKED, 0.0, None

    def ask_if_due(self, client: FilteredClient, now_s: float) -> None:
        """Publishes what must be denied, now and then."""
        if self.is_tried and now_s >= self._next_s:
            self._next_s = now_s + (AGAIN_UNSAFE_S if self.unsafe(now_s) else AGAIN_S)
            self._asked_ids.add(client.publish(TOPIC, CANARY, 1).mid)
            if self._options.ca and not self._nobody.is_alive():
                self._nobody = threading.Thread(target=self._look, name="canary", daemon=True)
                self._nobody.start()

    def on_answer(self, mid: int, *, denied: bool, tells: bool, now_s: float) -> bool:
        """The broker acknowledged a publish: was it ours? `tells`: this version of MQTT says whether it was denied."""
        if mid not in self._asked_ids:
            return False
        self._asked_ids.discard(mid)
        if tells:
            self._verdict = "" if denied else LET_THROUGH
        else:
            self._echo_until_s = now_s + ECHO_S
        return True

    def is_echo(self, topic: str, payload: bytes) -> bool:
        """Did our own message come back to us? Then it was not denied."""
        if not self.is_tried or topic != TOPIC or payload != CANARY.encode():
            return False
        self._verdict, self._echo_until_s = LET_THROUGH, None
        return True

    def _look(self) -> None:
        """On a thread of its own: a broker that does not answer takes seconds."""
        self._is_nobody_let_in = self._ask_as_nobody(self._options, with_certificate=False).is_let_in
