"""What organisers set of a season in the browser: its rules, teams and racers, its brackets, its archive."""
