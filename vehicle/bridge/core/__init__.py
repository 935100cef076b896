"""The bridge's decisions, pure: leases, orders, the console's answers and the leash's states go in with their times."""
