"""Who asks: what the routes of the API need of leaderboard/web/identity.py."""

from leaderboard.web.identity import CallerIdentification, RequestIdentification, check, check_sees

__all__ = ["CallerIdentification", "RequestIdentification", "check", "check_sees"]
