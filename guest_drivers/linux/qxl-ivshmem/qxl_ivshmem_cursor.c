// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pointers become QXLCursorCmd.
 *
 * A desktop shows the same few shapes again and again, each time in a new framebuffer.
 * The last ones are kept, so that a shape seen before gets its QXLCursorHeader.unique
 * again and clients find it in their caches.
 */

#include <linux/align.h>
#include <linux/err.h>
#include <linux/iosys-map.h>
#include <linux/random.h>
#include <linux/string.h>

#include <drm/drm_format_helper.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_managed.h>

#include "qxl_ivshmem_drv.h"

#define SHAPE_OFFSET		ALIGN(sizeof(struct qxl_cursor_cmd), 8)
#define SHAPE_BYTES		(QXL_CURSOR_SIZE * QXL_CURSOR_SIZE * 4)

struct qxl_cursor_shape {
	u64 unique;		/* 0: not in use */
	struct qxl_cursor header;
	u8 pixels[SHAPE_BYTES];
};

static bool same_shape(const struct qxl_cursor_shape *kept, const struct qxl_cursor *shape,
		       u32 bytes)
{
	return kept->unique && !memcmp(&kept->header, shape, sizeof(*shape)) &&
	       !memcmp(kept->pixels, shape->chunk.data, bytes);
}

/* The cache key of @shape, whose own is still 0 and who has @bytes of pixels. */
static u64 shape_unique(struct qxl_display *display, const struct qxl_cursor *shape,
			u32 bytes)
{
	struct qxl_cursor_shape *kept;
	unsigned int i;

	for (i = 0; i < QXL_CURSOR_SHAPES; i++)
		if (same_shape(&display->cursor_shapes[i], shape, bytes))
			return display->cursor_shapes[i].unique;
	kept = &display->cursor_shapes[display->cursor_unique % QXL_CURSOR_SHAPES];
	kept->unique = ++display->cursor_unique;
	memcpy(&kept->header, shape, sizeof(*shape));
	memcpy(kept->pixels, shape->chunk.data, bytes);
	return kept->unique;
}

static struct qxl_cursor_cmd *cursor_alloc(struct qxl_display *display, u64 size, u8 type,
					   struct qxl_release **release)
{
	struct qxl_cursor_cmd *cmd;
	u64 id;

	*release = qxl_cmd_alloc(display, size);
	if (IS_ERR(*release))
		return ERR_CAST(*release);
	cmd = qxl_cmd_memory(display, *release);
	id = cmd->release_info.id;
	memset(cmd, 0, sizeof(*cmd));
	cmd->release_info.id = id;
	cmd->type = type;
	return cmd;
}

static int cursor_push(struct qxl_display *display, struct qxl_release *release)
{
	return qxl_cmd_push(display, &display->ram->cursor_ring, QXL_CMD_CURSOR, release);
}

/**
 * qxl_draw_cursor - show a pointer
 * @display: the display
 * @fb: an ARGB8888 framebuffer, premultiplied, QXL_CURSOR_SIZE pixels wide at most
 * @map: its pixels
 * @x: hot spot's column on the screen
 * @y: hot spot's row on the screen
 * @hot_x: hot spot's column in @fb
 * @hot_y: hot spot's row in @fb
 *
 * Return: 0, or why it is not shown.
 */
int qxl_draw_cursor(struct qxl_display *display, struct drm_framebuffer *fb,
		    const struct iosys_map *map, int x, int y, int hot_x, int hot_y)
{
	struct drm_rect all = DRM_RECT_INIT(0, 0, fb->width, fb->height);
	unsigned int stride = fb->width * 4;
	u32 bytes = stride * fb->height;
	struct qxl_release *release;
	struct qxl_cursor_cmd *cmd;
	struct qxl_cursor *shape;
	struct iosys_map pixels;

	cmd = cursor_alloc(display, SHAPE_OFFSET + sizeof(*shape) + bytes, QXL_CURSOR_SET,
			   &release);
	if (IS_ERR(cmd))
		return PTR_ERR(cmd);
	shape = (void *)cmd + SHAPE_OFFSET;
	memset(shape, 0, sizeof(*shape));
	shape->type = SPICE_CURSOR_TYPE_ALPHA;
	shape->width = fb->width;
	shape->height = fb->height;
	shape->hot_spot_x = hot_x;
	shape->hot_spot_y = hot_y;
	shape->data_size = bytes;
	shape->chunk.data_size = bytes;
	iosys_map_set_vaddr(&pixels, shape->chunk.data);
	drm_fb_memcpy(&pixels, &stride, map, fb, &all);
	shape->unique = shape_unique(display, shape, bytes);

	cmd->u.set.position.x = x;
	cmd->u.set.position.y = y;
	cmd->u.set.visible = 1;
	cmd->u.set.shape = qxl_ram_address(display, shape);
	return cursor_push(display, release);
}

/* Put the pointer's hot spot at (@x, @y). */
int qxl_move_cursor(struct qxl_display *display, int x, int y)
{
	struct qxl_release *release;
	struct qxl_cursor_cmd *cmd;

	cmd = cursor_alloc(display, sizeof(*cmd), QXL_CURSOR_MOVE, &release);
	if (IS_ERR(cmd))
		return PTR_ERR(cmd);
	cmd->u.position.x = x;
	cmd->u.position.y = y;
	return cursor_push(display, release);
}

int qxl_hide_cursor(struct qxl_display *display)
{
	struct qxl_release *release;
	struct qxl_cursor_cmd *cmd;

	cmd = cursor_alloc(display, sizeof(*cmd), QXL_CURSOR_HIDE, &release);
	if (IS_ERR(cmd))
		return PTR_ERR(cmd);
	return cursor_push(display, release);
}

int qxl_cursor_init(struct qxl_display *display)
{
	/* Clients may still hold shapes of an earlier driver under its small numbers. */
	display->cursor_unique = get_random_u64();
	display->cursor_shapes = drmm_kcalloc(&display->drm, QXL_CURSOR_SHAPES,
					      sizeof(*display->cursor_shapes), GFP_KERNEL);
	return display->cursor_shapes ? 0 : -ENOMEM;
}
