"""Protected pages by a certificate of the event's own authority, and what helps a phone to trust it."""
