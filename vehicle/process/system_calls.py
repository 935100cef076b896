"""Numbers of Linux system calls on x86-64 and ARM64, by what they could do in a stranger's hands. Used by seccomp.py.

Source: each machine's unistd.h (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h of Linux).
"""

from collections.abc import Iterable
from typing import Final

# New processes and programs, and calls that pass by a filter.
PROGRAMS: Final = """
    fork 57 -, vfork 58 -, execve 59 221, execveat 322 281, io_uring_setup 425 425, io_uring_enter 426 426,
    io_uring_register 427 427
"""
# Signals to other processes (kill and tgkill have rules of their own), their memory, descriptors and turns.
OTHER_PROCESSES: Final = """
    tkill 200 130, rt_sigqueueinfo 129 138, rt_tgsigqueueinfo 297 240, pidfd_open 434 434,
    pidfd_send_signal 424 424, pidfd_getfd 438 438, ptrace 101 117, process_vm_readv 310 270,
    process_vm_writev 311 271, process_madvise 440 440, process_mrelease 448 448, kcmp 312 272,
    get_robust_list 274 100, perf_event_open 298 241, move_pages 279 239, migrate_pages 256 238, ioprio_set 251 30
"""
# Attributes of files, which Landlock does not govern: by them a key could be opened to all, or a file be emptied.
FILE_ATTRIBUTES: Final = """
    chmod 90 -, fchmod 91 52, fchmodat 268 53, fchmodat2 452 452, chown 92 -, fchown 93 55, lchown 94 -,
    fchownat 260 54, setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7, setxattrat 463 463, removexattr 197 14,
    lremovexattr 198 15, fremovexattr 199 16, removexattrat 466 466, utime 132 -, utimes 235 -, futimesat 261 -,
    utimensat 280 88, truncate 76 45, file_setattr 469 469
"""
# What outlives a process, or is taken from all processes of its user: memory, queues, watches, the disk's attention.
SHARED_RESOURCES: Final = """
    shmget 29 194, shmat 30 196, shmctl 31 195, msgget 68 186, msgsnd 69 189, msgrcv 70 188, msgctl 71 187,
    semget 64 190, semop 65 193, semtimedop 220 192, semctl 66 191, mq_open 240 180, mq_unlink 241 181,
    memfd_create 319 279, memfd_secret 447 447, inotify_init 253 -, inotify_init1 294 26, inotify_add_watch 254 27,
    fanotify_init 300 262, fanotify_mark 301 263, io_setup 206 0, sync 162 81, syncfs 306 267
"""
# Mounts, namespaces, keys and other rare doors of the kernel.
KERNEL: Final = """
    mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, mount_setattr 442 442, move_mount 429 429,
    open_tree 428 428, open_tree_attr 467 467, fsopen 430 430, fsconfig 431 431, fsmount 432 432, fspick 433 433,
    open_by_handle_at 304 265, name_to_handle_at 303 264, unshare 272 97, setns 308 268, keyctl 250 219,
    add_key 248 217, request_key 249 218, bpf 321 280, userfaultfd 323 282, syslog 103 116
"""
# Servers; messages that may carry descriptors; what changes a socket for all who hold it.
SERVERS: Final = "accept 43 202, accept4 288 242, listen 50 201"
MESSAGES: Final = "sendmsg 46 211, sendmmsg 307 269"
SHUTDOWN: Final = "shutdown 48 210"
# Refused or not by their arguments (seccomp.py).
RULED: Final = """
    socket 41 198, socketpair 53 199, connect 42 203, bind 49 200, setsockopt 54 208, clone 56 220, clone3 435 435,
    seccomp 317 277, kill 62 129, tgkill 234 131, prlimit64 302 261, setpriority 141 140, sched_setscheduler 144 119,
    sched_setparam 142 118, sched_setaffinity 203 122, sched_setattr 314 274, fcntl 72 25, ioctl 16 29, prctl 157 167
"""
FIRST_UNKNOWN: Final = 470  # calls from here on came after Linux 6.17; both machines have numbered alike since 424
_ALL: Final = (
    *(PROGRAMS, OTHER_PROCESSES, FILE_ATTRIBUTES, SHARED_RESOURCES),
    *(KERNEL, SERVERS, MESSAGES, SHUTDOWN, RULED),
)


def names_of(*groups: str) -> tuple[str, ...]:
    """The names of the calls of these groups, in order."""
    return tuple(entry.split()[0] for group in groups for entry in group.split(","))


def _numbers(groups: Iterable[str], column: int) -> dict[str, int]:
    entries = [entry.split() for group in groups for entry in group.split(",")]
    return {words[0]: int(words[column]) for words in entries if words[column] != "-"}


# A machine that lacks a call (ARM64 has no fork: clone does it) has no number for it.
X86_64: Final = _numbers(_ALL, 1)
AARCH64: Final = _numbers(_ALL, 2)
