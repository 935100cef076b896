"""Who may do what at the station: people with roles, their sessions, and the paired devices."""
