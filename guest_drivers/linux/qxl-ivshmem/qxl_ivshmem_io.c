// SPDX-License-Identifier: GPL-2.0-or-later
/* The I/O request ring: a call here is what an OUT instruction is on a PCI QXL. */

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>

#include <drm/drm_print.h>

#include "qxl_ivshmem_drv.h"

#define IO_SPIN_US	100	/* most requests are done by then: no scheduling */
#define IO_SLEEP_US	200
#define IO_RING_MS	100	/* QEMU loses what is rung before it connected the doorbells */

void qxl_io_init(struct qxl_display *display)
{
	mutex_init(&display->io_lock);
	mutex_init(&display->async_lock);
	init_completion(&display->io_cmd);
	/* The counters outlive the driver. */
	display->io_prod = READ_ONCE(display->io->prod);
}

static bool io_done(struct qxl_display *display, u32 index)
{
	return (s32)(READ_ONCE(display->io->done) - index) > 0;
}

static bool io_wait(struct qxl_display *display, u32 index)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(QXL_IVSHMEM_IO_TIMEOUT_MS);
	unsigned long ring_again = jiffies + msecs_to_jiffies(IO_RING_MS);
	u64 spin_until = ktime_get_ns() + IO_SPIN_US * NSEC_PER_USEC;

	while (!io_done(display, index)) {
		if (ktime_get_ns() < spin_until) {
			cpu_relax();
			continue;
		}
		if (time_after(jiffies, deadline))
			return io_done(display, index);
		if (time_after(jiffies, ring_again)) {
			qxl_ring_doorbell(display->parent, display->io_vector);
			ring_again = jiffies + msecs_to_jiffies(IO_RING_MS);
		}
		usleep_range(IO_SLEEP_US, 2 * IO_SLEEP_US);
	}
	return true;
}

/* Not one more request while one that timed out is open: it would run late. */
static int io_check_stalled(struct qxl_display *display)
{
	if (!display->stalled)
		return 0;
	if (READ_ONCE(display->io->done) != display->io_prod)
		return -ETIMEDOUT;
	return 0;
}

static void io_stall(struct qxl_display *display, u32 port)
{
	drm_err(&display->drm, "no answer to I/O port %u for %u ms: is qxld running?\n",
		port, QXL_IVSHMEM_IO_TIMEOUT_MS);
	display->stalled = true;
	schedule_delayed_work(&display->recover_work, HZ);
}

/**
 * qxl_io - write @value to @port and wait until the device took it
 * @display: the display
 * @port: QXL_IO_*
 * @value: 0 to 255
 *
 * Return: 0, -EINVAL if the device refuses, -ETIMEDOUT if nobody answers.
 */
int qxl_io(struct qxl_display *display, u32 port, u32 value)
{
	struct qxl_ivshmem_io_ring *ring = display->io;
	struct qxl_ivshmem_io_entry *entry;
	u32 index;
	int ret;

	mutex_lock(&display->io_lock);
	ret = io_check_stalled(display);
	if (ret)
		goto unlock;

	index = display->io_prod;
	entry = &ring->entries[index % QXL_IVSHMEM_IO_ENTRIES];
	entry->port = port;
	entry->value = value;
	entry->status = QXL_IVSHMEM_IO_OK;
	virt_mb();
	display->io_prod = index + 1;
	WRITE_ONCE(ring->prod, index + 1);
	virt_mb();
	qxl_ring_doorbell(display->parent, display->io_vector);

	if (!io_wait(display, index)) {
		io_stall(display, port);
		ret = -ETIMEDOUT;
		goto unlock;
	}
	virt_rmb();
	if (READ_ONCE(entry->status) != QXL_IVSHMEM_IO_OK)
		ret = -EINVAL;
unlock:
	mutex_unlock(&display->io_lock);
	if (ret == -EINVAL)
		drm_err_ratelimited(&display->drm, "I/O port %u refused value %u\n",
				    port, value);
	return ret;
}

/**
 * qxl_io_async - write @value to an asynchronous @port and wait for its interrupt
 * @display: the display
 * @port: QXL_IO_*_ASYNC
 * @value: 0 to 255
 *
 * Return: 0, -EINVAL if the device refuses, -ETIMEDOUT if nobody answers.
 */
int qxl_io_async(struct qxl_display *display, u32 port, u32 value)
{
	unsigned long timeout = msecs_to_jiffies(QXL_IVSHMEM_IO_TIMEOUT_MS);
	int ret;

	mutex_lock(&display->async_lock);
	reinit_completion(&display->io_cmd);
	ret = qxl_io(display, port, value);
	if (!ret && !wait_for_completion_timeout(&display->io_cmd, timeout)) {
		drm_err(&display->drm, "I/O port %u never finished\n", port);
		ret = -ETIMEDOUT;
	}
	mutex_unlock(&display->async_lock);
	return ret;
}
