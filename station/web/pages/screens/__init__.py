"""The page of the screens: which there are, what each shows, scenes, messages and countdowns."""
