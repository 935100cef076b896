"""What the checklists learn from the running station by themselves."""
