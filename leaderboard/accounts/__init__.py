"""Accounts: sign-up, sign-in, sessions, roles, API keys, and what happens to the data of an account."""
