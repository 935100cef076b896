"""How much of a request's body a web app takes, from whom, and for how long: one table per app, and its guard."""
