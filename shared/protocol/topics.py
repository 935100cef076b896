"""The table of topics: topic, message, QoS, retained, who publishes it. Nothing else is published."""

import re
from dataclasses import dataclass
from typing import Literal

from shared.errors import Refused
from shared.protocol import messages as m

Speaker = Literal["car", "station"]


@dataclass(frozen=True, slots=True)
class Topic:
    """`pattern` holds one `{device}`: the name of the machine that publishes, or that is addressed."""

    pattern: str
    body: type[m.Body]
    qos: Literal[0, 1]
    retained: bool
    speaker: Speaker

    def of(self, device: str) -> str:
        """The concrete topic of one machine."""
        return self.pattern.format(device=checked_device(device))

    @property
    def everyone(self) -> str:
        """The subscription to this topic of all machines."""
        return self.pattern.format(device="+")

    @property
    def kind(self) -> str:
        """The `kind` of the message in its envelope."""
        return self.body.__name__


# Retained messages carry state only, never orders: a broker sends them to every later subscriber.
TOPICS: tuple[Topic, ...] = (
    Topic("raceday/cars/{device}/heartbeat", m.CarHeartbeat, 0, False, "car"),
    Topic("raceday/cars/{device}/state", m.CarState, 1, True, "car"),
    Topic("raceday/cars/{device}/lap", m.CarLap, 1, False, "car"),
    Topic("raceday/cars/{device}/telemetry", m.CarTelemetry, 0, False, "car"),
    Topic("raceday/to/{device}/ack", m.LapAck, 1, False, "station"),
    Topic("raceday/to/{device}/lease", m.Lease, 0, False, "station"),
    Topic("raceday/to/{device}/order", m.DriveOrder, 1, False, "station"),
    Topic("raceday/stations/{device}/status", m.StationStatus, 1, True, "station"),
    Topic("raceday/stations/{device}/run", m.RunStatus, 1, True, "station"),
    Topic("raceday/stations/{device}/lap", m.OfficialLap, 1, False, "station"),
    Topic("raceday/stations/{device}/gate", m.GateHealth, 1, True, "station"),
)

BY_BODY: dict[type[m.Body], Topic] = {topic.body: topic for topic in TOPICS}
BY_KIND: dict[str, Topic] = {topic.kind: topic for topic in TOPICS}

_DEVICE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)


def checked_device(device: str) -> str:
    """A machine's name is also a topic level, a certificate's CN and a file name. Raises Refused."""
    if _DEVICE.fullmatch(device) is None:
        raise Refused(
            f"{device!r} cannot name a machine: use 1 to 64 of a-z, 0-9, '-' and '_', beginning with a letter or digit."
        )
    return device


def device_in(topic: str) -> str:
    """The machine that a concrete topic names; '' if the topic is not in the table."""
    parts = topic.split("/")
    known = len(parts) == 4 and any(
        t.pattern.split("/")[1] == parts[1] and t.pattern.split("/")[3] == parts[3] for t in TOPICS
    )
    return parts[2] if known and parts[0] == "raceday" and _DEVICE.fullmatch(parts[2]) else ""
