"""Wire tables and structures of SPICE, QXL and the VDI port; no I/O."""
