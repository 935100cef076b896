"""Which run a crossing belongs to: with one car, with several cars, by transponder, and by an official's decision."""
