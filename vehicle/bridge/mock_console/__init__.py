"""The console of a stock car, without the car: `raceday bridge mock-console`, and the peer of the bridge's tests."""
