"""The pages on which a browser becomes somebody: claim, sign-in, pairing; and signing out."""
