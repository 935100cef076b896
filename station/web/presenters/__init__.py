"""From views to the words and tables of the pages; no HTTP here."""
