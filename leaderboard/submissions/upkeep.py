"""The task that ends uploads nobody goes on with, and deletes files that nothing names; services.py runs it."""

import asyncio
import logging
from collections.abc import Callable

from leaderboard.submissions.archives import ModelArchives
from leaderboard.submissions.uploads import UploadService
from shared.errors import RetryLater, StorageError

_EVERY_S = 600.0
_LOG = logging.getLogger("leaderboard")


class SubmissionUpkeep:
    """Works at once when it is started, and then every so often."""

    def __init__(
        self, uploads: UploadService, archives: ModelArchives, utc_ns: Callable[[], int], every_s: float = _EVERY_S
    ) -> None:
        self._uploads, self._archives, self._utc_ns, self._every_s = uploads, archives, utc_ns, every_s

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.to_thread(self.work)
            await asyncio.sleep(self._every_s)

    def work(self) -> None:
        """Do it once; a disk that refuses is tried again the next time."""
        try:
            self._uploads.expire(self._utc_ns())
            self._archives.sweep()
        except (StorageError, RetryLater) as error:
            _LOG.error("models: %s", error)
