// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * native.c - streams on /dev/zcdmaN
 *
 * Where a buffer is: with the kernel (in one of the rings, or in flight), held by the program, or
 * in the list of free ones: all of them at first and, of a capture stream, after a stop.
 *
 * Buffers of the stream's own are used through the inline functions of zcdma.h. Imported ones go
 * through here, because the CPU's accesses have to be bracketed for their exporter: the kernel's
 * stream knows only of our device's mapping, not of what the exporter's owner does with its caches.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

static struct zcdma_fast *ring_of(struct zcdma_stream *s)
{
	return s->native.import ? &s->native.ring : &s->fast;
}

static void add_free(struct zcdma_stream *s, struct zcdma_buffer *b)
{
	b->held = 0;
	s->free[s->num_free++] = b->index;
}

static struct zcdma_buffer *take_free(struct zcdma_stream *s)
{
	uint32_t index = s->free[0];

	memmove(s->free, s->free + 1, --s->num_free * sizeof(*s->free));
	return &s->fast.buffers[index];
}

/* Everything that lies in the done ring is free. */
static void discard_done(struct zcdma_stream *s)
{
	struct zcdma_buffer *b;

	while (zcdma_fast_take(ring_of(s), &b))
		add_free(s, b);
}

/* What the CPU is about to do with mapped memory, or has done. */
static int sync_cpu(const struct zcdma_stream *s, int dmabuf, const void *data, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };
	int ret;

	if (!data)
		return 0;
	sync.flags |= s->direction == ZCDMA_CAPTURE ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_WRITE;
	/* Which has to be restarted, see CPU access in the kernel's documentation of dma-buf. */
	do {
		ret = zcdma_xioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &sync);
	} while (ret == -EAGAIN);
	return ret;
}

static int sync_buffer(const struct zcdma_stream *s, uint32_t index, uint64_t flags)
{
	if (!s->native.import)
		return 0;
	return sync_cpu(s, s->native.dmabufs[index], s->fast.buffers[index].data, flags);
}

int zcdma_kick(struct zcdma_stream *stream)
{
	return zcdma_xioctl(stream->fd, ZCDMA_IOC_STREAM_KICK, NULL);
}

static int native_stop(struct zcdma_stream *s)
{
	int ret;

	/* What the kernel has not taken from the fill ring would be played after the next start. */
	if (s->direction == ZCDMA_PLAYBACK)
		zcdma_kick(s);
	ret = zcdma_xioctl(s->fd, ZCDMA_IOC_STREAM_STOP, NULL);
	discard_done(s);
	s->started = 0;
	return ret;
}

static int native_start(struct zcdma_stream *s)
{
	int ret;

	if (s->started)
		return -EBUSY;
	if (s->direction == ZCDMA_CAPTURE) {
		unsigned int num = s->num_free;

		while (num--) {
			struct zcdma_buffer *b = take_free(s);

			if (s->native.import && s->native.dmabufs[b->index] < 0)
				add_free(s, b);
			else
				zcdma_fast_put(ring_of(s), b);
		}
	}
	ret = zcdma_xioctl(s->fd, ZCDMA_IOC_STREAM_START, NULL);
	if (ret) {
		/* Playback: what was released waits for the next try. */
		if (s->direction == ZCDMA_CAPTURE)
			native_stop(s);
		return ret;
	}
	s->started = 1;
	return 0;
}

static int native_drain(struct zcdma_stream *s)
{
	return ioctl(s->fd, ZCDMA_IOC_STREAM_DRAIN) ? -errno : 0;
}

static int native_acquire(struct zcdma_stream *s, struct zcdma_buffer **buffer)
{
	int is_free = s->direction == ZCDMA_PLAYBACK && s->num_free;
	struct zcdma_fast *ring = ring_of(s);
	struct zcdma_buffer *b;
	int ret;

	if (!is_free && !zcdma_fast_num_done(ring))
		return -EAGAIN;
	/* Before it is taken: where this fails it is there for the next try. */
	ret = sync_buffer(s, is_free ? s->free[0] : zcdma_fast_oldest(ring)->index,
			  DMA_BUF_SYNC_START);
	if (ret)
		return ret;
	if (is_free) {
		b = take_free(s);
		/* Nothing has become of it yet, whatever the record of its last time says. */
		b->frame = (struct zcdma_frame) { .flags = 0 };
		b->length = s->fast.transfer;
		b->held = 1;
		*buffer = b;
	} else {
		zcdma_fast_take(ring, buffer);
	}
	return 0;
}

static int native_release(struct zcdma_stream *s, struct zcdma_buffer *b)
{
	int ret;

	/* The kernel has no memory to play. */
	if (s->native.import && s->native.dmabufs[b->index] < 0)
		return -EINVAL;
	/* Its own buffers come here only when the inline function would not have them. */
	ret = sync_buffer(s, b->index, DMA_BUF_SYNC_END);
	if (ret)
		return ret;
	return zcdma_fast_put(ring_of(s), b) ? zcdma_kick(s) : 0;
}

static int native_wait(struct zcdma_stream *s)
{
	uint64_t pending;

	return read(s->fd, &pending, sizeof(pending)) < 0 ? -errno : 0;
}

static int native_set_control(struct zcdma_stream *s, unsigned int id, int64_t value)
{
	struct zcdma_control control = { .id = id, .value = value };

	return zcdma_xioctl(s->fd, ZCDMA_IOC_STREAM_CONTROL, &control);
}

static int native_export(struct zcdma_stream *s, unsigned int index)
{
	struct zcdma_stream_buffer arg = { .index = index, .fd_flags = O_RDWR | O_CLOEXEC };
	int ret = zcdma_xioctl(s->fd, ZCDMA_IOC_STREAM_EXPORT, &arg);

	return ret ? ret : arg.fd;
}

static void detach(struct zcdma_stream *s, struct zcdma_buffer *b)
{
	if (b->data)
		munmap(b->data, b->size);
	b->data = NULL;
	if (s->native.dmabufs && s->native.dmabufs[b->index] >= 0) {
		close(s->native.dmabufs[b->index]);
		s->native.dmabufs[b->index] = -1;
	}
}

static int native_import(struct zcdma_stream *s, unsigned int index, int fd)
{
	struct zcdma_stream_buffer arg = { .index = index, .fd = fd };
	struct zcdma_buffer *b = &s->fast.buffers[index];
	void *data;
	int copy, ret;

	if (!s->native.import)
		return -EINVAL;
	/* Full, but not acquired yet: the kernel would let it go, and the frame with it. */
	if (s->started && !b->held)
		return -EBUSY;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return -errno;
	data = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_SHARED, copy, 0);
	if (data == MAP_FAILED)
		data = NULL;
	/* Release ends what acquire would have begun. */
	ret = b->held ? sync_cpu(s, copy, data, DMA_BUF_SYNC_START) : 0;
	/* No dma-buf. */
	if (ret == -ENOTTY)
		ret = -EBADF;
	if (ret)
		goto err_unmap;
	ret = zcdma_xioctl(s->fd, ZCDMA_IOC_STREAM_ATTACH, &arg);
	if (ret)
		goto err_end;
	/* If its exporter fails at that: nobody here looks at that memory any more. */
	if (b->held)
		sync_buffer(s, index, DMA_BUF_SYNC_END);
	detach(s, b);
	s->native.dmabufs[index] = copy;
	b->data = data;
	return 0;

err_end:
	if (b->held)
		sync_cpu(s, copy, data, DMA_BUF_SYNC_END);
err_unmap:
	if (data)
		munmap(data, b->size);
	close(copy);
	return ret;
}

static void native_close(struct zcdma_stream *s)
{
	for (unsigned int i = 0; i < s->fast.num_buffers; i++)
		detach(s, &s->fast.buffers[i]);
	free(s->native.dmabufs);
	if (s->native.area)
		munmap(s->native.area, s->native.area_size);
	if (s->fd >= 0)
		close(s->fd);
}

static const struct zcdma_ops native_ops = {
	.start = native_start,
	.stop = native_stop,
	.drain = native_drain,
	.acquire = native_acquire,
	.release = native_release,
	.wait = native_wait,
	.set_control = native_set_control,
	.export_buffer = native_export,
	.import_buffer = native_import,
	.close = native_close,
};

/* ---- Birth ---- */

static int map_ring(struct zcdma_stream *s, const struct zcdma_stream_open *arg)
{
	struct zcdma_fast *f = ring_of(s);
	char *area;

	area = mmap(NULL, arg->ring_size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	if (area == MAP_FAILED)
		return -errno;
	s->native.area = area;
	s->native.area_size = arg->ring_size;
	s->native.invalid = (const uint32_t *)(void *)(area + arg->invalid);

	f->done_tail = (const uint32_t *)(void *)(area + arg->done.tail);
	f->done_head = (uint32_t *)(void *)(area + arg->done.head);
	f->done_entries = area + arg->done.entries;
	f->done_mask = arg->done.num_entries - 1;
	f->done_size = arg->done.entry_size;
	f->fill_tail = (uint32_t *)(void *)(area + arg->fill.tail);
	f->fill_flags = (const uint32_t *)(void *)(area + arg->fill.flags);
	f->fill_entries = area + arg->fill.entries;
	f->fill_mask = arg->fill.num_entries - 1;
	f->fill_size = arg->fill.entry_size;
	return 0;
}

static int map_buffers(struct zcdma_stream *s, const struct zcdma_stream_open *arg)
{
	for (unsigned int i = 0; i < arg->num_buffers; i++) {
		struct zcdma_buffer *b = &s->fast.buffers[i];
		void *data;

		b->size = arg->buffer_size;
		if (s->native.import)
			continue;
		data = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd,
			    (off_t)(arg->buffers_offset + i * arg->buffers_stride));
		if (data == MAP_FAILED)
			return -errno;
		b->data = data;
	}
	return 0;
}

static int take_channel(int fd, struct zcdma_stream_open *arg, const struct zcdma_config *config,
			const struct zcdma_channel_info *info)
{
	int ret = 0;

	*arg = (struct zcdma_stream_open) {
		.channel = info->index,
		.fd_flags = O_CLOEXEC,
		.num_buffers = config->num_buffers ? config->num_buffers : DEFAULT_BUFFERS,
		.buffer_size = config->buffer_size,
	};
	if (config->flags & ZCDMA_CONFIG_IMPORT)
		arg->flags |= ZCDMA_STREAM_IMPORT;
	else if (!(config->flags & ZCDMA_CONFIG_COHERENT))
		arg->flags |= ZCDMA_STREAM_CACHED;
	if (info->kind == ZCDMA_KIND_VIDEO) {
		arg->video.fourcc = config->fourcc;
		arg->video.width = config->width;
		arg->video.height = config->height;
		arg->video.bytesperline = config->bytesperline;
		arg->video.interval_ns = config->interval_ns;
	} else if (info->kind == ZCDMA_KIND_PCM) {
		ret = zcdma_ask_for_pcm(fd, config, info->alignment, arg);
	} else if (!arg->buffer_size) {
		arg->buffer_size = DEFAULT_RAW_SIZE;
	}
	if (ret)
		return ret;

	ret = zcdma_xioctl(fd, ZCDMA_IOC_STREAM_OPEN, arg);
	if (ret == -EOPNOTSUPP && arg->flags & ZCDMA_STREAM_CACHED) {
		arg->flags &= ~(uint32_t)ZCDMA_STREAM_CACHED;
		ret = zcdma_xioctl(fd, ZCDMA_IOC_STREAM_OPEN, arg);
	}
	return ret;
}

int zcdma_open_native(struct zcdma_stream *s, uint32_t channel, const struct zcdma_config *config)
{
	struct zcdma_channel_info info = { .index = channel };
	struct zcdma_stream_open arg;
	int fd = s->device.fd, ret;

	s->ops = &native_ops;
	ret = zcdma_xioctl(fd, ZCDMA_IOC_CHANNEL_INFO, &info);
	if (ret)
		return ret;
	ret = take_channel(fd, &arg, config, &info);
	if (ret)
		return ret;
	s->fd = arg.fd;
	s->direction = (enum zcdma_direction)info.direction;
	s->is_video = info.kind == ZCDMA_KIND_VIDEO;
	s->is_pcm = info.kind == ZCDMA_KIND_PCM;
	s->video = arg.video;
	s->pcm = arg.pcm;
	s->native.import = !!(arg.flags & ZCDMA_STREAM_IMPORT);

	ret = zcdma_alloc_buffers(s, arg.num_buffers);
	if (ret)
		goto err_close;
	if (s->native.import) {
		s->native.dmabufs = malloc(arg.num_buffers * sizeof(int));
		if (!s->native.dmabufs) {
			ret = -ENOMEM;
			goto err_close;
		}
		/* -1 in each. */
		memset(s->native.dmabufs, 0xff, arg.num_buffers * sizeof(int));
	}
	ret = map_ring(s, &arg);
	if (ret)
		goto err_close;
	ret = map_buffers(s, &arg);
	if (ret)
		goto err_close;
	if (s->direction == ZCDMA_PLAYBACK)
		s->fast.transfer = s->is_video ? arg.video.sizeimage : (uint32_t)arg.buffer_size;
	s->native.ring.transfer = s->fast.transfer;
	s->native.ring.buffers = s->fast.buffers;
	s->native.ring.num_buffers = s->fast.num_buffers;
	return 0;

err_close:
	native_close(s);
	return ret;
}

unsigned int zcdma_num_refused(const struct zcdma_stream *stream)
{
	return stream->ops == &native_ops ? __atomic_load_n(stream->native.invalid, __ATOMIC_RELAXED) :
					    0;
}
