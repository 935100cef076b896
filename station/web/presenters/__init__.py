"""From views to the texts and tables of the pages; no HTTP here."""
