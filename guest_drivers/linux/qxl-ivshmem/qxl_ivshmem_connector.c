// SPDX-License-Identifier: GPL-2.0-or-later
/* The connector: which modes there are, and which of them the client wants. */

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

static int add_mode(struct qxl_display *display, u32 width, u32 height, u32 type)
{
	struct drm_display_mode *mode = mode_of_size(&display->drm, width, height);

	if (!mode)
		return 0;
	mode->type |= type;
	drm_mode_probed_add(&display->connector, mode);
	return 1;
}

/* The size that the module parameter asks for, if it makes sense. */
bool qxl_fbdev_size(struct qxl_display *display, u32 *width, u32 *height)
{
	return fbdev_size && sscanf(fbdev_size, "%ux%u", width, height) == 2 &&
	       *width >= MIN_CLIENT_SIDE && *height >= MIN_CLIENT_SIDE &&
	       qxl_mode_fits(display, *width, *height);
}

static int connector_get_modes(struct drm_connector *connector)
{
	struct qxl_display *display = to_qxl_display(connector->dev);
	u32 width, height;
	int count;

	if (display->sizing_fbdev && qxl_fbdev_size(display, &width, &height))
		return add_mode(display, width, height, DRM_MODE_TYPE_PREFERRED);
	width = READ_ONCE(display->preferred_width);
	height = READ_ONCE(display->preferred_height);
	count = add_mode(display, width, height, DRM_MODE_TYPE_PREFERRED);
	count += drm_add_modes_noedid(connector, QXL_MAX_SIZE, QXL_MAX_SIZE);
	return count;
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

/* Take the client's wish, if there is one, as this display's preferred mode. */
void qxl_read_client_config(struct qxl_display *display)
{
	struct qxl_client_monitors_config *config;
	unsigned int tries = 10;
	u32 width, height;

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
	if (!config->count)
		goto free;
	width = config->heads[0].right - config->heads[0].left;
	height = config->heads[0].bottom - config->heads[0].top;
	if (width < MIN_CLIENT_SIDE || height < MIN_CLIENT_SIDE ||
	    !qxl_mode_fits(display, width, height)) {
		drm_dbg(&display->drm, "client wants %ux%u: no\n", width, height);
		goto free;
	}
	WRITE_ONCE(display->preferred_width, width);
	WRITE_ONCE(display->preferred_height, height);
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
	.fill_modes = drm_helper_probe_single_connector_modes,
	.destroy = drm_connector_cleanup,
	.reset = drm_atomic_helper_connector_reset,
	.atomic_duplicate_state = drm_atomic_helper_connector_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_connector_destroy_state,
};

/* Desktops take a new preferred mode by themselves when they see this property. */
static int attach_hotplug_property(struct qxl_display *display)
{
	struct drm_property *property;

	property = drm_property_create_range(&display->drm, DRM_MODE_PROP_IMMUTABLE,
					     "hotplug_mode_update", 0, 1);
	if (!property)
		return -ENOMEM;
	drm_object_attach_property(&display->connector.base, property, 1);
	return 0;
}

int qxl_connector_init(struct qxl_display *display)
{
	struct drm_device *drm = &display->drm;
	int ret;

	INIT_WORK(&display->client_config_work, client_config_work);
	display->preferred_width = DEFAULT_WIDTH;
	display->preferred_height = DEFAULT_HEIGHT;
	ret = drm_connector_init(drm, &display->connector, &connector_funcs,
				 DRM_MODE_CONNECTOR_VIRTUAL);
	if (ret)
		return ret;
	drm_connector_helper_add(&display->connector, &connector_helper_funcs);
	ret = drm_connector_attach_encoder(&display->connector, &display->encoder);
	if (ret)
		return ret;
	return attach_hotplug_property(display);
}
