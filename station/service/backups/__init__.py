"""Backups made and restored in the browser: the work runs in a process of its own, so that timing never waits."""
