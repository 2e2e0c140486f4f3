// SPDX-License-Identifier: GPL-2.0-or-later
/* MSI-X.  A vector says "look"; int_pending says what for. */

#include <linux/atomic.h>
#include <linux/interrupt.h>

#include "qxl_ivshmem_drv.h"

#define QXL_INTERRUPTS (QXL_INTERRUPT_DISPLAY | QXL_INTERRUPT_CURSOR | \
			QXL_INTERRUPT_IO_CMD | QXL_INTERRUPT_ERROR | \
			QXL_INTERRUPT_CLIENT_MONITORS_CONFIG)

static void display_interrupt(struct qxl_display *display)
{
	/* Pairs with qxl_irq_enable(): everything below is set up. */
	struct qxl_ram *ram = smp_load_acquire(&display->ram);
	u32 pending;

	if (!ram)
		return;
	/* Bits that come up from here on bring another interrupt. */
	pending = xchg(&ram->int_pending, 0);
	if (pending & (QXL_INTERRUPT_DISPLAY | QXL_INTERRUPT_CURSOR)) {
		wake_up_all(&display->ring_wait);
		schedule_work(&display->release_work);
	}
	if (pending & QXL_INTERRUPT_IO_CMD)
		complete(&display->io_cmd);
	if (pending & QXL_INTERRUPT_CLIENT_MONITORS_CONFIG)
		schedule_work(&display->client_config_work);
	if (pending & QXL_INTERRUPT_ERROR)
		dev_warn_ratelimited(display->drm.dev, "the device reports a guest bug\n");
}

static irqreturn_t qxl_interrupt(int irq, void *data)
{
	struct qxl_ivshmem *qxl = data;
	struct qxl_vdi *vdi = smp_load_acquire(&qxl->vdi);
	unsigned int i;

	for (i = 0; i < qxl->num_displays; i++)
		if (qxl->displays[i])
			display_interrupt(qxl->displays[i]);
	if (vdi)
		qxl_vdi_interrupt(vdi);
	return IRQ_HANDLED;
}

/* Tell the device what we listen to; whatever is pending already is looked at now. */
void qxl_irq_enable(struct qxl_display *display)
{
	WRITE_ONCE(display->ram->int_mask, QXL_INTERRUPTS);
	virt_mb();
	display_interrupt(display);
}

/* Handlers that run now have ended when this returns. */
void qxl_irq_synchronize(struct qxl_ivshmem *qxl)
{
	unsigned int i;

	for (i = 0; i < qxl->num_vectors; i++)
		synchronize_irq(pci_irq_vector(qxl->pdev, i));
}

/* When this returns no handler looks at @display, nor will one. */
void qxl_irq_disable(struct qxl_display *display)
{
	WRITE_ONCE(display->ram->int_mask, 0);
	WRITE_ONCE(display->ram, NULL);
	qxl_irq_synchronize(display->parent);
}

/*
 * A handler on every vector: which of them the host uses is its choice, and changes
 * when another qxld takes over.
 */
int qxl_irq_init(struct qxl_ivshmem *qxl)
{
	struct pci_dev *pdev = qxl->pdev;
	int count, i, ret;

	count = pci_alloc_irq_vectors(pdev, 1, QXL_MAX_VECTORS, PCI_IRQ_MSIX);
	if (count < 0)
		return dev_err_probe(&pdev->dev, count, "no MSI-X vectors\n");
	for (i = 0; i < count; i++) {
		ret = devm_request_irq(&pdev->dev, pci_irq_vector(pdev, i),
				       qxl_interrupt, 0, QXL_NAME, qxl);
		if (ret)
			return dev_err_probe(&pdev->dev, ret, "vector %d\n", i);
	}
	qxl->num_vectors = count;
	return 0;
}
