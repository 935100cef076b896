"""What is logged of an error in a driver of `raceday.leaderboards`, which may be a stranger's."""


def driver_failed(error: Exception) -> str:
    """One sentence, safe for a log and a page."""
    text = "".join(sign for sign in str(error) if sign.isprintable())[:200]
    return f"The leaderboard's driver failed ({type(error).__name__}: {text})."
