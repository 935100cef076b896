"""What stands or drives on the track beside the car: boxes and bots, and how they are placed, met and measured."""
