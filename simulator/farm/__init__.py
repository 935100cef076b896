"""`raceday farm`: claims runs of virtual races from a leaderboard, drives them in children, and reports them."""
