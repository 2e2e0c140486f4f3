"""Reaching a running VM: memory, doorbells, descriptors."""
