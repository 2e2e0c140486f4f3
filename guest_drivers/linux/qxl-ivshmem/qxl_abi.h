/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qxl_abi.h: the QXL structures this driver uses, as qxl_dev.h and ipc_ring.h of the
 * SPICE protocol lay them out.  tests/system/test_guest_driver_build.py compares every
 * size and offset with the installed headers.
 *
 * Fields are little-endian and used as they are: the driver refuses to build for a
 * big-endian machine.
 */
#ifndef QXL_ABI_H
#define QXL_ABI_H

#ifdef __KERNEL__
#include <linux/types.h>
#ifdef __BIG_ENDIAN
#error "qxl_ivshmem needs a little-endian machine"
#endif
#endif

#define QXL_ROM_MAGIC 0x4f525851u /* "QXRO" */
#define QXL_RAM_MAGIC 0x41525851u /* "QXRA" */

enum qxl_io_port {
	QXL_IO_NOTIFY_OOM = 4,
	QXL_IO_RESET = 5,
	QXL_IO_MEMSLOT_ADD = 8,
	QXL_IO_CREATE_PRIMARY_ASYNC = 18,
	QXL_IO_DESTROY_PRIMARY_ASYNC = 19,
	QXL_IO_MONITORS_CONFIG_ASYNC = 24,
};

#define QXL_INTERRUPT_DISPLAY			(1u << 0)
#define QXL_INTERRUPT_CURSOR			(1u << 1)
#define QXL_INTERRUPT_IO_CMD			(1u << 2)
#define QXL_INTERRUPT_ERROR			(1u << 3)
#define QXL_INTERRUPT_CLIENT_MONITORS_CONFIG	(1u << 5)

enum qxl_cmd_type {
	QXL_CMD_DRAW = 1,
	QXL_CMD_CURSOR = 3,
};

enum qxl_cursor_cmd_type {
	QXL_CURSOR_SET = 0,
	QXL_CURSOR_MOVE = 1,
	QXL_CURSOR_HIDE = 2,
};

#define QXL_DRAW_COPY			3
#define QXL_EFFECT_OPAQUE		1
#define QXL_IMAGE_GROUP_DRIVER_DONT_CACHE 3
#define QXL_BITMAP_TOP_DOWN		(1u << 2)

/* enums.h of the SPICE protocol */
#define SPICE_CLIP_TYPE_NONE		0
#define SPICE_IMAGE_TYPE_BITMAP		0
#define SPICE_BITMAP_FMT_32BIT		8
#define SPICE_SURFACE_FMT_32_xRGB	32
#define SPICE_CURSOR_TYPE_ALPHA		0
#define SPICE_ROPD_OP_PUT		(1u << 3)

#define QXL_LOG_BUF_SIZE		4096
#define QXL_COMMAND_RING_SIZE		32
#define QXL_CURSOR_RING_SIZE		32
#define QXL_RELEASE_RING_SIZE		8
#define QXL_MAX_CLIENT_HEADS		64
#define QXL_CURSOR_DEVICE_DATA_SIZE	128

struct qxl_point16 {
	int16_t x, y;
} __attribute__((packed));

struct qxl_point {
	int32_t x, y;
} __attribute__((packed));

struct qxl_rect {
	int32_t top, left, bottom, right;
} __attribute__((packed));

struct qxl_urect {
	uint32_t top, left, bottom, right;
} __attribute__((packed));

struct qxl_client_monitors_config {
	uint16_t count;
	uint16_t padding;
	struct qxl_urect heads[QXL_MAX_CLIENT_HEADS];
} __attribute__((packed));

struct qxl_rom {
	uint32_t magic;
	uint32_t id;
	uint32_t update_id;
	uint32_t compression_level;
	uint32_t log_level;
	uint32_t mode;
	uint32_t modes_offset;
	uint32_t num_pages;
	uint32_t pages_offset;
	uint32_t draw_area_offset;
	uint32_t surface0_area_size;
	uint32_t ram_header_offset;
	uint32_t mm_clock;
	uint32_t n_surfaces;
	uint64_t flags;
	uint8_t slots_start;
	uint8_t slots_end;
	uint8_t slot_gen_bits;
	uint8_t slot_id_bits;
	uint8_t slot_generation;
	uint8_t client_present;
	uint8_t client_capabilities[58];
	uint32_t client_monitors_config_crc;
	struct qxl_client_monitors_config client_monitors_config;
} __attribute__((packed));

struct qxl_mem_slot {
	uint64_t mem_start;
	uint64_t mem_end;
} __attribute__((packed));

struct qxl_surface_create {
	uint32_t width;
	uint32_t height;
	int32_t stride;
	uint32_t format;
	uint32_t position;
	uint32_t mouse_mode;
	uint32_t flags;
	uint32_t type;
	uint64_t mem;
} __attribute__((packed));

struct qxl_command {
	uint64_t data;
	uint32_t type;
	uint32_t padding;
} __attribute__((packed));

struct qxl_ring_header {
	uint32_t num_items;
	uint32_t prod;
	uint32_t notify_on_prod;
	uint32_t cons;
	uint32_t notify_on_cons;
} __attribute__((packed));

struct qxl_command_ring {
	struct qxl_ring_header header;
	struct qxl_command items[QXL_COMMAND_RING_SIZE];
} __attribute__((packed));

struct qxl_release_ring {
	struct qxl_ring_header header;
	uint64_t items[QXL_RELEASE_RING_SIZE];
} __attribute__((packed));

struct qxl_ram {
	uint32_t magic;
	uint32_t int_pending;
	uint32_t int_mask;
	uint8_t log_buf[QXL_LOG_BUF_SIZE];
	struct qxl_command_ring cmd_ring;
	struct qxl_command_ring cursor_ring;
	struct qxl_release_ring release_ring;
	struct qxl_rect update_area;
	uint32_t update_surface;
	struct qxl_mem_slot mem_slot;
	struct qxl_surface_create create_surface;
	uint64_t flags;
	uint64_t monitors_config;
} __attribute__((packed, aligned(4)));

/* The driver's id on the way out, the next released one on the way back. */
union qxl_release_info {
	uint64_t id;
	uint64_t next;
} __attribute__((packed));

struct qxl_data_chunk {
	uint32_t data_size;
	uint64_t prev_chunk;
	uint64_t next_chunk;
	uint8_t data[];
} __attribute__((packed));

struct qxl_cursor {
	uint64_t unique;
	uint16_t type;
	uint16_t width;
	uint16_t height;
	uint16_t hot_spot_x;
	uint16_t hot_spot_y;
	uint32_t data_size;
	struct qxl_data_chunk chunk;
} __attribute__((packed));

struct qxl_cursor_cmd {
	union qxl_release_info release_info;
	uint8_t type;
	union {
		struct {
			struct qxl_point16 position;
			uint8_t visible;
			uint64_t shape;
		} __attribute__((packed)) set;
		struct qxl_point16 position;
	} __attribute__((packed)) u;
	uint8_t device_data[QXL_CURSOR_DEVICE_DATA_SIZE];
} __attribute__((packed));

struct qxl_clip {
	uint32_t type;
	uint64_t data;
} __attribute__((packed));

struct qxl_q_mask {
	uint8_t flags;
	struct qxl_point pos;
	uint64_t bitmap;
} __attribute__((packed));

struct qxl_copy {
	uint64_t src_bitmap;
	struct qxl_rect src_area;
	uint16_t rop_descriptor;
	uint8_t scale_mode;
	struct qxl_q_mask mask;
} __attribute__((packed));

struct qxl_drawable {
	union qxl_release_info release_info;
	uint32_t surface_id;
	uint8_t effect;
	uint8_t type;
	uint8_t self_bitmap;
	struct qxl_rect self_bitmap_area;
	struct qxl_rect bbox;
	struct qxl_clip clip;
	uint32_t mm_time;
	int32_t surfaces_dest[3];
	struct qxl_rect surfaces_rects[3];
	union {
		struct qxl_copy copy;
		uint8_t largest[68]; /* QXLRop3 and its like: the union's full size */
	} __attribute__((packed)) u;
} __attribute__((packed));

struct qxl_image_descriptor {
	uint64_t id;
	uint8_t type;
	uint8_t flags;
	uint32_t width;
	uint32_t height;
} __attribute__((packed));

struct qxl_bitmap {
	uint8_t format;
	uint8_t flags;
	uint32_t x;
	uint32_t y;
	uint32_t stride;
	uint64_t palette;
	uint64_t data;
} __attribute__((packed));

struct qxl_image {
	struct qxl_image_descriptor descriptor;
	struct qxl_bitmap bitmap;
} __attribute__((packed));

struct qxl_head {
	uint32_t id;
	uint32_t surface_id;
	uint32_t width;
	uint32_t height;
	uint32_t x;
	uint32_t y;
	uint32_t flags;
} __attribute__((packed));

struct qxl_monitors_config {
	uint16_t count;
	uint16_t max_allowed;
	struct qxl_head heads[];
} __attribute__((packed));

#endif /* QXL_ABI_H */
