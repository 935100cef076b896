"""What a run in the virtual circuit leaves behind: its trace, and the field's own files made from it."""
