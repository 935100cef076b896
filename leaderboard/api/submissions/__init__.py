"""/api/v1/models, /uploads and /submissions: models of racers, and what becomes of them in virtual races."""
