"""`raceday gate`: list, probe, watch, decode, record and play what gates and decoders send."""
