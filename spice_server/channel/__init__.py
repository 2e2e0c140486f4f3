"""What all channels share: framing, acks, pipes."""
