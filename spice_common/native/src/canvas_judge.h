/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_judge.h: what becomes of a command, and what others must know of it.
 */
#ifndef CANVAS_JUDGE_H
#define CANVAS_JUDGE_H

#include "canvas_draw.h"

enum verdict {
    DRAWABLE,
    CLIPPED,     /* nothing of it is to be seen */
    UNSUPPORTED, /* well-formed, but not drawn */
    REJECTED,    /* the guest's numbers do not fit together */
};

/*
 * Check the pictures of a clipped plan whose kind is known, and say whether it is
 * opaque and portable, and what it reads.
 */
enum verdict judge_plan(struct draw_plan *plan, struct canvas *canvas);

#endif /* CANVAS_JUDGE_H */
