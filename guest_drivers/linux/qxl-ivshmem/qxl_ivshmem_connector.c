// SPDX-License-Identifier: GPL-2.0-or-later
/* Connectors: which are there, which modes they have, and what the client wants. */

#include <linux/crc32.h>
#include <linux/delay.h>
#include <linux/module.h>

#include <drm/drm_atomic_state_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_edid.h>
#include <drm/drm_modes.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_print.h>
#include <drm/drm_probe_helper.h>

#include "qxl_ivshmem_drv.h"

#define DEFAULT_WIDTH	1024
#define DEFAULT_HEIGHT	768
#define MIN_CLIENT_SIDE	64	/* pixels: a client that asks for less means nothing */
#define REFRESH_HZ	60

/*
 * The console's framebuffer keeps the size of the mode it finds first, and a client
 * that asks for more gets no larger console.  With a size given here that first mode is
 * this one, and the display goes on to its proper mode at once.
 */
static char *fbdev_size;
module_param(fbdev_size, charp, 0444);
MODULE_PARM_DESC(fbdev_size, "WIDTHxHEIGHT the console can grow to (default: first mode)");

/* Whether a primary surface of this size fits VRAM. */
bool qxl_mode_fits(struct qxl_display *display, u32 width, u32 height)
{
	return width <= QXL_MAX_SIZE && height <= QXL_MAX_SIZE &&
	       (u64)width * 4 * height <= display->vram_window.size;
}

/* Exactly this size: CVT would round the width down to a multiple of 8. */
static struct drm_display_mode *mode_of_size(struct drm_device *drm, u32 width, u32 height)
{
	struct drm_display_mode *mode = drm_mode_create(drm);

	if (!mode)
		return NULL;
	mode->type = DRM_MODE_TYPE_DRIVER;
	mode->hdisplay = width;
	mode->hsync_start = width + 16;
	mode->hsync_end = width + 32;
	mode->htotal = width + 64;
	mode->vdisplay = height;
	mode->vsync_start = height + 3;
	mode->vsync_end = height + 6;
	mode->vtotal = height + 12;
	mode->clock = DIV_ROUND_UP((u32)mode->htotal * mode->vtotal * REFRESH_HZ, 1000u);
	drm_mode_set_name(mode);
	return mode;
}

static int add_mode(struct drm_connector *connector, u32 width, u32 height, u32 type)
{
	struct drm_display_mode *mode = mode_of_size(connector->dev, width, height);

	if (!mode)
		return 0;
	mode->type |= type;
	drm_mode_probed_add(connector, mode);
	return 1;
}

/* The size that the module parameter asks for, if it makes sense. */
bool qxl_fbdev_size(struct qxl_display *display, u32 *width, u32 *height)
{
	return fbdev_size && sscanf(fbdev_size, "%ux%u", width, height) == 2 &&
	       *width >= MIN_CLIENT_SIDE && *height >= MIN_CLIENT_SIDE &&
	       qxl_mode_fits(display, *width, *height);
}

static struct qxl_output *to_qxl_output(struct drm_connector *connector)
{
	return container_of(connector, struct qxl_output, connector);
}

static int connector_get_modes(struct drm_connector *connector)
{
	struct qxl_output *head = to_qxl_output(connector);
	struct qxl_display *display = head->display;
	u32 width, height;
	int count;

	if (display->sizing_fbdev && qxl_fbdev_size(display, &width, &height))
		return add_mode(connector, width, height, DRM_MODE_TYPE_PREFERRED);
	count = add_mode(connector, head->wish.width, head->wish.height,
			 DRM_MODE_TYPE_PREFERRED);
	count += drm_add_modes_noedid(connector, QXL_MAX_SIZE, QXL_MAX_SIZE);
	return count;
}

static enum drm_connector_status connector_detect(struct drm_connector *connector, bool force)
{
	return to_qxl_output(connector)->wish.on ? connector_status_connected :
						 connector_status_disconnected;
}

static bool copy_client_config(struct qxl_display *display,
			       struct qxl_client_monitors_config *config)
{
	struct qxl_rom *rom = display->rom;

	memcpy(config, &rom->client_monitors_config, sizeof(*config));
	virt_rmb();
	return crc32(0, (const u8 *)config, sizeof(*config)) ==
	       READ_ONCE(rom->client_monitors_config_crc);
}

/* What cannot be shown changes nothing; an empty rectangle is a monitor turned off. */
static void read_wish(struct qxl_display *display, const struct qxl_urect *rect,
		      struct qxl_wish *wish)
{
	u32 width = rect->right - rect->left, height = rect->bottom - rect->top;

	if (!width || !height)
		wish->on = false;
	else if (width < MIN_CLIENT_SIDE || height < MIN_CLIENT_SIDE ||
		 !qxl_mode_fits(display, width, height))
		drm_info(&display->drm, "client wants a monitor of %ux%u: no\n", width,
			 height);
	else
		*wish = (struct qxl_wish){ true, rect->left, rect->top, width, height };
}

/* Caller holds mode_config.mutex. */
static void take_wish(struct qxl_output *head, const struct qxl_wish *wish)
{
	struct drm_mode_config *config = &head->display->drm.mode_config;
	struct drm_mode_object *connector = &head->connector.base;

	head->wish = *wish;
	drm_object_property_set_value(connector, config->suggested_x_property, wish->x);
	drm_object_property_set_value(connector, config->suggested_y_property, wish->y);
}

static void take_wishes(struct qxl_display *display,
			const struct qxl_client_monitors_config *config)
{
	struct qxl_wish wishes[QXL_MAX_HEADS];
	unsigned int i, on = 0;

	if (!config->count)
		return;
	mutex_lock(&display->drm.mode_config.mutex);
	for (i = 0; i < display->num_heads; i++) {
		wishes[i] = display->heads[i].wish;
		if (i < config->count)
			read_wish(display, &config->heads[i], &wishes[i]);
		else
			wishes[i].on = false;
		on += wishes[i].on;
	}
	/* A desktop without any monitor is nobody's wish, a display without one may be. */
	if (on || display->num_heads == 1)
		for (i = 0; i < display->num_heads; i++)
			take_wish(&display->heads[i], &wishes[i]);
	mutex_unlock(&display->drm.mode_config.mutex);
}

/* Take the client's wishes, if there are any. */
void qxl_read_client_config(struct qxl_display *display)
{
	struct qxl_client_monitors_config *config;
	unsigned int tries = 10;

	config = kmalloc(sizeof(*config), GFP_KERNEL);
	if (!config)
		return;
	while (!copy_client_config(display, config)) {
		if (!--tries) {
			drm_dbg(&display->drm, "client monitors config: bad checksum\n");
			goto free;
		}
		usleep_range(1000, 2000);	/* it is being written */
	}
	take_wishes(display, config);
free:
	kfree(config);
}

static void client_config_work(struct work_struct *work)
{
	struct qxl_display *display =
		container_of(work, struct qxl_display, client_config_work);
	int idx;

	if (!drm_dev_enter(&display->drm, &idx))
		return;
	qxl_read_client_config(display);
	drm_kms_helper_hotplug_event(&display->drm);
	drm_dev_exit(idx);
}

static const struct drm_connector_helper_funcs connector_helper_funcs = {
	.get_modes = connector_get_modes,
};

static const struct drm_connector_funcs connector_funcs = {
	.detect = connector_detect,
	.fill_modes = drm_helper_probe_single_connector_modes,
	.destroy = drm_connector_cleanup,
	.reset = drm_atomic_helper_connector_reset,
	.atomic_duplicate_state = drm_atomic_helper_connector_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_connector_destroy_state,
};

/*
 * Desktops take a new preferred mode by themselves when they see hotplug_mode_update,
 * and put monitors where suggested X and Y say.
 */
int qxl_connectors_init(struct qxl_display *display)
{
	struct drm_device *drm = &display->drm;

	INIT_WORK(&display->client_config_work, client_config_work);
	display->hotplug_property = drm_property_create_range(drm, DRM_MODE_PROP_IMMUTABLE,
							      "hotplug_mode_update", 0, 1);
	if (!display->hotplug_property)
		return -ENOMEM;
	return drm_mode_create_suggested_offset_properties(drm);
}

int qxl_connector_init(struct qxl_output *head)
{
	struct drm_device *drm = &head->display->drm;
	struct drm_mode_object *object = &head->connector.base;
	int ret;

	head->wish.on = head->index == 0;
	head->wish.width = DEFAULT_WIDTH;
	head->wish.height = DEFAULT_HEIGHT;
	ret = drm_connector_init(drm, &head->connector, &connector_funcs,
				 DRM_MODE_CONNECTOR_VIRTUAL);
	if (ret)
		return ret;
	drm_connector_helper_add(&head->connector, &connector_helper_funcs);
	head->connector.polled = DRM_CONNECTOR_POLL_HPD;
	drm_object_attach_property(object, head->display->hotplug_property, 1);
	drm_object_attach_property(object, drm->mode_config.suggested_x_property, 0);
	drm_object_attach_property(object, drm->mode_config.suggested_y_property, 0);
	return drm_connector_attach_encoder(&head->connector, &head->encoder);
}
