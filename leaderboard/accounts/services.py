"""All services of accounts, put together once and handed to the API and the pages."""

from dataclasses import dataclass

from leaderboard.accounts.administration import Administration
from leaderboard.accounts.audit_log import AuditLog
from leaderboard.accounts.claim import Claim
from leaderboard.accounts.data.erasure import Erasure
from leaderboard.accounts.data.export import DataExport
from leaderboard.accounts.entrance.entrance import Entrance
from leaderboard.accounts.entrance.passkeys import Passkeys
from leaderboard.accounts.keys import ApiKeys
from leaderboard.accounts.self_service import SelfService


@dataclass(frozen=True, slots=True)
class AccountServices:
    """What can be done with accounts."""

    entrance: Entrance
    passkeys: Passkeys
    own: SelfService
    administration: Administration
    keys: ApiKeys
    audit: AuditLog
    claim: Claim
    export: DataExport
    erasure: Erasure

    @classmethod
    def over(cls, entrance: Entrance, claim: Claim) -> "AccountServices":
        """The services over the store of this entrance."""
        store = entrance.store
        return cls(
            entrance,
            Passkeys(entrance),
            SelfService(entrance),
            Administration(store),
            ApiKeys(store),
            AuditLog(store),
            claim,
            DataExport(store),
            Erasure(store),
        )
