"""The commentator's page."""
