"""How one gets in: signing up, signing in, passkeys, passphrases, recovery codes, and the limits of trying."""
