"""The page of a training, `progress.html`: what it shows, its curves, and the files of it, one for each language."""
