"""What an installation writes onto a machine, as pure functions from settings and facts to texts."""
