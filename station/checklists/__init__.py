"""The checklists of an event: their lines, and what is on file of them beside the journal."""
