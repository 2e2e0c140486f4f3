// SPDX-License-Identifier: GPL-2.0-or-later
/* CRTC, encoder, connector, modes, and the DRM driver they hang from. */

#include <linux/crc32.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/version.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_edid.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_modes.h>
#include <drm/drm_print.h>
#include <drm/drm_probe_helper.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#include <drm/clients/drm_client_setup.h>
#include <drm/drm_fbdev_shmem.h>
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#include <drm/drm_fbdev_shmem.h>
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#include <drm/drm_fbdev_generic.h>
#else
#include <drm/drm_fb_helper.h>
#endif

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

/* -- modes ------------------------------------------------------------------------- */

static bool mode_fits(struct qxl_display *display, u32 width, u32 height)
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

static bool get_fbdev_size(struct qxl_display *display, u32 *width, u32 *height)
{
	return fbdev_size && sscanf(fbdev_size, "%ux%u", width, height) == 2 &&
	       *width >= MIN_CLIENT_SIDE && *height >= MIN_CLIENT_SIDE &&
	       mode_fits(display, *width, *height);
}

static int connector_get_modes(struct drm_connector *connector)
{
	struct qxl_display *display = to_qxl_display(connector->dev);
	u32 width, height;
	int count;

	if (display->sizing_fbdev && get_fbdev_size(display, &width, &height))
		return add_mode(display, width, height, DRM_MODE_TYPE_PREFERRED);
	width = READ_ONCE(display->preferred_width);
	height = READ_ONCE(display->preferred_height);
	count = add_mode(display, width, height, DRM_MODE_TYPE_PREFERRED);
	count += drm_add_modes_noedid(connector, QXL_MAX_SIZE, QXL_MAX_SIZE);
	return count;
}

static enum drm_mode_status crtc_mode_valid(struct drm_crtc *crtc,
					    const struct drm_display_mode *mode)
{
	struct qxl_display *display = to_qxl_display(crtc->dev);

	return mode_fits(display, mode->hdisplay, mode->vdisplay) ? MODE_OK : MODE_MEM;
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
void qxl_kms_read_client_config(struct qxl_display *display)
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
	    !mode_fits(display, width, height)) {
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
	qxl_kms_read_client_config(display);
	drm_kms_helper_hotplug_event(&display->drm);
	drm_dev_exit(idx);
}

/* -- CRTC -------------------------------------------------------------------------- */

static int create_primary(struct qxl_display *display, const struct drm_display_mode *mode)
{
	struct qxl_surface_create *create = &display->ram->create_surface;

	memset(create, 0, sizeof(*create));
	create->width = mode->hdisplay;
	create->height = mode->vdisplay;
	create->stride = mode->hdisplay * 4;
	create->format = SPICE_SURFACE_FMT_32_xRGB;
	create->mem = display->vram_slot;
	return qxl_io_async(display, QXL_IO_CREATE_PRIMARY_ASYNC, 0);
}

static int send_monitors_config(struct qxl_display *display,
				const struct drm_display_mode *mode)
{
	/* The heap begins behind it: see qxl_ivshmem_cmd.c. */
	struct qxl_monitors_config *config = display->ram_window.base;

	memset(config, 0, sizeof(*config) + sizeof(config->heads[0]));
	config->count = 1;
	config->max_allowed = 1;
	config->heads[0].width = mode->hdisplay;
	config->heads[0].height = mode->vdisplay;
	display->ram->monitors_config = qxl_ram_address(display, config);
	return qxl_io_async(display, QXL_IO_MONITORS_CONFIG_ASYNC, 0);
}

static void crtc_enable(struct drm_crtc *crtc, struct drm_atomic_state *state)
{
	struct qxl_display *display = to_qxl_display(crtc->dev);
	int ret, idx;

	if (!drm_dev_enter(crtc->dev, &idx))
		return;
	ret = create_primary(display, &crtc->state->mode);
	display->has_primary = !ret;
	if (!ret)
		ret = send_monitors_config(display, &crtc->state->mode);
	if (ret)
		drm_err(crtc->dev, "mode %s is not shown: %d\n", crtc->state->mode.name, ret);
	drm_dev_exit(idx);
}

static void crtc_disable(struct drm_crtc *crtc, struct drm_atomic_state *state)
{
	struct qxl_display *display = to_qxl_display(crtc->dev);
	int idx;

	if (!drm_dev_enter(crtc->dev, &idx))
		return;
	if (display->has_primary)
		qxl_io_async(display, QXL_IO_DESTROY_PRIMARY_ASYNC, 0);
	display->has_primary = false;
	display->undrawn = (struct drm_rect){};
	drm_dev_exit(idx);
}

static int crtc_check(struct drm_crtc *crtc, struct drm_atomic_state *state)
{
	struct drm_crtc_state *crtc_state = drm_atomic_get_new_crtc_state(state, crtc);

	if (crtc_state->enable &&
	    !(crtc_state->plane_mask & drm_plane_mask(crtc->primary)))
		return -EINVAL;
	/* A new mode draws all planes anew.  A commit of the cursor alone must stay one:
	 * a plane that comes along without damage clips would be drawn in full.
	 */
	if (!drm_atomic_crtc_needs_modeset(crtc_state))
		return 0;
	return drm_atomic_add_affected_planes(state, crtc);
}

static const struct drm_crtc_helper_funcs crtc_helper_funcs = {
	.mode_valid = crtc_mode_valid,
	.atomic_check = crtc_check,
	.atomic_enable = crtc_enable,
	.atomic_disable = crtc_disable,
};

static const struct drm_crtc_funcs crtc_funcs = {
	.reset = drm_atomic_helper_crtc_reset,
	.destroy = drm_crtc_cleanup,
	.set_config = drm_atomic_helper_set_config,
	.page_flip = drm_atomic_helper_page_flip,
	.atomic_duplicate_state = drm_atomic_helper_crtc_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_crtc_destroy_state,
};

static const struct drm_encoder_funcs encoder_funcs = {
	.destroy = drm_encoder_cleanup,
};

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

static const struct drm_mode_config_funcs mode_config_funcs = {
	.fb_create = drm_gem_fb_create_with_dirty,
	.atomic_check = drm_atomic_helper_check,
	.atomic_commit = drm_atomic_helper_commit,
};

/* Planes after CRTCs: a copy needs the new primary surface. */
static const struct drm_mode_config_helper_funcs mode_config_helper_funcs = {
	.atomic_commit_tail = drm_atomic_helper_commit_tail_rpm,
};

/* -- start and end ------------------------------------------------------------------ */

static int init_pipeline(struct qxl_display *display)
{
	struct drm_device *drm = &display->drm;
	int ret;

	ret = qxl_plane_init(display);
	if (ret)
		return ret;
	ret = drm_crtc_init_with_planes(drm, &display->crtc, &display->primary,
					&display->cursor, &crtc_funcs, NULL);
	if (ret)
		return ret;
	drm_crtc_helper_add(&display->crtc, &crtc_helper_funcs);

	ret = drm_encoder_init(drm, &display->encoder, &encoder_funcs,
			       DRM_MODE_ENCODER_VIRTUAL, NULL);
	if (ret)
		return ret;
	display->encoder.possible_crtcs = drm_crtc_mask(&display->crtc);

	ret = drm_connector_init(drm, &display->connector, &connector_funcs,
				 DRM_MODE_CONNECTOR_VIRTUAL);
	if (ret)
		return ret;
	drm_connector_helper_add(&display->connector, &connector_helper_funcs);
	return drm_connector_attach_encoder(&display->connector, &display->encoder);
}

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

int qxl_kms_init(struct qxl_display *display)
{
	struct drm_device *drm = &display->drm;
	int ret;

	INIT_WORK(&display->client_config_work, client_config_work);
	display->preferred_width = DEFAULT_WIDTH;
	display->preferred_height = DEFAULT_HEIGHT;

	ret = drmm_mode_config_init(drm);
	if (ret)
		return ret;
	drm->mode_config.max_width = QXL_MAX_SIZE;
	drm->mode_config.max_height = QXL_MAX_SIZE;
	drm->mode_config.preferred_depth = 24;
	drm->mode_config.cursor_width = QXL_CURSOR_SIZE;
	drm->mode_config.cursor_height = QXL_CURSOR_SIZE;
	drm->mode_config.funcs = &mode_config_funcs;
	drm->mode_config.helper_private = &mode_config_helper_funcs;

	ret = init_pipeline(display);
	if (!ret)
		ret = attach_hotplug_property(display);
	if (ret)
		return ret;
	drm_mode_config_reset(drm);
	return 0;
}

/* After drm_dev_register(): the console. */
void qxl_kms_start(struct qxl_display *display)
{
	struct drm_device *drm = &display->drm;
	u32 width, height;

	display->sizing_fbdev = get_fbdev_size(display, &width, &height);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	drm_client_setup(drm, NULL);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
	drm_fbdev_shmem_setup(drm, 32);
#else
	drm_fbdev_generic_setup(drm, 32);
#endif
	if (display->sizing_fbdev) {
		display->sizing_fbdev = false;
		drm_kms_helper_hotplug_event(drm);
	}
}

/* After drm_dev_unplug(): let go of framebuffers and pending work. */
void qxl_kms_stop(struct qxl_display *display)
{
	cancel_work_sync(&display->client_config_work);
	cancel_delayed_work_sync(&display->redraw_work);
	drm_atomic_helper_shutdown(&display->drm);
}

DEFINE_DRM_GEM_FOPS(qxl_fops);

const struct drm_driver qxl_drm_driver = {
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	.driver_features = DRIVER_MODESET | DRIVER_GEM | DRIVER_ATOMIC |
			   DRIVER_CURSOR_HOTSPOT,
#else
	.driver_features = DRIVER_MODESET | DRIVER_GEM | DRIVER_ATOMIC,
#endif
	.fops = &qxl_fops,
	DRM_GEM_SHMEM_DRIVER_OPS,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	DRM_FBDEV_SHMEM_DRIVER_OPS,
#endif
	.name = QXL_NAME,
	.desc = "QXL display over ivshmem",
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
	.date = "20261122",
#endif
	.major = 1,
	.minor = 0,
};
