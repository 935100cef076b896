"""Calls about a race's board beside its standing: the history of places, and the JSON for other sites."""
