// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * v4l2.c - streams on V4L2 capture nodes, with buffers of the node's own (mmap)
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

#define TYPE		V4L2_BUF_TYPE_VIDEO_CAPTURE
#define NSEC_PER_SEC	1000000000ULL
/* V4L2's unit of exposure time. */
#define NSEC_PER_EXPOSURE	100000

static int queue(struct zcdma_stream *s, uint32_t index)
{
	struct v4l2_buffer vb = { .type = TYPE, .memory = V4L2_MEMORY_MMAP, .index = index };

	return zcdma_xioctl(s->fd, VIDIOC_QBUF, &vb);
}

static int v4l2_start(struct zcdma_stream *s)
{
	int type = TYPE;
	int ret;

	if (s->started)
		return -EBUSY;
	while (s->num_free) {
		ret = queue(s, s->free[s->num_free - 1]);
		if (ret)
			return ret;
		s->num_free--;
	}
	ret = zcdma_xioctl(s->fd, VIDIOC_STREAMON, &type);
	if (ret)
		return ret;
	s->v4l2.next_sequence = 0;
	s->started = 1;
	return 0;
}

static int v4l2_stop(struct zcdma_stream *s)
{
	int type = TYPE;
	int ret = zcdma_xioctl(s->fd, VIDIOC_STREAMOFF, &type);

	s->started = 0;
	s->num_free = 0;
	for (uint32_t i = s->fast.num_buffers; i--;)
		if (!s->fast.buffers[i].held)
			s->free[s->num_free++] = i;
	return ret;
}

static int v4l2_drain(struct zcdma_stream *s)
{
	(void)s;
	return -ENOTSUP;
}

/* What V4L2 knows of a frame, as a frame record. */
static void make_record(struct zcdma_stream *s, struct zcdma_frame *frame,
			const struct v4l2_buffer *vb)
{
	uint64_t ns = (uint64_t)vb->timestamp.tv_sec * NSEC_PER_SEC +
		      (uint64_t)vb->timestamp.tv_usec * 1000;

	*frame = (struct zcdma_frame) { .sequence = vb->sequence, .bytesused = vb->bytesused };
	if (vb->flags & V4L2_BUF_FLAG_ERROR)
		frame->flags |= ZCDMA_FRAME_ERROR;
	if (vb->sequence > s->v4l2.next_sequence)
		frame->flags |= ZCDMA_FRAME_LOST;
	s->v4l2.next_sequence = (uint64_t)vb->sequence + 1;
	/* Other clocks are none of ours. */
	if ((vb->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) != V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC)
		return;
	frame->exposure_start_ns = ns;
	if ((vb->flags & V4L2_BUF_FLAG_TSTAMP_SRC_MASK) == V4L2_BUF_FLAG_TSTAMP_SRC_SOE)
		frame->flags |= ZCDMA_FRAME_EXPOSURE_TIME;
	else
		frame->done_ns = ns;
}

static int v4l2_acquire(struct zcdma_stream *s, struct zcdma_buffer **buffer)
{
	struct v4l2_buffer vb = { .type = TYPE, .memory = V4L2_MEMORY_MMAP };
	struct zcdma_buffer *b;
	int ret;

	ret = zcdma_xioctl(s->fd, VIDIOC_DQBUF, &vb);
	if (ret)
		return ret;
	b = &s->fast.buffers[vb.index];
	make_record(s, &b->frame, &vb);
	b->length = vb.bytesused;
	b->held = 1;
	*buffer = b;
	return 0;
}

static int v4l2_release(struct zcdma_stream *s, struct zcdma_buffer *b)
{
	int ret;

	b->held = 0;
	ret = queue(s, b->index);
	if (ret)
		b->held = 1;
	return ret;
}

static int v4l2_set_control(struct zcdma_stream *s, unsigned int id, int64_t value)
{
	static const uint32_t cids[] = {
		[ZCDMA_CONTROL_TEST_PATTERN] = V4L2_CID_TEST_PATTERN,
		[ZCDMA_CONTROL_STAMPS] = ZCDMA_V4L2_CID_STAMPS,
		[ZCDMA_CONTROL_EXPOSURE] = V4L2_CID_EXPOSURE_ABSOLUTE,
	};
	struct v4l2_ext_control control = { 0 };
	struct v4l2_ext_controls controls = { .count = 1, .controls = &control };

	if (id >= sizeof(cids) / sizeof(cids[0]))
		return -EINVAL;
	if (id == ZCDMA_CONTROL_EXPOSURE)
		value /= NSEC_PER_EXPOSURE;
	if (value != (int32_t)value)
		return -ERANGE;
	control.id = cids[id];
	control.value = (int32_t)value;
	return zcdma_xioctl(s->fd, VIDIOC_S_EXT_CTRLS, &controls);
}

static int v4l2_export(struct zcdma_stream *s, unsigned int index)
{
	struct v4l2_exportbuffer arg = {
		.type = TYPE,
		.index = index,
		.flags = O_RDWR | O_CLOEXEC,
	};
	int ret = zcdma_xioctl(s->fd, VIDIOC_EXPBUF, &arg);

	return ret ? ret : arg.fd;
}

static int v4l2_import(struct zcdma_stream *s, unsigned int index, int fd)
{
	(void)s;
	(void)index;
	(void)fd;
	return -EINVAL;
}

static void v4l2_close(struct zcdma_stream *s)
{
	for (unsigned int i = 0; i < s->fast.num_buffers; i++)
		if (s->fast.buffers[i].data)
			munmap(s->fast.buffers[i].data, s->fast.buffers[i].size);
	close(s->fd);
}

static const struct zcdma_ops v4l2_ops = {
	.start = v4l2_start,
	.stop = v4l2_stop,
	.drain = v4l2_drain,
	.acquire = v4l2_acquire,
	.release = v4l2_release,
	.set_control = v4l2_set_control,
	.export_buffer = v4l2_export,
	.import_buffer = v4l2_import,
	.close = v4l2_close,
};

/* ---- Birth ---- */

static int set_format(struct zcdma_stream *s, const struct zcdma_config *config)
{
	struct v4l2_format fmt = { .type = TYPE };
	struct v4l2_pix_format *pix = &fmt.fmt.pix;
	int ret;

	ret = zcdma_xioctl(s->fd, VIDIOC_G_FMT, &fmt);
	if (ret)
		return ret;
	if (config->fourcc)
		pix->pixelformat = config->fourcc;
	if (config->width)
		pix->width = config->width;
	if (config->height)
		pix->height = config->height;
	pix->bytesperline = config->bytesperline;
	pix->field = V4L2_FIELD_ANY;
	ret = zcdma_xioctl(s->fd, VIDIOC_S_FMT, &fmt);
	if (ret)
		return ret;
	s->is_video = 1;
	s->video = (struct zcdma_video_config) {
		.fourcc = pix->pixelformat,
		.width = pix->width,
		.height = pix->height,
		.bytesperline = pix->bytesperline,
		.sizeimage = pix->sizeimage,
	};
	return 0;
}

/* Many nodes have no frame interval: then it stays 0, unknown. */
static void set_interval(struct zcdma_stream *s, uint64_t interval_ns)
{
	struct v4l2_streamparm parm = { .type = TYPE };
	struct v4l2_fract *fract = &parm.parm.capture.timeperframe;

	if (interval_ns && interval_ns <= 4 * NSEC_PER_SEC) {
		fract->numerator = (uint32_t)interval_ns;
		fract->denominator = (uint32_t)NSEC_PER_SEC;
		if (zcdma_xioctl(s->fd, VIDIOC_S_PARM, &parm))
			return;
	} else if (zcdma_xioctl(s->fd, VIDIOC_G_PARM, &parm)) {
		return;
	}
	if (parm.parm.capture.capability & V4L2_CAP_TIMEPERFRAME && fract->denominator)
		s->video.interval_ns = NSEC_PER_SEC * fract->numerator / fract->denominator;
}

static int get_buffers(struct zcdma_stream *s, const struct zcdma_config *config)
{
	uint32_t num = config->num_buffers ? config->num_buffers : DEFAULT_BUFFERS;
	struct v4l2_requestbuffers request = {
		.count = num,
		.type = TYPE,
		.memory = V4L2_MEMORY_MMAP,
	};
	int ret = -ENOMEM;

	/* Which kernels before 5.16 have not, and memory that must not be cached. */
#ifdef V4L2_MEMORY_FLAG_NON_COHERENT
	if (!(config->flags & ZCDMA_CONFIG_COHERENT)) {
		request.flags = V4L2_MEMORY_FLAG_NON_COHERENT;
		ret = zcdma_xioctl(s->fd, VIDIOC_REQBUFS, &request);
		if (ret == -ENOMEM) {
			request.count = num;
			request.flags = 0;
		}
	}
#endif
	if (ret == -ENOMEM)
		ret = zcdma_xioctl(s->fd, VIDIOC_REQBUFS, &request);
	if (ret)
		return ret;
	ret = zcdma_alloc_buffers(s, request.count);
	if (ret)
		return ret;
	for (uint32_t i = 0; i < request.count; i++) {
		struct v4l2_buffer vb = { .type = TYPE, .memory = V4L2_MEMORY_MMAP, .index = i };
		void *data;

		ret = zcdma_xioctl(s->fd, VIDIOC_QUERYBUF, &vb);
		if (ret)
			return ret;
		data = mmap(NULL, vb.length, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, vb.m.offset);
		if (data == MAP_FAILED)
			return -errno;
		s->fast.buffers[i].data = data;
		s->fast.buffers[i].size = vb.length;
	}
	return 0;
}

/* The device of a node that is of zcdma: the first word of its card. */
static void find_device(struct zcdma_stream *s, const struct v4l2_capability *cap)
{
	char name[sizeof(cap->card) + 1] = "";
	int ret;

	if (strcmp((const char *)cap->driver, "zcdma-video"))
		return;
	memcpy(name, cap->card, sizeof(cap->card));
	name[strcspn(name, " ")] = '\0';
	ret = zcdma_find_device(&s->device, name);
	if (ret)
		s->device.fd = ret;
}

int zcdma_open_v4l2(struct zcdma_stream *s, int fd, const struct zcdma_config *config)
{
	uint32_t need = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
	struct v4l2_capability cap;
	int ret;

	s->ops = &v4l2_ops;
	s->fd = fd;
	s->direction = ZCDMA_CAPTURE;
	ret = zcdma_xioctl(fd, VIDIOC_QUERYCAP, &cap);
	if (!ret && (cap.device_caps & need) != need)
		ret = -ENOTSUP;
	if (!ret && config->flags & (ZCDMA_CONFIG_PLAYBACK | ZCDMA_CONFIG_IMPORT))
		ret = -ENOTSUP;
	if (!ret)
		ret = set_format(s, config);
	if (!ret) {
		set_interval(s, config->interval_ns);
		find_device(s, &cap);
		ret = get_buffers(s, config);
	}
	if (ret)
		v4l2_close(s);
	return ret;
}
