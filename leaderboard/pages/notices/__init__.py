"""The page on which a race's organiser names receivers of notices."""
