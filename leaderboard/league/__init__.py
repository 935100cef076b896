"""Services of the league over the store: who sees which race, entries, invitations, community races."""
