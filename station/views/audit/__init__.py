"""Who did what at the station: the officials' commands as lines of the audit, made from the journal."""
