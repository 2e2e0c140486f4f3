"""The inputs channel."""
