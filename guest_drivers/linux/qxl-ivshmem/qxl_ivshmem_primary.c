// SPDX-License-Identifier: GPL-2.0-or-later
/* The primary surface, which holds all heads, and the word to the device where they lie. */

#include <linux/string.h>

#include <drm/drm_atomic.h>
#include <drm/drm_drv.h>
#include <drm/drm_print.h>

#include "qxl_ivshmem_drv.h"

static int create_primary(struct qxl_display *display, u32 width, u32 height)
{
	struct qxl_surface_create *create = &display->ram->create_surface;

	memset(create, 0, sizeof(*create));
	create->width = width;
	create->height = height;
	create->stride = width * 4;
	create->format = SPICE_SURFACE_FMT_32_xRGB;
	create->mem = display->vram_slot;
	return qxl_io_async(display, QXL_IO_CREATE_PRIMARY_ASYNC, 0);
}

static int send_monitors_config(struct qxl_display *display)
{
	/* The heap begins behind it: see qxl_ivshmem_cmd.c. */
	struct qxl_monitors_config *config = display->ram_window.base;
	struct qxl_output *head;

	memset(config, 0, sizeof(*config) + QXL_MAX_HEADS * sizeof(config->heads[0]));
	config->max_allowed = display->num_heads;
	for (head = display->heads; head < display->heads + display->num_heads; head++) {
		if (!drm_rect_visible(&head->place))
			continue;
		config->heads[config->count++] = (struct qxl_head){
			.id = head->index,
			.width = drm_rect_width(&head->place),
			.height = drm_rect_height(&head->place),
			.x = head->place.x1,
			.y = head->place.y1,
		};
	}
	display->ram->monitors_config = qxl_ram_address(display, config);
	return qxl_io_async(display, QXL_IO_MONITORS_CONFIG_ASYNC, 0);
}

/* Take the places over; whether they are what is shown already. */
static bool take_places(struct qxl_display *display, struct drm_atomic_state *state)
{
	bool same = true;
	unsigned int i;

	for (i = 0; i < display->num_heads; i++) {
		struct qxl_output *head = &display->heads[i];
		struct drm_crtc_state *crtc_state =
			drm_atomic_get_new_crtc_state(state, &head->crtc);
		const struct drm_rect *place;

		if (!crtc_state)
			return true;	/* what moves one touches all */
		place = qxl_crtc_place(crtc_state);
		same = same && drm_rect_equals(place, &head->place);
		head->place = *place;
	}
	return same;
}

static void surface_size(struct qxl_display *display, int *width, int *height)
{
	unsigned int i;

	*width = *height = 0;
	for (i = 0; i < display->num_heads; i++) {
		*width = max(*width, display->heads[i].place.x2);
		*height = max(*height, display->heads[i].place.y2);
	}
}

static void forget_primary(struct qxl_display *display)
{
	unsigned int i;

	if (display->has_primary)
		qxl_io_async(display, QXL_IO_DESTROY_PRIMARY_ASYNC, 0);
	display->has_primary = false;
	display->cursor_head = NULL;
	display->cursor_stale = true;
	for (i = 0; i < display->num_heads; i++)
		display->heads[i].undrawn = (struct drm_rect){};
}

static void show_layout(struct qxl_display *display)
{
	int width, height, ret;

	surface_size(display, &width, &height);
	mutex_lock(&display->cursor_lock);
	forget_primary(display);
	mutex_unlock(&display->cursor_lock);
	if (!width)
		return;
	ret = create_primary(display, width, height);
	display->has_primary = !ret;
	if (!ret)
		ret = send_monitors_config(display);
	if (ret)
		drm_err(&display->drm, "%dx%d is not shown: %d\n", width, height, ret);
}

/* Let the device show the heads where qxl_layout_check() put them. */
void qxl_layout_commit(struct qxl_display *display, struct drm_atomic_state *state)
{
	bool shown, same;
	int idx, width, height;

	if (!drm_dev_enter(&display->drm, &idx))
		return;
	same = take_places(display, state);
	surface_size(display, &width, &height);
	shown = display->has_primary == (width > 0);
	if (!same || !shown)
		show_layout(display);
	drm_dev_exit(idx);
}
