// SPDX-License-Identifier: GPL-2.0-or-later
/* Primary plane: damage becomes copies.  Cursor plane: commits become cursor commands. */

#include <linux/version.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_damage_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem_atomic_helper.h>
#include <drm/drm_gem_framebuffer_helper.h>

#include "qxl_ivshmem_drv.h"

/* The hot spot was the framebuffer's until 6.8, then the plane state's. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define hot_x_of(state) ((state)->hotspot_x)
#define hot_y_of(state) ((state)->hotspot_y)
#else
#define hot_x_of(state) ((state)->fb->hot_x)
#define hot_y_of(state) ((state)->fb->hot_y)
#endif

#define REDRAW_DELAY_MS 50	/* until damage that found no room is tried again */

static int check_plane(struct drm_plane_state *plane_state, struct drm_atomic_state *state,
		       bool can_position)
{
	struct drm_crtc_state *crtc_state = NULL;

	if (plane_state->crtc)
		crtc_state = drm_atomic_get_new_crtc_state(state, plane_state->crtc);
	if (!crtc_state)
		return 0;	/* disabled */
	return drm_atomic_helper_check_plane_state(plane_state, crtc_state,
						   DRM_PLANE_NO_SCALING,
						   DRM_PLANE_NO_SCALING,
						   can_position, true);
}

static int primary_check(struct drm_plane *plane, struct drm_atomic_state *state)
{
	return check_plane(drm_atomic_get_new_plane_state(state, plane), state, false);
}

static int cursor_check(struct drm_plane *plane, struct drm_atomic_state *state)
{
	struct drm_plane_state *new = drm_atomic_get_new_plane_state(state, plane);

	if (new->fb && (new->fb->width > QXL_CURSOR_SIZE ||
			new->fb->height > QXL_CURSOR_SIZE))
		return -EINVAL;
	return check_plane(new, state, true);
}

/* Draw @clip, a rectangle of the framebuffer, where the head shows it. */
static int draw_clip(struct qxl_output *head, struct drm_plane_state *state,
		     const struct drm_rect *clip)
{
	struct drm_shadow_plane_state *shadow = to_drm_shadow_plane_state(state);
	int x = clip->x1 - (state->src.x1 >> 16) + state->dst.x1 + head->place.x1;
	int y = clip->y1 - (state->src.y1 >> 16) + state->dst.y1 + head->place.y1;

	return qxl_draw_copy(head->display, state->fb, shadow->data, clip, x, y);
}

static void add_rect(struct drm_rect *sum, const struct drm_rect *rect)
{
	if (!drm_rect_visible(sum)) {
		*sum = *rect;
		return;
	}
	sum->x1 = min(sum->x1, rect->x1);
	sum->y1 = min(sum->y1, rect->y1);
	sum->x2 = max(sum->x2, rect->x2);
	sum->y2 = max(sum->y2, rect->y2);
}

/*
 * What an earlier commit could not draw comes first, with today's pixels.  What this
 * one cannot draw is one rectangle for the next.
 */
static void draw_damage(struct qxl_output *head, struct drm_plane_state *old,
			struct drm_plane_state *new)
{
	struct drm_rect src = { new->src.x1 >> 16, new->src.y1 >> 16,
				new->src.x2 >> 16, new->src.y2 >> 16 };
	struct drm_atomic_helper_damage_iter iter;
	struct drm_rect late = head->undrawn;
	struct drm_rect undrawn = {};
	struct drm_rect clip;

	if (drm_rect_visible(&late) && drm_rect_intersect(&late, &src) &&
	    draw_clip(head, new, &late))
		add_rect(&undrawn, &late);
	drm_atomic_helper_damage_iter_init(&iter, old, new);
	drm_atomic_for_each_plane_damage(&iter, &clip) {
		if (drm_rect_visible(&undrawn) || draw_clip(head, new, &clip))
			add_rect(&undrawn, &clip);
	}
	head->undrawn = undrawn;
	if (drm_rect_visible(&undrawn))
		schedule_delayed_work(&head->display->redraw_work,
				      msecs_to_jiffies(REDRAW_DELAY_MS));
}

static void primary_update(struct drm_plane *plane, struct drm_atomic_state *state)
{
	struct qxl_output *head = container_of(plane, struct qxl_output, primary);
	struct drm_plane_state *old = drm_atomic_get_old_plane_state(state, plane);
	struct drm_plane_state *new = drm_atomic_get_new_plane_state(state, plane);
	int idx;

	if (!new->fb || !new->visible || !drm_dev_enter(plane->dev, &idx))
		return;
	if (head->display->has_primary && drm_rect_visible(&head->place) &&
	    !drm_gem_fb_begin_cpu_access(new->fb, DMA_FROM_DEVICE)) {
		draw_damage(head, old, new);
		drm_gem_fb_end_cpu_access(new->fb, DMA_FROM_DEVICE);
	}
	drm_dev_exit(idx);
}

/* One dirty pixel's worth of commit: it draws what is undrawn, too. */
static void redraw_head(struct qxl_output *head)
{
	struct drm_clip_rect clip = { .x2 = 1, .y2 = 1 };
	struct drm_framebuffer *fb = NULL;

	drm_modeset_lock(&head->primary.mutex, NULL);
	if (head->primary.state->fb && drm_rect_visible(&head->undrawn)) {
		fb = head->primary.state->fb;
		drm_framebuffer_get(fb);
	}
	drm_modeset_unlock(&head->primary.mutex);
	if (fb) {
		drm_atomic_helper_dirtyfb(fb, NULL, 0, 0, &clip, 1);
		drm_framebuffer_put(fb);
	}
}

static void redraw_work(struct work_struct *work)
{
	struct qxl_display *display =
		container_of(work, struct qxl_display, redraw_work.work);
	unsigned int i;
	int idx;

	if (!drm_dev_enter(&display->drm, &idx))
		return;
	for (i = 0; i < display->num_heads; i++)
		redraw_head(&display->heads[i]);
	drm_dev_exit(idx);
}

static bool cursor_changed(struct qxl_display *display, struct drm_plane_state *old,
			   struct drm_plane_state *new)
{
	return display->cursor_stale || old->fb != new->fb || !old->visible || new->fb_damage_clips ||
	       hot_x_of(old) != hot_x_of(new) || hot_y_of(old) != hot_y_of(new);
}

static int draw_cursor(struct qxl_display *display, struct drm_plane_state *state, int x, int y)
{
	struct drm_shadow_plane_state *shadow = to_drm_shadow_plane_state(state);
	int ret;

	ret = drm_gem_fb_begin_cpu_access(state->fb, DMA_FROM_DEVICE);
	if (ret)
		return ret;
	ret = qxl_draw_cursor(display, state->fb, shadow->data, x, y, hot_x_of(state),
			      hot_y_of(state));
	drm_gem_fb_end_cpu_access(state->fb, DMA_FROM_DEVICE);
	return ret;
}

/*
 * All heads share the device's pointer, each has a plane.  One that lies across an edge
 * is shown by both planes: the head that its hot spot is on has it.
 */
static int show_cursor(struct qxl_output *head, struct drm_plane_state *old,
		       struct drm_plane_state *new)
{
	struct qxl_display *display = head->display;
	int x = head->place.x1 + new->crtc_x + hot_x_of(new);
	int y = head->place.y1 + new->crtc_y + hot_y_of(new);
	bool inside = x >= head->place.x1 && x < head->place.x2 &&
		      y >= head->place.y1 && y < head->place.y2;
	bool other = display->cursor_head != head;

	if (other && display->cursor_head && !inside)
		return 0;
	display->cursor_head = head;
	if (!other && !cursor_changed(display, old, new))
		return qxl_move_cursor(display, x, y);
	/* An error leaves it stale. */
	display->cursor_stale = true;
	if (draw_cursor(display, new, x, y))
		return -EAGAIN;
	display->cursor_stale = false;
	/* Clients take a new shape for one at the old place. */
	return other ? qxl_move_cursor(display, x, y) : 0;
}

static int hide_cursor(struct qxl_output *head)
{
	if (head->display->cursor_head != head)
		return 0;
	head->display->cursor_head = NULL;
	return qxl_hide_cursor(head->display);
}

static void cursor_update(struct drm_plane *plane, struct drm_atomic_state *state)
{
	struct qxl_output *head = container_of(plane, struct qxl_output, cursor);
	struct drm_plane_state *old = drm_atomic_get_old_plane_state(state, plane);
	struct drm_plane_state *new = drm_atomic_get_new_plane_state(state, plane);
	struct qxl_display *display = head->display;
	int ret = 0, idx;

	if (!drm_dev_enter(plane->dev, &idx))
		return;
	mutex_lock(&display->cursor_lock);
	if (display->has_primary) {
		if (new->fb && new->visible && drm_rect_visible(&head->place))
			ret = show_cursor(head, old, new);
		else
			ret = hide_cursor(head);
	}
	if (ret)
		display->cursor_stale = true;
	mutex_unlock(&display->cursor_lock);
	drm_dev_exit(idx);
}

static const struct drm_plane_helper_funcs primary_helper_funcs = {
	DRM_GEM_SHADOW_PLANE_HELPER_FUNCS,
	.atomic_check = primary_check,
	.atomic_update = primary_update,
};

static const struct drm_plane_helper_funcs cursor_helper_funcs = {
	DRM_GEM_SHADOW_PLANE_HELPER_FUNCS,
	.atomic_check = cursor_check,
	.atomic_update = cursor_update,
};

static const struct drm_plane_funcs plane_funcs = {
	.update_plane = drm_atomic_helper_update_plane,
	.disable_plane = drm_atomic_helper_disable_plane,
	.destroy = drm_plane_cleanup,
	DRM_GEM_SHADOW_PLANE_FUNCS,
};

static const u32 primary_formats[] = { DRM_FORMAT_XRGB8888 };
static const u32 cursor_formats[] = { DRM_FORMAT_ARGB8888 };

void qxl_planes_init(struct qxl_display *display)
{
	mutex_init(&display->cursor_lock);
	INIT_DELAYED_WORK(&display->redraw_work, redraw_work);
}

int qxl_plane_init(struct qxl_output *head)
{
	struct drm_device *drm = &head->display->drm;
	u32 crtcs = 1 << head->index;
	int ret;

	ret = drm_universal_plane_init(drm, &head->primary, crtcs, &plane_funcs,
				       primary_formats, ARRAY_SIZE(primary_formats), NULL,
				       DRM_PLANE_TYPE_PRIMARY, NULL);
	if (ret)
		return ret;
	drm_plane_helper_add(&head->primary, &primary_helper_funcs);
	drm_plane_enable_fb_damage_clips(&head->primary);

	ret = drm_universal_plane_init(drm, &head->cursor, crtcs, &plane_funcs,
				       cursor_formats, ARRAY_SIZE(cursor_formats), NULL,
				       DRM_PLANE_TYPE_CURSOR, NULL);
	if (ret)
		return ret;
	drm_plane_helper_add(&head->cursor, &cursor_helper_funcs);
	drm_plane_enable_fb_damage_clips(&head->cursor);
	return 0;
}
