"""The models of an account: list and delete. What others have, even of the same bytes, is never told."""

from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.config import SubmissionSettings
from leaderboard.core.access import Caller
from leaderboard.core.submissions.archive import check_sha256
from leaderboard.core.submissions.states import COUNTED, IN_WORK
from leaderboard.store import audit, race_rows
from leaderboard.store.database import Store
from leaderboard.store.submissions import model_rows, submission_rows
from leaderboard.store.submissions.model_rows import AccountUse, ModelRecord, UnknownModel
from leaderboard.submissions.archives import ModelArchives
from leaderboard.submissions.eligibility import submitter_of
from shared.errors import Refused
from shared.text import text


@dataclass(frozen=True, slots=True)
class OwnModels:
    """The models of an account, the newest first, what they take, and what they may take (MB: a million bytes)."""

    models: tuple[ModelRecord, ...]
    use: AccountUse
    max_mb: int
    max_models: int


class ModelService:
    """The models of one store."""

    def __init__(self, store: Store, archives: ModelArchives, settings: SubmissionSettings) -> None:
        self._store, self._archives, self._settings = store, archives, settings

    def own(self, caller: Caller) -> OwnModels:
        """The caller's models. Raises Unauthorized, NotAllowed."""
        account_id = submitter_of(caller).account_id
        with self._store.read() as db:
            models = tuple(model_rows.models(db, account_id))
            use = model_rows.use_of(db, account_id)
        return OwnModels(models, use, self._settings.account_mb, self._settings.account_models)

    def delete(self, caller: Caller, sha256: str, now_utc_ns: int) -> None:
        """Delete a model of the caller's. Raises UnknownModel, Refused while a race may still drive it."""
        owner = submitter_of(caller)
        check_sha256(sha256)
        with self._store.write() as db:
            there = model_rows.model(db, owner.account_id, sha256)
            if there is None:
                raise UnknownModel.of(sha256)
            self._check_not_needed(db, owner.account_id, sha256)
            model_rows.remove_model(db, owner.account_id, sha256)
            audit.record(db, owner, now_utc_ns, "model.delete", f"model:{sha256}", {"name": there.name}, None)
        self._archives.drop_unnamed(sha256)

    @staticmethod
    def _check_not_needed(db: sa.Connection, account_id: str, sha256: str) -> None:
        for each in submission_rows.of_model(db, account_id, sha256, *COUNTED):
            if each.state in IN_WORK:
                raise Refused(text("The model is submitted to a race, and not evaluated yet: cancel that first."))
            race = race_rows.race(db, each.race_id)
            if each.state == "scored" and race.stage not in ("final", "deleted"):
                raise Refused(
                    text(
                        "The model may be driven again in the race {race}, until its results are final.", race=race.name
                    )
                )
