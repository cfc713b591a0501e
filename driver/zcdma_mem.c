// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_mem.c - the device that memory is allocated for, and the pool behind it
 *
 * Buffers outlive the binding of the driver: an exported dma-buf may be closed hours after
 * unbind. But when a driver unbinds, the driver core takes from its device what freeing and
 * unmapping need (the dma-ranges map; a driver must also hand back its memory-region). So
 * memory is allocated for, and mapped to, a device of our own: a twin of the one that does the
 * DMA, with the same address limits, translation and coherency, which no driver ever binds to.
 * (s5p-mfc has such memory devices, too.)
 *
 * Behind an IOMMU that translates, a twin would have no translation of its own. There, the DMA
 * device itself serves: its domain outlives the driver, and nothing of the dma-ranges map is used.
 * Where the IOMMU passes addresses through, they are made as without one, and the twin serves.
 */
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/slab.h>

#include "zcdma_core.h"

struct zcdma_mem {
	struct device dev;
	u64 dma_mask;
	struct device_dma_parameters dma_parms;
};

/* The dma-ranges map is the driver core's to free, as any device's. */
static void mem_release(struct device *dev)
{
	of_reserved_mem_device_release(dev);
	kfree(container_of(dev, struct zcdma_mem, dev));
}

static int mem_copy_ranges(struct device *dev, struct device *dma_dev)
{
	const struct bus_dma_region *map = dma_dev->dma_range_map;
	size_t n = 0;

	if (!map)
		return 0;
	while (map[n].size)
		n++;
	/* The driver core frees it, just before mem_release(). */
	dev->dma_range_map = kmemdup(map, (n + 1) * sizeof(*map), GFP_KERNEL);
	return dev->dma_range_map ? 0 : -ENOMEM;
}

static int mem_init_pool(struct zcdma_device *zdev, struct device *dev)
{
	struct device_node *np = zdev->parent->of_node;
	struct device_node *region;
	struct reserved_mem *rmem;
	int ret;

	if (!of_property_present(np, "memory-region"))
		return 0;
	region = of_parse_phandle(np, "memory-region", 0);
	if (!region)
		return dev_err_probe(zdev->parent, -EINVAL,
				     "memory-region must refer to a child of /reserved-memory\n");

	rmem = of_reserved_mem_lookup(region);
	if (!rmem) {
		ret = dev_err_probe(zdev->parent, -EINVAL,
				    "memory-region %pOFn is not a child of /reserved-memory that the kernel has set up\n",
				    region);
		goto out_put;
	}
	ret = of_reserved_mem_device_init_by_idx(dev, np, 0);
	if (ret) {
		dev_err_probe(zdev->parent, ret,
			      "memory-region %pOFn cannot be used for DMA: it needs compatible = \"shared-dma-pool\" and one of reusable or no-map\n",
			      region);
		goto out_put;
	}
	zdev->pool_base = rmem->base;
	zdev->pool_size = rmem->size;
	zdev->pool_no_map = of_property_read_bool(region, "no-map");
	strscpy(zdev->pool_name, region->name, sizeof(zdev->pool_name));
out_put:
	of_node_put(region);
	return ret;
}

/**
 * zcdma_is_translated() - whether the addresses that a device uses are an IOMMU's
 * @dev: a device that does DMA
 */
bool zcdma_is_translated(struct device *dev)
{
#ifdef CONFIG_IOMMU_API
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type & __IOMMU_DOMAIN_PAGING;
#else
	return false;
#endif
}
EXPORT_SYMBOL_GPL(zcdma_is_translated);

/**
 * zcdma_mem_create() - set up the memory device of a new device
 * @zdev: has no memory device yet; owns the result, put with its last reference
 * @dma_dev: the device that does the DMA
 *
 * Return: 0, or an error that has been reported as probe's.
 */
int zcdma_mem_create(struct zcdma_device *zdev, struct device *dma_dev)
{
	struct zcdma_mem *mem;
	struct device *dev;
	int ret;

	if (zcdma_is_translated(dma_dev)) {
		if (of_property_present(zdev->parent->of_node, "memory-region"))
			return dev_err_probe(zdev->parent, -EINVAL,
					     "memory-region is of no use behind an IOMMU that translates: remove the property\n");
		zdev->mem = get_device(dma_dev);
		return 0;
	}
	if (!dma_dev->dma_mask)
		return dev_err_probe(zdev->parent, -EIO, "%s has no DMA mask\n",
				     dev_name(dma_dev));

	mem = kzalloc(sizeof(*mem), GFP_KERNEL);
	if (!mem)
		return -ENOMEM;
	dev = &mem->dev;
	device_initialize(dev);
	dev->release = mem_release;
	zdev->mem = dev;

	ret = dev_set_name(dev, "%s-mem", dev_name(&zdev->dev));
	if (ret)
		return ret;
	set_dev_node(dev, dev_to_node(dma_dev));
	dev->dma_mask = &mem->dma_mask;
	dev->dma_parms = &mem->dma_parms;
	dev->bus_dma_limit = dma_dev->bus_dma_limit;
	set_dma_ops(dev, get_dma_ops(dma_dev));
	zcdma_set_dma_coherent(dev, dev_is_dma_coherent(dma_dev));
	ret = mem_copy_ranges(dev, dma_dev);
	if (ret)
		return ret;
	ret = dma_set_mask(dev, dma_get_mask(dma_dev)) ?:
	      dma_set_coherent_mask(dev, dma_dev->coherent_dma_mask);
	if (ret)
		return dev_err_probe(zdev->parent, ret, "cannot take over the DMA mask of %s\n",
				     dev_name(dma_dev));
	dma_set_max_seg_size(dev, dma_get_max_seg_size(dma_dev));

	return mem_init_pool(zdev, dev);
}
