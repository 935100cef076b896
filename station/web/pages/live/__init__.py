"""The live page, for everybody at the track."""
