"""The bugs of `./dev bench sabotage`: which lines of which file are exchanged, and which campaign must notice.

Each is a mistake that somebody could make in good faith, and most survive a quick look at the page. The table is
checked by tests/system/durability/test_planted_bugs.py: the lines to exchange must stand in the product exactly once.
"""

from dataclasses import dataclass

# A campaign is a command of this project that ends with 0 if everything held: the same tests and checks as ever.
PYTEST = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--timeout", "120")
CAMPAIGNS: dict[str, tuple[str, ...]] = {
    "kills": (*PYTEST, "tests/system/durability/test_kill.py"),
    "power cuts": (*PYTEST, "tests/system/durability/test_power_cut.py", "-k", "no_acknowledged or no_other"),
    "full disk": (*PYTEST, "tests/system/durability/test_full_disk.py", "tests/system/durability/test_refusals.py"),
    "posts": (*PYTEST, "tests/system/durability/test_post_abuse.py"),
    "races": ("-m", "raceday", "race", "simulate", "--seed", "3", "--hours", "2"),
    "tamper": ("-m", "bench", "tamper", "--quick"),
    "car faults": (*PYTEST, "tests/system/vehicle/test_faults.py"),
    "modes": (*PYTEST, "tests/vehicle/core"),
    "broker": (*PYTEST, "tests/shared/link/test_acl.py"),
    "policy": (*PYTEST, "tests/vehicle/process"),
}


@dataclass(frozen=True, slots=True)
class PlantedBug:
    """In `file`, `before` becomes `after`; `campaign` must end with an error whose output contains `says` (a regex)."""

    what: str
    file: str
    before: str
    after: str
    campaign: str
    says: str


BUGS: tuple[PlantedBug, ...] = (
    PlantedBug(
        "the journal commits without waiting for the disk",
        "station/store/database.py",
        'connection.pragma("synchronous", "full")',
        'connection.pragma("synchronous", "normal")',
        "power cuts",
        "lost",
    ),
    PlantedBug(
        "a result's outbox row is stored after the transaction, not in it",
        "station/store/journal.py",
        """        if batch.results:
            self._db.executemany("INSERT INTO outbox VALUES (?, ?, ?, ?, ?)", batch.results)
        if batch.points:""",
        """        if batch.results:
            self._db.execute("COMMIT")
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT INTO outbox VALUES (?, ?, ?, ?, ?)", batch.results)
        if batch.points:""",
        "power cuts",
        "outbox|verif|record",
    ),
    PlantedBug(
        "the car's outbox ends a transaction without a sync of its folder",
        "vehicle/comms/lap_outbox.py",
        'self._db.execute("PRAGMA synchronous=EXTRA")',
        'self._db.execute("PRAGMA synchronous=FULL")',
        "power cuts",
        "lost",
    ),
    PlantedBug(
        "after a restart a gate is asked only for what it has not sent yet",
        "station/service/live_state.py",
        "                driver.start(engine.last_seq_by_boot(name), put)",
        "                driver.start({boot: seq + 5 for boot, seq in engine.last_seq_by_boot(name).items()}, put)",
        "kills",
        "first_failure|lost|Tally|assert",
    ),
    PlantedBug(
        "a car's report is acknowledged before it is stored",
        "station/service/station.py",
        """        seqs = iter(self.journal.append(entries) if entries else ())
""",
        """        for item, _ in done:
            if item.on_commit is not None:
                item.on_commit()
        seqs = iter(self.journal.append(entries) if entries else ())
""",
        "races",
        r"reports_kept.*NO \(",
    ),
    PlantedBug(
        "pages and cars are told before the commit",
        "station/service/station.py",
        """        seqs = iter(self.journal.append(entries) if entries else ())
""",
        """        for item, handled in done:
            self._publisher.publish(self._restored.engine, handled.facts, self._clock.now())
        seqs = iter(self.journal.append(entries) if entries else ())
""",
        "races",
        r"shown_is_stored.*NO \(",
    ),
    PlantedBug(
        "what the disk refused counts as stored",
        "station/store/journal.py",
        """            raise storage_error(self.path, error) from None
        first""",
        """            return [self._head.seq for _ in entries]
        first""",
        "full disk",
        "Error|assert",
    ),
    PlantedBug(
        "the hash of a record covers its input only",
        "station/store/hash_chain.py",
        "    for part in parts:",
        "    for part in parts[:1]:",
        "tamper",
        "AssertionError",
    ),
    PlantedBug(
        "the station starts without verifying its journal",
        "station/store/opening.py",
        """    verified = _verified(path, frozenset({signer.public_key}))
    if not verified.signatures:""",
        """    verified = None
    if verified is not None and not verified.signatures:""",
        "tamper",
        "AssertionError|cannot be read",
    ),
    PlantedBug(
        "a flickering beam makes a second crossing",
        "station/core/timing/gate.py",
        """        if passing is not None and edge.at_ns - passing.at_ns < self.spec.lockout_ns:
            return [self._ignored(edge, self._within_lockout(edge, passing))]
        if self._freed_ns is not None and edge.at_ns - self._freed_ns < CHATTER_NS:""",
        """        if self._freed_ns is not None and edge.at_ns < self._freed_ns:""",
        "races",
        r"crossings_true.*NO \(",
    ),
    PlantedBug(
        "an average is rounded, not cut",
        "shared/rules/ranking.py",
        "    return total // NS_PER_MS, 0, -1",
        "    return round(total / NS_PER_MS), 0, -1",
        "races",
        r"laps_by_the_rules.*NO \(",
    ),
    PlantedBug(
        "laps count as consecutive although one between them failed",
        "shared/rules/ranking.py",
        """            in_a_row = 0
            continue
        in_a_row = in_a_row + 1 if in_a_row and lap.number == before + 1 else 1""",
        """            continue
        in_a_row += 1""",
        "races",
        r"laps_by_the_rules.*NO \(",
    ),
    PlantedBug(
        "penalties are not part of the lap",
        "shared/rules/ranking.py",
        "    return lap.lap_ns + off_track + collision + lap.penalty_ns",
        "    return lap.lap_ns + lap.penalty_ns",
        "races",
        r"laps_by_the_rules.*NO \(",
    ),
    PlantedBug(
        "each try of a post has an id of its own",
        "station/sync/webhook.py",
        "        headers |= signed_headers(self._key, result.webhook_id, self._utc_s(), body)",
        '        headers |= signed_headers(self._key, f"{result.webhook_id}.{self._utc_s():.3f}", self._utc_s(), body)',
        "posts",
        "Tally|assert",
    ),
    PlantedBug(
        "an answer that was lost counts as posted",
        "station/sync/syncer.py",
        "        answer = self._post(row)\n",
        """        answer = self._post(row)
        answer = PostRejected("lost", 0) if isinstance(answer, AnswerLost) else answer
""",
        "posts",
        "Tally|assert",
    ),
    PlantedBug(
        "the leaderboard forgets which posts it has answered",
        "leaderboard/stations/posting.py",
        """    if (receipt := result_rows.receipt(db, post.webhook_id)) is not None:
        return repeated(receipt, post.digest)
    body =""",
        "    body =",
        "posts",
        "Tally|assert|Timeout",
    ),
    PlantedBug(
        "an older revision of a result wins",
        "leaderboard/core/rank.py",
        "highest[attempt.result_id].revision < attempt.revision",
        "highest[attempt.result_id].revision > attempt.revision",
        "races",
        r"standings_agree.*NO \(",
    ),
    PlantedBug(
        "a lease never ends by itself",
        "vehicle/core/lease_clock.py",
        "        return 0 if self._until_ns is None else self._until_ns - now_ns",
        "        return 0 if self._until_ns is None else NS_PER_MS",
        "car faults",
        "wheels go on turning",
    ),
    PlantedBug(
        "the age of the newest frame is not looked at",
        "vehicle/core/frame_age.py",
        "    if frame_age_ns > safety.trip_ns:",
        "    if frame_age_ns > 1000 * safety.trip_ns:",
        "car faults",
        "wheels go on turning|beyond_ms|drove on by itself",
    ),
    PlantedBug(
        "nobody sets neutral when the guard is killed",
        "vehicle/guard/failsafe.py",
        """            prepared.set_neutral("the guard is dead")
            return""",
        "            return",
        "car faults",
        "wheels go on turning|beyond_ms|drove on by itself",
    ),
    PlantedBug(
        "nobody sets neutral when the guard hangs",
        "vehicle/guard/failsafe.py",
        '                prepared.set_neutral(f"the guard has been silent for {hang_ms} ms")',
        "                pass",
        "car faults",
        "wheels go on turning|beyond_ms|drove on by itself",
    ),
    PlantedBug(
        "a tripped car may be started again without a person's reset",
        "vehicle/core/modes.py",
        """    "tripped": {
        "stop": "tripped",""",
        """    "tripped": {
        "arm": "ready",
        "stop": "tripped",""",
        "modes",
        "assert|Refused|Falsifying",
    ),
    PlantedBug(
        "the broker is started without its access rules",
        "config/mosquitto.conf",
        "\nacl_file /etc/raceday/acl\n",
        "\n",
        "broker",
        "car-1",
    ),
    PlantedBug(
        "a policy may signal its guard",
        "vehicle/process/seccomp.py",
        """        ArgumentRule("kill", 0, (pid, *own_children), is_allowed=True),
""",
        "",
        "policy",
        "assert|Failed",
    ),
    PlantedBug(
        "a newer answer of the station wins although it answers an older heartbeat",
        "vehicle/core/lease_clock.py",
        "        if sent_ns is None or lease.heartbeat < self._answered:",
        "        if sent_ns is None:",
        "modes",
        "assert|Failed|Falsifying",
    ),
)
