"""Certificates of the machines of an event: the authority, what it issues and revokes, and the broker's files."""
