"""The table of the protocols that ship with the station, and how a decoder is found by its name."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

from shared.drivers import find, names
from shared.errors import ConfigError
from station.gates.decoders.decoder import Decoder

GROUP = "raceday.decoders"


@dataclass(frozen=True, slots=True)
class ProtocolInfo:
    """One protocol.

    `bauds`: the common baud rates, the most usual one first. `lines`: frames are lines of text. `heartbeat`: the device
    reports its status by itself. `trust`: how certain it is that bytes which the decoder accepts are of this protocol:
    2 with a CRC, 1 by their form, 0 for any line. `resolution_us`: the step of the times as sent or, if that is known
    to be worse, their accuracy (each protocol's file names its source); a gate's `uncertainty_us` should not be below
    it. `elsewhere`: inputs or loops that are not at the start line unless they are wired to a sensor.
    """

    name: str
    what: str
    bauds: tuple[int, ...]
    tcp_port: int | None = None
    lines: bool = True
    heartbeat: bool = False
    trust: int = 1
    resolution_us: int = 1_000
    elsewhere: tuple[str, ...] = ()


PROTOCOLS = (
    ProtocolInfo(
        "p3",
        "AMB/MyLaps P3",
        (115200, 19200),
        5403,
        lines=False,
        heartbeat=True,
        trust=2,
    ),
    ProtocolInfo(
        "rc4",
        "AMB RC-4 and AMBrc text",
        (115200, 19200, 9600),
        5100,
        heartbeat=True,
        trust=2,
    ),
    ProtocolInfo("tranx2", "AMB TranX-2, RC2", (9600,), heartbeat=True),
    ProtocolInfo("cano", "Cano, RCHourglass", (57600, 115200), resolution_us=250),
    ProtocolInfo("ilap", "I-Lap", (9600,)),
    ProtocolInfo("robitronic", "Robitronic, EasyLAP", (38400,), lines=False, heartbeat=True),
    ProtocolInfo("lapz", "LapZ infrared bridge", (9600, 19200, 38400), lines=False, resolution_us=5_000),
    ProtocolInfo(
        "zround",
        "ZRound open lap counter",
        (19200,),
        lines=False,
        heartbeat=True,
    ),
    ProtocolInfo("openstint", "OpenStint (its own stream, over ZeroMQ)", (115200,), heartbeat=True),
    ProtocolInfo("alge", "ALGE Timy, TdC 8001", (9600, 38400), resolution_us=300),
    ProtocolInfo("tag", "TAG Heuer CP 520", (9600,)),
    ProtocolInfo("thcom", "TAG Heuer CP 540, MiniTimer, Pocket Pro", (38400, 9600)),
    ProtocolInfo(
        "laprf",
        "ImmersionRC LapRF",
        (115200,),
        5403,
        lines=False,
        trust=2,
    ),
    ProtocolInfo(
        "carrera",
        "Carrera control unit",
        (19200,),
        heartbeat=True,
        elsewhere=("2", "3"),
    ),
    ProtocolInfo("ipico", "IPICO readers", (115200, 9600), 10000, resolution_us=10_000),
    ProtocolInfo(
        "drem",
        "DREM timer's texts (live: the gate driver `drem`)",
        (115200,),
        resolution_us=10_000,
    ),
    ProtocolInfo(
        "fsr",
        "one line per pass, as Arduino timers send",
        (9600, 115200),
        trust=0,
        resolution_us=20_000,
    ),
)
_BY_NAME = {protocol_info.name: protocol_info for protocol_info in PROTOCOLS}


def protocols() -> list[str]:
    """The names of all installed protocols, including those of other packages."""
    return names(GROUP)


def protocol_info(name: str) -> ProtocolInfo:
    """What is known of a protocol; one from another package gets a plain entry."""
    return _BY_NAME.get(name) or ProtocolInfo(name, "installed by another package", (9600,), lines=False)


def decoder(name: str) -> Decoder:
    """A new decoder of the protocol. Raises ConfigError for an unknown one, HardwareMissing if it cannot be loaded."""
    return _kind(name)()


@functools.cache
def _kind(name: str) -> Callable[[], Decoder]:
    if name not in protocols():
        raise ConfigError(f"there is no protocol {name!r}; installed are: {', '.join(protocols())}.")
    kind: Callable[[], Decoder] = find(GROUP, name)
    return kind
