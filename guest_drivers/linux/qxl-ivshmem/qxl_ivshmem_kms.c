// SPDX-License-Identifier: GPL-2.0-or-later
/* CRTC, encoder and the DRM driver they hang from. */

#include <linux/version.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_gem_shmem_helper.h>
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

/* -- CRTC -------------------------------------------------------------------------- */

static enum drm_mode_status crtc_mode_valid(struct drm_crtc *crtc,
					    const struct drm_display_mode *mode)
{
	struct qxl_display *display = to_qxl_display(crtc->dev);

	return qxl_mode_fits(display, mode->hdisplay, mode->vdisplay) ? MODE_OK : MODE_MEM;
}

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

	return qxl_connector_init(display);
}

int qxl_kms_init(struct qxl_display *display)
{
	struct drm_device *drm = &display->drm;
	int ret;

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

	display->sizing_fbdev = qxl_fbdev_size(display, &width, &height);
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
