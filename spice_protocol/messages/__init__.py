"""The messages of each SPICE channel, one table per channel."""
