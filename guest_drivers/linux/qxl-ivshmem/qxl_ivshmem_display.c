// SPDX-License-Identifier: GPL-2.0-or-later
/* A display's windows in BAR2, its reset, its memory slots, and what heals it. */

#include <linux/sizes.h>

#include <drm/drm_drv.h>
#include <drm/drm_modeset_helper.h>
#include <drm/drm_print.h>

#include "qxl_ivshmem_drv.h"

#define MIN_HEAP SZ_1M	/* a 512 x 512 copy */

/* Find [@offset, @offset + @size) of BAR2; false if it is not inside. */
bool qxl_window(struct qxl_ivshmem *qxl, u64 offset, u64 size, struct qxl_window *window)
{
	if (offset > qxl->bar2.size || size > qxl->bar2.size - offset)
		return false;
	window->base = qxl->bar2.base + offset;
	window->size = size;
	return true;
}

/* The QXLPHYSICAL of @pointer, which lies in the RAM window. */
u64 qxl_ram_address(struct qxl_display *display, const void *pointer)
{
	return display->ram_slot | (pointer - display->ram_window.base);
}

static int find_windows(struct qxl_display *display, const struct qxl_ivshmem_display *desc)
{
	struct qxl_ivshmem *qxl = display->parent;
	struct qxl_window io;

	if (!qxl_window(qxl, desc->rom_offset, desc->rom_size, &display->rom_window) ||
	    !qxl_window(qxl, desc->ram_offset, desc->ram_size, &display->ram_window) ||
	    !qxl_window(qxl, desc->vram_offset, desc->vram_size, &display->vram_window) ||
	    !qxl_window(qxl, desc->io_offset, desc->io_size, &io) ||
	    io.size < sizeof(struct qxl_ivshmem_io_ring) ||
	    display->rom_window.size < sizeof(struct qxl_rom)) {
		drm_err(&display->drm, "a window of display %u is not inside BAR2\n",
			display->index);
		return -EINVAL;
	}
	display->ram_offset = desc->ram_offset;
	display->vram_offset = desc->vram_offset;
	display->rom = display->rom_window.base;
	display->io = io.base;
	display->notify_vector = desc->notify_vector;
	display->io_vector = desc->io_vector;
	return 0;
}

static int check_rom(struct qxl_display *display)
{
	struct qxl_rom *rom = display->rom;
	u64 header = READ_ONCE(rom->ram_header_offset);
	struct qxl_ram *ram;

	if (READ_ONCE(rom->magic) != QXL_ROM_MAGIC) {
		drm_err(&display->drm, "no QXL ROM\n");
		return -ENODEV;
	}
	if (header < MIN_HEAP || header % 4 || header > display->ram_window.size ||
	    display->ram_window.size - header < sizeof(struct qxl_ram) ||
	    rom->slot_id_bits + rom->slot_gen_bits > 16) {
		drm_err(&display->drm, "the QXL ROM makes no sense\n");
		return -EINVAL;
	}
	ram = display->ram_window.base + header;
	if (READ_ONCE(ram->magic) != QXL_RAM_MAGIC) {
		drm_err(&display->drm, "no QXL RAM header\n");
		return -ENODEV;
	}
	display->heap_size = header;
	return 0;
}

static int add_slot(struct qxl_display *display, unsigned int number, u64 start, u64 size,
		    u64 *high_bits)
{
	struct qxl_rom *rom = display->rom;
	struct qxl_ram *ram = display->ram_window.base + display->heap_size;
	u32 id = rom->slots_start + number;
	int ret;

	ram->mem_slot.mem_start = start;
	ram->mem_slot.mem_end = start + size;
	ret = qxl_io(display, QXL_IO_MEMSLOT_ADD, id);
	if (ret)
		return ret;
	*high_bits = ((u64)id << rom->slot_gen_bits | rom->slot_generation) <<
		     (64 - rom->slot_id_bits - rom->slot_gen_bits);
	return 0;
}

static int add_slots(struct qxl_display *display)
{
	int ret;

	ret = add_slot(display, 0, display->ram_offset, display->heap_size,
		       &display->ram_slot);
	if (!ret)
		ret = add_slot(display, 1, display->vram_offset, display->vram_window.size,
			       &display->vram_slot);
	return ret;
}

/**
 * qxl_display_reset - bring a display to a known state with its memory slots added
 * @display: the display
 *
 * Return: 0 or a negative error.
 */
int qxl_display_reset(struct qxl_display *display)
{
	int ret;

	ret = qxl_io(display, QXL_IO_RESET, 0);
	if (!ret)
		ret = check_rom(display);
	if (!ret)
		ret = add_slots(display);
	if (ret)
		return ret;
	display->has_primary = false;
	return 0;
}

/* Disable everything, reset, bring back what was shown. */
static int display_restart(struct qxl_display *display)
{
	int ret;

	ret = qxl_display_suspend(display);
	if (ret)
		return ret;
	return qxl_display_resume(display);
}

/*
 * A request timed out: qxld is gone or hangs.  As soon as the open request is done
 * somebody serves the ring again, and may know nothing of this display's state.
 */
static void recover_work(struct work_struct *work)
{
	struct qxl_display *display =
		container_of(work, struct qxl_display, recover_work.work);
	int ret, idx;

	if (!drm_dev_enter(&display->drm, &idx))
		return;
	if (READ_ONCE(display->io->done) != display->io_prod) {
		schedule_delayed_work(&display->recover_work, HZ);
	} else {
		mutex_lock(&display->io_lock);
		display->stalled = false;
		mutex_unlock(&display->io_lock);
		ret = display_restart(display);
		drm_info(&display->drm, "the device answers again: %s (%d)\n",
			 ret ? "restart failed" : "restarted", ret);
	}
	drm_dev_exit(idx);
}

int qxl_display_suspend(struct qxl_display *display)
{
	return drm_mode_config_helper_suspend(&display->drm);
}

int qxl_display_resume(struct qxl_display *display)
{
	int ret;

	ret = qxl_display_reset(display);
	if (!ret) {
		qxl_cmd_forget(display);
		qxl_irq_enable(display);
	}
	/* Also if it failed: user space must find its state again. */
	return drm_mode_config_helper_resume(&display->drm) ?: ret;
}

/**
 * qxl_display_init - find a display's windows and make it ready for commands
 * @display: a display with parent and index set
 * @desc: its descriptor, already copied out of the header
 *
 * Return: 0 or a negative error.
 */
int qxl_display_init(struct qxl_display *display, const struct qxl_ivshmem_display *desc)
{
	int ret;

	INIT_DELAYED_WORK(&display->recover_work, recover_work);
	ret = find_windows(display, desc);
	if (ret)
		return ret;
	qxl_io_init(display);
	ret = qxl_display_reset(display);
	if (ret)
		goto cancel;
	ret = qxl_cmd_init(display);
	if (ret)
		goto cancel;
	return 0;
cancel:
	cancel_delayed_work_sync(&display->recover_work);
	return ret;
}

/* The device forgets this driver.  After drm_dev_unplug(): nobody draws any more. */
void qxl_display_fini(struct qxl_display *display)
{
	qxl_io(display, QXL_IO_RESET, 0);
	cancel_delayed_work_sync(&display->recover_work);
	cancel_work_sync(&display->release_work);
}
