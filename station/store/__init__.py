"""What the station stores: the journal of inputs, facts and results due, its key, backups and repair."""
