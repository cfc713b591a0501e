// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_buf.c - buffers: allocation, mapping, passing between CPU and device, lifetime
 *
 * Who can reach a buffer, and what holds it alive:
 *
 *   vb2, a PCM, a stream         one reference each, from zcdma_buf_alloc() or _import()
 *   a user mapping               one for each VMA (vm_open, vm_close)
 *   an exported dma-buf          one until its release; mappings and importers of the dma-buf
 *                                hold the dma-buf
 *   debugfs                      walks zcdma_device::bufs under buf_lock, which a dying buffer
 *                                leaves before anything of it is freed
 *
 * and a buffer holds its device, with the memory that belongs to it, until it dies.
 *
 * Which memory a request gets:
 *
 *                    with a memory-region       without
 *   coherent         dma_alloc_coherent()       coherent device, several segments allowed: pages
 *                                               else: dma_alloc_coherent()
 *   cached           dma_alloc_pages()          several segments allowed: pages
 *                                               else: dma_alloc_pages()
 *
 * "Pages" are single pages of the page allocator, taken in pieces as large as can be had: they
 * need no CMA, and because each is counted on its own, O_DIRECT and splice from their mappings
 * work, and what such a call has pinned outlives the buffer.
 */
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

#include "zcdma_core.h"
#include "zcdma_trace.h"

/* Larger pieces would only make the page allocator try harder: 1 MiB with 4 KiB pages. */
#define ZCDMA_PIECE_ORDER	8

static atomic_t buf_ids = ATOMIC_INIT(0);

/* ---- Memory of the four kinds ---- */

/* One segment; where there is no struct page only the DMA side can be filled. */
static int set_single_segment(struct zcdma_buf *buf, struct page *page)
{
	int ret;

	ret = sg_alloc_table(&buf->sgt, 1, GFP_KERNEL);
	if (ret)
		return ret;
	if (page)
		sg_set_page(buf->sgt.sgl, page, buf->size, 0);
	else
		buf->no_pages = true;
	sg_dma_address(buf->sgt.sgl) = buf->dma;
	sg_dma_len(buf->sgt.sgl) = buf->size;
	return 0;
}

static int coherent_alloc(struct zcdma_buf *buf)
{
	struct device *mem = buf->zdev->mem;
	int ret;

	buf->vaddr = dma_alloc_coherent(mem, buf->size, &buf->dma, GFP_KERNEL | __GFP_NOWARN);
	if (!buf->vaddr)
		return -ENOMEM;

	if (buf->zdev->pool_no_map) {
		ret = set_single_segment(buf, NULL);
	} else {
		ret = dma_get_sgtable(mem, &buf->sgt, buf->vaddr, buf->dma, buf->size);
		if (!ret) {
			sg_dma_address(buf->sgt.sgl) = buf->dma;
			sg_dma_len(buf->sgt.sgl) = buf->size;
			/* Behind an IOMMU the pages may be many, the DMA addresses are one run. */
			buf->sgt.nents = 1;
		}
	}
	if (ret)
		dma_free_coherent(mem, buf->size, buf->vaddr, buf->dma);
	return ret;
}

static void coherent_free(struct zcdma_buf *buf)
{
	sg_free_table(&buf->sgt);
	dma_free_coherent(buf->zdev->mem, buf->size, buf->vaddr, buf->dma);
}

static int contig_alloc(struct zcdma_buf *buf)
{
	struct device *mem = buf->zdev->mem;
	int ret;

	if (buf->zdev->pool_no_map)
		return -EOPNOTSUPP;
	/* In both directions: others may use this mapping, see zcdma_dmabuf_map(). */
	buf->page = dma_alloc_pages(mem, buf->size, &buf->dma, DMA_BIDIRECTIONAL,
				    GFP_KERNEL | __GFP_NOWARN);
	if (!buf->page)
		return -ENOMEM;
	ret = set_single_segment(buf, buf->page);
	if (ret) {
		dma_free_pages(mem, buf->size, buf->page, buf->dma, DMA_BIDIRECTIONAL);
		return ret;
	}
	buf->vaddr = page_address(buf->page);
	return 0;
}

static void contig_free(struct zcdma_buf *buf)
{
	sg_free_table(&buf->sgt);
	dma_free_pages(buf->zdev->mem, buf->size, buf->page, buf->dma, DMA_BIDIRECTIONAL);
}

static void pages_release(struct zcdma_buf *buf, unsigned int num)
{
	while (num)
		__free_page(buf->pages[--num]);
	kvfree(buf->pages);
	buf->pages = NULL;
}

static int pages_get(struct zcdma_buf *buf)
{
	unsigned int total = buf->size >> PAGE_SHIFT;
	unsigned int order = ZCDMA_PIECE_ORDER;
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN;
	unsigned int num = 0;
	struct page *page;

	/* What the device cannot reach would bounce: copy every frame. */
	if (IS_ENABLED(CONFIG_ZONE_DMA32) && dma_get_required_mask(buf->zdev->mem) >
	    min_not_zero(dma_get_mask(buf->zdev->mem), buf->zdev->mem->bus_dma_limit))
		gfp |= GFP_DMA32;

	buf->pages = kvmalloc_array(total, sizeof(*buf->pages), GFP_KERNEL_ACCOUNT);
	if (!buf->pages)
		return -ENOMEM;

	while (num < total) {
		order = min_t(unsigned int, order, ilog2(total - num));
		/* A buffer that does not fit is no reason to kill somebody. */
		page = alloc_pages(gfp | (order ? __GFP_NORETRY : __GFP_RETRY_MAYFAIL), order);
		if (!page && order) {
			order--;
			continue;
		}
		if (!page || fatal_signal_pending(current)) {
			if (page)
				__free_pages(page, order);
			pages_release(buf, num);
			return page ? -EINTR : -ENOMEM;
		}
		split_page(page, order);
		for (unsigned int i = 0; i < 1U << order; i++)
			buf->pages[num++] = page + i;
	}
	return 0;
}

static int pages_alloc(struct zcdma_buf *buf, unsigned int max_segments)
{
	struct device *mem = buf->zdev->mem;
	size_t max_segment = min_t(size_t, dma_get_max_seg_size(mem), dma_max_mapping_size(mem));
	unsigned int num = buf->size >> PAGE_SHIFT;
	int ret;

	ret = pages_get(buf);
	if (ret)
		return ret;
	ret = sg_alloc_table_from_pages_segment(&buf->sgt, buf->pages, num, 0, buf->size,
						rounddown(max_segment, PAGE_SIZE), GFP_KERNEL);
	if (ret)
		goto err_pages;
	if (dma_map_sgtable(mem, &buf->sgt, buf->dir, 0)) {
		/* Out of bounce buffers or IOMMU space, whatever it says. See report_no_room(). */
		ret = -ENOSPC;
		goto err_table;
	}
	if (max_segments && buf->sgt.nents > max_segments) {
		ret = -E2BIG;
		goto err_unmap;
	}
	return 0;

err_unmap:
	dma_unmap_sgtable(mem, &buf->sgt, buf->dir, 0);
err_table:
	sg_free_table(&buf->sgt);
err_pages:
	pages_release(buf, num);
	return ret;
}

static void pages_free(struct zcdma_buf *buf)
{
	if (buf->vaddr)
		vunmap(buf->vaddr);
	dma_unmap_sgtable(buf->zdev->mem, &buf->sgt, buf->dir, 0);
	sg_free_table(&buf->sgt);
	pages_release(buf, buf->size >> PAGE_SHIFT);
}

static void imported_free(struct zcdma_buf *buf)
{
	if (!iosys_map_is_null(&buf->map))
		dma_buf_vunmap_unlocked(buf->dmabuf, &buf->map);
	dma_buf_unmap_attachment_unlocked(buf->attach, buf->imported_sgt, buf->dir);
	dma_buf_detach(buf->dmabuf, buf->attach);
	dma_buf_put(buf->dmabuf);
}

static void memory_free(struct zcdma_buf *buf)
{
	switch (buf->backing) {
	case ZCDMA_BUF_COHERENT:
		return coherent_free(buf);
	case ZCDMA_BUF_CONTIG:
		return contig_free(buf);
	case ZCDMA_BUF_PAGES:
		return pages_free(buf);
	case ZCDMA_BUF_IMPORTED:
		return imported_free(buf);
	}
}

static bool needs_sync(struct zcdma_buf *buf)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(zcdma_buf_sgt(buf), sg, i)
		if (dma_need_sync(buf->zdev->mem, sg_dma_address(sg)))
			return true;
	return false;
}

/* The CMA area of a memory-region falls back to the page allocator: notice, and refuse. */
static bool in_pool(struct zcdma_buf *buf)
{
	phys_addr_t phys = dma_to_phys(buf->zdev->mem, buf->dma);

	return phys >= buf->zdev->pool_base &&
	       phys + buf->size <= buf->zdev->pool_base + buf->zdev->pool_size;
}

static int memory_alloc_backing(struct zcdma_buf *buf, enum zcdma_buf_backing backing,
				unsigned int max_segments)
{
	int ret;

	buf->backing = backing;
	if (backing == ZCDMA_BUF_PAGES)
		ret = pages_alloc(buf, max_segments);
	else if (backing == ZCDMA_BUF_CONTIG)
		ret = contig_alloc(buf);
	else
		ret = coherent_alloc(buf);
	if (ret)
		return ret;

	if (buf->zdev->pool_size && !in_pool(buf)) {
		memory_free(buf);
		return -ENOMEM;
	}
	buf->need_sync = backing != ZCDMA_BUF_COHERENT && needs_sync(buf);
	buf->cached = backing != ZCDMA_BUF_COHERENT;
	return 0;
}

static int memory_alloc(struct zcdma_buf *buf, const struct zcdma_buf_req *req)
{
	struct zcdma_device *zdev = buf->zdev;
	bool scatter = !zdev->pool_size && req->max_segments != 1;
	int ret;

	if (scatter && (req->cached || dev_is_dma_coherent(zdev->mem))) {
		ret = memory_alloc_backing(buf, ZCDMA_BUF_PAGES, req->max_segments);
		if (!ret && !req->cached) {
			/* Without caches in the way this is coherent memory, unless it bounces. */
			if (!buf->need_sync) {
				buf->cached = false;
				return 0;
			}
			memory_free(buf);
			buf->need_sync = false;
		} else if (ret != -E2BIG) {
			return ret;
		}
	}
	return memory_alloc_backing(buf, req->cached ? ZCDMA_BUF_CONTIG : ZCDMA_BUF_COHERENT, 1);
}

/* ---- Pool ---- */

/**
 * zcdma_pool_free() - what is left of a device's memory-region
 * @zdev: device
 *
 * Process context.
 *
 * Return: bytes, maybe in pieces; U64_MAX where the device has none.
 */
u64 zcdma_pool_free(struct zcdma_device *zdev)
{
	u64 used;

	mutex_lock(&zdev->buf_lock);
	used = zdev->pool_used;
	mutex_unlock(&zdev->buf_lock);
	return zdev->pool_size ? zdev->pool_size - used : U64_MAX;
}
EXPORT_SYMBOL_GPL(zcdma_pool_free);

/* @ret: -ENOSPC where there was memory, but nothing to map it with */
static void report_no_room(struct zcdma_device *zdev, size_t size, int ret)
{
	if (ret == -ENOSPC)
		dev_err_ratelimited(zdev->parent,
				    "no room for a buffer of %zu KiB: no bounce buffers or IOMMU addresses are left to map it; give the node a memory-region or enlarge swiotlb= on the kernel command line\n",
				    size >> 10);
	else if (zdev->pool_size)
		dev_err_ratelimited(zdev->parent,
				    "no room for a buffer of %zu KiB: %llu of the %llu KiB in %s are free, maybe in pieces; enlarge its size property\n",
				    size >> 10, zcdma_pool_free(zdev) >> 10,
				    zdev->pool_size >> 10, zdev->pool_name);
	else
		dev_err_ratelimited(zdev->parent,
				    "no room for a buffer of %zu KiB: %lu KiB of memory are free, %lu KiB of them for contiguous buffers; give the node a memory-region or enlarge cma= on the kernel command line\n",
				    size >> 10,
				    global_zone_page_state(NR_FREE_PAGES) << (PAGE_SHIFT - 10),
				    global_zone_page_state(NR_FREE_CMA_PAGES) << (PAGE_SHIFT - 10));
}

/* Take @size out of the budget first, so that two callers cannot both get the last piece. */
static int pool_reserve(struct zcdma_device *zdev, size_t size)
{
	int ret = 0;

	mutex_lock(&zdev->buf_lock);
	if (zdev->pool_size && size > zdev->pool_size - zdev->pool_used)
		ret = -ENOMEM;
	else
		zdev->pool_used += size;
	mutex_unlock(&zdev->buf_lock);
	return ret;
}

static void pool_unreserve(struct zcdma_device *zdev, size_t size)
{
	mutex_lock(&zdev->buf_lock);
	zdev->pool_used -= size;
	mutex_unlock(&zdev->buf_lock);
}

static struct zcdma_buf *buf_new(struct zcdma_device *zdev, size_t size,
				 enum dma_data_direction dir)
{
	struct zcdma_buf *buf = kzalloc(sizeof(*buf), GFP_KERNEL_ACCOUNT);

	if (!buf)
		return NULL;
	refcount_set(&buf->ref, 1);
	buf->zdev = zdev;
	buf->size = size;
	buf->dir = dir;
	buf->id = atomic_inc_return(&buf_ids);
	INIT_LIST_HEAD(&buf->attachments);
	return buf;
}

static void buf_publish(struct zcdma_buf *buf)
{
	get_device(&buf->zdev->dev);
	mutex_lock(&buf->zdev->buf_lock);
	list_add_tail(&buf->node, &buf->zdev->bufs);
	mutex_unlock(&buf->zdev->buf_lock);
}

/**
 * zcdma_buf_alloc() - allocate a buffer
 * @zdev: device; the caller knows that it is registered or holds a reference
 * @req: what it has to be
 *
 * The memory is zeroed and belongs to the CPU. Process context.
 *
 * Return: the buffer with one reference, or ERR_PTR(): -EINVAL for a size of 0 or above
 * ZCDMA_BUFFER_SIZE_MAX, -ENOMEM (the kernel log says why, but for a spare one), -EINTR when
 * killed, -EOPNOTSUPP for a cached buffer from a no-map pool.
 */
struct zcdma_buf *zcdma_buf_alloc(struct zcdma_device *zdev, const struct zcdma_buf_req *req)
{
	struct zcdma_buf *buf;
	size_t size;
	int ret;

	if (!req->size || req->size > ZCDMA_BUFFER_SIZE_MAX)
		return ERR_PTR(-EINVAL);
	size = PAGE_ALIGN(req->size);

	buf = buf_new(zdev, size, req->dir);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	mutex_init(&buf->lock);

	ret = pool_reserve(zdev, size);
	if (ret)
		goto err_free;
	ret = memory_alloc(buf, req);
	if (ret)
		goto err_unreserve;

	buf_publish(buf);
	trace_zcdma_buf_alloc(buf);
	return buf;

err_unreserve:
	pool_unreserve(zdev, size);
	/* CMA gives up when the caller is killed, and does not say so. */
	if (ret == -ENOMEM && fatal_signal_pending(current))
		ret = -EINTR;
err_free:
	if (!req->spare && (ret == -ENOMEM || ret == -ENOSPC))
		report_no_room(zdev, size, ret);
	kfree(buf);
	return ERR_PTR(ret == -ENOSPC ? -ENOMEM : ret);
}
EXPORT_SYMBOL_GPL(zcdma_buf_alloc);

/**
 * zcdma_buf_import() - make a buffer of somebody else's dma-buf
 * @zdev: device
 * @dmabuf: the dma-buf; the caller keeps its own reference
 * @req: what it has to be; @req->cached is ignored
 *
 * Process context.
 *
 * Return: the buffer with one reference, or ERR_PTR(): -EINVAL where the dma-buf is smaller than
 * @req->size, -E2BIG where it is in more pieces than the request allows, or what the exporter
 * says.
 */
struct zcdma_buf *zcdma_buf_import(struct zcdma_device *zdev, struct dma_buf *dmabuf,
				   const struct zcdma_buf_req *req)
{
	struct zcdma_buf *buf;
	int ret;

	if (!req->size || req->size > dmabuf->size)
		return ERR_PTR(-EINVAL);

	buf = buf_new(zdev, dmabuf->size, req->dir);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	/*
	 * A lock class of its own: it is held while the exporter's locks are taken, and the
	 * exporter may be this file.
	 */
	mutex_init(&buf->lock);
	buf->backing = ZCDMA_BUF_IMPORTED;
	buf->cached = true;
	buf->dmabuf = dmabuf;
	get_dma_buf(dmabuf);

	buf->attach = dma_buf_attach(dmabuf, zdev->mem);
	if (IS_ERR(buf->attach)) {
		ret = PTR_ERR(buf->attach);
		goto err_put;
	}
	buf->imported_sgt = dma_buf_map_attachment_unlocked(buf->attach, buf->dir);
	if (IS_ERR(buf->imported_sgt)) {
		ret = PTR_ERR(buf->imported_sgt);
		goto err_detach;
	}
	if (req->max_segments && buf->imported_sgt->nents > req->max_segments) {
		ret = -E2BIG;
		goto err_unmap;
	}
	buf->need_sync = needs_sync(buf);

	buf_publish(buf);
	trace_zcdma_buf_import(buf);
	return buf;

err_unmap:
	dma_buf_unmap_attachment_unlocked(buf->attach, buf->imported_sgt, buf->dir);
err_detach:
	dma_buf_detach(dmabuf, buf->attach);
err_put:
	dma_buf_put(dmabuf);
	kfree(buf);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(zcdma_buf_import);

/**
 * zcdma_buf_get() - take a reference
 * @buf: a buffer that the caller has a reference on
 *
 * Return: @buf.
 */
struct zcdma_buf *zcdma_buf_get(struct zcdma_buf *buf)
{
	refcount_inc(&buf->ref);
	return buf;
}
EXPORT_SYMBOL_GPL(zcdma_buf_get);

/**
 * zcdma_buf_put() - drop a reference
 * @buf: a buffer, or NULL
 *
 * The last one frees the memory, and may sleep.
 */
void zcdma_buf_put(struct zcdma_buf *buf)
{
	struct zcdma_device *zdev;

	if (!buf || !refcount_dec_and_test(&buf->ref))
		return;

	zdev = buf->zdev;
	trace_zcdma_buf_free(buf);
	mutex_lock(&zdev->buf_lock);
	list_del(&buf->node);
	mutex_unlock(&zdev->buf_lock);

	/* vmap of the DMA addresses; for the other kinds it is the CPU's view itself. */
	if (buf->device_view && buf->device_view != buf->vaddr)
		vunmap(buf->device_view);
	memory_free(buf);
	if (buf->backing != ZCDMA_BUF_IMPORTED)
		pool_unreserve(zdev, buf->size);
	put_device(&zdev->dev);
	mutex_destroy(&buf->lock);
	kfree(buf);
}
EXPORT_SYMBOL_GPL(zcdma_buf_put);

/* ---- What a buffer is ---- */

/**
 * zcdma_buf_users() - number of references
 * @buf: buffer
 *
 * Return: the number, which may be old by the time the caller sees it.
 */
unsigned int zcdma_buf_users(const struct zcdma_buf *buf)
{
	return refcount_read(&buf->ref);
}
EXPORT_SYMBOL_GPL(zcdma_buf_users);

/**
 * zcdma_buf_size() - size in bytes
 * @buf: buffer
 */
size_t zcdma_buf_size(const struct zcdma_buf *buf)
{
	return buf->size;
}
EXPORT_SYMBOL_GPL(zcdma_buf_size);

/**
 * zcdma_buf_cached() - whether CPU accesses must be bracketed
 * @buf: buffer
 */
bool zcdma_buf_cached(const struct zcdma_buf *buf)
{
	return buf->cached;
}
EXPORT_SYMBOL_GPL(zcdma_buf_cached);

/**
 * zcdma_buf_sgt() - the DMA mapping
 * @buf: buffer
 *
 * Return: a table whose DMA side (nents) is valid as long as the buffer is. The page side may
 * be empty.
 */
const struct sg_table *zcdma_buf_sgt(const struct zcdma_buf *buf)
{
	return buf->backing == ZCDMA_BUF_IMPORTED ? buf->imported_sgt : &buf->sgt;
}
EXPORT_SYMBOL_GPL(zcdma_buf_sgt);

/* ---- Passing ownership of the bytes ---- */

static struct sg_table *sync_table(struct zcdma_buf *buf)
{
	return buf->backing == ZCDMA_BUF_IMPORTED ? buf->imported_sgt : &buf->sgt;
}

/**
 * zcdma_buf_sync_for_device() - the CPU has written, the device goes on
 * @buf: buffer
 *
 * Also for imported ones: the DMA mapping is ours, and where it bounces nobody else could know
 * when to copy. Costs nothing where the device is coherent and nothing bounces. Any context.
 */
void zcdma_buf_sync_for_device(struct zcdma_buf *buf)
{
	if (!buf->need_sync)
		return;
	if (buf->backing == ZCDMA_BUF_CONTIG)
		dma_sync_single_for_device(buf->zdev->mem, buf->dma, buf->size, buf->dir);
	else
		dma_sync_sgtable_for_device(buf->zdev->mem, sync_table(buf), buf->dir);
}
EXPORT_SYMBOL_GPL(zcdma_buf_sync_for_device);

/**
 * zcdma_buf_sync_for_cpu() - the device has written, the CPU goes on
 * @buf: buffer
 *
 * See zcdma_buf_sync_for_device().
 */
void zcdma_buf_sync_for_cpu(struct zcdma_buf *buf)
{
	WRITE_ONCE(buf->device_wrote, false);
	if (!buf->need_sync)
		return;
	if (buf->backing == ZCDMA_BUF_CONTIG)
		dma_sync_single_for_cpu(buf->zdev->mem, buf->dma, buf->size, buf->dir);
	else
		dma_sync_sgtable_for_cpu(buf->zdev->mem, sync_table(buf), buf->dir);
}
EXPORT_SYMBOL_GPL(zcdma_buf_sync_for_cpu);

/* ---- Views ---- */

/**
 * zcdma_buf_vaddr() - the kernel's mapping of a buffer, as the CPU sees it
 * @buf: buffer
 *
 * Process context. Bracket accesses to cached buffers with zcdma_buf_sync_*().
 *
 * Return: the address, valid as long as the buffer is; NULL where it could not be mapped.
 */
void *zcdma_buf_vaddr(struct zcdma_buf *buf)
{
	struct iosys_map map;
	void *vaddr;

	mutex_lock(&buf->lock);
	if (!buf->vaddr && buf->backing == ZCDMA_BUF_PAGES) {
		buf->vaddr = vmap(buf->pages, buf->size >> PAGE_SHIFT, VM_MAP, PAGE_KERNEL);
	} else if (buf->backing == ZCDMA_BUF_IMPORTED && iosys_map_is_null(&buf->map)) {
		if (!dma_buf_vmap_unlocked(buf->dmabuf, &map)) {
			buf->map = map;
			/* I/O memory has no plain pointer. */
			buf->vaddr = map.is_iomem ? NULL : map.vaddr;
		}
	}
	vaddr = buf->vaddr;
	mutex_unlock(&buf->lock);
	return vaddr;
}
EXPORT_SYMBOL_GPL(zcdma_buf_vaddr);

static void *map_device_view(struct zcdma_buf *buf)
{
	struct device *mem = buf->zdev->mem;
	unsigned int num = 0, i;
	struct scatterlist *sg;
	struct page **pages;
	void *view = NULL;

	if (device_iommu_mapped(mem))
		return NULL;
	pages = kvmalloc_array(buf->size >> PAGE_SHIFT, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;

	for_each_sgtable_dma_sg(zcdma_buf_sgt(buf), sg, i) {
		phys_addr_t phys = dma_to_phys(mem, sg_dma_address(sg));
		size_t len = sg_dma_len(sg);

		if (!PAGE_ALIGNED(phys) || !PAGE_ALIGNED(len))
			goto out;
		for (; len; len -= PAGE_SIZE, phys += PAGE_SIZE) {
			if (!pfn_valid(PHYS_PFN(phys)) || num == buf->size >> PAGE_SHIFT)
				goto out;
			pages[num++] = pfn_to_page(PHYS_PFN(phys));
		}
	}
	view = vmap(pages, num, VM_MAP, PAGE_KERNEL);
out:
	kvfree(pages);
	return view;
}

/**
 * zcdma_buf_device_view() - what the device sees at the DMA addresses, in one piece
 * @buf: buffer
 *
 * For engines that are software. Differs from zcdma_buf_vaddr() where streaming mappings bounce,
 * so that a missing sync shows as it would with hardware. Process context.
 *
 * Return: the address, valid as long as the buffer is; NULL where it could not be mapped.
 */
void *zcdma_buf_device_view(struct zcdma_buf *buf)
{
	void *view;

	mutex_lock(&buf->lock);
	if (!buf->device_view) {
		if (buf->backing == ZCDMA_BUF_COHERENT || buf->backing == ZCDMA_BUF_CONTIG)
			buf->device_view = buf->vaddr;
		else
			buf->device_view = map_device_view(buf);
	}
	view = buf->device_view;
	mutex_unlock(&buf->lock);
	return view;
}
EXPORT_SYMBOL_GPL(zcdma_buf_device_view);

/* ---- Mappings of user space ---- */

static void buf_vm_open(struct vm_area_struct *vma)
{
	zcdma_buf_get(vma->vm_private_data);
}

static void buf_vm_close(struct vm_area_struct *vma)
{
	zcdma_buf_put(vma->vm_private_data);
}

static const struct vm_operations_struct buf_vm_ops = {
	.open = buf_vm_open,
	.close = buf_vm_close,
};

static int pages_mmap(struct zcdma_buf *buf, struct vm_area_struct *vma)
{
	unsigned long num = vma_pages(vma);

	return vm_insert_pages(vma, vma->vm_start, buf->pages + vma->vm_pgoff, &num);
}

/**
 * zcdma_buf_insert() - put a buffer's pages into a mapping that does not hold it
 * @buf: buffer, not imported; the caller keeps it while the mapping, or a copy of that, lasts
 * @vma: the mapping; vm_pgoff counts from the start of the buffer
 *
 * Only shared mappings: a private one would turn into a copy at the first write, and miss every
 * frame from then on.
 *
 * Return: 0, -EINVAL for a private mapping or one that leaves the buffer, or what the kernel's
 * page tables say.
 */
int zcdma_buf_insert(struct zcdma_buf *buf, struct vm_area_struct *vma)
{
	unsigned long num = buf->size >> PAGE_SHIFT;
	int ret;

	/* MAYSHARE: a shared mapping of a read-only descriptor has lost VM_SHARED already. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_pgoff >= num || vma_pages(vma) > num - vma->vm_pgoff)
		return -EINVAL;

	zcdma_vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	switch (buf->backing) {
	case ZCDMA_BUF_COHERENT:
		ret = dma_mmap_coherent(buf->zdev->mem, vma, buf->vaddr, buf->dma, buf->size);
		break;
	case ZCDMA_BUF_CONTIG:
		ret = dma_mmap_pages(buf->zdev->mem, vma, buf->size, buf->page);
		break;
	case ZCDMA_BUF_PAGES:
		ret = pages_mmap(buf, vma);
		break;
	default:
		ret = -EINVAL;
	}
	if (!ret)
		trace_zcdma_buf_mmap(buf);
	return ret;
}
EXPORT_SYMBOL_GPL(zcdma_buf_insert);

/**
 * zcdma_buf_mmap() - map a buffer into a process
 * @buf: buffer, not imported
 * @vma: the mapping, which holds a reference on @buf from here on
 *
 * Return: as zcdma_buf_insert().
 */
int zcdma_buf_mmap(struct zcdma_buf *buf, struct vm_area_struct *vma)
{
	int ret;

	ret = zcdma_buf_insert(buf, vma);
	if (ret)
		return ret;
	vma->vm_private_data = zcdma_buf_get(buf);
	vma->vm_ops = &buf_vm_ops;
	return 0;
}
EXPORT_SYMBOL_GPL(zcdma_buf_mmap);
