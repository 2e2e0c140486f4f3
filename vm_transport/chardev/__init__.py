"""Byte streams of the guest's that QEMU hands out as sockets (``-chardev socket``)."""
