/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qxl_ivshmem: a QXL display whose BARs lie in the shared memory of an ivshmem-doorbell
 * device (see qxl_ivshmem.h for the layout).
 *
 * One struct qxl_ivshmem per PCI function, one struct qxl_display, which is one
 * drm_device, per display that the header describes.
 *
 *	qxl_ivshmem_drv.c	PCI: find the device, map it, displays' lifetimes, PM
 *	qxl_ivshmem_display.c	a display's windows, reset, memory slots, recovery
 *	qxl_ivshmem_io.c	the I/O request ring: what OUT is on a PCI QXL
 *	qxl_ivshmem_irq.c	MSI-X and what int_pending asks for
 *	qxl_ivshmem_cmd.c	command rings, release ring, memory of commands
 *	qxl_ivshmem_draw.c	pixels become draw commands
 *	qxl_ivshmem_cursor.c	pointers become cursor commands
 *	qxl_ivshmem_plane.c	primary and cursor planes
 *	qxl_ivshmem_connector.c	connectors, modes, the client's wishes
 *	qxl_ivshmem_layout.c	where heads lie on the primary surface
 *	qxl_ivshmem_primary.c	the primary surface that holds them
 *	qxl_ivshmem_kms.c	CRTCs, encoders, the DRM driver
 *	qxl_ivshmem_vdi.c	the VDI port's character device
 */
#ifndef QXL_IVSHMEM_DRV_H
#define QXL_IVSHMEM_DRV_H

#include <linux/completion.h>
#include <linux/io.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_connector.h>
#include <drm/drm_crtc.h>
#include <drm/drm_device.h>
#include <drm/drm_encoder.h>
#include <drm/drm_mm.h>
#include <drm/drm_plane.h>
#include <drm/drm_rect.h>

#include "qxl_abi.h"
#include "qxl_ivshmem.h"

#define QXL_NAME		"qxl_ivshmem"
#define QXL_MAX_VECTORS		64	/* handlers installed; the host names few of them */
#define QXL_MAX_COMMANDS	256	/* in flight: rings hold 64, the host a queue more */
#define QXL_CURSOR_SIZE		64	/* pixels; what every client and compositor takes */
#define QXL_CURSOR_SHAPES	8	/* a desktop's usual pointers */
#define QXL_MAX_SIZE		8192	/* pixels of a side of a mode */
#define QXL_MAX_DESKTOP		16384	/* pixels of a side of a framebuffer: several heads */
#define QXL_MAX_HEADS		4	/* what clients and agents handle */

struct iosys_map;
struct qxl_cursor_shape;
struct qxl_vdi;

/* Memory of one command, ours until the release ring names it. */
struct qxl_release {
	struct drm_mm_node node;
	u32 sequence;
};

/* A piece of BAR2: kernel address and size. */
struct qxl_window {
	void *base;
	u64 size;
};

/* What the client asked for, under mode_config.mutex. */
struct qxl_wish {
	bool on;
	u32 x, y, width, height;
};

/* A monitor: a part of the display's primary surface. */
struct qxl_output {
	struct qxl_display *display;
	unsigned int index;
	struct drm_plane primary, cursor;
	struct drm_crtc crtc;
	struct drm_encoder encoder;
	struct drm_connector connector;
	struct qxl_wish wish;
	struct drm_rect place;		/* on the primary surface; not visible: off */
	struct drm_rect undrawn;	/* damage that found no room; commit only */
};

struct qxl_display {
	struct drm_device drm;
	struct qxl_ivshmem *parent;
	unsigned int index;
	u16 notify_vector;
	u16 io_vector;

	struct qxl_window rom_window, ram_window, vram_window;
	u64 ram_offset, vram_offset;	/* in BAR2 */
	u64 heap_size;			/* of the RAM window, up to QXLRam */
	struct qxl_rom *rom;
	struct qxl_ram *ram;		/* NULL until the first reset */
	u64 ram_slot, vram_slot;	/* id and generation, as in a QXLPHYSICAL */

	/* I/O request ring */
	struct qxl_ivshmem_io_ring *io;
	struct mutex io_lock;		/* one request at a time */
	struct mutex async_lock;	/* one asynchronous port at a time */
	struct completion io_cmd;	/* QXL_INTERRUPT_IO_CMD */
	u32 io_prod;
	bool stalled;			/* a request timed out and is still open */
	struct delayed_work recover_work;

	/* Commands */
	struct mutex mm_lock;		/* heap, releases, consumer of the release ring */
	struct mutex ring_lock;		/* producer of the command and cursor rings */
	struct drm_mm heap;		/* of the RAM window */
	struct qxl_release *releases[QXL_MAX_COMMANDS];
	u32 release_sequence;
	u32 image_unique;
	struct qxl_cursor_shape *cursor_shapes;	/* QXL_CURSOR_SHAPES of them */
	u64 cursor_unique;
	bool congested;			/* a wait for ring or memory was in vain */
	wait_queue_head_t ring_wait;	/* QXL_INTERRUPT_DISPLAY or _CURSOR */
	struct work_struct release_work;

	/* Modes */
	struct qxl_output heads[QXL_MAX_HEADS];
	unsigned int num_heads;
	struct drm_property *hotplug_property;
	bool sizing_fbdev;		/* head 0 shows the fbdev_size mode only */
	bool has_primary;
	struct mutex cursor_lock;	/* heads share one pointer */
	struct qxl_output *cursor_head;	/* who shows it */
	bool cursor_stale;		/* its last command found no room */
	struct delayed_work redraw_work;
	struct work_struct client_config_work;
};

struct qxl_ivshmem {
	struct pci_dev *pdev;
	void __iomem *registers;	/* BAR0 */
	struct qxl_ivshmem_header *header;
	struct qxl_window bar2;
	unsigned int num_vectors;
	unsigned int num_displays;
	struct qxl_display *displays[QXL_IVSHMEM_MAX_DISPLAYS];
	struct qxl_vdi *vdi;		/* NULL if the host has no VDI port */
};

static inline struct qxl_display *to_qxl_display(struct drm_device *drm)
{
	return container_of(drm, struct qxl_display, drm);
}

/* qxl_ivshmem_drv.c */
void qxl_ring_doorbell(struct qxl_ivshmem *qxl, u16 vector);

/* qxl_ivshmem_display.c */
int qxl_display_init(struct qxl_display *display,
		     const struct qxl_ivshmem_display *desc);
int qxl_display_reset(struct qxl_display *display);
void qxl_display_fini(struct qxl_display *display);
int qxl_display_suspend(struct qxl_display *display);
int qxl_display_resume(struct qxl_display *display);
u64 qxl_ram_address(struct qxl_display *display, const void *pointer);
bool qxl_window(struct qxl_ivshmem *qxl, u64 offset, u64 size, struct qxl_window *window);

/* qxl_ivshmem_io.c */
void qxl_io_init(struct qxl_display *display);
int qxl_io(struct qxl_display *display, u32 port, u32 value);
int qxl_io_async(struct qxl_display *display, u32 port, u32 value);

/* qxl_ivshmem_irq.c */
int qxl_irq_init(struct qxl_ivshmem *qxl);
void qxl_irq_enable(struct qxl_display *display);
void qxl_irq_disable(struct qxl_display *display);
void qxl_irq_synchronize(struct qxl_ivshmem *qxl);

/* qxl_ivshmem_cmd.c */
int qxl_cmd_init(struct qxl_display *display);
void qxl_cmd_forget(struct qxl_display *display);
void qxl_cmd_collect(struct qxl_display *display);
struct qxl_release *qxl_cmd_alloc(struct qxl_display *display, u64 size);
void qxl_cmd_free(struct qxl_display *display, struct qxl_release *release);
void *qxl_cmd_memory(struct qxl_display *display, const struct qxl_release *release);
int qxl_cmd_push(struct qxl_display *display, struct qxl_command_ring *ring, u32 type,
		 struct qxl_release *release);

/* qxl_ivshmem_draw.c */
int qxl_draw_copy(struct qxl_display *display, struct drm_framebuffer *fb,
		  const struct iosys_map *map, const struct drm_rect *source,
		  int x, int y);

/* qxl_ivshmem_cursor.c */
int qxl_cursor_init(struct qxl_display *display);
int qxl_draw_cursor(struct qxl_display *display, struct drm_framebuffer *fb,
		    const struct iosys_map *map, int x, int y, int hot_x, int hot_y);
int qxl_move_cursor(struct qxl_display *display, int x, int y);
int qxl_hide_cursor(struct qxl_display *display);

/* qxl_ivshmem_plane.c */
void qxl_planes_init(struct qxl_display *display);
int qxl_plane_init(struct qxl_output *head);

/* qxl_ivshmem_connector.c */
int qxl_connectors_init(struct qxl_display *display);
int qxl_connector_init(struct qxl_output *head);
void qxl_read_client_config(struct qxl_display *display);
bool qxl_mode_fits(struct qxl_display *display, u32 width, u32 height);
bool qxl_fbdev_size(struct qxl_display *display, u32 *width, u32 *height);

/* qxl_ivshmem_layout.c */
void qxl_crtc_reset(struct drm_crtc *crtc);
struct drm_crtc_state *qxl_crtc_duplicate_state(struct drm_crtc *crtc);
void qxl_crtc_destroy_state(struct drm_crtc *crtc, struct drm_crtc_state *state);
int qxl_layout_check(struct qxl_display *display, struct drm_atomic_state *state);
const struct drm_rect *qxl_crtc_place(struct drm_crtc_state *state);

/* qxl_ivshmem_primary.c */
void qxl_layout_commit(struct qxl_display *display, struct drm_atomic_state *state);

/* qxl_ivshmem_kms.c */
extern const struct drm_driver qxl_drm_driver;
int qxl_kms_init(struct qxl_display *display);
void qxl_kms_start(struct qxl_display *display);
void qxl_kms_stop(struct qxl_display *display);

/* qxl_ivshmem_vdi.c */
int qxl_vdi_init(struct qxl_ivshmem *qxl);
void qxl_vdi_fini(struct qxl_ivshmem *qxl);
void qxl_vdi_interrupt(struct qxl_vdi *vdi);

#endif /* QXL_IVSHMEM_DRV_H */
