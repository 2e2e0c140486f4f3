// SPDX-License-Identifier: GPL-2.0-or-later
/* PCI: find an ivshmem-doorbell device that qxld serves, map it, run its displays. */

#include <linux/module.h>
#include <linux/pci.h>
#include <linux/version.h>

#include <drm/drm_atomic_helper.h>
#include <drm/drm_drv.h>

#include "qxl_ivshmem_drv.h"

#define PCI_DEVICE_ID_IVSHMEM	0x1110
#define IVSHMEM_BAR_REGISTERS	0
#define IVSHMEM_BAR_MEMORY	2
#define IVSHMEM_DOORBELL	0x0c

/* Ring @vector of whichever qxld serves us now. */
void qxl_ring_doorbell(struct qxl_ivshmem *qxl, u16 vector)
{
	u32 peer = READ_ONCE(qxl->header->server_peer_id);

	iowrite32(peer << 16 | vector, qxl->registers + IVSHMEM_DOORBELL);
}

static int map_bars(struct qxl_ivshmem *qxl)
{
	struct pci_dev *pdev = qxl->pdev;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = pci_request_regions(pdev, QXL_NAME);
	if (ret)
		return ret;
	qxl->registers = pcim_iomap(pdev, IVSHMEM_BAR_REGISTERS, 0);
	if (!qxl->registers)
		return -ENOMEM;
	qxl->bar2.size = pci_resource_len(pdev, IVSHMEM_BAR_MEMORY);
	if (qxl->bar2.size < QXL_IVSHMEM_HEADER_WINDOW)
		return -ENODEV;
	qxl->bar2.base = devm_memremap(&pdev->dev,
				       pci_resource_start(pdev, IVSHMEM_BAR_MEMORY),
				       qxl->bar2.size, MEMREMAP_WB);
	if (IS_ERR(qxl->bar2.base))
		return PTR_ERR(qxl->bar2.base);
	qxl->header = qxl->bar2.base;
	return 0;
}

/* Other things live on ivshmem too: they are not an error. */
static int check_header(struct qxl_ivshmem *qxl)
{
	struct qxl_ivshmem_header *header = qxl->header;
	struct device *dev = &qxl->pdev->dev;

	if (READ_ONCE(header->magic) != QXL_IVSHMEM_MAGIC) {
		dev_info(dev, "shared memory is not qxld's\n");
		return -ENODEV;
	}
	virt_rmb();
	if (header->version_major != QXL_IVSHMEM_VERSION_MAJOR) {
		dev_err(dev, "qxld speaks version %u.%u, this driver %u.%u\n",
			header->version_major, header->version_minor,
			QXL_IVSHMEM_VERSION_MAJOR, QXL_IVSHMEM_VERSION_MINOR);
		return -ENODEV;
	}
	if (!(header->features & QXL_IVSHMEM_FEATURE_IO_RING) ||
	    header->size != qxl->bar2.size ||
	    header->display_desc_size < sizeof(struct qxl_ivshmem_display) ||
	    !header->num_displays || header->num_displays > QXL_IVSHMEM_MAX_DISPLAYS) {
		dev_err(dev, "qxld's header makes no sense\n");
		return -EINVAL;
	}
	return 0;
}

static void announce(struct qxl_ivshmem *qxl)
{
	WRITE_ONCE(qxl->header->guest_features,
		   qxl->header->features & (QXL_IVSHMEM_FEATURE_IO_RING |
					    QXL_IVSHMEM_FEATURE_VDI_PORT));
	WRITE_ONCE(qxl->header->guest_status,
		   qxl->header->guest_status | QXL_IVSHMEM_GUEST_DRIVER);
}

static void renounce(struct qxl_ivshmem *qxl)
{
	WRITE_ONCE(qxl->header->guest_status,
		   qxl->header->guest_status & ~QXL_IVSHMEM_GUEST_DRIVER);
}

static int read_descriptor(struct qxl_ivshmem *qxl, unsigned int index,
			   struct qxl_ivshmem_display *desc)
{
	u64 offset = qxl->header->display_desc_offset +
		     (u64)index * qxl->header->display_desc_size;
	struct qxl_window window;

	if (!qxl_window(qxl, offset, sizeof(*desc), &window))
		return -EINVAL;
	memcpy(desc, window.base, sizeof(*desc));
	return 0;
}

static struct qxl_display *display_probe(struct qxl_ivshmem *qxl, unsigned int index)
{
	struct qxl_ivshmem_display desc;
	struct qxl_display *display;
	int ret;

	ret = read_descriptor(qxl, index, &desc);
	if (ret)
		return ERR_PTR(ret);
	display = devm_drm_dev_alloc(&qxl->pdev->dev, &qxl_drm_driver,
				     struct qxl_display, drm);
	if (IS_ERR(display))
		return display;
	display->parent = qxl;
	display->index = index;
	ret = qxl_display_init(display, &desc);
	if (!ret)
		ret = qxl_kms_init(display);
	return ret ? ERR_PTR(ret) : display;
}

static void display_end(struct qxl_display *display)
{
	qxl_irq_disable(display);
	qxl_kms_stop(display);
	qxl_display_fini(display);
}

static int display_start(struct qxl_display *display)
{
	int ret;

	/* From here on interrupts find the display ready. */
	smp_store_release(&display->ram,
			  display->ram_window.base + display->heap_size);
	qxl_irq_enable(display);
	qxl_read_client_config(display);
	ret = drm_dev_register(&display->drm, 0);
	if (ret) {
		display_end(display);
		return ret;
	}
	qxl_kms_start(display);
	return 0;
}

static void display_stop(struct qxl_display *display)
{
	drm_dev_unplug(&display->drm);
	display_end(display);
}

static void stop_displays(struct qxl_ivshmem *qxl, unsigned int count)
{
	while (count--)
		display_stop(qxl->displays[count]);
	renounce(qxl);
}

static int start_displays(struct qxl_ivshmem *qxl)
{
	unsigned int i;
	int ret;

	for (i = 0; i < qxl->num_displays; i++) {
		ret = display_start(qxl->displays[i]);
		if (ret) {
			stop_displays(qxl, i);
			return ret;
		}
	}
	return 0;
}

static int qxl_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct qxl_display *display;
	struct qxl_ivshmem *qxl;
	unsigned int i, count;
	int ret;

	qxl = devm_kzalloc(&pdev->dev, sizeof(*qxl), GFP_KERNEL);
	if (!qxl)
		return -ENOMEM;
	qxl->pdev = pdev;
	pci_set_drvdata(pdev, qxl);

	ret = map_bars(qxl);
	if (!ret)
		ret = check_header(qxl);
	if (ret)
		return ret;
	pci_set_master(pdev);	/* MSI-X is a write of the device */
	announce(qxl);
	count = qxl->header->num_displays;
	for (i = 0; i < count; i++) {
		display = display_probe(qxl, i);
		if (IS_ERR(display)) {
			ret = dev_err_probe(&pdev->dev, PTR_ERR(display),
					    "display %u\n", i);
			goto renounce;
		}
		qxl->displays[i] = display;
	}
	qxl->num_displays = count;
	ret = qxl_irq_init(qxl);
	if (ret)
		goto renounce;
	ret = start_displays(qxl);
	if (ret)
		return ret;
	ret = qxl_vdi_init(qxl);
	if (ret)
		dev_warn(&pdev->dev, "no VDI port (%d)\n", ret);
	return 0;

renounce:
	renounce(qxl);
	return ret;
}

static void qxl_remove(struct pci_dev *pdev)
{
	struct qxl_ivshmem *qxl = pci_get_drvdata(pdev);

	qxl_vdi_fini(qxl);
	stop_displays(qxl, qxl->num_displays);
}

static void qxl_shutdown(struct pci_dev *pdev)
{
	struct qxl_ivshmem *qxl = pci_get_drvdata(pdev);
	unsigned int i;

	for (i = 0; i < qxl->num_displays; i++)
		drm_atomic_helper_shutdown(&qxl->displays[i]->drm);
}

static int qxl_suspend(struct device *dev)
{
	struct qxl_ivshmem *qxl = dev_get_drvdata(dev);
	unsigned int i;
	int ret;

	for (i = 0; i < qxl->num_displays; i++) {
		ret = qxl_display_suspend(qxl->displays[i]);
		if (ret)
			goto resume;
	}
	return 0;
resume:
	while (i--)
		qxl_display_resume(qxl->displays[i]);
	return ret;
}

static int qxl_resume(struct device *dev)
{
	struct qxl_ivshmem *qxl = dev_get_drvdata(dev);
	unsigned int i;
	int ret = 0;

	announce(qxl);
	for (i = 0; i < qxl->num_displays; i++)
		ret = qxl_display_resume(qxl->displays[i]) ?: ret;
	return ret;
}

static DEFINE_SIMPLE_DEV_PM_OPS(qxl_pm_ops, qxl_suspend, qxl_resume);

static const struct pci_device_id qxl_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_REDHAT_QUMRANET, PCI_DEVICE_ID_IVSHMEM) },
	{}
};
MODULE_DEVICE_TABLE(pci, qxl_ids);

static struct pci_driver qxl_pci_driver = {
	.name = QXL_NAME,
	.id_table = qxl_ids,
	.probe = qxl_probe,
	.remove = qxl_remove,
	.shutdown = qxl_shutdown,
	.driver.pm = pm_sleep_ptr(&qxl_pm_ops),
};
module_pci_driver(qxl_pci_driver);

MODULE_DESCRIPTION("QXL display and VDI port over ivshmem, served by qxld");
MODULE_LICENSE("GPL");
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
MODULE_IMPORT_NS("DMA_BUF");
#else
MODULE_IMPORT_NS(DMA_BUF);
#endif
