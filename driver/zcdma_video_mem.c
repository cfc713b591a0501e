// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_video_mem.c - vb2's memory operations, on top of the core's buffers
 *
 * A V4L2 buffer holds one reference on a zcdma_buf, from alloc to put or from map_dmabuf to
 * detach_dmabuf. Mappings and exported dma-bufs hold references of their own (zcdma_buf.c), so
 * put never pulls memory away from under anybody. vb2's "mem_priv" of a plane is the
 * struct zcdma_video_buffer itself: there is one plane, and vb2 frees it after its memory.
 *
 * videobuf2-dma-contig is not enough: it leaves an exported buffer unsynced where it is not
 * coherent, needs one contiguous piece, and shares no class of buffer with the other front ends.
 */
#include <linux/err.h>

#include "zcdma_video.h"

static struct zcdma_chan *queue_chan(struct vb2_queue *queue)
{
	struct zcdma_video *video = vb2_get_drv_priv(queue);

	return video->chan;
}

static struct zcdma_buf_req buffer_req(struct vb2_buffer *vb, size_t size)
{
	struct vb2_queue *queue = vb->vb2_queue;
	const struct zcdma_video *video = vb2_get_drv_priv(queue);

	return (struct zcdma_buf_req) {
		.size = size,
		.cached = queue->non_coherent_mem,
		.spare = vb->index >= video->wanted,
		.dir = queue->dma_dir,
		.max_segments = zcdma_chan_desc(queue_chan(queue))->max_segments,
	};
}

static void put_memory(struct zcdma_video_buffer *buffer)
{
	zcdma_buf_put(buffer->buf);
	buffer->buf = NULL;
}

static void *mem_alloc(struct vb2_buffer *vb, struct device *dev, unsigned long size)
{
	struct zcdma_video_buffer *buffer = to_zcdma_video_buffer(vb);
	struct zcdma_device *zdev = zcdma_chan_device(queue_chan(vb->vb2_queue));
	struct zcdma_buf_req req = buffer_req(vb, size);
	bool fileio = vb2_fileio_is_active(vb->vb2_queue);
	struct zcdma_buf *buf;

	/* read() and write() copy with the CPU, which on some hardware crawls without a cache. */
	req.cached |= fileio;
	buf = zcdma_buf_alloc(zdev, &req);
	if (fileio && buf == ERR_PTR(-EOPNOTSUPP)) {
		req.cached = false;
		buf = zcdma_buf_alloc(zdev, &req);
	}
	if (IS_ERR(buf))
		return buf;
	buffer->buf = buf;
	return buffer;
}

static void mem_put(void *mem_priv)
{
	put_memory(mem_priv);
}

static struct dma_buf *mem_get_dmabuf(struct vb2_buffer *vb, void *mem_priv, unsigned long flags)
{
	struct zcdma_video_buffer *buffer = mem_priv;

	return zcdma_buf_export(buffer->buf, flags);
}

/*
 * Only remembers: vb2 forgets the reference on the dma-buf when attach_dmabuf fails (Linux 6.12,
 * __prepare_dmabuf()), but not when map_dmabuf does.
 */
static void *mem_attach_dmabuf(struct vb2_buffer *vb, struct device *dev, struct dma_buf *dmabuf,
			       unsigned long size)
{
	struct zcdma_video_buffer *buffer = to_zcdma_video_buffer(vb);

	buffer->import_size = size;
	return buffer;
}

static int mem_map_dmabuf(void *mem_priv)
{
	struct zcdma_video_buffer *buffer = mem_priv;
	struct vb2_buffer *vb = &buffer->vb.vb2_buf;
	struct zcdma_buf_req req = buffer_req(vb, buffer->import_size);
	struct zcdma_buf *buf;

	buf = zcdma_buf_import(zcdma_chan_device(queue_chan(vb->vb2_queue)), vb->planes[0].dbuf,
			       &req);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	buffer->buf = buf;
	return 0;
}

/* The mapping lasts as long as the import does: see mem_detach_dmabuf(). */
static void mem_unmap_dmabuf(void *mem_priv)
{
}

static void mem_detach_dmabuf(void *mem_priv)
{
	put_memory(mem_priv);
}

/*
 * vb2 sets both skip flags for dma-bufs, because it expects their exporter to sync. But dma-buf
 * has no call by which the exporter would learn that the device starts and ends, and where the
 * mapping bounces only the importer that mapped it can copy. So an imported buffer is always
 * synced; where neither caches nor bounce buffers are in the way that costs nothing.
 */
static bool want_sync(const struct vb2_buffer *vb, bool skip)
{
	return !skip || vb->memory == VB2_MEMORY_DMABUF;
}

static void mem_prepare(void *mem_priv)
{
	struct zcdma_video_buffer *buffer = mem_priv;
	struct vb2_buffer *vb = &buffer->vb.vb2_buf;

	if (want_sync(vb, vb->skip_cache_sync_on_prepare))
		zcdma_buf_sync_for_device(buffer->buf);
}

static void mem_finish(void *mem_priv)
{
	struct zcdma_video_buffer *buffer = mem_priv;
	struct vb2_buffer *vb = &buffer->vb.vb2_buf;

	if (want_sync(vb, vb->skip_cache_sync_on_finish))
		zcdma_buf_sync_for_cpu(buffer->buf);
}

static void *mem_vaddr(struct vb2_buffer *vb, void *mem_priv)
{
	struct zcdma_video_buffer *buffer = mem_priv;

	return zcdma_buf_vaddr(buffer->buf);
}

static unsigned int mem_num_users(void *mem_priv)
{
	struct zcdma_video_buffer *buffer = mem_priv;

	return zcdma_buf_users(buffer->buf);
}

static int mem_mmap(void *mem_priv, struct vm_area_struct *vma)
{
	struct zcdma_video_buffer *buffer = mem_priv;

	return zcdma_buf_mmap(buffer->buf, vma);
}

const struct vb2_mem_ops zcdma_video_mem_ops = {
	.alloc		= mem_alloc,
	.put		= mem_put,
	.get_dmabuf	= mem_get_dmabuf,
	.attach_dmabuf	= mem_attach_dmabuf,
	.detach_dmabuf	= mem_detach_dmabuf,
	.map_dmabuf	= mem_map_dmabuf,
	.unmap_dmabuf	= mem_unmap_dmabuf,
	.prepare	= mem_prepare,
	.finish		= mem_finish,
	.vaddr		= mem_vaddr,
	.num_users	= mem_num_users,
	.mmap		= mem_mmap,
};
