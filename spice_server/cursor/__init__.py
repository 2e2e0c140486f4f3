"""The cursor channel."""
