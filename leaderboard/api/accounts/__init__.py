"""The calls about accounts: sign-up, sessions, passkeys, one's own account, keys, roles, audit."""
