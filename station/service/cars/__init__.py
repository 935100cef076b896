"""The cars that the station controls: who owns a name, orders and leases, and what the pages show of each car."""
