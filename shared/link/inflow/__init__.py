"""What comes in from the broker, before a message is read: packets are framed, and each sender has its rate."""
