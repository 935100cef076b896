"""The audit: who did what, when, on which device, and what it changed."""
