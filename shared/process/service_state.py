"""Tells systemd in a line how a service is: `systemctl status` shows it, and `systemctl show` gives it to others.

Called by services whose unit says `NotifyAccess=main`. Protocol: sd_notify(3), a datagram to the socket $NOTIFY_SOCKET.
"""

import os
import socket
from collections.abc import Mapping
from typing import Literal

MAX_BYTES = 3_900  # systemd takes 4096 in one message
NotifyResult = Literal["sent", "not sent", "no manager"]


def tell_service_state(line: str, environment: Mapping[str, str] = os.environ) -> NotifyResult:
    """Sends the line. Never raises or blocks, since nothing else hangs on it; what is "not sent" is to be told again.

    "no manager": none has started this process, so there is nobody to tell.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return "no manager"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            # An address that begins with @ is in the abstract namespace: unix(7).
            sender.sendto(status_field(line), address.replace("@", "\0", 1) if address[0] == "@" else address)
    except (OSError, ValueError):  # no descriptor is free, the manager reads slowly, an address that cannot be one
        return "not sent"
    return "sent"


def status_field(line: str) -> bytes:
    """The line as a field of a message: without line breaks, which would begin another field, and not too long."""
    whole = " ".join(line.split()).encode(errors="replace")  # an unpaired surrogate, of a file's name for one
    return b"STATUS=" + whole[:MAX_BYTES].decode(errors="ignore").encode()
