"""Models of racers and their submissions to virtual races: uploads, files, states, quotas. For api/ and pages/."""
