/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/*
 * qxl_ivshmem.h: how QXL displays and a VDI port lie in the shared memory (BAR2) of
 * an ivshmem-doorbell device.  Guest drivers and qxld both follow this file.
 *
 * All fields are little-endian; every offset counts from the start of BAR2.  "host"
 * and "guest" name the side that writes a field; the other side only reads it.
 *
 * A driver accepts the device when magic and version_major match and version_minor is
 * at least what it needs; fields are only ever appended, at header_size and at
 * display_desc_size.  A feature is used when both sides have its bit.
 *
 * Doorbells (guest to host): write (server_peer_id << 16 | vector) to the Doorbell
 * register of BAR0.  server_peer_id is read anew for every doorbell: it changes when
 * another qxld takes over.  Interrupts (host to guest) are MSI-X vectors; they are
 * level-like hints: a handler looks at int_pending, never counts.  The host never
 * interrupts on a vector that it does not name in this header at that moment, but
 * another qxld may name others (server_epoch changes first): a driver therefore
 * installs one handler, which looks at every display, on all vectors it can get.
 *
 * A driver's life:
 *   bind:   check magic and versions; write guest_features; set
 *           guest_status |= QXL_IVSHMEM_GUEST_DRIVER; request QXL_IO_RESET on every
 *           display through its I/O ring (all state left by a former driver, BIOS or
 *           kernel is gone when it returns); only then read QXLRom and the rings.
 *   unbind: request QXL_IO_RESET; guest_status &= ~QXL_IVSHMEM_GUEST_DRIVER.
 * A machine reset leaves BAR2 as it was.  The host, when it hears of one, clears
 * guest_features, guest_status, both counters of the I/O rings, RAM, VRAM and the VDI
 * port.
 */
#ifndef QXL_IVSHMEM_H
#define QXL_IVSHMEM_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#endif

#define QXL_IVSHMEM_MAGIC 0x444c5851u /* "QXLD" in memory */
#define QXL_IVSHMEM_VERSION_MAJOR 1
#define QXL_IVSHMEM_VERSION_MINOR 0

#define QXL_IVSHMEM_HEADER_OFFSET 0
#define QXL_IVSHMEM_HEADER_WINDOW 4096 /* reserved for the header */
#define QXL_IVSHMEM_MAX_DISPLAYS 16    /* descriptors fit the header window */

/* feature bits */
#define QXL_IVSHMEM_FEATURE_IO_RING (1u << 0)  /* I/O request rings (always set) */
#define QXL_IVSHMEM_FEATURE_VDI_PORT (1u << 1) /* the VDI port window is served */

/* guest_status bits */
#define QXL_IVSHMEM_GUEST_DRIVER (1u << 0) /* a display driver is bound */

/* One QXL display: what BARs 0 to 3 are to the PCI device. */
struct qxl_ivshmem_display {
    uint64_t rom_offset;  /* QXLRom and its mode table; host writes */
    uint64_t rom_size;
    uint64_t ram_offset;  /* drawing area; QXLRam at rom.ram_header_offset */
    uint64_t ram_size;
    uint64_t vram_offset; /* surfaces */
    uint64_t vram_size;
    uint64_t io_offset;   /* struct qxl_ivshmem_io_ring */
    uint32_t io_size;
    uint16_t notify_vector; /* doorbell: command and cursor rings have work */
    uint16_t io_vector;     /* doorbell: the I/O ring has requests */
    uint16_t irq_vector;    /* MSI-X vector: look at QXLRam.int_pending */
    uint16_t reserved[3];
};

struct qxl_ivshmem_header {
    uint32_t magic;          /* host, last of all at start */
    uint16_t version_major;  /* host */
    uint16_t version_minor;  /* host */
    uint32_t header_size;    /* host: sizeof(struct qxl_ivshmem_header) */
    uint32_t features;       /* host: QXL_IVSHMEM_FEATURE_* it offers */
    uint64_t size;           /* host: bytes of BAR2, a power of two */
    uint32_t server_peer_id; /* host: the ivshmem peer to ring */
    uint32_t server_epoch;   /* host: +1 whenever another qxld took over */
    uint32_t guest_features; /* guest: the features it uses */
    uint32_t guest_status;   /* guest: QXL_IVSHMEM_GUEST_* */
    uint64_t vdi_offset;     /* host: VDI port rings; meant if the feature is there */
    uint64_t vdi_size;       /* host */
    uint16_t vdi_vector;     /* doorbell of the VDI port */
    uint16_t vdi_irq_vector; /* MSI-X vector of the VDI port */
    uint16_t num_displays;        /* host */
    uint16_t display_desc_size;   /* host: sizeof(struct qxl_ivshmem_display) */
    uint32_t display_desc_offset; /* host: array of num_displays descriptors */
    uint32_t reserved;
};

/*
 * Memory slots.  QXLMemSlot.mem_start and mem_end are guest-physical addresses on a
 * PCI QXL; here they are offsets from the start of BAR2.  A slot must lie inside the
 * RAM or inside the VRAM window of its own display.
 */

/*
 * The I/O request ring: what the I/O ports of BAR3 are to a PCI QXL.  One producer
 * (the guest, which serialises its callers), one consumer (qxld).
 *
 *   guest: entry = entries[prod % ENTRIES]; entry->port, ->value filled; full barrier;
 *          prod += 1; full barrier; doorbell io_vector.
 *          It then waits until (int32_t)(done - my_index) > 0, where my_index is prod
 *          before the increment: the OUT instruction has returned.  It may spin first
 *          and sleep later; it gives up after QXL_IVSHMEM_IO_TIMEOUT_MS (no qxld).
 *   host:  executes entries in order; writes entry->status; full barrier; done += 1.
 *
 * A driver takes its first index from prod as it finds it (the counters survive the
 * driver).  The host reads port and value once, and knows done without reading it.
 * If it finds prod - done > ENTRIES the guest has broken the ring: it executes
 * nothing and sets done = prod, so that nobody waits for ever.
 *
 * A synchronous port's work is finished when done passes its index.  An *_ASYNC port
 * returns at once; QXL_INTERRUPT_IO_CMD says when its work is finished.
 * QXL_IO_NOTIFY_CMD and QXL_IO_NOTIFY_CURSOR need no entry: they are the doorbell
 * notify_vector.
 */
#define QXL_IVSHMEM_IO_ENTRIES 64 /* a power of two; the guest never has more in flight */
#define QXL_IVSHMEM_IO_TIMEOUT_MS 5000

#define QXL_IVSHMEM_IO_OK 0
#define QXL_IVSHMEM_IO_EINVAL 1 /* illegal port, mode or argument: nothing was done */

struct qxl_ivshmem_io_entry {
    uint32_t port;   /* QXL_IO_* of qxl_dev.h */
    uint32_t value;  /* what OUT would carry, 0..255 */
    uint32_t status; /* host: QXL_IVSHMEM_IO_OK or _EINVAL */
    uint32_t reserved;
};

struct qxl_ivshmem_io_ring {
    uint32_t prod; /* guest: free-running count of requests made */
    uint32_t reserved0[15];
    uint32_t done; /* host: free-running count of requests finished */
    uint32_t reserved1[15];
    struct qxl_ivshmem_io_entry entries[QXL_IVSHMEM_IO_ENTRIES];
};

/*
 * The VDI port: a stream of bytes each way between a program in the guest, usually
 * spice-vdagentd, and qxld.  struct qxl_ivshmem_vdi lies at vdi_offset if the header
 * offers QXL_IVSHMEM_FEATURE_VDI_PORT.
 *
 * It is the VDIPortRam that spice-protocol once had (vdi_dev.h), with these changes.
 * No I/O ports: opening is two words of memory.  Rings of bytes, not of 32 packets of
 * 504 bytes: an agent's chunk of 2056 bytes takes what it needs instead of five packets
 * with a generation and a length to distrust in each, and either side moves all there
 * is in one copy, however the writer cut it.  No guest with a driver for the old device
 * is left, so nothing is lost by it.
 *
 * Opening.  guest_open is 0, or the number of this opening: never 0, never twice the
 * same in a row.  The guest sets it, rings vdi_vector, and leaves everything else
 * alone until host_open is the same number; it rings again when that takes long.
 * Then generation says whether it is connected:
 *   not 0: it is, from now on, with empty rings.  The guest remembers the number.
 *   0:     nobody serves the port now.  It may become another number at any time.
 * As soon as generation is not the number remembered the host has ended the
 * connection, whoever else it serves by then: the guest may read what lies in the
 * input ring, and opens anew (with another guest_open) to be connected again.
 * The host resets the rings, writes generation and then host_open.
 *
 * Closing.  guest_open = 0 and a doorbell.  The host still takes what lies in the
 * output ring; what lies in the input ring is lost.
 *
 * Rings follow ipc_ring.h with bytes as items.  The guest produces into output and
 * consumes from input, the host the other way round.  Both sides move many bytes at
 * once, so a notification is due if notify_on_* lies in (old index, new index]; a
 * producer that finds the ring full waits for half of it to be free (notify_on_cons =
 * prod - QXL_IVSHMEM_VDI_RING_SIZE / 2), lest it be woken for every byte.  The guest
 * notifies with vdi_vector; the host sets int_pending and interrupts on
 * vdi_irq_vector, if int_mask allows.  Who finds prod - cons > QXL_IVSHMEM_VDI_RING_SIZE
 * takes the connection for ended.
 */
#define QXL_IVSHMEM_VDI_MAGIC 0x50494456u /* "VDIP" in memory */
#define QXL_IVSHMEM_VDI_RING_SIZE 65536
#define QXL_IVSHMEM_VDI_INTERRUPT (1u << 0) /* int_pending, int_mask: look at the port */

struct qxl_ivshmem_vdi_ring {
    uint32_t num_items; /* host: QXL_IVSHMEM_VDI_RING_SIZE */
    uint32_t prod;
    uint32_t notify_on_prod;
    uint32_t cons;
    uint32_t notify_on_cons;
    uint8_t items[QXL_IVSHMEM_VDI_RING_SIZE];
};

struct qxl_ivshmem_vdi {
    uint32_t magic;       /* host, last of all at start */
    uint32_t generation;  /* host: the connection that is alive, 0 is none */
    uint32_t int_pending; /* host sets, guest clears */
    uint32_t int_mask;    /* guest */
    uint32_t guest_open;  /* guest: number of the opening, 0 is closed */
    uint32_t host_open;   /* host: the opening it has answered */
    uint32_t reserved[10];
    struct qxl_ivshmem_vdi_ring input;  /* into the guest */
    struct qxl_ivshmem_vdi_ring output; /* out of the guest */
};

#endif /* QXL_IVSHMEM_H */
