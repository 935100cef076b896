"""Tells systemd in a line how a service is: `systemctl status` shows it, and `systemctl show` gives it to others.

Called by services whose unit says `NotifyAccess=main`. Protocol: sd_notify(3), a datagram to the socket $NOTIFY_SOCKET.
"""

import os
import socket
from collections.abc import Mapping

MAX_BYTES = 3_900  # systemd takes 4096 in one message


def tell_service_state(line: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Sends the line; False where no service manager listens, or it cannot take it: nothing else hangs on it."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    message = b"STATUS=" + " ".join(line.split()).encode()[:MAX_BYTES].decode(errors="ignore").encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.setblocking(False)
        try:
            # An address that begins with @ is in the abstract namespace: unix(7).
            sender.sendto(message, address.replace("@", "\0", 1) if address[0] == "@" else address)
        except OSError:
            return False
    return True
