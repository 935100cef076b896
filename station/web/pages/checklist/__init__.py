"""The page of the checklists: lines that tick themselves by what the station sees, and lines that officials tick."""
