"""The VDI port in shared memory: a stream of bytes to and from the guest's agent."""
