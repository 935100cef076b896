"""How close the mock world comes to the real simulator: its picture beside real frames, its car beside traces."""
