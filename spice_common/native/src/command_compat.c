/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QXLCompatDrawable: what drivers of the first QXL send (QXL_IO_SET_MODE). */
#include "command_parse.h"

#include <string.h>

void
convert_compat_drawable(const QXLCompatDrawable *from, QXLDrawable *to)
{
    memset(to, 0, sizeof(*to));
    to->release_info = from->release_info;
    to->effect = from->effect;
    to->type = from->type;
    /* The first device put its copy of the surface there. */
    to->self_bitmap = from->bitmap_offset != 0;
    to->self_bitmap_area = from->bitmap_area;
    to->bbox = from->bbox;
    to->clip = from->clip;
    to->mm_time = from->mm_time;
    for (int i = 0; i < 3; i++) {
        to->surfaces_dest[i] = -1;
    }
    if (from->type == QXL_DRAW_ALPHA_BLEND) {
        const QXLCompatAlphaBlend *blend = &from->u.alpha_blend;
        to->u.alpha_blend.alpha = blend->alpha;
        to->u.alpha_blend.src_bitmap = blend->src_bitmap;
        to->u.alpha_blend.src_area = blend->src_area;
    } else if (from->type == QXL_DRAW_COMPOSITE) {
        to->type = UINT8_MAX; /* came later; no type at all then */
    } else {
        _Static_assert(sizeof(to->u) >= sizeof(from->u), "no member grew smaller");
        memcpy(&to->u, &from->u, sizeof(from->u));
    }
}
