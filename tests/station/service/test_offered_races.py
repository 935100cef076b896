"""The races that the station offers to the leaderboard follow its state, and are written when they change."""

import pathlib
from dataclasses import replace

from shared.rules.ranking import RaceRules
from station.service.offered_races import OfferedRaces
from station.store.event_files.race_offers import OFFERS_FILE, OffersReader, OffersWriter, RaceOffers
from tests.station.service.station_rig import Rig


def test_each_race_that_was_opened_is_offered_once(tmp_path: pathlib.Path) -> None:
    rig = Rig(tmp_path / "station.db")
    written: list[RaceOffers] = []
    offered = OfferedRaces("station-1", written.append)
    offered.update(rig.station._restored.engine)
    rig.open()
    offered.update(rig.station._restored.engine)
    [first] = written
    assert first.current == "race-1"
    assert [(each.race_id, each.name, each.station) for each in first.races] == [("race-1", "A race", "station-1")]
    other = Rig(tmp_path / "other.db", RaceRules(max_laps=9)).station._restored.engine
    other.races["race-2"] = other.races["race-1"]
    other.races["race-2"].info = replace(other.races["race-1"].info, race_id="race-2")
    offered.update(other)
    assert written[1].races[-1].rules == RaceRules(max_laps=9)
    assert written[1].current == "race-2"


def test_the_file_is_written_again_once_the_disk_accepts_it(tmp_path: pathlib.Path) -> None:
    logged: list[str] = []
    writer = OffersWriter(tmp_path / "folder", logged.append)
    writer.update(RaceOffers("cup"))
    assert "cannot be written" in logged[0]
    (tmp_path / "folder").mkdir()
    writer.update(RaceOffers("cup"))
    writer.update(RaceOffers("cup"))
    assert OffersReader(tmp_path / "folder").offers() == RaceOffers("cup")
    (tmp_path / "folder" / OFFERS_FILE).unlink()
    writer.update(RaceOffers("cup"))  # it is known to be written
    assert not (tmp_path / "folder" / OFFERS_FILE).exists()
