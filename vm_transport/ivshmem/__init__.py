"""The ivshmem-doorbell transport: qxld is its server and a peer."""
