"""The results of a race, for the screen and for paper: table, laps, rules, certificates, and files to take along."""
