"""What surrounds a run: its sectors and uncounted crossings, announcements, start lights and stop button."""
