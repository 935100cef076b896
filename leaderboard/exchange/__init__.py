"""Results in and out by file: published boards, the simulator's and the event manager's results, calendars, backups."""
