/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_judge_parts.h: what the parts of canvas_judge share.
 */
#ifndef CANVAS_JUDGE_PARTS_H
#define CANVAS_JUDGE_PARTS_H

#include "canvas_judge.h"
#include "canvas_paint.h"

/* Remember that the plan reads all of picture, if that is a surface. */
void judge_read_all(struct draw_plan *plan, const struct picture *picture);

enum verdict judge_text(struct painter *painter, struct draw_plan *plan);
void judge_stroke(struct painter *painter, struct draw_plan *plan);

#endif /* CANVAS_JUDGE_PARTS_H */
