"""A QMP monitor that answers for SPICE and passes the rest to QEMU."""
