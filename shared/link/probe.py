"""Is a broker there? One MQTT 3.1.1 CONNECT by hand and its answer; every broker speaks that."""

import socket

_CONNECT = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x05\x00\x05probe"


def answers(host: str, port: int, timeout_s: float = 1.0) -> bool:
    """True if a broker at the address accepts or refuses a client in MQTT: it is up."""
    try:
        with socket.create_connection((host, port), timeout_s) as sock:
            sock.settimeout(timeout_s)
            sock.sendall(_CONNECT)
            answer = sock.recv(4)
            sock.sendall(b"\xe0\x00")
    except OSError:
        return False
    return answer[:1] == b"\x20"
