"""A warm interpreter that forks processes of the product: each `raceday ARGUMENTS` is one that needs no imports.

One line in (`[LOGFILE, PROGRAM, ARGUMENT, ...]` as a JSON list, or the pid of a child to reap), one line out (the pid).
It has one thread, so a fork is a fresh start. PROGRAM: `raceday`, or `fast-sync` (fast_sync.py).
"""

import ctypes
import json
import os
import signal
import sys
from typing import NoReturn

import uvicorn.lifespan.on
import uvicorn.loops.asyncio
import uvicorn.protocols.http.h11_impl  # noqa: F401

import leaderboard.build
import leaderboard.cli  # noqa: F401  what each of them would import
import raceday.__main__
import simulator.realtime.drivers  # noqa: F401  the gate's driver
import station.commands.station  # noqa: F401
from tests.system.durability import fast_sync

_PR_SET_PDEATHSIG = 1


def main() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.waitpid(request, 0)[0] if isinstance(request, int) else _fork(*request)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _fork(log: str, program: str, *arguments: str) -> int:
    pid = os.fork()
    if not pid:
        _live(log, program, list(arguments))
    return pid


def _live(log: str, program: str, arguments: list[str]) -> NoReturn:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # a campaign that is killed leaves nothing running
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, place in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(source, place)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os._exit(raceday.__main__.main(arguments) if program == "raceday" else fast_sync.main(*arguments))


if __name__ == "__main__":
    main()
