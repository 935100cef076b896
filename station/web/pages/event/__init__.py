"""The event's page: the event, its races with their rules, which of them is on."""
