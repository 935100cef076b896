"""The bridge: a stock car, whose own software stays, as a car of ours; run by `commands/bridge.py`."""
