"""A policy in a stranger's hands: what it tries once it runs, by the kernel's own calls. Started by its test.

    python hostile_policy.py WORD UID GUARD_PID FOLDER LAP_FD

WORD is "held", as in a car's pilot, "landlock", by that alone, or "free", without any restriction: then the same
attempts must come off, or they would show nothing. It prints how each ended: "done", or the name of the error.
"""

import ctypes
import errno
import fcntl
import json
import os
import resource
import socket
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from vehicle.process.landlock import FileGrant, restrict_files
from vehicle.process.program_files import program_grants
from vehicle.process.sandbox import PILOT, confine
from vehicle.process.seccomp import install_filter
from vehicle.process.system_calls import AARCH64, X86_64

CALLS = X86_64 if os.uname().machine == "x86_64" else AARCH64
SIGSTOP, SIGCONT, PR_SET_DUMPABLE = 19, 18, 4
WORD, UID, GUARD, FOLDER, LAPS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5])
LIBC = ctypes.CDLL(None, use_errno=True)


def call(name: str, *words: object) -> int:
    """The system call of this name."""
    return numbered(CALLS[name], *words)


def numbered(number: int, *words: object) -> int:
    answer: int = LIBC.syscall(number, *[ctypes.c_long(word) if isinstance(word, int) else word for word in words])
    if answer < 0:
        raise OSError(ctypes.get_errno(), "")
    return answer


def opened(path: Path | str, flags: int = os.O_RDONLY) -> None:
    os.close(os.open(path, flags))


def through_an_unopened_file() -> None:
    """O_PATH asks for no right; then the file is opened by its descriptor."""
    descriptor = os.open(FOLDER / "mqtt.key", os.O_PATH)
    opened(f"/proc/self/fd/{descriptor}")


def by_its_folder() -> None:
    os.chdir(FOLDER)
    opened("mqtt.key")


def signal_of_a_socket() -> None:
    """The kernel sends a signal of our choice to the guard, when a byte arrives."""
    one, other = socket.socketpair()
    fcntl.fcntl(one, fcntl.F_SETOWN, GUARD)
    fcntl.fcntl(one, 10, SIGSTOP)  # F_SETSIG
    fcntl.fcntl(one, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    other.send(b"x")


def signal_by_pidfd() -> None:
    call("pidfd_send_signal", call("pidfd_open", GUARD, 0), SIGCONT, None, 0)


def queued_signal() -> None:
    info = ctypes.create_string_buffer(struct.pack("=iii4xii", SIGCONT, 0, -1, os.getpid(), os.getuid()), 128)
    call("rt_sigqueueinfo", GUARD, SIGCONT, info)


def memory_by_call() -> None:
    word = ctypes.create_string_buffer(8)
    ours = struct.pack("=QQ", ctypes.addressof(word), 8)
    theirs = struct.pack("=QQ", int((FOLDER / "address").read_text()), 8)
    call("process_vm_readv", GUARD, ours, 1, theirs, 1, 0)


def descriptor_in_a_message() -> None:
    with socket.socket(fileno=os.dup(LAPS)) as laps, Path("/dev/null").open("rb") as null:
        socket.send_fds(laps, [b"x"], [null.fileno()])


def limit_of_the_guard() -> None:
    resource.prlimit(GUARD, resource.RLIMIT_NOFILE, (64, resource.prlimit(GUARD, resource.RLIMIT_NOFILE)[1]))


def end_of_the_channel() -> None:
    with socket.socket(fileno=os.dup(LAPS)) as laps:
        laps.shutdown(socket.SHUT_RD)


def small_buffer() -> None:
    with socket.socket(fileno=os.dup(LAPS)) as laps:
        laps.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)


def raised_limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (1, 1))


def before_the_guard() -> None:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def own_oom_score() -> None:
    Path("/proc/self/oom_score_adj").write_text("0")


def linked() -> None:
    os.link(FOLDER / "mqtt.key", FOLDER / "models" / "mine" / "key")


KEY = FOLDER / "mqtt.key"
ATTEMPTS: dict[str, Callable[[], object]] = {
    # The guard: its stop, its memory, its limits, its turns.
    "kill": lambda: call("kill", GUARD, SIGSTOP),
    "kill its group": lambda: call("kill", -os.getpgid(GUARD), SIGCONT),
    "kill all": lambda: call("kill", -1, 0),  # signal 0: whether it might
    "tgkill": lambda: call("tgkill", GUARD, GUARD, SIGCONT),
    "tkill": lambda: call("tkill", GUARD, SIGCONT),
    "queued signal": queued_signal,
    "pidfd": signal_by_pidfd,
    "signal of a socket": signal_of_a_socket,
    "its memory": lambda: opened(f"/proc/{GUARD}/mem", os.O_RDWR),
    "its environment": lambda: opened(f"/proc/{GUARD}/environ"),
    "its map": lambda: opened(f"/proc/{GUARD}/maps"),
    "its command": lambda: opened(f"/proc/{GUARD}/cmdline"),
    "its descriptors": lambda: os.listdir(f"/proc/{GUARD}/fd"),  # noqa: PTH208
    "process_vm_readv": memory_by_call,
    "ptrace": lambda: call("ptrace", 0x4206, GUARD, 0, 0),  # PTRACE_SEIZE
    "its limits": limit_of_the_guard,
    "its nice value": lambda: os.setpriority(os.PRIO_PROCESS, GUARD, 19),
    "its processors": lambda: os.sched_setaffinity(GUARD, os.sched_getaffinity(0)),
    "its policy": lambda: os.sched_setscheduler(GUARD, os.SCHED_BATCH, os.sched_param(0)),
    "its disk's turns": lambda: call("ioprio_set", 1, GUARD, 2 << 13 | 7),
    # Files: keys, sessions, another's model, devices.
    "a key": lambda: opened(KEY),
    "a key by its folder": by_its_folder,
    "a key by /proc": lambda: opened(f"/proc/self/root{KEY}"),
    "a key by O_PATH": through_an_unopened_file,
    "sessions": lambda: opened(FOLDER / "console.json"),
    "another model": lambda: opened(FOLDER / "models" / "theirs" / "model.onnx"),
    "the names of models": lambda: os.listdir(FOLDER / "models"),  # noqa: PTH208
    "a device": lambda: opened(FOLDER / "i2c-1", os.O_RDWR),
    "a new file": lambda: (FOLDER / "new").write_text("x"),
    "a new file of its model": lambda: (FOLDER / "models" / "mine" / "new").write_text("x"),
    "a link to a key": linked,
    "a renamed file": lambda: (FOLDER / "old").rename(FOLDER / "older"),
    "a key for all": lambda: KEY.chmod(0o666),
    "the times of a key": lambda: os.utime(KEY),
    "an emptied file": lambda: os.truncate(FOLDER / "laps.db", 0),
    "an attribute": lambda: os.setxattr(FOLDER / "laps.db", "user.x", b"x"),
    "a removed file": (FOLDER / "journal").unlink,
    # What is shared with others.
    "a file in memory": lambda: os.close(os.memfd_create("x")),
    "shared memory": lambda: call("shmget", 0, 4096, 0o1600),
    "a watch": lambda: os.close(call("inotify_init1", 0)),
    "a queue": lambda: call("msgget", 0, 0o1600),
    "the disk's attention": lambda: call("syncfs", os.open("/proc/self", os.O_RDONLY)),
    "a descriptor in a message": descriptor_in_a_message,
    "the lap channel's buffer": small_buffer,
    "the lap channel's end": end_of_the_channel,
    "to outlive the guard": lambda: numbered(CALLS["prctl"], 1, 0, 0, 0, 0),
    "a lease": lambda: fcntl.fcntl(os.open(FOLDER / "models" / "mine" / "model.onnx", os.O_RDONLY), 1024, 0),
}
LIMITED: dict[str, Callable[[], object]] = {  # by limits, which an ordinary user has from the start
    "its score": own_oom_score,
    "a limit raised": raised_limit,
    "before the guard": before_the_guard,
}
STILL: dict[str, Callable[[], object]] = {
    "its model": (FOLDER / "models" / "mine" / "model.onnx").read_bytes,
    "its camera's device": lambda: opened(FOLDER / "video0", os.O_RDWR),
    "its channel": lambda: os.write(LAPS, b"lap"),
    "the log": lambda: os.write(2, b"a line\n"),
    "itself": lambda: Path("/proc/self/status").read_text(),
    "the boot": lambda: Path("/proc/sys/kernel/random/boot_id").read_text(),
    "a signal to itself": lambda: os.kill(os.getpid(), SIGCONT),
    "a library": lambda: __import__("xml.dom.minidom"),
    "a thread": lambda: (thread := threading.Thread(target=os.getpid), thread.start(), thread.join()),
    "its nice value": lambda: os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0)),
}


def tried(attempt: Callable[[], object]) -> str:
    """How it ended."""
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "?")
    except ValueError:
        return "EPERM"  # of setrlimit
    return "done"


def main() -> None:
    """Become the user, restrict this process if it is to be held, and try all."""
    if UID:
        os.setgroups([])
        os.setresgid(UID, UID, UID)
        os.setresuid(UID, UID, UID)
        LIBC.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    if not os.access(Path(os.__file__).parent, os.R_OK):
        del STILL["a library"]  # the interpreter lies where this user may read nothing anyway
    grants = [FileGrant(FOLDER / "models" / "mine"), FileGrant(FOLDER / "video0", "device")]
    said = confine(os.getppid(), PILOT) if WORD == "held" else []
    if WORD != "free":
        said += restrict_files([*program_grants(), *grants], is_filtered=WORD == "held")
    if WORD == "held":
        said += install_filter()
    results = {kind: {name: tried(deed) for name, deed in deeds.items()} for kind, deeds in KINDS.items()}
    sys.stdout.write(json.dumps(results | {"said": said}))


KINDS = {"still": STILL, "attempts": ATTEMPTS, "limited": LIMITED}
if __name__ == "__main__":
    main()
