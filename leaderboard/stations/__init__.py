"""What stations send: results (posts.py, posting.py), their races (races.py), and who sent it (sender.py)."""
