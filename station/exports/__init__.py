"""Results and queue in other people's forms: CSV, JSON, iCal, QR. Pure functions from views to text."""
