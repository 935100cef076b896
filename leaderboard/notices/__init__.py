"""Notices: what happens in races, sent as signed webhooks to whoever subscribed. At least once, in order."""
