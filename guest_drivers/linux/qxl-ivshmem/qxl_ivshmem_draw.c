// SPDX-License-Identifier: GPL-2.0-or-later
/* Pixels become QXLDrawable DRAW_COPY. */

#include <linux/align.h>
#include <linux/err.h>
#include <linux/iosys-map.h>
#include <linux/string.h>

#include <drm/drm_format_helper.h>
#include <drm/drm_framebuffer.h>

#include "qxl_ivshmem_drv.h"

/* Where the parts of a DRAW_COPY lie in its memory; pixels are aligned for copying. */
#define COPY_IMAGE_OFFSET	ALIGN(sizeof(struct qxl_drawable), 8)
#define COPY_PIXELS_OFFSET	ALIGN(COPY_IMAGE_OFFSET + sizeof(struct qxl_image) + \
				      sizeof(struct qxl_data_chunk), 64)
#define COPY_CHUNK_OFFSET	(COPY_PIXELS_OFFSET - sizeof(struct qxl_data_chunk))

/* A command takes a quarter of the heap at most: others must fit beside it. */
static int max_rows(struct qxl_display *display, u32 stride)
{
	u32 rows = display->heap_size / 4 / stride;

	return max_t(u32, rows, 1);
}

static void fill_image(struct qxl_display *display, void *memory, u32 width, u32 height)
{
	struct qxl_image *image = memory + COPY_IMAGE_OFFSET;
	struct qxl_data_chunk *chunk = memory + COPY_CHUNK_OFFSET;

	memset(image, 0, sizeof(*image));
	image->descriptor.id = (u64)++display->image_unique << 32 |
			       QXL_IMAGE_GROUP_DRIVER_DONT_CACHE;
	image->descriptor.type = SPICE_IMAGE_TYPE_BITMAP;
	image->descriptor.width = width;
	image->descriptor.height = height;
	image->bitmap.format = SPICE_BITMAP_FMT_32BIT;
	image->bitmap.flags = QXL_BITMAP_TOP_DOWN;
	image->bitmap.x = width;
	image->bitmap.y = height;
	image->bitmap.stride = width * 4;
	image->bitmap.data = qxl_ram_address(display, chunk);

	memset(chunk, 0, sizeof(*chunk));
	chunk->data_size = width * 4 * height;
}

static void fill_drawable(struct qxl_display *display, void *memory,
			  const struct qxl_rect *box)
{
	struct qxl_drawable *drawable = memory;
	u64 id = drawable->release_info.id;
	unsigned int i;

	memset(drawable, 0, sizeof(*drawable));
	drawable->release_info.id = id;
	drawable->effect = QXL_EFFECT_OPAQUE;
	drawable->type = QXL_DRAW_COPY;
	drawable->bbox = *box;
	drawable->clip.type = SPICE_CLIP_TYPE_NONE;
	drawable->mm_time = READ_ONCE(display->rom->mm_clock);
	for (i = 0; i < ARRAY_SIZE(drawable->surfaces_dest); i++)
		drawable->surfaces_dest[i] = -1;
	drawable->u.copy.src_bitmap = qxl_ram_address(display, memory + COPY_IMAGE_OFFSET);
	drawable->u.copy.src_area.right = box->right - box->left;
	drawable->u.copy.src_area.bottom = box->bottom - box->top;
	drawable->u.copy.rop_descriptor = SPICE_ROPD_OP_PUT;
}

static int draw_band(struct qxl_display *display, struct drm_framebuffer *fb,
		     const struct iosys_map *map, const struct drm_rect *source,
		     int x, int y)
{
	u32 width = drm_rect_width(source), height = drm_rect_height(source);
	struct qxl_rect box = { .top = y, .left = x, .bottom = y + height, .right = x + width };
	unsigned int stride = width * 4;
	struct qxl_release *release;
	struct iosys_map pixels;
	void *memory;

	release = qxl_cmd_alloc(display, COPY_PIXELS_OFFSET + (u64)stride * height);
	if (IS_ERR(release))
		return PTR_ERR(release);
	memory = qxl_cmd_memory(display, release);
	fill_drawable(display, memory, &box);
	fill_image(display, memory, width, height);
	iosys_map_set_vaddr(&pixels, memory + COPY_PIXELS_OFFSET);
	drm_fb_memcpy(&pixels, &stride, map, fb, source);
	return qxl_cmd_push(display, &display->ram->cmd_ring, QXL_CMD_DRAW, release);
}

/**
 * qxl_draw_copy - copy a rectangle of a framebuffer onto the primary surface
 * @display: the display
 * @fb: an XRGB8888 framebuffer
 * @map: its pixels
 * @source: the rectangle in @fb
 * @x: where its left column goes
 * @y: where its top row goes
 *
 * Return: 0, or why some of it was not drawn.
 */
int qxl_draw_copy(struct qxl_display *display, struct drm_framebuffer *fb,
		  const struct iosys_map *map, const struct drm_rect *source,
		  int x, int y)
{
	int rows = max_rows(display, drm_rect_width(source) * 4);
	struct drm_rect band = *source;
	int ret = 0;

	while (!ret && band.y1 < source->y2) {
		band.y2 = min(band.y1 + rows, source->y2);
		ret = draw_band(display, fb, map, &band, x, y + band.y1 - source->y1);
		band.y1 = band.y2;
	}
	return ret;
}
