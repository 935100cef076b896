"""Pages about who takes part: the wizard of a community race, its link, joining, participants."""
