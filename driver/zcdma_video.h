/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zcdma_video.h - what the files of zcdma-video.ko share with each other
 */
#ifndef ZCDMA_VIDEO_H
#define ZCDMA_VIDEO_H

#include <linux/mutex.h>
#include <media/media-device.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-dev.h>
#include <media/v4l2-device.h>
#include <media/videobuf2-v4l2.h>

#include "zcdma.h"

/**
 * struct zcdma_video - the V4L2 node of one channel
 * @v4l2_dev: its refcount is the lifetime of the whole struct
 * @mdev: the media device, which has the node as its only entity
 * @pad: of the entity
 * @vdev: the node; no longer registered means that the device is gone
 * @ctrls: controls; has a lock of its own, which protects @following, too
 * @following: controls are being set to what the core has
 * @queue: buffers
 * @chan: the channel, referenced
 * @caps: what the channel can be set to
 * @client: this node as the owner of the channel
 * @lock: serializes ioctls, and with them everything that vb2 does on behalf of user space;
 *	protects @queue and everything below but @cancel. Never taken by the callbacks of the
 *	core, so it may be held while calling the core
 * @format: format and pace, in the core's words
 * @pix: the same format in V4L2's words
 * @interval: the same pace as the program gave it
 * @wanted: buffers with a number below this have been asked for; others are spare
 * @claimed: the channel is ours
 * @queue_error: handing a buffer to the core failed before streaming started
 * @cancel: while transfers are being called back: the state that buffers return to vb2 in; else
 *	VB2_BUF_STATE_DEQUEUED, which is none. Written around zcdma_chan_stop(), which waits
 *	for the callbacks that read it
 */
struct zcdma_video {
	struct v4l2_device v4l2_dev;
	struct media_device mdev;
	struct media_pad pad;
	struct video_device vdev;
	struct v4l2_ctrl_handler ctrls;
	bool following;
	struct vb2_queue queue;
	struct zcdma_chan *chan;
	const struct zcdma_video_caps *caps;
	struct zcdma_client client;

	struct mutex lock;	/* see above */
	struct zcdma_video_format format;
	struct v4l2_pix_format pix;
	struct v4l2_fract interval;
	unsigned int wanted;
	bool claimed;
	int queue_error;
	enum vb2_buffer_state cancel;
};

/**
 * struct zcdma_video_buffer - a V4L2 buffer
 * @vb: vb2's part, which owns the whole
 * @xfer: the buffer on its way through the engine
 * @buf: the memory, one reference; NULL where there is none at the moment
 * @import_size: bytes that a dma-buf has to have to serve as @buf
 */
struct zcdma_video_buffer {
	struct vb2_v4l2_buffer vb;
	struct zcdma_xfer xfer;
	struct zcdma_buf *buf;
	size_t import_size;
};

static inline struct zcdma_video_buffer *to_zcdma_video_buffer(struct vb2_buffer *vb)
{
	return container_of(to_vb2_v4l2_buffer(vb), struct zcdma_video_buffer, vb);
}

/* zcdma_video_gpio.c */
int zcdma_video_add_gpio_ctrls(struct zcdma_video *video);

/* zcdma_video_mem.c; the queue's drv_priv is the struct zcdma_video */
extern const struct vb2_mem_ops zcdma_video_mem_ops;

#endif /* ZCDMA_VIDEO_H */
