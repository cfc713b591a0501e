// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_dmabuf.c - buffers as dma-bufs for others
 *
 * Each export is a dma-buf of its own that holds one reference on the buffer; it works the same
 * before and after the device is gone. Importers get a mapping of the buffer's pages to their own
 * device. CPU access through the dma-buf is bracketed by begin and end, which pass the bytes
 * between the CPU and every device that has the buffer mapped, ours first.
 *
 * Lock order: dma-buf reservation -> zcdma_buf::lock.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fcntl.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "zcdma_core.h"
#include "zcdma_trace.h"

/**
 * struct zcdma_attachment - one importer
 * @node: in zcdma_buf::attachments
 * @dev: its device
 * @sgt: the buffer's pages, mapped to @dev while @mapped
 * @dir: what @dev does with them
 * @mapped: protected, as @node and @dir are, by zcdma_buf::lock
 */
struct zcdma_attachment {
	struct list_head node;
	struct device *dev;
	struct sg_table sgt;
	enum dma_data_direction dir;
	bool mapped;
};

/* The same pages, in segments that the importer's device can take. */
static int copy_page_table(struct sg_table *to, const struct sg_table *from, struct device *dev)
{
	size_t max = max(rounddown(dma_get_max_seg_size(dev), PAGE_SIZE), PAGE_SIZE);
	struct scatterlist *src, *dst;
	unsigned int nents = 0;
	unsigned int i;
	int ret;

	/* Not DIV_ROUND_UP(): @max can be all but 4 GiB, and a sum too much for 32 bits. */
	for_each_sgtable_sg(from, src, i)
		nents += (src->length - 1) / max + 1;
	ret = sg_alloc_table(to, nents, GFP_KERNEL);
	if (ret)
		return ret;
	dst = to->sgl;
	for_each_sgtable_sg(from, src, i) {
		for (size_t at = 0; at < src->length; at += max) {
			sg_set_page(dst, nth_page(sg_page(src), at >> PAGE_SHIFT),
				    min(src->length - at, max), src->offset);
			dst = sg_next(dst);
		}
	}
	return 0;
}

static int zcdma_dmabuf_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct zcdma_buf *buf = dmabuf->priv;
	struct zcdma_attachment *a;
	int ret;

	/* Memory without struct page cannot be mapped to a second device. */
	if (buf->no_pages)
		return -EOPNOTSUPP;

	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	ret = copy_page_table(&a->sgt, &buf->sgt, attach->dev);
	if (ret) {
		kfree(a);
		return ret;
	}
	a->dev = attach->dev;
	attach->priv = a;

	mutex_lock(&buf->lock);
	list_add(&a->node, &buf->attachments);
	mutex_unlock(&buf->lock);
	return 0;
}

static void zcdma_dmabuf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct zcdma_buf *buf = dmabuf->priv;
	struct zcdma_attachment *a = attach->priv;

	mutex_lock(&buf->lock);
	list_del(&a->node);
	mutex_unlock(&buf->lock);
	sg_free_table(&a->sgt);
	kfree(a);
}

/*
 * A buffer from dma_alloc_pages() is mapped to our own device from the start, in both directions.
 * That mapping serves when the device imports it, too: two of the same memory would be more than
 * the DMA API's debugging can tell apart (Linux 6.12).
 */
static bool is_mapped_already(const struct zcdma_buf *buf, const struct zcdma_attachment *a)
{
	return buf->backing == ZCDMA_BUF_CONTIG && a->dev == buf->zdev->mem;
}

static void use_own_mapping(const struct zcdma_buf *buf, struct zcdma_attachment *a,
			    enum dma_data_direction dir)
{
	dma_addr_t dma = buf->dma;
	struct scatterlist *sg;
	unsigned int i;

	a->sgt.nents = a->sgt.orig_nents;
	for_each_sgtable_dma_sg(&a->sgt, sg, i) {
		sg_dma_address(sg) = dma;
		sg_dma_len(sg) = sg->length;
		dma += sg->length;
	}
	dma_sync_sgtable_for_device(a->dev, &a->sgt, dir);
}

static struct sg_table *zcdma_dmabuf_map(struct dma_buf_attachment *attach,
					 enum dma_data_direction dir)
{
	struct zcdma_buf *buf = attach->dmabuf->priv;
	struct zcdma_attachment *a = attach->priv;
	int ret = 0;

	/*
	 * A program may draw on what the device wrote. Where the mapping bounces, end_cpu_access
	 * must be able to hand that over, or the next begin_cpu_access brings the old back.
	 */
	if (dir == DMA_FROM_DEVICE)
		dir = DMA_BIDIRECTIONAL;

	mutex_lock(&buf->lock);
	if (is_mapped_already(buf, a))
		use_own_mapping(buf, a, dir);
	else
		ret = dma_map_sgtable(a->dev, &a->sgt, dir, 0);
	if (!ret) {
		a->dir = dir;
		a->mapped = true;
	}
	mutex_unlock(&buf->lock);
	return ret ? ERR_PTR(ret) : &a->sgt;
}

static void zcdma_dmabuf_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			       enum dma_data_direction dir)
{
	struct zcdma_buf *buf = attach->dmabuf->priv;
	struct zcdma_attachment *a = attach->priv;

	mutex_lock(&buf->lock);
	a->mapped = false;
	if (is_mapped_already(buf, a))
		dma_sync_sgtable_for_cpu(a->dev, sgt, a->dir);
	else
		dma_unmap_sgtable(a->dev, sgt, a->dir, 0);
	mutex_unlock(&buf->lock);
}

/*
 * Whatever the CPU is going to do, it must first see what a device wrote: even a program that only
 * writes may leave bytes as they are, and end_cpu_access would hand those over, stale. A device
 * that only reads has nothing to hand over.
 */
static int zcdma_dmabuf_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct zcdma_buf *buf = dmabuf->priv;
	struct zcdma_attachment *a;

	mutex_lock(&buf->lock);
	if (READ_ONCE(buf->device_wrote))
		zcdma_buf_sync_for_cpu(buf);
	list_for_each_entry(a, &buf->attachments, node)
		if (a->mapped && a->dir != DMA_TO_DEVICE)
			dma_sync_sgtable_for_cpu(a->dev, &a->sgt, a->dir);
	mutex_unlock(&buf->lock);
	return 0;
}

/* Nothing to hand over after a CPU access that only read. */
static int zcdma_dmabuf_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct zcdma_buf *buf = dmabuf->priv;
	struct zcdma_attachment *a;

	if (dir == DMA_FROM_DEVICE)
		return 0;

	mutex_lock(&buf->lock);
	zcdma_buf_sync_for_device(buf);
	list_for_each_entry(a, &buf->attachments, node)
		if (a->mapped)
			dma_sync_sgtable_for_device(a->dev, &a->sgt, a->dir);
	mutex_unlock(&buf->lock);
	return 0;
}

static int zcdma_dmabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	return zcdma_buf_mmap(dmabuf->priv, vma);
}

static int zcdma_dmabuf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	void *vaddr = zcdma_buf_vaddr(dmabuf->priv);

	if (!vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void zcdma_dmabuf_release(struct dma_buf *dmabuf)
{
	zcdma_buf_put(dmabuf->priv);
}

/* No vunmap: the kernel's mapping lasts as long as the buffer does. */
static const struct dma_buf_ops zcdma_dmabuf_ops = {
	.attach = zcdma_dmabuf_attach,
	.detach = zcdma_dmabuf_detach,
	.map_dma_buf = zcdma_dmabuf_map,
	.unmap_dma_buf = zcdma_dmabuf_unmap,
	.begin_cpu_access = zcdma_dmabuf_begin_cpu_access,
	.end_cpu_access = zcdma_dmabuf_end_cpu_access,
	.mmap = zcdma_dmabuf_mmap,
	.vmap = zcdma_dmabuf_vmap,
	.release = zcdma_dmabuf_release,
};

/**
 * zcdma_buf_export() - make a dma-buf of a buffer
 * @buf: buffer; an imported one gives the dma-buf that it came from
 * @fd_flags: access mode: O_RDONLY, O_WRONLY or O_RDWR
 *
 * May be called any number of times. Process context.
 *
 * Return: a dma-buf that the caller owns, or ERR_PTR().
 */
struct dma_buf *zcdma_buf_export(struct zcdma_buf *buf, unsigned long fd_flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	if (buf->backing == ZCDMA_BUF_IMPORTED) {
		get_dma_buf(buf->dmabuf);
		return buf->dmabuf;
	}

	info.ops = &zcdma_dmabuf_ops;
	info.size = buf->size;
	info.flags = fd_flags & O_ACCMODE;
	info.priv = buf;
	/* The dma-buf's own reference, dropped in release; on failure it is dropped here. */
	zcdma_buf_get(buf);
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		zcdma_buf_put(buf);
	else
		trace_zcdma_buf_export(buf);
	return dmabuf;
}
EXPORT_SYMBOL_GPL(zcdma_buf_export);

/* ---- Descriptors for programs ---- */

/* Whether a program's flags are some that a dma-buf's descriptor can have. */
bool zcdma_fd_flags_valid(u32 fd_flags)
{
	return !(fd_flags & ~(O_CLOEXEC | O_ACCMODE)) && (fd_flags & O_ACCMODE) != O_ACCMODE;
}
