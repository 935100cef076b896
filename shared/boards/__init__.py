"""Published leaderboards as other programs write them: their encodings, separators, headings and numbers."""
