"""The cars as the station leads them: who owns a name, orders and leases, and what the pages show of each."""
