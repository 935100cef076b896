"""Pages of submissions: a racer submits and watches, officials see all of a race."""
