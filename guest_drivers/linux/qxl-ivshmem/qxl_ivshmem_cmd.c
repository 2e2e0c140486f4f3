// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands: memory for them in the RAM window, the rings that carry them to the device
 * and the release ring that brings their memory back.
 *
 * The id of a command names its place in qxl_display.releases and the sequence number
 * it was given there.  The device hands back a chain of ids: the release ring's item,
 * then QXLReleaseInfo.next of each.  An id that is not ours ends the chain; the memory
 * behind it stays lost until the next reset, which is better than freeing what the
 * device still reads.
 */

#include <linux/jiffies.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "qxl_ivshmem_drv.h"

#define COMMAND_ALIGN	64
#define WAIT_MS		1000	/* a device that takes longer finds its frames merged */
#define WAIT_SLICE_MS	20
#define HEAP_START	SZ_4K	/* QXLMonitorsConfig lies before it */

static u64 release_id(const struct qxl_release *release, u32 index)
{
	return (u64)release->sequence << 32 | (index + 1);
}

void *qxl_cmd_memory(struct qxl_display *display, const struct qxl_release *release)
{
	return display->ram_window.base + release->node.start;
}

/* Caller holds mm_lock. */
static void release_drop(struct qxl_display *display, u32 index)
{
	struct qxl_release *release = display->releases[index];

	drm_mm_remove_node(&release->node);
	display->releases[index] = NULL;
	kfree(release);
}

static struct qxl_release *release_find(struct qxl_display *display, u64 id, u32 *index)
{
	struct qxl_release *release;

	*index = lower_32_bits(id) - 1;
	if (*index >= QXL_MAX_COMMANDS)
		return NULL;
	release = display->releases[*index];
	if (!release || release->sequence != upper_32_bits(id))
		return NULL;
	return release;
}

static void release_chain(struct qxl_display *display, u64 id)
{
	struct qxl_release *release;
	union qxl_release_info *info;
	u32 index;

	while (id) {
		release = release_find(display, id, &index);
		if (!release) {
			drm_err_ratelimited(&display->drm, "unknown id %#llx released\n",
					    id);
			return;
		}
		info = qxl_cmd_memory(display, release);
		id = READ_ONCE(info->next);
		release_drop(display, index);
	}
}

static bool release_pop(struct qxl_display *display, u64 *id)
{
	struct qxl_release_ring *ring = &display->ram->release_ring;
	u32 cons = READ_ONCE(ring->header.cons);
	u32 prod = READ_ONCE(ring->header.prod);

	if (prod == cons) {
		WRITE_ONCE(ring->header.notify_on_prod, cons + 1);
		virt_mb();
		prod = READ_ONCE(ring->header.prod);
		if (prod == cons)
			return false;
	}
	if (prod - cons > QXL_RELEASE_RING_SIZE) {
		drm_err_ratelimited(&display->drm, "the release ring is broken\n");
		WRITE_ONCE(ring->header.cons, prod);
		return false;
	}
	virt_rmb();
	*id = READ_ONCE(ring->items[cons % QXL_RELEASE_RING_SIZE]);
	virt_mb();
	WRITE_ONCE(ring->header.cons, cons + 1);
	return true;
}

static void collect_locked(struct qxl_display *display)
{
	u64 id;

	while (release_pop(display, &id))
		release_chain(display, id);
}

/* Free the memory of every command that the device has released. */
void qxl_cmd_collect(struct qxl_display *display)
{
	mutex_lock(&display->mm_lock);
	if (display->ram)
		collect_locked(display);
	mutex_unlock(&display->mm_lock);
}

static void release_work(struct work_struct *work)
{
	qxl_cmd_collect(container_of(work, struct qxl_display, release_work));
}

static struct qxl_release *try_alloc(struct qxl_display *display, u64 size)
{
	struct qxl_release *release;
	u32 index;

	for (index = 0; index < QXL_MAX_COMMANDS; index++)
		if (!display->releases[index])
			break;
	if (index == QXL_MAX_COMMANDS)
		return NULL;
	release = kzalloc(sizeof(*release), GFP_KERNEL);
	if (!release)
		return NULL;
	if (drm_mm_insert_node_generic(&display->heap, &release->node, size,
				       COMMAND_ALIGN, 0, DRM_MM_INSERT_BEST)) {
		kfree(release);
		return NULL;
	}
	release->sequence = ++display->release_sequence;
	display->releases[index] = release;
	((union qxl_release_info *)qxl_cmd_memory(display, release))->id =
		release_id(release, index);
	return release;
}

static bool release_ring_filled(struct qxl_display *display)
{
	struct qxl_ring_header *ring = &display->ram->release_ring.header;

	return READ_ONCE(ring->prod) != READ_ONCE(ring->cons);
}

static struct qxl_release *collect_and_alloc(struct qxl_display *display, u64 size)
{
	struct qxl_release *release;

	mutex_lock(&display->mm_lock);
	collect_locked(display);
	release = try_alloc(display, size);
	mutex_unlock(&display->mm_lock);
	return release;
}

/**
 * qxl_cmd_alloc - memory for a command in the RAM window
 * @display: the display
 * @size: bytes
 *
 * The memory begins with a filled QXLReleaseInfo.  If there is none the device is
 * asked to release more (QXL_IO_NOTIFY_OOM) and given WAIT_MS; if it did not manage
 * that last time either, nobody waits.
 *
 * Return: the memory, or an ERR_PTR: -EAGAIN (later), -ETIMEDOUT (device gone).
 */
struct qxl_release *qxl_cmd_alloc(struct qxl_display *display, u64 size)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(WAIT_MS);
	struct qxl_release *release;
	int ret;

	for (;;) {
		release = collect_and_alloc(display, size);
		if (release)
			return release;
		if (display->congested || time_after(jiffies, deadline))
			break;
		ret = qxl_io(display, QXL_IO_NOTIFY_OOM, 0);
		if (ret)
			return ERR_PTR(ret);
		wait_event_timeout(display->ring_wait, release_ring_filled(display),
				   msecs_to_jiffies(WAIT_SLICE_MS));
	}
	display->congested = true;
	return ERR_PTR(-EAGAIN);
}

/* Give back memory of a command that was not pushed. */
void qxl_cmd_free(struct qxl_display *display, struct qxl_release *release)
{
	u32 index;

	mutex_lock(&display->mm_lock);
	for (index = 0; index < QXL_MAX_COMMANDS; index++)
		if (display->releases[index] == release)
			release_drop(display, index);
	mutex_unlock(&display->mm_lock);
}

static bool ring_full(struct qxl_command_ring *ring, u32 prod)
{
	return prod - READ_ONCE(ring->header.cons) >= QXL_COMMAND_RING_SIZE;
}

/* Ask for an interrupt at the next free entry, then look again. */
static bool ring_still_full(struct qxl_command_ring *ring, u32 prod)
{
	WRITE_ONCE(ring->header.notify_on_cons, READ_ONCE(ring->header.cons) + 1);
	virt_mb();
	return ring_full(ring, prod);
}

static int ring_wait(struct qxl_display *display, struct qxl_command_ring *ring, u32 prod)
{
	if (!ring_full(ring, prod))
		return 0;
	if (!display->congested &&
	    wait_event_timeout(display->ring_wait, !ring_still_full(ring, prod),
			       msecs_to_jiffies(WAIT_MS)))
		return 0;
	display->congested = true;
	return -EAGAIN;
}

/**
 * qxl_cmd_push - hand a command to the device
 * @display: the display
 * @ring: its command or cursor ring
 * @type: QXL_CMD_*
 * @release: the command; freed here if it cannot be pushed
 *
 * Return: 0, or -EAGAIN if the ring stays full.
 */
int qxl_cmd_push(struct qxl_display *display, struct qxl_command_ring *ring, u32 type,
		 struct qxl_release *release)
{
	struct qxl_command *item;
	u32 prod;
	int ret;

	mutex_lock(&display->ring_lock);
	prod = READ_ONCE(ring->header.prod);
	ret = ring_wait(display, ring, prod);
	if (ret) {
		mutex_unlock(&display->ring_lock);
		qxl_cmd_free(display, release);
		return ret;
	}
	item = &ring->items[prod % QXL_COMMAND_RING_SIZE];
	item->data = qxl_ram_address(display, qxl_cmd_memory(display, release));
	item->type = type;
	item->padding = 0;
	virt_mb();
	WRITE_ONCE(ring->header.prod, prod + 1);
	virt_mb();
	if (READ_ONCE(ring->header.notify_on_prod) == prod + 1)
		qxl_ring_doorbell(display->parent, display->notify_vector);
	display->congested = false;
	mutex_unlock(&display->ring_lock);
	return 0;
}

/* After a reset of the device, and before the end: nothing is in flight any more. */
void qxl_cmd_forget(struct qxl_display *display)
{
	u32 index;

	mutex_lock(&display->mm_lock);
	for (index = 0; index < QXL_MAX_COMMANDS; index++)
		if (display->releases[index])
			release_drop(display, index);
	display->congested = false;
	mutex_unlock(&display->mm_lock);
}

static void heap_takedown(struct drm_device *drm, void *data)
{
	struct qxl_display *display = to_qxl_display(drm);

	qxl_cmd_forget(display);
	drm_mm_takedown(&display->heap);
}

int qxl_cmd_init(struct qxl_display *display)
{
	u64 end = display->heap_size;

	mutex_init(&display->mm_lock);
	mutex_init(&display->ring_lock);
	init_waitqueue_head(&display->ring_wait);
	INIT_WORK(&display->release_work, release_work);
	drm_mm_init(&display->heap, HEAP_START, end - HEAP_START);
	return drmm_add_action_or_reset(&display->drm, heap_takedown, NULL);
}
