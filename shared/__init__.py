"""The ground: the words that the machines say to each other, and the one wire."""
