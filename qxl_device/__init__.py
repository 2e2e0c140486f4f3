"""The QXL display device, whatever carries it to the guest."""
