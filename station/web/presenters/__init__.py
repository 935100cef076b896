"""Turns views into the texts and tables of the pages; no HTTP here."""
