"""The gates' page, for those who set up and watch the gates."""
