"""What runs on the laptop: local hub, virtual board, demo."""
