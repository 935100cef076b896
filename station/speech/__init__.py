"""Speech on the station itself: sentences as WAV, for screens whose browser has no voice of its own."""
