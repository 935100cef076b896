"""Landlock on kernels of every version, by a stand-in that refuses what they refuse; what stays open is said."""

import errno
import os
import pathlib
import stat

import pytest

from vehicle.process.confinement_findings import confinement_findings
from vehicle.process.landlock import NO_LANDLOCK, FileGrant, restrict_files
from vehicle.process.program_files import program_grants
from vehicle.process.realtime import GUARD_PRIORITY
from vehicle.process.sandbox import COMMS, IMPORT, PILOT

# Of linux/landlock.h, by the version that brought them (Documentation/userspace-api/landlock.rst, "Previous
# limitations"): 13 rights of files, then REFER (2), TRUNCATE (3), TCP (4), IOCTL_DEV (5), scopes (6), log flags (7).
FILES = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF, 6: 0xFFFF, 7: 0xFFFF}
READ_FILE, READ_DIR, WRITE_FILE, EXECUTE, IOCTL_DEV = 1 << 2, 1 << 3, 1 << 1, 1 << 0, 1 << 15
OF_FILES = 0b1100_0000_0000_0111  # execute, write, read, truncate, ioctl


class OldKernel:
    """A kernel of this version; it refuses as security/landlock/syscalls.c does. 0: none, or `refusal` instead."""

    def __init__(self, version: int, refusal: int = errno.ENOSYS) -> None:
        self._version, self._refusal = version, refusal
        self.handled: tuple[int, int, int] = (0, 0, 0)
        self.rules: dict[str, int] = {}
        self.is_restricted = False

    def version(self) -> int:
        if not self._version:
            raise OSError(self._refusal, os.strerror(self._refusal))
        return self._version

    def create_ruleset(self, files: int, ports: int, scopes: int) -> int:
        known = (FILES[self._version], 3 if self._version >= 4 else 0, 3 if self._version >= 6 else 0)
        if any(asked & ~mask for asked, mask in zip((files, ports, scopes), known, strict=True)):
            raise OSError(errno.EINVAL, "Invalid argument")
        self.handled = (files, ports, scopes)
        return os.open("/dev/null", os.O_RDONLY)

    def add_path(self, ruleset: int, rights: int, path: int) -> None:
        assert stat.S_ISCHR(os.fstat(ruleset).st_mode)
        if not rights:
            raise OSError(errno.ENOMSG, "No message of desired type")
        is_folder = stat.S_ISDIR(os.fstat(path).st_mode)
        if rights & ~self.handled[0] or (not is_folder and rights & ~OF_FILES):
            raise OSError(errno.EINVAL, "Invalid argument")
        self.rules[pathlib.Path(f"/proc/self/fd/{path}").readlink().as_posix()] = rights

    def restrict_self(self, ruleset: int) -> None:
        os.fstat(ruleset)
        self.is_restricted = True


def restricted(kernel: OldKernel, *grants: FileGrant, is_filtered: bool = True) -> list[str]:
    return restrict_files(grants, is_filtered=is_filtered, kernel=kernel)


@pytest.mark.parametrize("version", sorted(FILES))
def test_every_version_handles_all_it_knows(version: int, tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    kernel = OldKernel(version)
    said = restricted(
        kernel,
        FileGrant(tmp_path),
        FileGrant(tmp_path / "file", "device"),
        FileGrant(tmp_path / "file" / "nothing"),
        FileGrant(tmp_path / "absent"),
    )
    assert kernel.is_restricted
    assert kernel.handled == (FILES[version], 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    device = READ_FILE | WRITE_FILE | (IOCTL_DEV if version >= 5 else 0)
    assert kernel.rules == {str(tmp_path): READ_FILE | READ_DIR, str(tmp_path / "file"): device}
    emptied = f"This kernel's Landlock, of version {version}, does not keep a racer's model from emptying its own file."
    of_files = [sentence for sentence in said if "threads" not in sentence]
    assert [sentence.startswith(emptied) for sentence in of_files] == [True] * (version < 3)


@pytest.mark.parametrize(
    ("refusal", "cure"), [(errno.ENOSYS, "CONFIG_SECURITY_LANDLOCK"), (errno.EOPNOTSUPP, "`lsm=`")]
)
def test_without_landlock_it_is_said_and_what_to_do(refusal: int, cure: str, tmp_path: pathlib.Path) -> None:
    kernel = OldKernel(0, refusal)
    (said,) = restricted(kernel, FileGrant(tmp_path))
    assert said.startswith(NO_LANDLOCK)
    assert cure in said
    (found,) = confinement_findings(kernel, "aarch64")
    assert (found.is_good, found.seen) == (None, NO_LANDLOCK)
    assert cure in found.cure


def test_a_refusal_half_way_is_said(tmp_path: pathlib.Path) -> None:
    class Refusing(OldKernel):
        """As under a container's filter that knows the version call only."""

        def restrict_self(self, ruleset: int) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

    said = restricted(Refusing(7), FileGrant(tmp_path))
    assert said[-1] == f"Landlock was refused (Operation not permitted). {NO_LANDLOCK}"


@pytest.mark.parametrize(("version", "machine", "gaps"), [(7, "aarch64", 0), (7, "armv7l", 1), (5, "armv7l", 2)])
def test_the_doctor_says_what_stays_open(version: int, machine: str, gaps: int) -> None:
    found = confinement_findings(OldKernel(version), machine)
    assert sum(finding.is_good is None for finding in found) == gaps
    assert any(finding.is_good for finding in found) == (not gaps)
    assert all(finding.cure for finding in found if not finding.is_good)


@pytest.mark.parametrize(("version", "count"), [(1, 3), (3, 2), (4, 1), (6, 0)])
def test_without_a_filter_an_old_landlock_leaves_more_open(version: int, count: int, tmp_path: pathlib.Path) -> None:
    said = restricted(OldKernel(version), FileGrant(tmp_path), is_filtered=False)
    assert len([sentence for sentence in said if "does not keep" in sentence]) == count


def test_of_a_checkout_the_code_is_granted_and_not_the_data_beside_it(tmp_path: pathlib.Path) -> None:
    for name in ("package/__init__.py", "driver.py", "driver-1.0.dist-info/METADATA", "models/a/model.onnx", "key.pem"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    granted = {
        grant.path.name: grant.use for grant in program_grants([str(tmp_path)]) if tmp_path in grant.path.parents
    }
    assert granted == {"package": "read", "driver.py": "read", "driver-1.0.dist-info": "read"}
    assert FileGrant(tmp_path, "list") in program_grants([str(tmp_path)])
    assert not {pathlib.Path(path) for path in ("/", "/etc", "/home", "/root", "/var", "/proc", "/dev", "/tmp")} & {
        grant.path for grant in program_grants([]) if grant.use != "list"
    }


def test_no_child_comes_before_the_guard() -> None:
    assert max(role.priority for role in (PILOT, COMMS, IMPORT)) < GUARD_PRIORITY
    assert 0 < COMMS.oom_score_adj < PILOT.oom_score_adj < IMPORT.oom_score_adj == 1000
