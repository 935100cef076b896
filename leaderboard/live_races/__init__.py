"""LIVE races over the store: the queue as officials run it, and what is heard from the track."""
