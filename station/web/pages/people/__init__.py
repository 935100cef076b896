"""The page of people, paired devices and open sessions."""
