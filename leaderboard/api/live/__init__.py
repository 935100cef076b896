"""The API of LIVE races: the queue, the winner, and what is heard from the track."""
