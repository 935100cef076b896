"""The racers' page: who is entered, who has come, and the list as a file."""
