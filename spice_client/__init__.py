"""A headless SPICE client."""
