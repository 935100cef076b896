"""The organiser's desk: races, series, seasons and events, and the page of an event."""
