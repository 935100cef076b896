"""The bridge of a stock car as a service of the station's machine: what was asked, its config, its plan of steps."""
