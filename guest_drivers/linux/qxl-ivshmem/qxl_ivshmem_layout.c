// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where heads lie on the primary surface.
 *
 * One surface holds all heads, at the places where they lie in their framebuffer: X has
 * one for all of them, so its screen and the surface are the same plane, and a pointer
 * position of a client means the same to both.  Who has a framebuffer for each head
 * (Wayland) shows each from its corner; such heads lie where the client asked for them,
 * or in a row if that does not work.
 *
 * What moves a head touches all of them: the surface is made anew.
 */

#include <linux/slab.h>
#include <linux/string.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_state_helper.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_print.h>

#include "qxl_ivshmem_drv.h"

struct qxl_crtc_state {
	struct drm_crtc_state base;
	struct drm_rect place;	/* on the primary surface; not visible: off */
};

/* A head as a commit has it. */
struct placed {
	struct drm_framebuffer *fb;	/* NULL: off */
	struct drm_rect rect;
};

static struct qxl_crtc_state *to_qxl_crtc_state(struct drm_crtc_state *state)
{
	return container_of(state, struct qxl_crtc_state, base);
}

/* A head's place as @state has it. */
const struct drm_rect *qxl_crtc_place(struct drm_crtc_state *state)
{
	return &to_qxl_crtc_state(state)->place;
}

void qxl_crtc_destroy_state(struct drm_crtc *crtc, struct drm_crtc_state *state)
{
	__drm_atomic_helper_crtc_destroy_state(state);
	kfree(to_qxl_crtc_state(state));
}

void qxl_crtc_reset(struct drm_crtc *crtc)
{
	struct qxl_crtc_state *state = kzalloc(sizeof(*state), GFP_KERNEL);

	if (crtc->state)
		qxl_crtc_destroy_state(crtc, crtc->state);
	__drm_atomic_helper_crtc_reset(crtc, state ? &state->base : NULL);
}

struct drm_crtc_state *qxl_crtc_duplicate_state(struct drm_crtc *crtc)
{
	struct qxl_crtc_state *state = kzalloc(sizeof(*state), GFP_KERNEL);

	if (!state)
		return NULL;
	__drm_atomic_helper_crtc_duplicate_state(crtc, &state->base);
	state->place = to_qxl_crtc_state(crtc->state)->place;
	return &state->base;
}

/* -- what a commit asks for --------------------------------------------------------- */

static bool plane_moves(const struct drm_plane_state *old, const struct drm_plane_state *new)
{
	return old->crtc != new->crtc || !old->fb != !new->fb ||
	       old->src_x != new->src_x || old->src_y != new->src_y;
}

/* Page flips and the cursor move nothing, and must not touch other heads. */
static bool layout_changes(struct drm_atomic_state *state)
{
	struct drm_plane_state *old_plane, *new_plane;
	struct drm_crtc_state *crtc_state;
	struct drm_plane *plane;
	struct drm_crtc *crtc;
	int i;

	for_each_new_crtc_in_state(state, crtc, crtc_state, i)
		if (drm_atomic_crtc_needs_modeset(crtc_state))
			return true;
	for_each_oldnew_plane_in_state(state, plane, old_plane, new_plane, i)
		if (plane->type == DRM_PLANE_TYPE_PRIMARY && plane_moves(old_plane, new_plane))
			return true;
	return false;
}

/* Both planes come along and are drawn in full. */
static int add_planes(struct qxl_output *head, struct drm_atomic_state *state,
		      struct placed *placed)
{
	struct drm_plane_state *primary, *cursor;

	primary = drm_atomic_get_plane_state(state, &head->primary);
	if (IS_ERR(primary))
		return PTR_ERR(primary);
	cursor = drm_atomic_get_plane_state(state, &head->cursor);
	if (IS_ERR(cursor))
		return PTR_ERR(cursor);
	drm_property_blob_put(primary->fb_damage_clips);
	primary->fb_damage_clips = NULL;
	placed->fb = primary->fb;
	drm_rect_translate(&placed->rect, primary->src_x >> 16, primary->src_y >> 16);
	return 0;
}

static int add_head(struct qxl_output *head, struct drm_atomic_state *state,
		    struct placed *placed)
{
	struct drm_crtc_state *crtc_state = drm_atomic_get_crtc_state(state, &head->crtc);

	if (IS_ERR(crtc_state))
		return PTR_ERR(crtc_state);
	if (!crtc_state->active)
		return 0;
	placed->rect = DRM_RECT_INIT(0, 0, crtc_state->mode.hdisplay,
				     crtc_state->mode.vdisplay);
	return add_planes(head, state, placed);
}

/* -- places ------------------------------------------------------------------------- */

static bool collide(const struct placed *heads, unsigned int a, unsigned int b)
{
	struct drm_rect both = heads[a].rect;

	return heads[a].fb && heads[b].fb && heads[a].fb != heads[b].fb &&
	       drm_rect_intersect(&both, &heads[b].rect);
}

/* Heads may share pixels of one framebuffer, not of two. */
static bool any_collide(const struct placed *heads, unsigned int count)
{
	unsigned int a, b;

	for (a = 0; a < count; a++)
		for (b = a + 1; b < count; b++)
			if (collide(heads, a, b))
				return true;
	return false;
}

static void move_to(struct placed *head, int x, int y)
{
	drm_rect_translate_to(&head->rect, x, y);
}

static void extent(const struct placed *heads, unsigned int count, int *width, int *height)
{
	unsigned int i;

	*width = *height = 0;
	for (i = 0; i < count; i++) {
		if (!heads[i].fb)
			continue;
		*width = max(*width, heads[i].rect.x2);
		*height = max(*height, heads[i].rect.y2);
	}
}

static bool fits(struct qxl_display *display, const struct placed *heads)
{
	int width, height;

	extent(heads, display->num_heads, &width, &height);
	return width <= QXL_MAX_DESKTOP && height <= QXL_MAX_DESKTOP &&
	       (u64)width * 4 * height <= display->vram_window.size;
}

static void place_as_wished(struct qxl_display *display, struct placed *heads)
{
	unsigned int i;

	for (i = 0; i < display->num_heads; i++) {
		u32 x = READ_ONCE(display->heads[i].wish.x);
		u32 y = READ_ONCE(display->heads[i].wish.y);

		/* Too far out is seen by fits(). */
		move_to(&heads[i], min_t(u32, x, QXL_MAX_DESKTOP),
			min_t(u32, y, QXL_MAX_DESKTOP));
	}
}

static void place_in_a_row(struct qxl_display *display, struct placed *heads)
{
	unsigned int i;
	int x = 0;

	for (i = 0; i < display->num_heads; i++) {
		move_to(&heads[i], x, 0);
		if (heads[i].fb)
			x += drm_rect_width(&heads[i].rect);
	}
}

static void place(struct qxl_display *display, struct placed *heads)
{
	if (!any_collide(heads, display->num_heads))
		return;
	place_as_wished(display, heads);
	if (any_collide(heads, display->num_heads) || !fits(display, heads))
		place_in_a_row(display, heads);
}

/**
 * qxl_layout_check - give every head its place on the primary surface
 * @display: the display
 * @state: a commit whose CRTCs were checked and whose planes were not yet
 *
 * Return: 0, -EINVAL if VRAM cannot hold the surface, or another negative error.
 */
int qxl_layout_check(struct qxl_display *display, struct drm_atomic_state *state)
{
	struct placed heads[QXL_MAX_HEADS] = {};
	unsigned int i;
	int ret;

	if (!layout_changes(state))
		return 0;
	for (i = 0; i < display->num_heads; i++) {
		ret = add_head(&display->heads[i], state, &heads[i]);
		if (ret)
			return ret;
	}
	place(display, heads);
	if (!fits(display, heads)) {
		drm_dbg_kms(&display->drm, "VRAM cannot hold all heads\n");
		return -EINVAL;
	}
	for (i = 0; i < display->num_heads; i++) {
		struct drm_crtc_state *crtc_state =
			drm_atomic_get_new_crtc_state(state, &display->heads[i].crtc);

		to_qxl_crtc_state(crtc_state)->place = heads[i].fb ? heads[i].rect :
								     (struct drm_rect){};
	}
	return 0;
}
