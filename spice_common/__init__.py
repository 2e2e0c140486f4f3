"""The C core and its thin wrappers: rings, regions, canvas, messages."""
