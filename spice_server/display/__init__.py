"""The display channel and its worker."""
