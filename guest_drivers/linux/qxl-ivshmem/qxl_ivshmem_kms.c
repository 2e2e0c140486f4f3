// SPDX-License-Identifier: GPL-2.0-or-later
/* CRTCs, encoders and the DRM driver they hang from. */

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

static int crtc_check(struct drm_crtc *crtc, struct drm_atomic_state *state)
{
	struct drm_crtc_state *crtc_state = drm_atomic_get_new_crtc_state(state, crtc);

	if (crtc_state->enable &&
	    !(crtc_state->plane_mask & drm_plane_mask(crtc->primary)))
		return -EINVAL;
	return 0;
}

static const struct drm_crtc_helper_funcs crtc_helper_funcs = {
	.mode_valid = crtc_mode_valid,
	.atomic_check = crtc_check,
};

static const struct drm_crtc_funcs crtc_funcs = {
	.reset = qxl_crtc_reset,
	.destroy = drm_crtc_cleanup,
	.set_config = drm_atomic_helper_set_config,
	.page_flip = drm_atomic_helper_page_flip,
	.atomic_duplicate_state = qxl_crtc_duplicate_state,
	.atomic_destroy_state = qxl_crtc_destroy_state,
};

static const struct drm_encoder_funcs encoder_funcs = {
	.destroy = drm_encoder_cleanup,
};

static int config_check(struct drm_device *drm, struct drm_atomic_state *state)
{
	int ret = drm_atomic_helper_check_modeset(drm, state);

	if (!ret)
		ret = qxl_layout_check(to_qxl_display(drm), state);
	if (!ret)
		ret = drm_atomic_helper_check_planes(drm, state);
	return ret;
}

/* Planes after CRTCs, and those after their new places: a copy needs the surface. */
static void commit_tail(struct drm_atomic_state *state)
{
	struct drm_device *drm = state->dev;

	drm_atomic_helper_commit_modeset_disables(drm, state);
	drm_atomic_helper_commit_modeset_enables(drm, state);
	qxl_layout_commit(to_qxl_display(drm), state);
	drm_atomic_helper_commit_planes(drm, state, DRM_PLANE_COMMIT_ACTIVE_ONLY);
	drm_atomic_helper_fake_vblank(state);
	drm_atomic_helper_commit_hw_done(state);
	drm_atomic_helper_wait_for_vblanks(drm, state);
	drm_atomic_helper_cleanup_planes(drm, state);
}

static const struct drm_mode_config_funcs mode_config_funcs = {
	.fb_create = drm_gem_fb_create_with_dirty,
	.atomic_check = config_check,
	.atomic_commit = drm_atomic_helper_commit,
};

static const struct drm_mode_config_helper_funcs mode_config_helper_funcs = {
	.atomic_commit_tail = commit_tail,
};

/* -- start and end ------------------------------------------------------------------ */

static int init_head(struct qxl_output *head)
{
	struct drm_device *drm = &head->display->drm;
	int ret;

	ret = qxl_plane_init(head);
	if (ret)
		return ret;
	ret = drm_crtc_init_with_planes(drm, &head->crtc, &head->primary, &head->cursor,
					&crtc_funcs, NULL);
	if (ret)
		return ret;
	drm_crtc_helper_add(&head->crtc, &crtc_helper_funcs);

	ret = drm_encoder_init(drm, &head->encoder, &encoder_funcs,
			       DRM_MODE_ENCODER_VIRTUAL, NULL);
	if (ret)
		return ret;
	head->encoder.possible_crtcs = drm_crtc_mask(&head->crtc);

	return qxl_connector_init(head);
}

/*
 * Monitors are numbered over all displays and all heads of one: with several displays
 * each has one head only, or a number would mean two things.
 */
static int init_heads(struct qxl_display *display)
{
	unsigned int i;
	int ret;

	display->num_heads = display->parent->header->num_displays > 1 ? 1 : QXL_MAX_HEADS;
	ret = qxl_cursor_init(display);
	if (ret)
		return ret;
	qxl_planes_init(display);
	ret = qxl_connectors_init(display);
	for (i = 0; !ret && i < display->num_heads; i++) {
		display->heads[i].display = display;
		display->heads[i].index = i;
		ret = init_head(&display->heads[i]);
	}
	return ret;
}

int qxl_kms_init(struct qxl_display *display)
{
	struct drm_device *drm = &display->drm;
	int ret;

	ret = drmm_mode_config_init(drm);
	if (ret)
		return ret;
	drm->mode_config.max_width = QXL_MAX_DESKTOP;
	drm->mode_config.max_height = QXL_MAX_DESKTOP;
	drm->mode_config.preferred_depth = 24;
	drm->mode_config.cursor_width = QXL_CURSOR_SIZE;
	drm->mode_config.cursor_height = QXL_CURSOR_SIZE;
	drm->mode_config.funcs = &mode_config_funcs;
	drm->mode_config.helper_private = &mode_config_helper_funcs;

	ret = init_heads(display);
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
