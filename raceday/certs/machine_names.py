"""The name of a machine that has a certificate. Pure, by the standard library alone: `raceday install` asks early.

It is the CN that the broker takes as user name, a level of topics and a file name: it is checked by the one rule of
`shared/protocol/topics.py`, and may not be the name of a file that stands beside it. Called by `raceday certs` too.
"""

from shared.errors import Refused
from shared.protocol.topics import checked_device

BROKER = "broker"
CANARY = "canary"  # in whose name the station tries whether the broker's rules hold: shared/link/canary.py
RESERVED = frozenset({"ca", "crl", BROKER, CANARY})  # ca.pem, crl.pem and broker.pem are other things


def checked_machine_name(name: str) -> str:
    """The name of a station, car or display. Raises Refused."""
    checked_device(name)
    if name in RESERVED:
        raise Refused(f"{name!r} cannot name a machine: it is another's; choose another name.")
    return name
