"""The SPICE server: listeners, links, channels."""
