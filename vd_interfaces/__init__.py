"""What crosses between siblings: Protocols and value objects, no behaviour."""
