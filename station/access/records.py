"""What access.db holds: people, paired devices, sessions, and what happened to them. Times are UTC seconds."""

from dataclasses import dataclass
from typing import Literal

from station.access.pass_codes import Kind
from station.access.roles import Role

DeviceKind = Literal["tablet", "phone", "laptop", "screen", "script"]
DEVICE_KINDS: tuple[DeviceKind, ...] = ("tablet", "phone", "laptop", "screen")  # those that are paired by code

Deed = Literal[
    "claimed", "signed_in", "sign_in_failed", "signed_out", "session_ended", "person_added", "person_changed",
    "person_removed", "pairing_offered", "paired", "pairing_failed", "device_revoked", "token_made", "claim_failed",
    "claim_code_reset", "pin_confirmed", "pin_refused",
    "setting_changed", "track_added", "track_removed", "backup_made", "backup_fetched", "backup_removed",
    "backup_restored", "line_ticked", "line_taken_back",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """A person with a role. `code_hash`: of the PIN or passphrase."""

    id: str
    name: str
    role: Role
    code_kind: Kind
    code_hash: str


@dataclass(frozen=True, slots=True)
class PairedDevice:
    """A device that an official has let in, or a script with a token. `role`: the most that anybody may do on it."""

    id: str
    name: str
    kind: DeviceKind
    role: Role
    token_sha256: str
    paired_by: str
    paired_s: float


@dataclass(frozen=True, slots=True)
class Session:
    """A person's session; `device_id` "": on a device that is not paired."""

    id: str
    token_sha256: str
    person_id: str
    device_id: str
    opened_s: float


@dataclass(frozen=True, slots=True)
class AccessEvent:
    """One line of the log of access: who did what, on which device, and what changed."""

    at_s: float
    deed: Deed
    person: str = ""
    device: str = ""
    subject: str = ""  # whom or what it was done to
    before: str = ""
    after: str = ""
