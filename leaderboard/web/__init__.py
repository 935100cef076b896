"""What the API and the pages share: who asks, request bodies, and posted forms."""
