"""League boards as they are published: read with every score and place, and written again."""
