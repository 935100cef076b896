"""The big screen in the hall: standings, run, queue, winner; what it shows is chosen on the page of the screens."""
