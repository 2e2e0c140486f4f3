"""The main channel."""
