"""LIVE virtual races: turns that farms drive in real time before an audience."""
