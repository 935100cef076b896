"""File descriptors: a process raises its limit, and its web server leaves enough of them to everything else."""

import resource

from shared.errors import OperatorError

MIN_FOR_WEB = 64


def raise_limit() -> int:
    """Raise the soft limit to the hard one; return how many descriptors this process may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else 2**20


def web_share(wanted: int, reserve: int) -> int:
    """How many connections a web server may have beside `reserve` descriptors for other uses. Raises OperatorError."""
    limit = raise_limit()
    share = min(wanted, limit - reserve)
    if share < MIN_FOR_WEB:
        raise OperatorError(
            f"this process may open only {limit} files and connections, and needs {reserve + MIN_FOR_WEB}: "
            "raise its limit (`ulimit -n`, or LimitNOFILE= in the systemd unit)."
        )
    return share
