"""The calls about who takes part in a race: entries and invitations."""
