"""The station's pages: a live page for everybody, controls for the officials, and the API behind both."""
