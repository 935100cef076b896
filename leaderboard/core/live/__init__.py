"""LIVE races as pure rules: the queue with its moves, the order, sectors, and which live message is the newest."""
