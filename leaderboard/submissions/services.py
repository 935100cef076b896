"""All services of models and submissions over one store and its folder."""

import pathlib
from collections.abc import Callable
from dataclasses import dataclass

from leaderboard.attempts.service import AttemptService
from leaderboard.config import SubmissionSettings
from leaderboard.store.database import Store
from leaderboard.submissions.archives import ModelArchives
from leaderboard.submissions.model_files import ModelFiles
from leaderboard.submissions.models import ModelService
from leaderboard.submissions.queue_places import PlacesByArrival, QueuePlaces
from leaderboard.submissions.quotas import SubmissionQuotas
from leaderboard.submissions.rulings import SubmissionRulings
from leaderboard.submissions.service import SubmissionService
from leaderboard.submissions.upkeep import SubmissionUpkeep
from leaderboard.submissions.uploads import UploadService


@dataclass(frozen=True, slots=True)
class SubmissionServices:
    """What the routers, and the farm's part, are given."""

    archives: ModelArchives
    uploads: UploadService
    models: ModelService
    submissions: SubmissionService
    rulings: SubmissionRulings
    upkeep: SubmissionUpkeep
    max_archive_mb: int

    @classmethod
    def over(
        cls,
        store: Store,
        attempts: AttemptService,
        settings: SubmissionSettings,
        utc_ns: Callable[[], int],
        places: QueuePlaces | None = None,
        changed: Callable[[str], None] = lambda _race_id: None,
    ) -> "SubmissionServices":
        """`places`: who says where in the queue one stands. `changed(race_id)`: after a submission of it was moved."""
        files = ModelFiles(pathlib.Path(settings.folder))
        archives = ModelArchives(store, files)
        uploads = UploadService(store, files, settings, changed)
        quotas = SubmissionQuotas(settings.in_work_per_racer)
        submissions = SubmissionService(store, quotas, places or PlacesByArrival(), changed)
        rulings = SubmissionRulings(store, attempts, changed)
        models = ModelService(store, archives, settings)
        upkeep = SubmissionUpkeep(uploads, archives, utc_ns)
        return cls(archives, uploads, models, submissions, rulings, upkeep, settings.max_archive_mb)
