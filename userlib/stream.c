// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * stream.c - the calls of zcdma.h on streams, and what both kinds have in common
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

_Static_assert(offsetof(struct zcdma_stream, fast) == 0, "inline functions rely on it");

/* Buffers without memory yet, all of them free. */
int zcdma_alloc_buffers(struct zcdma_stream *stream, unsigned int num)
{
	stream->fast.buffers = calloc(num, sizeof(*stream->fast.buffers));
	stream->free = calloc(num, sizeof(*stream->free));
	if (!stream->fast.buffers || !stream->free)
		return -ENOMEM;
	stream->fast.num_buffers = num;
	stream->num_free = num;
	for (unsigned int i = 0; i < num; i++) {
		stream->fast.buffers[i].index = i;
		stream->free[i] = i;
	}
	return 0;
}

static void free_stream(struct zcdma_stream *stream)
{
	if (stream->device.fd >= 0)
		close(stream->device.fd);
	free(stream->fast.buffers);
	free(stream->free);
	free(stream);
}

static int config_is_valid(const struct zcdma_config *config)
{
	for (unsigned int i = 0; i < sizeof(config->reserved) / sizeof(config->reserved[0]); i++)
		if (config->reserved[i])
			return 0;
	return !config->reserved0 &&
	       !(config->flags & ~(ZCDMA_CONFIG_PLAYBACK | ZCDMA_CONFIG_COHERENT |
				   ZCDMA_CONFIG_IMPORT)) &&
	       config->num_buffers <= ZCDMA_STREAM_MAX_BUFFERS &&
	       config->buffer_size <= ZCDMA_BUFFER_SIZE_MAX;
}

int zcdma_open(struct zcdma_stream **stream, const char *name, const struct zcdma_config *config)
{
	static const struct zcdma_config defaults;
	struct zcdma_device device;
	struct zcdma_stream *s;
	int channel, ret;

	if (!config)
		config = &defaults;
	if (!config_is_valid(config))
		return -EINVAL;
	ret = zcdma_resolve(name, config->flags & ZCDMA_CONFIG_PLAYBACK ? ZCDMA_PLAYBACK :
			    ZCDMA_CAPTURE, &device, &channel);
	if (ret)
		return ret;
	s = calloc(1, sizeof(*s));
	if (!s) {
		close(device.fd);
		return -ENOMEM;
	}
	s->fd = -1;
	s->device.fd = -ENOTSUP;
	if (channel < 0) {
		ret = zcdma_open_v4l2(s, device.fd, config);
	} else {
		s->device = device;
		ret = zcdma_open_native(s, (uint32_t)channel, config);
	}
	if (ret) {
		free_stream(s);
		return ret;
	}
	*stream = s;
	return 0;
}

void zcdma_close(struct zcdma_stream *stream)
{
	if (!stream)
		return;
	stream->ops->close(stream);
	free_stream(stream);
}

int zcdma_start(struct zcdma_stream *stream)
{
	return stream->ops->start(stream);
}

int zcdma_stop(struct zcdma_stream *stream)
{
	return stream->ops->stop(stream);
}

int zcdma_drain(struct zcdma_stream *stream)
{
	return stream->ops->drain(stream);
}

int zcdma_fd(const struct zcdma_stream *stream)
{
	return stream->fd;
}

int zcdma_get_video(const struct zcdma_stream *stream, struct zcdma_video_config *video)
{
	if (!stream->is_video)
		return -EINVAL;
	*video = stream->video;
	return 0;
}

int zcdma_get_device(struct zcdma_stream *stream, struct zcdma_device **device)
{
	if (stream->device.fd < 0)
		return stream->device.fd;
	*device = &stream->device;
	return 0;
}

enum zcdma_direction zcdma_get_direction(const struct zcdma_stream *stream)
{
	return stream->direction;
}

unsigned int zcdma_num_buffers(const struct zcdma_stream *stream)
{
	return stream->fast.num_buffers;
}

struct zcdma_buffer *zcdma_get_buffer(const struct zcdma_stream *stream, unsigned int index)
{
	return index < stream->fast.num_buffers ? &stream->fast.buffers[index] : NULL;
}

int zcdma_set_control(struct zcdma_stream *stream, unsigned int id, int64_t value)
{
	return stream->ops->set_control(stream, id, value);
}

int zcdma_export(struct zcdma_stream *stream, unsigned int index)
{
	if (index >= stream->fast.num_buffers)
		return -EINVAL;
	return stream->ops->export_buffer(stream, index);
}

int zcdma_import(struct zcdma_stream *stream, unsigned int index, int fd)
{
	if (index >= stream->fast.num_buffers)
		return -EINVAL;
	return stream->ops->import_buffer(stream, index, fd);
}

/* ---- Acquire and release ---- */

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* 0: there may be something; -ENODEV: for the last time. */
static int wait_by_poll(struct zcdma_stream *stream, int timeout_ms)
{
	struct pollfd pfd = { .fd = stream->fd, .events = POLLIN };
	int ret = poll(&pfd, 1, timeout_ms);

	if (ret < 0)
		return -errno;
	if (!ret)
		return -ETIMEDOUT;
	if (pfd.revents & (POLLHUP | POLLNVAL))
		return -ENODEV;
	/* What V4L2 says of a node that does not stream. */
	return (pfd.revents & (POLLERR | POLLIN)) == POLLERR ? -EINVAL : 0;
}

int zcdma_acquire_slow(struct zcdma_stream *stream, struct zcdma_buffer **buffer, int timeout_ms)
{
	int64_t deadline = timeout_ms > 0 ? now_ms() + timeout_ms : 0;
	int left = timeout_ms;
	int gone = 0;

	for (;;) {
		int ret = stream->ops->acquire(stream, buffer);

		if (ret != -EAGAIN)
			return ret;
		/* What was done before the device went has been delivered. */
		if (gone)
			return -ENODEV;
		/* Nothing will come, as no other thread may start it meanwhile. */
		if (timeout_ms && !stream->started)
			return wait_by_poll(stream, 0) == -ENODEV ? -ENODEV : -EINVAL;
		if (timeout_ms < 0 && stream->ops->wait)
			ret = stream->ops->wait(stream);
		else
			ret = wait_by_poll(stream, left);
		gone = ret == -ENODEV;
		if (ret && !gone)
			return ret == -ETIMEDOUT && !timeout_ms ? -EAGAIN : ret;
		if (timeout_ms > 0) {
			int64_t rest = deadline - now_ms();

			left = rest > 0 ? (int)rest : 0;
		}
	}
}

int zcdma_release_slow(struct zcdma_stream *stream, struct zcdma_buffer *buffer)
{
	if (!buffer->held || (stream->fast.transfer && buffer->length - 1 >= buffer->size))
		return -EINVAL;
	return stream->ops->release(stream, buffer);
}

/* The same as in the header, for programs that cannot use that. */
int zcdma_acquire(struct zcdma_stream *stream, struct zcdma_buffer **buffer, int timeout_ms)
{
	return zcdma_acquire_inline(stream, buffer, timeout_ms);
}

int zcdma_release(struct zcdma_stream *stream, struct zcdma_buffer *buffer)
{
	return zcdma_release_inline(stream, buffer);
}

unsigned int zcdma_num_done(const struct zcdma_stream *stream)
{
	return zcdma_num_done_inline(stream);
}
