// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /dev/vdiport0: the VDI port as a character device (qxl_ivshmem.h tells how the port
 * works).  It behaves as a port of virtio-serial does: one opener, bytes both ways,
 * end of file and POLLHUP while nobody serves the host's end.  One thing is its own: a
 * connection that the host ended stays ended for this opener, who opens anew to get
 * another, so that nobody takes the middle of one stream for the start of the next.
 *
 * A file may outlive the device: whoever touches the port's memory holds a lock under
 * which ->gone was false.
 */

#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "qxl_ivshmem_drv.h"

#define VDI_RING_AGAIN	(HZ / 4)	/* while an opening has no answer */
#define VDI_OPEN_WAIT	(HZ / 10)	/* who opens without blocking wants to know */

#define VDI_READABLE	(EPOLLIN | EPOLLRDNORM)
#define VDI_WRITABLE	(EPOLLOUT | EPOLLWRNORM)

enum vdi_state {
	VDI_CLOSED,
	VDI_CONNECTING,	/* no connection yet: not answered, or nobody serves */
	VDI_CONNECTED,
	VDI_ENDED,	/* by the host; what lies in the input ring can be read */
};

struct qxl_vdi {
	struct kref ref;
	struct qxl_ivshmem *qxl;
	struct miscdevice misc;
	char name[16];
	int id;
	u16 vector;
	unsigned long in_use;		/* bit 0: somebody has it open */
	struct mutex read_lock;		/* one reader at a time; before lock */
	struct mutex write_lock;	/* one writer at a time; before lock */
	spinlock_t lock;		/* everything below, and words of the port */
	bool gone;			/* device removed: no more memory, no doorbell */
	struct qxl_ivshmem_vdi *port;
	enum vdi_state state;
	u32 opening;			/* our number of it, never 0 */
	u32 generation;			/* the host's number of the connection */
	u32 in_cons, out_prod;		/* those in memory are for the host to read */
	wait_queue_head_t wait;
	struct delayed_work ring_work;
};

static DEFINE_IDA(vdi_ida);

static void vdi_free(struct kref *ref)
{
	struct qxl_vdi *vdi = container_of(ref, struct qxl_vdi, ref);

	ida_free(&vdi_ida, vdi->id);
	kfree(vdi);
}

/* ---- the port's memory, under ->lock and not gone */

static bool vdi_answered(struct qxl_vdi *vdi)
{
	return READ_ONCE(vdi->port->host_open) == vdi->opening;
}

static void vdi_follow_host(struct qxl_vdi *vdi)
{
	u32 generation;

	switch (vdi->state) {
	case VDI_CONNECTING:
		if (!vdi_answered(vdi))
			break;
		virt_rmb();
		generation = READ_ONCE(vdi->port->generation);
		if (!generation)
			break;
		virt_rmb();
		vdi->generation = generation;
		vdi->in_cons = 0;
		vdi->out_prod = 0;
		vdi->state = VDI_CONNECTED;
		break;
	case VDI_CONNECTED:
		if (READ_ONCE(vdi->port->generation) != vdi->generation)
			vdi->state = VDI_ENDED;
		break;
	default:
		break;
	}
}

/* Bytes between two indexes; the host's may be anything. */
static u32 vdi_used(struct qxl_vdi *vdi, u32 prod, u32 cons)
{
	if (prod - cons <= QXL_IVSHMEM_VDI_RING_SIZE)
		return prod - cons;
	if (vdi->state == VDI_CONNECTED)
		pr_warn_ratelimited("%s: the host broke a ring\n", vdi->name);
	vdi->state = VDI_ENDED;
	return 0;
}

/* How much can be read; if nothing, the host will tell when that changes. */
static u32 vdi_input(struct qxl_vdi *vdi)
{
	struct qxl_ivshmem_vdi_ring *ring = &vdi->port->input;
	u32 used = vdi_used(vdi, READ_ONCE(ring->prod), vdi->in_cons);

	if (used || vdi->state != VDI_CONNECTED)
		return used;
	WRITE_ONCE(ring->notify_on_prod, vdi->in_cons + 1);
	virt_mb();
	return vdi_used(vdi, READ_ONCE(ring->prod), vdi->in_cons);
}

/* How much can be written; if nothing, the host will tell when half the ring is free. */
static u32 vdi_room(struct qxl_vdi *vdi)
{
	struct qxl_ivshmem_vdi_ring *ring = &vdi->port->output;
	u32 used = vdi_used(vdi, vdi->out_prod, READ_ONCE(ring->cons));

	if (used == QXL_IVSHMEM_VDI_RING_SIZE) {
		WRITE_ONCE(ring->notify_on_cons,
			   vdi->out_prod - QXL_IVSHMEM_VDI_RING_SIZE / 2);
		virt_mb();
		used = vdi_used(vdi, vdi->out_prod, READ_ONCE(ring->cons));
	}
	return QXL_IVSHMEM_VDI_RING_SIZE - used;
}

/* ---- what can be done now */

static __poll_t vdi_events_locked(struct qxl_vdi *vdi)
{
	__poll_t events = 0;

	if (vdi->gone)
		return VDI_READABLE | VDI_WRITABLE | EPOLLHUP | EPOLLERR;
	vdi_follow_host(vdi);
	if (vdi->state == VDI_CONNECTING)
		return vdi_answered(vdi) ? VDI_READABLE | EPOLLHUP : 0;
	if (vdi_input(vdi))
		events |= VDI_READABLE;
	if (vdi->state == VDI_CONNECTED && vdi_room(vdi))
		events |= VDI_WRITABLE;
	if (vdi->state == VDI_ENDED)
		events |= VDI_READABLE | VDI_WRITABLE | EPOLLHUP;
	return events;
}

static __poll_t vdi_events(struct qxl_vdi *vdi)
{
	__poll_t events;

	spin_lock(&vdi->lock);
	events = vdi_events_locked(vdi);
	spin_unlock(&vdi->lock);
	return events;
}

/* Under ->lock, or another one that keeps ->gone false. */
static void vdi_doorbell(struct qxl_vdi *vdi)
{
	qxl_ring_doorbell(vdi->qxl, vdi->vector);
}

static bool vdi_unanswered(struct qxl_vdi *vdi)
{
	bool unanswered;

	spin_lock(&vdi->lock);
	unanswered = !vdi->gone && vdi->state == VDI_CONNECTING && !vdi_answered(vdi);
	spin_unlock(&vdi->lock);
	return unanswered;
}

/* qxld may be away, or QEMU not have connected the doorbells yet. */
static void vdi_ring_work(struct work_struct *work)
{
	struct qxl_vdi *vdi = container_of(work, struct qxl_vdi, ring_work.work);

	if (vdi_unanswered(vdi)) {
		vdi_doorbell(vdi);	/* removal waits for this work */
		schedule_delayed_work(&vdi->ring_work, VDI_RING_AGAIN);
	} else {
		wake_up_all(&vdi->wait);
	}
}

/* ---- reading and writing */

static bool vdi_nonblocking(struct kiocb *iocb)
{
	return (iocb->ki_filp->f_flags & O_NONBLOCK) || (iocb->ki_flags & IOCB_NOWAIT);
}

/* Find what lies in the input ring: its size, 0 at the end of the stream, or error. */
static ssize_t vdi_begin_read(struct qxl_vdi *vdi)
{
	ssize_t ret;

	spin_lock(&vdi->lock);
	if (vdi->gone) {
		ret = -ENODEV;
		goto unlock;
	}
	vdi_follow_host(vdi);
	if (vdi->state == VDI_CONNECTING) {
		ret = vdi_answered(vdi) ? 0 : -EAGAIN;
		goto unlock;
	}
	ret = vdi_input(vdi);
	if (!ret && vdi->state == VDI_CONNECTED)
		ret = -EAGAIN;
unlock:
	spin_unlock(&vdi->lock);
	return ret;
}

/* Under ->read_lock. */
static ssize_t vdi_read_some(struct qxl_vdi *vdi, struct iov_iter *to)
{
	struct qxl_ivshmem_vdi_ring *ring;
	ssize_t ret = vdi_begin_read(vdi);
	u32 start, count, first, copied;

	if (ret <= 0)
		return ret;
	virt_rmb();	/* bytes after prod */
	ring = &vdi->port->input;
	count = min_t(size_t, ret, iov_iter_count(to));
	start = vdi->in_cons % QXL_IVSHMEM_VDI_RING_SIZE;
	first = min_t(u32, count, QXL_IVSHMEM_VDI_RING_SIZE - start);
	copied = copy_to_iter(ring->items + start, first, to);
	if (copied == first && first < count)
		copied += copy_to_iter(ring->items, count - first, to);
	if (!copied)
		return -EFAULT;

	virt_mb();	/* the host may overwrite them from here on */
	spin_lock(&vdi->lock);
	vdi->in_cons += copied;
	WRITE_ONCE(ring->cons, vdi->in_cons);
	virt_mb();
	if (vdi->in_cons - READ_ONCE(ring->notify_on_cons) < copied)
		vdi_doorbell(vdi);
	spin_unlock(&vdi->lock);
	return copied;
}

static ssize_t vdi_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct qxl_vdi *vdi = iocb->ki_filp->private_data;
	ssize_t ret;

	if (!iov_iter_count(to))
		return 0;
	for (;;) {
		if (mutex_lock_interruptible(&vdi->read_lock))
			return -ERESTARTSYS;
		ret = vdi_read_some(vdi, to);
		mutex_unlock(&vdi->read_lock);
		if (ret != -EAGAIN || vdi_nonblocking(iocb))
			return ret;
		ret = wait_event_interruptible(vdi->wait, vdi_events(vdi) & VDI_READABLE);
		if (ret)
			return ret;
	}
}

/* Find the room in the output ring: its size or an error. */
static ssize_t vdi_begin_write(struct qxl_vdi *vdi)
{
	ssize_t ret = 0;

	spin_lock(&vdi->lock);
	if (vdi->gone) {
		ret = -ENODEV;
		goto unlock;
	}
	vdi_follow_host(vdi);
	if (vdi->state == VDI_CONNECTED)
		ret = vdi_room(vdi);
	if (vdi->state == VDI_ENDED)
		ret = -EPIPE;
	else if (!ret)
		ret = -EAGAIN;
unlock:
	spin_unlock(&vdi->lock);
	return ret;
}

/* Under ->write_lock. */
static ssize_t vdi_write_some(struct qxl_vdi *vdi, struct iov_iter *from)
{
	struct qxl_ivshmem_vdi_ring *ring;
	ssize_t ret = vdi_begin_write(vdi);
	u32 start, count, first, copied;

	if (ret < 0)
		return ret;
	virt_mb();	/* the host is done with what we overwrite */
	ring = &vdi->port->output;
	count = min_t(size_t, ret, iov_iter_count(from));
	start = vdi->out_prod % QXL_IVSHMEM_VDI_RING_SIZE;
	first = min_t(u32, count, QXL_IVSHMEM_VDI_RING_SIZE - start);
	copied = copy_from_iter(ring->items + start, first, from);
	if (copied == first && first < count)
		copied += copy_from_iter(ring->items, count - first, from);
	if (!copied)
		return -EFAULT;

	virt_wmb();	/* bytes before prod */
	spin_lock(&vdi->lock);
	vdi->out_prod += copied;
	WRITE_ONCE(ring->prod, vdi->out_prod);
	virt_mb();
	if (vdi->out_prod - READ_ONCE(ring->notify_on_prod) < copied)
		vdi_doorbell(vdi);
	spin_unlock(&vdi->lock);
	return copied;
}

static ssize_t vdi_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct qxl_vdi *vdi = iocb->ki_filp->private_data;
	ssize_t ret = 0, total = 0;

	while (iov_iter_count(from)) {
		if (mutex_lock_interruptible(&vdi->write_lock)) {
			ret = -ERESTARTSYS;
			break;
		}
		ret = vdi_write_some(vdi, from);
		mutex_unlock(&vdi->write_lock);
		if (ret > 0) {
			total += ret;
			continue;
		}
		if (ret != -EAGAIN || vdi_nonblocking(iocb))
			break;
		ret = wait_event_interruptible(vdi->wait, vdi_events(vdi) & VDI_WRITABLE);
		if (ret)
			break;
	}
	return total ?: ret;
}

static __poll_t vdi_poll(struct file *file, struct poll_table_struct *table)
{
	struct qxl_vdi *vdi = file->private_data;

	poll_wait(file, &vdi->wait, table);
	return vdi_events(vdi);
}

/* ---- opening and closing */

static int vdi_open(struct inode *inode, struct file *file)
{
	struct qxl_vdi *vdi = container_of(file->private_data, struct qxl_vdi, misc);

	if (test_and_set_bit(0, &vdi->in_use))
		return -EBUSY;
	kref_get(&vdi->ref);
	file->private_data = vdi;
	spin_lock(&vdi->lock);
	if (!++vdi->opening)
		vdi->opening = 1;
	vdi->state = VDI_CONNECTING;
	WRITE_ONCE(vdi->port->guest_open, vdi->opening);
	virt_mb();
	vdi_doorbell(vdi);
	spin_unlock(&vdi->lock);
	/* Whether it is answered or not, a signal or not: it is open. */
	wait_event_interruptible_timeout(vdi->wait, !vdi_unanswered(vdi), VDI_OPEN_WAIT);
	schedule_delayed_work(&vdi->ring_work, VDI_RING_AGAIN);
	return stream_open(inode, file);
}

static int vdi_release(struct inode *inode, struct file *file)
{
	struct qxl_vdi *vdi = file->private_data;

	spin_lock(&vdi->lock);
	vdi->state = VDI_CLOSED;
	if (!vdi->gone) {
		WRITE_ONCE(vdi->port->guest_open, 0);
		virt_mb();
		vdi_doorbell(vdi);
	}
	spin_unlock(&vdi->lock);
	cancel_delayed_work_sync(&vdi->ring_work);
	clear_bit(0, &vdi->in_use);
	kref_put(&vdi->ref, vdi_free);
	return 0;
}

static const struct file_operations vdi_fops = {
	.owner = THIS_MODULE,
	.open = vdi_open,
	.release = vdi_release,
	.read_iter = vdi_read_iter,
	.write_iter = vdi_write_iter,
	.poll = vdi_poll,
};

/* ---- the device's life */

/* In interrupt context; nobody removes the port meanwhile. */
void qxl_vdi_interrupt(struct qxl_vdi *vdi)
{
	if (xchg(&vdi->port->int_pending, 0))
		wake_up_all(&vdi->wait);
}

static struct qxl_vdi *vdi_create(struct qxl_ivshmem *qxl, struct qxl_window *window)
{
	struct qxl_vdi *vdi = kzalloc(sizeof(*vdi), GFP_KERNEL);

	if (!vdi)
		return ERR_PTR(-ENOMEM);
	vdi->id = ida_alloc(&vdi_ida, GFP_KERNEL);
	if (vdi->id < 0) {
		int ret = vdi->id;

		kfree(vdi);
		return ERR_PTR(ret);
	}
	kref_init(&vdi->ref);
	mutex_init(&vdi->read_lock);
	mutex_init(&vdi->write_lock);
	spin_lock_init(&vdi->lock);
	init_waitqueue_head(&vdi->wait);
	INIT_DELAYED_WORK(&vdi->ring_work, vdi_ring_work);
	vdi->qxl = qxl;
	vdi->vector = READ_ONCE(qxl->header->vdi_vector);
	vdi->port = window->base;
	/* Unlike the number that a former driver ended with. */
	vdi->opening = READ_ONCE(vdi->port->host_open);
	snprintf(vdi->name, sizeof(vdi->name), "vdiport%d", vdi->id);
	vdi->misc.minor = MISC_DYNAMIC_MINOR;
	vdi->misc.name = vdi->name;
	vdi->misc.fops = &vdi_fops;
	vdi->misc.parent = &qxl->pdev->dev;
	vdi->misc.mode = 0600;
	return vdi;
}

/**
 * qxl_vdi_init - make a character device of the VDI port, if the host offers one
 * @qxl: the device, with its interrupts on
 *
 * Return: 0 or a negative error.
 */
int qxl_vdi_init(struct qxl_ivshmem *qxl)
{
	struct qxl_ivshmem_header *header = qxl->header;
	struct qxl_window window;
	struct qxl_vdi *vdi;
	u64 offset;
	int ret;

	if (!(READ_ONCE(header->features) & QXL_IVSHMEM_FEATURE_VDI_PORT))
		return 0;
	offset = READ_ONCE(header->vdi_offset);
	if (READ_ONCE(header->vdi_size) < sizeof(struct qxl_ivshmem_vdi) || offset % 4 ||
	    !qxl_window(qxl, offset, sizeof(struct qxl_ivshmem_vdi), &window) ||
	    READ_ONCE(((struct qxl_ivshmem_vdi *)window.base)->magic) !=
		    QXL_IVSHMEM_VDI_MAGIC)
		return -EINVAL;
	vdi = vdi_create(qxl, &window);
	if (IS_ERR(vdi))
		return PTR_ERR(vdi);
	/* A former driver may have left without a word. */
	WRITE_ONCE(vdi->port->guest_open, 0);
	WRITE_ONCE(vdi->port->int_mask, QXL_IVSHMEM_VDI_INTERRUPT);
	virt_mb();
	vdi_doorbell(vdi);
	smp_store_release(&qxl->vdi, vdi);
	ret = misc_register(&vdi->misc);
	if (ret) {
		smp_store_release(&qxl->vdi, NULL);
		qxl_irq_synchronize(qxl);
		kref_put(&vdi->ref, vdi_free);
	}
	return ret;
}

/* Nothing touches the port when this returns; who has it open reads ENODEV. */
void qxl_vdi_fini(struct qxl_ivshmem *qxl)
{
	struct qxl_vdi *vdi = qxl->vdi;

	if (!vdi)
		return;
	misc_deregister(&vdi->misc);
	mutex_lock(&vdi->read_lock);
	mutex_lock(&vdi->write_lock);
	spin_lock(&vdi->lock);
	WRITE_ONCE(vdi->port->int_mask, 0);
	WRITE_ONCE(vdi->port->guest_open, 0);
	virt_mb();
	vdi_doorbell(vdi);
	vdi->gone = true;
	spin_unlock(&vdi->lock);
	mutex_unlock(&vdi->write_lock);
	mutex_unlock(&vdi->read_lock);
	smp_store_release(&qxl->vdi, NULL);
	qxl_irq_synchronize(qxl);
	cancel_delayed_work_sync(&vdi->ring_work);
	wake_up_all(&vdi->wait);
	kref_put(&vdi->ref, vdi_free);
}
