// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_video.c - V4L2 front end: one video node for each video channel
 *
 * Translates between V4L2 and the core and knows nothing of the engine. Buffers are queued and
 * waited for by vb2, moved by the core; there is no queue in between.
 *
 * Who can reach a struct zcdma_video, and what holds it alive (v4l2_dev.ref):
 *
 *   auxiliary device, bound      one reference, from probe to remove
 *   video node, its open files   one, from video_register_device() until the node's last user
 *   media node, its open files   one, from media_device_register() until that node's last user
 *   callbacks of the core        only between zcdma_chan_start() and the return of
 *                                zcdma_chan_stop(), inside the lifetime of the buffers
 *   mappings, dma-bufs           never: they hold the zcdma_buf
 *
 * and it holds its channel. Remove first unregisters the node, which takes all buffers back and
 * wakes whoever waits; "no longer registered" then is the mark by which every call ends with
 * ENODEV.
 *
 * Who owns the channel: this node, as long as it has buffers or streams. It claims in
 * queue_setup(), which vb2 calls for each way to get buffers. There is no such place for giving
 * back, so whatever may have freed the last buffer or have failed to allocate the first calls
 * zcdma_video_settle().
 */
#include <linux/gcd.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <media/v4l2-common.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>

#include "zcdma_compat.h"
#include "zcdma_video.h"

#define ZCDMA_VIDEO_NAME	"zcdma-video"

/* One buffer in the engine is enough to start; vb2 then allocates at least two. */
#define MIN_QUEUED_BUFFERS	1
#define MAX_BUFFERS		64

/* A program that is late by this much, as programs are on a busy machine, loses no frame. */
#define MAX_DELAY_NS		(50 * NSEC_PER_MSEC)

/* For that, nobody has asked: it leaves memory to others. */
#define MAX_SPARE_BYTES		(32 << 20)

/* A program that keeps up with its buffers loses no event. */
#define MAX_FRAME_EVENTS	MAX_BUFFERS

/* V4L2_CID_EXPOSURE_ABSOLUTE counts in 100 us. */
#define EXPOSURE_UNIT_NS	(100 * NSEC_PER_USEC)

static_assert(sizeof(struct zcdma_frame) <= sizeof_field(struct v4l2_event, u.data));

/* ---- Ownership of the channel ---- */

static int zcdma_video_claim(struct zcdma_video *video)
{
	int ret;

	lockdep_assert_held(&video->lock);

	/* The last call that vb2 lets through after it has been emptied by remove ends here. */
	if (!video_is_registered(&video->vdev))
		return -ENODEV;
	if (video->claimed)
		return 0;

	ret = zcdma_chan_claim(video->chan, &video->client);
	if (!ret)
		video->claimed = true;
	return ret;
}

/* A queue can stream without a buffer: VIDIOC_REMOVE_BUFS takes dequeued ones at any time. */
static void zcdma_video_settle(struct zcdma_video *video)
{
	lockdep_assert_held(&video->lock);

	if (!video->claimed || vb2_is_streaming(&video->queue) ||
	    vb2_get_num_buffers(&video->queue))
		return;

	zcdma_chan_release(video->chan);
	video->claimed = false;
}

/* First the core may know, then, after remove, V4L2 does. */
static bool zcdma_video_gone(struct zcdma_video *video)
{
	return zcdma_chan_gone(video->chan) || !video_is_registered(&video->vdev);
}

/* What an interrupted call returns: vb2 has its own idea of why it was interrupted. */
static int zcdma_video_error(struct zcdma_video *video, int ret)
{
	return ret < 0 && zcdma_video_gone(video) ? -ENODEV : ret;
}

/* ---- Callbacks of the core ---- */

static void zcdma_video_done(struct zcdma_chan *chan, void *priv, struct zcdma_xfer *xfer)
{
	struct zcdma_video *video = priv;
	struct zcdma_video_buffer *buffer = container_of(xfer, struct zcdma_video_buffer, xfer);
	struct vb2_buffer *vb = &buffer->vb.vb2_buf;
	const struct zcdma_frame *frame = &xfer->frame;
	struct v4l2_event event = { .type = ZCDMA_V4L2_EVENT_FRAME };
	enum vb2_buffer_state cancel = READ_ONCE(video->cancel);

	if (cancel != VB2_BUF_STATE_DEQUEUED) {
		vb2_buffer_done(vb, cancel);
		return;
	}

	/* First the event, so that whoever has the buffer finds it. */
	memcpy(event.u.data, frame, sizeof(*frame));
	v4l2_event_queue(&video->vdev, &event);

	buffer->vb.sequence = frame->sequence;
	if (video->queue.is_output) {
		vb->timestamp = frame->done_ns;
	} else {
		vb->timestamp = frame->exposure_start_ns;
		vb2_set_plane_payload(vb, 0, frame->bytesused);
	}
	vb2_buffer_done(vb, frame->flags & ZCDMA_FRAME_ERROR ? VB2_BUF_STATE_ERROR :
							       VB2_BUF_STATE_DONE);
}

static void zcdma_video_exposure(struct zcdma_chan *chan, void *priv, u64 sequence, ktime_t time)
{
	struct zcdma_video *video = priv;
	struct v4l2_event event = {
		.type = V4L2_EVENT_FRAME_SYNC,
		.u.frame_sync.frame_sequence = sequence,
	};

	v4l2_event_queue(&video->vdev, &event);
}

/* ---- Queue ---- */

/* For VIDIOC_REQBUFS that asks for fewer, and for read() and write(). One is with the program. */
static unsigned int zcdma_video_enough_buffers(const struct zcdma_video *video)
{
	u64 waiting = div64_u64(MAX_DELAY_NS, video->format.interval_ns);
	u64 room = zcdma_pool_free(zcdma_chan_device(video->chan)) / 2;
	u64 fit = div_u64(min_t(u64, room, MAX_SPARE_BYTES), video->format.sizeimage);

	return clamp_t(u64, min(1 + waiting, fit), 1 + MIN_QUEUED_BUFFERS, MAX_BUFFERS);
}

static int zcdma_video_queue_setup(struct vb2_queue *queue, unsigned int *num_buffers,
				   unsigned int *num_planes, unsigned int sizes[],
				   struct device *alloc_devs[])
{
	struct zcdma_video *video = vb2_get_drv_priv(queue);

	video->wanted = UINT_MAX;
	if (!*num_planes) {
		*num_planes = 1;
		sizes[0] = video->format.sizeimage;
		/* Where there was no memory for so many, vb2 asks again whether these will do. */
		if (ZCDMA_VB2_TAKES_FEWER && !vb2_get_num_buffers(queue)) {
			video->wanted = *num_buffers;
			*num_buffers = max(*num_buffers, zcdma_video_enough_buffers(video));
			/* All that vb2 can take for read() and write(). */
			if (vb2_fileio_is_active(queue))
				*num_buffers = min(*num_buffers, VB2_MAX_FRAME);
		}
	} else if (*num_planes != 1 || sizes[0] < video->format.sizeimage ||
		   sizes[0] > ZCDMA_BUFFER_SIZE_MAX) {
		return -EINVAL;
	}

	return zcdma_video_claim(video);
}

static int zcdma_video_buf_out_validate(struct vb2_buffer *vb)
{
	struct vb2_v4l2_buffer *vbuf = to_vb2_v4l2_buffer(vb);

	vbuf->field = V4L2_FIELD_NONE;
	/* vb2 takes the payload from here, but its write() leaves it in the other place (6.12). */
	if (vb2_fileio_is_active(vb->vb2_queue))
		vbuf->planes[0].bytesused = vb->planes[0].bytesused;
	return 0;
}

static int zcdma_video_buf_prepare(struct vb2_buffer *vb)
{
	struct zcdma_video *video = vb2_get_drv_priv(vb->vb2_queue);
	struct zcdma_video_buffer *buffer = to_zcdma_video_buffer(vb);
	u32 size = video->format.sizeimage;

	if (video->queue.is_output ? vb2_get_plane_payload(vb, 0) < size :
				     vb2_plane_size(vb, 0) < size)
		return -EINVAL;

	buffer->vb.field = V4L2_FIELD_NONE;
	buffer->xfer.buf = buffer->buf;
	buffer->xfer.len = size;
	return 0;
}

/*
 * vb2 sets the cache hints from the flags of VIDIOC_QBUF and never clears them (Linux 6.12). They
 * are meant for one round: back to what init_buffer_cache_hints() set.
 */
static void zcdma_video_buf_finish(struct vb2_buffer *vb)
{
	vb->skip_cache_sync_on_prepare = 0;
	vb->skip_cache_sync_on_finish = vb->vb2_queue->dma_dir == DMA_TO_DEVICE;
}

static void zcdma_video_buf_queue(struct vb2_buffer *vb)
{
	struct zcdma_video *video = vb2_get_drv_priv(vb->vb2_queue);
	int ret;

	ret = zcdma_xfer_queue(video->chan, &to_zcdma_video_buffer(vb)->xfer);
	if (!ret)
		return;

	if (vb2_start_streaming_called(vb->vb2_queue)) {
		vb2_buffer_done(vb, VB2_BUF_STATE_ERROR);
	} else {
		video->queue_error = ret;
		vb2_buffer_done(vb, VB2_BUF_STATE_QUEUED);
	}
}

/* Call every buffer back; on return vb2 has them all, in @state. */
static void zcdma_video_cancel(struct zcdma_video *video, enum vb2_buffer_state state)
{
	WRITE_ONCE(video->cancel, state);
	zcdma_chan_stop(video->chan);
	WRITE_ONCE(video->cancel, VB2_BUF_STATE_DEQUEUED);
}

/* The buffers queued before have come through zcdma_video_buf_queue() just now. */
static int zcdma_video_start_streaming(struct vb2_queue *queue, unsigned int count)
{
	struct zcdma_video *video = vb2_get_drv_priv(queue);
	int ret = video->queue_error;

	video->queue_error = 0;
	if (!ret)
		ret = zcdma_chan_set_video(video->chan, &video->format);
	if (!ret)
		ret = zcdma_chan_start(video->chan);
	/*
	 * Where the device has just gone, the core may have completed buffers with an error, and
	 * vb2 wants none completed when start fails. Then it started, and ends with remove.
	 */
	if (!ret || zcdma_chan_gone(video->chan))
		return 0;

	zcdma_video_cancel(video, VB2_BUF_STATE_QUEUED);
	return ret;
}

static void zcdma_video_stop_streaming(struct vb2_queue *queue)
{
	zcdma_video_cancel(vb2_get_drv_priv(queue), VB2_BUF_STATE_ERROR);
}

static const struct vb2_ops zcdma_video_queue_ops = {
	.queue_setup		= zcdma_video_queue_setup,
	.buf_out_validate	= zcdma_video_buf_out_validate,
	.buf_prepare		= zcdma_video_buf_prepare,
	.buf_finish		= zcdma_video_buf_finish,
	.buf_queue		= zcdma_video_buf_queue,
	.start_streaming	= zcdma_video_start_streaming,
	.stop_streaming		= zcdma_video_stop_streaming,
	ZCDMA_VB2_WAIT_OPS
};

static int zcdma_video_init_queue(struct zcdma_video *video)
{
	bool output = zcdma_chan_desc(video->chan)->direction == ZCDMA_PLAYBACK;
	struct vb2_queue *queue = &video->queue;

	queue->type = output ? V4L2_BUF_TYPE_VIDEO_OUTPUT : V4L2_BUF_TYPE_VIDEO_CAPTURE;
	queue->io_modes = VB2_MMAP | VB2_DMABUF | (output ? VB2_WRITE : VB2_READ);
	/* Start of exposure is for capture only; the end of a frame is the default. */
	queue->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC |
				 (output ? V4L2_BUF_FLAG_TSTAMP_SRC_EOF :
					   V4L2_BUF_FLAG_TSTAMP_SRC_SOE);
	queue->drv_priv = video;
	queue->buf_struct_size = sizeof(struct zcdma_video_buffer);
	queue->ops = &zcdma_video_queue_ops;
	queue->mem_ops = &zcdma_video_mem_ops;
	queue->lock = &video->lock;
	queue->allow_cache_hints = 1;
	queue->min_queued_buffers = MIN_QUEUED_BUFFERS;
	zcdma_vb2_set_max_buffers(queue, MAX_BUFFERS);
	return vb2_queue_init(queue);
}

/* ---- Frame intervals: a fraction of seconds in V4L2, ns in the core ---- */

static struct v4l2_fract interval_to_fract(u64 ns)
{
	u32 per_second = NSEC_PER_SEC;
	u32 divisor, rate;

	/* "1/30" rather than "33333333/1000000000", where they are the same number of ns. */
	rate = div64_u64(NSEC_PER_SEC + ns / 2, ns);
	if (rate && DIV_ROUND_CLOSEST_ULL(NSEC_PER_SEC, rate) == ns)
		return (struct v4l2_fract) { 1, rate };

	/* Long ones in coarser units: a numerator has 32 bits. */
	while (ns > U32_MAX && per_second > 1) {
		ns = div_u64(ns, 10);
		per_second /= 10;
	}
	divisor = gcd(ns, per_second);
	return (struct v4l2_fract) { (u32)ns / divisor, per_second / divisor };
}

static u64 fract_to_interval(const struct v4l2_fract *fract)
{
	return DIV_ROUND_CLOSEST_ULL((u64)fract->numerator * NSEC_PER_SEC, fract->denominator);
}

/* ---- Formats ---- */

static bool zcdma_video_has_format(struct zcdma_video *video, u32 fourcc)
{
	for (unsigned int i = 0; i < video->caps->num_fourccs; i++)
		if (video->caps->fourccs[i] == fourcc)
			return true;
	return false;
}

static void zcdma_video_adjust_colors(struct zcdma_video *video, struct v4l2_pix_format *pix)
{
	const struct v4l2_format_info *info = v4l2_format_info(pix->pixelformat);

	/* What an output displays is the program's to say. */
	if (video->queue.is_output && v4l2_is_colorspace_valid(pix->colorspace) &&
	    v4l2_is_xfer_func_valid(pix->xfer_func) && v4l2_is_ycbcr_enc_valid(pix->ycbcr_enc) &&
	    v4l2_is_quant_valid(pix->quantization))
		return;

	pix->colorspace = info && v4l2_is_format_bayer(info) ? V4L2_COLORSPACE_RAW :
							       V4L2_COLORSPACE_SRGB;
	pix->xfer_func = V4L2_XFER_FUNC_DEFAULT;
	pix->ycbcr_enc = V4L2_YCBCR_ENC_DEFAULT;
	pix->quantization = V4L2_QUANTIZATION_DEFAULT;
}

/* Adjust @pix to what the channel can do at the present pace, and say it in the core's words. */
static struct zcdma_video_format zcdma_video_adjust(struct zcdma_video *video,
						    struct v4l2_pix_format *pix)
{
	struct zcdma_video_format format = {
		.fourcc = pix->pixelformat,
		.width = pix->width,
		.height = pix->height,
		.bytesperline = pix->bytesperline,
		.interval_ns = video->format.interval_ns,
	};

	zcdma_video_try(video->caps, &format);
	pix->pixelformat = format.fourcc;
	pix->width = format.width;
	pix->height = format.height;
	pix->bytesperline = format.bytesperline;
	pix->sizeimage = format.sizeimage;
	pix->field = V4L2_FIELD_NONE;
	pix->flags = 0;
	zcdma_video_adjust_colors(video, pix);
	return format;
}

static void zcdma_video_set_format(struct zcdma_video *video, struct v4l2_pix_format *pix)
{
	u64 interval_ns = video->format.interval_ns;

	video->format = zcdma_video_adjust(video, pix);
	video->pix = *pix;
	/* Larger frames may be slower. */
	if (video->format.interval_ns != interval_ns)
		video->interval = interval_to_fract(video->format.interval_ns);
}

static void zcdma_video_init_format(struct zcdma_video *video)
{
	zcdma_video_default(video->caps, &video->format);
	video->interval = interval_to_fract(video->format.interval_ns);
	video->pix = (struct v4l2_pix_format) {
		.pixelformat = video->format.fourcc,
		.width = video->format.width,
		.height = video->format.height,
	};
	zcdma_video_set_format(video, &video->pix);
}

/* ---- Ioctls ---- */

static int zcdma_video_querycap(struct file *file, void *priv, struct v4l2_capability *cap)
{
	struct zcdma_video *video = video_drvdata(file);

	strscpy(cap->driver, ZCDMA_VIDEO_NAME, sizeof(cap->driver));
	strscpy(cap->card, video->mdev.model, sizeof(cap->card));
	strscpy(cap->bus_info, video->mdev.bus_info, sizeof(cap->bus_info));
	return 0;
}

static int zcdma_video_enum_fmt(struct file *file, void *priv, struct v4l2_fmtdesc *desc)
{
	struct zcdma_video *video = video_drvdata(file);

	if (desc->index >= video->caps->num_fourccs)
		return -EINVAL;
	desc->pixelformat = video->caps->fourccs[desc->index];
	return 0;
}

static int zcdma_video_g_fmt(struct file *file, void *priv, struct v4l2_format *fmt)
{
	struct zcdma_video *video = video_drvdata(file);

	fmt->fmt.pix = video->pix;
	return 0;
}

static int zcdma_video_try_fmt(struct file *file, void *priv, struct v4l2_format *fmt)
{
	zcdma_video_adjust(video_drvdata(file), &fmt->fmt.pix);
	return 0;
}

static int zcdma_video_s_fmt(struct file *file, void *priv, struct v4l2_format *fmt)
{
	struct zcdma_video *video = video_drvdata(file);

	if (vb2_is_busy(&video->queue))
		return -EBUSY;
	zcdma_video_set_format(video, &fmt->fmt.pix);
	return 0;
}

static int zcdma_video_enum_framesizes(struct file *file, void *priv,
				       struct v4l2_frmsizeenum *size)
{
	struct zcdma_video *video = video_drvdata(file);
	const struct zcdma_video_caps *caps = video->caps;
	bool wide = caps->min_width != caps->max_width;
	bool high = caps->min_height != caps->max_height;
	const struct zcdma_format_info *info;

	if (!zcdma_video_has_format(video, size->pixel_format))
		return -EINVAL;

	/* V4L2 has no range of nothing: then the largest size, and the smallest if that differs. */
	if (!wide || !high) {
		if (size->index > (wide || high))
			return -EINVAL;
		size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
		size->discrete.width = size->index ? caps->min_width : caps->max_width;
		size->discrete.height = size->index ? caps->min_height : caps->max_height;
		return 0;
	}

	if (size->index)
		return -EINVAL;
	info = zcdma_format_info(size->pixel_format);
	size->type = V4L2_FRMSIZE_TYPE_STEPWISE;
	size->stepwise = (struct v4l2_frmsize_stepwise) {
		.min_width = caps->min_width,
		.max_width = caps->max_width,
		.step_width = max_t(u32, caps->step_width, info->hsub),
		.min_height = caps->min_height,
		.max_height = caps->max_height,
		.step_height = max_t(u32, caps->step_height, info->vsub),
	};
	return 0;
}

static int zcdma_video_enum_frameintervals(struct file *file, void *priv,
					   struct v4l2_frmivalenum *ival)
{
	struct zcdma_video *video = video_drvdata(file);
	struct zcdma_video_format format = {
		.fourcc = ival->pixel_format,
		.width = ival->width,
		.height = ival->height,
	};

	zcdma_video_try(video->caps, &format);
	if (ival->index || format.fourcc != ival->pixel_format || format.width != ival->width ||
	    format.height != ival->height)
		return -EINVAL;

	if (format.interval_ns == video->caps->max_interval_ns) {
		ival->type = V4L2_FRMIVAL_TYPE_DISCRETE;
		ival->discrete = interval_to_fract(format.interval_ns);
		return 0;
	}
	ival->type = V4L2_FRMIVAL_TYPE_CONTINUOUS;
	ival->stepwise = (struct v4l2_frmival_stepwise) {
		.min = interval_to_fract(format.interval_ns),
		.max = interval_to_fract(video->caps->max_interval_ns),
		.step = { 1, 1 },
	};
	return 0;
}

static int zcdma_video_g_parm(struct file *file, void *priv, struct v4l2_streamparm *parm)
{
	struct zcdma_video *video = video_drvdata(file);

	if (video->queue.is_output) {
		parm->parm.output.capability = V4L2_CAP_TIMEPERFRAME;
		parm->parm.output.timeperframe = video->interval;
		parm->parm.output.writebuffers = zcdma_video_enough_buffers(video);
	} else {
		parm->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
		parm->parm.capture.timeperframe = video->interval;
		parm->parm.capture.readbuffers = zcdma_video_enough_buffers(video);
	}
	return 0;
}

static int zcdma_video_s_parm(struct file *file, void *priv, struct v4l2_streamparm *parm)
{
	struct zcdma_video *video = video_drvdata(file);
	struct zcdma_video_format format = video->format;
	struct v4l2_fract interval;
	u64 wish;

	if (vb2_is_streaming(&video->queue))
		return -EBUSY;

	interval = video->queue.is_output ? parm->parm.output.timeperframe :
					    parm->parm.capture.timeperframe;
	/* V4L2: zero asks for the default. */
	if (!interval.numerator || !interval.denominator)
		interval = interval_to_fract(video->caps->def_interval_ns);

	wish = fract_to_interval(&interval);
	format.interval_ns = wish;
	zcdma_video_try(video->caps, &format);
	if (format.interval_ns != wish)
		interval = interval_to_fract(format.interval_ns);

	video->format = format;
	video->interval = interval;
	return zcdma_video_g_parm(file, priv, parm);
}

static int zcdma_video_enum_input(struct file *file, void *priv, struct v4l2_input *input)
{
	struct zcdma_video *video = video_drvdata(file);

	if (input->index)
		return -EINVAL;
	input->type = V4L2_INPUT_TYPE_CAMERA;
	strscpy(input->name, zcdma_chan_name(video->chan), sizeof(input->name));
	return 0;
}

static int zcdma_video_enum_output(struct file *file, void *priv, struct v4l2_output *output)
{
	struct zcdma_video *video = video_drvdata(file);

	if (output->index)
		return -EINVAL;
	output->type = V4L2_OUTPUT_TYPE_ANALOG;
	strscpy(output->name, zcdma_chan_name(video->chan), sizeof(output->name));
	return 0;
}

/* One input or one output, and it is number 0. */
static int zcdma_video_g_index(struct file *file, void *priv, unsigned int *index)
{
	*index = 0;
	return 0;
}

static int zcdma_video_s_index(struct file *file, void *priv, unsigned int index)
{
	return index ? -EINVAL : 0;
}

static int zcdma_video_log_status(struct file *file, void *priv)
{
	struct zcdma_video *video = video_drvdata(file);
	const struct zcdma_video_format *format = &video->format;

	v4l2_info(&video->v4l2_dev, "%p4cc %ux%u, %u bytes per line, %u per frame, %llu ns\n",
		  &format->fourcc, format->width, format->height, format->bytesperline,
		  format->sizeimage, format->interval_ns);
	v4l2_info(&video->v4l2_dev, "channel %s, %u buffers, %s\n",
		  video->claimed ? "claimed" : "free", vb2_get_num_buffers(&video->queue),
		  vb2_is_streaming(&video->queue) ? "streaming" : "stopped");
	v4l2_ctrl_handler_log_status(&video->ctrls, video->v4l2_dev.name);
	return 0;
}

static int zcdma_video_subscribe_event(struct v4l2_fh *fh,
				       const struct v4l2_event_subscription *sub)
{
	switch (sub->type) {
	case V4L2_EVENT_CTRL:
		return v4l2_ctrl_subscribe_event(fh, sub);
	case V4L2_EVENT_FRAME_SYNC:
	case ZCDMA_V4L2_EVENT_FRAME:
		return sub->id ? -EINVAL : v4l2_event_subscribe(fh, sub, MAX_FRAME_EVENTS, NULL);
	default:
		return -EINVAL;
	}
}

static int zcdma_video_reqbufs(struct file *file, void *priv, struct v4l2_requestbuffers *req)
{
	int ret = vb2_ioctl_reqbufs(file, priv, req);

	zcdma_video_settle(video_drvdata(file));
	return ret;
}

static int zcdma_video_create_bufs(struct file *file, void *priv,
				   struct v4l2_create_buffers *create)
{
	int ret = vb2_ioctl_create_bufs(file, priv, create);

	zcdma_video_settle(video_drvdata(file));
	return ret;
}

#ifdef VIDIOC_REMOVE_BUFS
static int zcdma_video_remove_bufs(struct file *file, void *priv,
				   struct v4l2_remove_buffers *remove)
{
	int ret = vb2_ioctl_remove_bufs(file, priv, remove);

	zcdma_video_settle(video_drvdata(file));
	return ret;
}
#endif

/* Whatever has become of the buffer since: V4L2 says that VIDIOC_QBUF returns it as queued. */
static int zcdma_video_qbuf(struct file *file, void *priv, struct v4l2_buffer *buf)
{
	int ret = vb2_ioctl_qbuf(file, priv, buf);

	if (!ret && buf->flags & V4L2_BUF_FLAG_DONE) {
		buf->flags &= ~(V4L2_BUF_FLAG_DONE | V4L2_BUF_FLAG_ERROR);
		buf->flags |= V4L2_BUF_FLAG_QUEUED;
	}
	return ret;
}

static int zcdma_video_dqbuf(struct file *file, void *priv, struct v4l2_buffer *buf)
{
	int ret = vb2_ioctl_dqbuf(file, priv, buf);

	return ret ? zcdma_video_error(video_drvdata(file), ret) : 0;
}

static int zcdma_video_streamoff(struct file *file, void *priv, enum v4l2_buf_type type)
{
	int ret = vb2_ioctl_streamoff(file, priv, type);

	zcdma_video_settle(video_drvdata(file));
	return ret;
}

/* Of the operations for capture and those for output, the V4L2 core uses what fits the node. */
static const struct v4l2_ioctl_ops zcdma_video_ioctl_ops = {
	.vidioc_querycap		= zcdma_video_querycap,

	.vidioc_enum_fmt_vid_cap	= zcdma_video_enum_fmt,
	.vidioc_g_fmt_vid_cap		= zcdma_video_g_fmt,
	.vidioc_try_fmt_vid_cap		= zcdma_video_try_fmt,
	.vidioc_s_fmt_vid_cap		= zcdma_video_s_fmt,
	.vidioc_enum_input		= zcdma_video_enum_input,
	.vidioc_g_input			= zcdma_video_g_index,
	.vidioc_s_input			= zcdma_video_s_index,

	.vidioc_enum_fmt_vid_out	= zcdma_video_enum_fmt,
	.vidioc_g_fmt_vid_out		= zcdma_video_g_fmt,
	.vidioc_try_fmt_vid_out		= zcdma_video_try_fmt,
	.vidioc_s_fmt_vid_out		= zcdma_video_s_fmt,
	.vidioc_enum_output		= zcdma_video_enum_output,
	.vidioc_g_output		= zcdma_video_g_index,
	.vidioc_s_output		= zcdma_video_s_index,

	.vidioc_enum_framesizes		= zcdma_video_enum_framesizes,
	.vidioc_enum_frameintervals	= zcdma_video_enum_frameintervals,
	.vidioc_g_parm			= zcdma_video_g_parm,
	.vidioc_s_parm			= zcdma_video_s_parm,

	.vidioc_reqbufs			= zcdma_video_reqbufs,
	.vidioc_create_bufs		= zcdma_video_create_bufs,
#ifdef VIDIOC_REMOVE_BUFS
	.vidioc_remove_bufs		= zcdma_video_remove_bufs,
#endif
	.vidioc_prepare_buf		= vb2_ioctl_prepare_buf,
	.vidioc_querybuf		= vb2_ioctl_querybuf,
	.vidioc_qbuf			= zcdma_video_qbuf,
	.vidioc_dqbuf			= zcdma_video_dqbuf,
	.vidioc_expbuf			= vb2_ioctl_expbuf,
	.vidioc_streamon		= vb2_ioctl_streamon,
	.vidioc_streamoff		= zcdma_video_streamoff,

	.vidioc_log_status		= zcdma_video_log_status,
	.vidioc_subscribe_event		= zcdma_video_subscribe_event,
	.vidioc_unsubscribe_event	= v4l2_event_unsubscribe,
};

/* ---- Controls ---- */

static int zcdma_video_s_ctrl(struct v4l2_ctrl *ctrl)
{
	struct zcdma_video *video = container_of(ctrl->handler, struct zcdma_video, ctrls);

	/* That is where it comes from. */
	if (video->following)
		return 0;
	switch (ctrl->id) {
	case V4L2_CID_TEST_PATTERN:
		return zcdma_chan_set_ctrl(video->chan, ZCDMA_CTRL_TEST_PATTERN, ctrl->val);
	case ZCDMA_V4L2_CID_STAMPS:
		return zcdma_chan_set_ctrl(video->chan, ZCDMA_CTRL_STAMPS, ctrl->val);
	case V4L2_CID_EXPOSURE_ABSOLUTE:
		return zcdma_chan_set_ctrl(video->chan, ZCDMA_CTRL_EXPOSURE,
					   (s64)ctrl->val * EXPOSURE_UNIT_NS);
	default:
		return -EINVAL;
	}
}

static const struct v4l2_ctrl_ops zcdma_video_ctrl_ops = {
	.s_ctrl = zcdma_video_s_ctrl,
};

static void zcdma_video_add_stamps(struct zcdma_video *video, const struct zcdma_ctrl_desc *desc)
{
	const struct v4l2_ctrl_config config = {
		.ops = &zcdma_video_ctrl_ops,
		.id = ZCDMA_V4L2_CID_STAMPS,
		.name = "Frame Stamps",
		.type = V4L2_CTRL_TYPE_BOOLEAN,
		.max = 1,
		.step = 1,
		.def = desc->def,
	};

	v4l2_ctrl_new_custom(&video->ctrls, &config, NULL);
}

static void zcdma_video_add_exposure(struct zcdma_video *video, const struct zcdma_ctrl_desc *desc)
{
	s64 min = max_t(s64, DIV_ROUND_UP_ULL(desc->min, EXPOSURE_UNIT_NS), 1);
	s64 max = clamp_t(s64, div_u64(desc->max, EXPOSURE_UNIT_NS), min, S32_MAX);
	s64 def = clamp_t(s64, div_u64(desc->def, EXPOSURE_UNIT_NS), min, max);
	u64 step = max_t(u64, div_u64(desc->step, EXPOSURE_UNIT_NS), 1);
	struct v4l2_ctrl *ctrl;

	ctrl = v4l2_ctrl_new_std(&video->ctrls, &zcdma_video_ctrl_ops, V4L2_CID_EXPOSURE_ABSOLUTE,
				 min, max, step, def);
	/* What V4L2 shows may be rounded: to set that is a change. */
	if (ctrl)
		ctrl->flags |= V4L2_CTRL_FLAG_EXECUTE_ON_WRITE;
}

static void zcdma_video_follow_ctrl(struct zcdma_video *video, u32 cid, enum zcdma_ctrl_id id,
				    u32 unit)
{
	struct v4l2_ctrl *ctrl = v4l2_ctrl_find(&video->ctrls, cid);
	s64 value;

	if (!ctrl)
		return;
	v4l2_ctrl_lock(ctrl);
	/* An exposure is finer than V4L2's unit, and may be shorter. */
	value = clamp_t(s64, div_u64(zcdma_chan_get_ctrl(video->chan, id), unit), ctrl->minimum,
			ctrl->maximum);
	/* Menus have something else in the place of the step. */
	if (ctrl->type == V4L2_CTRL_TYPE_INTEGER)
		value -= (u32)(value - ctrl->minimum) % (u32)ctrl->step;
	if (ctrl->cur.val != value) {
		video->following = true;
		__v4l2_ctrl_s_ctrl(ctrl, value);
		video->following = false;
	}
	v4l2_ctrl_unlock(ctrl);
}

/*
 * The values are the core's: streams set them, too, and they outlive the node. V4L2 has copies,
 * goes by them, and tells by events of their changes: before anybody looks, bring them up to date.
 */
static void zcdma_video_follow_ctrls(struct zcdma_video *video)
{
	zcdma_video_follow_ctrl(video, V4L2_CID_TEST_PATTERN, ZCDMA_CTRL_TEST_PATTERN, 1);
	zcdma_video_follow_ctrl(video, ZCDMA_V4L2_CID_STAMPS, ZCDMA_CTRL_STAMPS, 1);
	zcdma_video_follow_ctrl(video, V4L2_CID_EXPOSURE_ABSOLUTE, ZCDMA_CTRL_EXPOSURE,
				EXPOSURE_UNIT_NS);
}

static int zcdma_video_init_ctrls(struct zcdma_video *video)
{
	const struct zcdma_chan_desc *chan_desc = zcdma_chan_desc(video->chan);

	v4l2_ctrl_handler_init(&video->ctrls, chan_desc->num_ctrls);
	for (unsigned int i = 0; i < chan_desc->num_ctrls; i++) {
		const struct zcdma_ctrl_desc *desc = &chan_desc->ctrls[i];

		switch (desc->id) {
		case ZCDMA_CTRL_TEST_PATTERN:
			v4l2_ctrl_new_std_menu_items(&video->ctrls, &zcdma_video_ctrl_ops,
						     V4L2_CID_TEST_PATTERN, desc->max, 0,
						     desc->def, desc->menu);
			break;
		case ZCDMA_CTRL_STAMPS:
			zcdma_video_add_stamps(video, desc);
			break;
		case ZCDMA_CTRL_EXPOSURE:
			zcdma_video_add_exposure(video, desc);
			break;
		default:
			/* Of sound. */
			break;
		}
	}
	if (video->ctrls.error)
		return video->ctrls.error;
	zcdma_video_follow_ctrls(video);
	return zcdma_video_add_gpio_ctrls(video);
}

/* ---- File operations ---- */

/*
 * The V4L2 core waits for an event and for nothing else, even when the node is unregistered. Wait
 * here for both before it does. That leaves one who can miss it: of two threads that wait on one
 * file the one that the other took the event from waits in the V4L2 core, until the next event or a
 * signal. Not inline, for the sake of all the other ioctls.
 */
static noinline long zcdma_video_dqevent(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct video_device *vdev = video_devdata(file);
	struct v4l2_fh *fh = file->private_data;
	int ret;

	if (!(file->f_flags & O_NONBLOCK)) {
		ret = wait_event_interruptible(fh->wait, v4l2_event_pending(fh) ||
					       !video_is_registered(vdev));
		if (ret)
			return ret;
		if (!video_is_registered(vdev))
			return -ENODEV;
	}
	return video_ioctl2(file, cmd, arg);
}

static long zcdma_video_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (_IOC_TYPE(cmd) != 'V')
		return video_ioctl2(file, cmd, arg);
	/* By its number: 32-bit programs have other sizes. */
	switch (_IOC_NR(cmd)) {
	case _IOC_NR(VIDIOC_DQEVENT):
		return zcdma_video_dqevent(file, cmd, arg);
	case _IOC_NR(VIDIOC_G_CTRL):
	case _IOC_NR(VIDIOC_S_CTRL):
	case _IOC_NR(VIDIOC_G_EXT_CTRLS):
	case _IOC_NR(VIDIOC_S_EXT_CTRLS):
	case _IOC_NR(VIDIOC_SUBSCRIBE_EVENT):
		zcdma_video_follow_ctrls(video_drvdata(file));
		break;
	}
	return video_ioctl2(file, cmd, arg);
}

/* vb2's emulation of read() and write() may have failed after it claimed the channel. */
static void zcdma_video_settle_fileio(struct zcdma_video *video)
{
	mutex_lock(&video->lock);
	zcdma_video_settle(video);
	mutex_unlock(&video->lock);
}

static ssize_t zcdma_video_read(struct file *file, char __user *data, size_t count, loff_t *pos)
{
	struct zcdma_video *video = video_drvdata(file);
	ssize_t ret;

	/*
	 * A failed frame has no bytes, but 0 would say that no more will come: take the next. vb2
	 * does not wait, nor look for signals, where the engine refuses frame after frame.
	 */
	do {
		ret = vb2_fop_read(file, data, count, pos);
		if (!ret && count && zcdma_video_gone(video))
			return -ENODEV;
		if (!ret && count && signal_pending(current))
			return -ERESTARTSYS;
		cond_resched();
	} while (!ret && count);
	if (ret < 0)
		zcdma_video_settle_fileio(video);
	return zcdma_video_error(video, ret);
}

static ssize_t zcdma_video_write(struct file *file, const char __user *data, size_t count,
				 loff_t *pos)
{
	struct zcdma_video *video = video_drvdata(file);
	ssize_t ret = vb2_fop_write(file, data, count, pos);

	if (ret < 0)
		zcdma_video_settle_fileio(video);
	return zcdma_video_error(video, ret);
}

/* Starts the emulation of read() and write(), too. */
static __poll_t zcdma_video_poll(struct file *file, poll_table *wait)
{
	struct zcdma_video *video = video_drvdata(file);
	__poll_t events = vb2_fop_poll(file, wait);

	if (events & EPOLLERR)
		zcdma_video_settle_fileio(video);
	return zcdma_video_gone(video) ? EPOLLERR | EPOLLHUP | EPOLLPRI : events;
}

static int zcdma_video_release(struct file *file)
{
	struct zcdma_video *video = video_drvdata(file);
	int ret;

	mutex_lock(&video->lock);
	ret = _vb2_fop_release(file, NULL);
	zcdma_video_settle(video);
	mutex_unlock(&video->lock);
	return ret;
}

static const struct v4l2_file_operations zcdma_video_fops = {
	.owner		= THIS_MODULE,
	.open		= v4l2_fh_open,
	.release	= zcdma_video_release,
	.unlocked_ioctl	= zcdma_video_ioctl,
	.read		= zcdma_video_read,
	.write		= zcdma_video_write,
	.mmap		= vb2_fop_mmap,
	.poll		= zcdma_video_poll,
};

/* ---- Nodes ---- */

/* Release of a device that never was one: what it is part of lives on. */
static void zcdma_video_forget(struct device *dev)
{
}

static int zcdma_video_register_node(struct zcdma_video *video)
{
	struct video_device *vdev = &video->vdev;
	bool output = video->queue.is_output;
	int ret;

	video->pad.flags = output ? MEDIA_PAD_FL_SOURCE : MEDIA_PAD_FL_SINK;
	ret = media_entity_pads_init(&vdev->entity, 1, &video->pad);
	if (ret)
		return ret;

	strscpy(vdev->name, video->mdev.model, sizeof(vdev->name));
	vdev->v4l2_dev = &video->v4l2_dev;
	vdev->fops = &zcdma_video_fops;
	vdev->ioctl_ops = &zcdma_video_ioctl_ops;
	vdev->vfl_dir = output ? VFL_DIR_TX : VFL_DIR_RX;
	vdev->device_caps = V4L2_CAP_STREAMING | V4L2_CAP_READWRITE |
			    (output ? V4L2_CAP_VIDEO_OUTPUT : V4L2_CAP_VIDEO_CAPTURE);
	vdev->ctrl_handler = &video->ctrls;
	vdev->queue = &video->queue;
	vdev->lock = &video->lock;
	/* Part of struct zcdma_video, which the node holds: see zcdma_video_free(). */
	vdev->release = video_device_release_empty;
	video_set_drvdata(vdev, video);
	ret = video_register_device(vdev, VFL_TYPE_VIDEO, -1);
	/* The V4L2 of many kernels forgets the name of a device that it fails to register. */
	if (ret && vdev->dev.kobj.name && !vdev->dev.release) {
		vdev->dev.release = zcdma_video_forget;
		put_device(&vdev->dev);
	}
	return ret;
}

/* Waits for ioctls under way, gets all buffers back and wakes whoever waits for one. */
static void zcdma_video_unregister_node(struct zcdma_video *video)
{
	vb2_video_unregister_device(&video->vdev);
	mutex_lock(&video->lock);
	zcdma_video_settle(video);
	mutex_unlock(&video->lock);
}

static void zcdma_video_media_release(struct media_devnode *devnode)
{
	struct zcdma_video *video = dev_get_drvdata(&devnode->dev);

	v4l2_device_put(&video->v4l2_dev);
}

/*
 * An ioctl under way on the media node uses the struct media_device without holding anything but
 * the node, so let the node hold the media device. Nobody else uses the node's release callback,
 * and it comes no earlier than media_device_unregister().
 */
static int zcdma_video_register_media(struct zcdma_video *video)
{
	int ret;

	ret = media_device_register(&video->mdev);
	if (ret)
		return ret;
	v4l2_device_get(&video->v4l2_dev);
	dev_set_drvdata(&video->mdev.devnode->dev, video);
	video->mdev.devnode->release = zcdma_video_media_release;
	return 0;
}

static void zcdma_video_init_names(struct zcdma_video *video, struct device *dev)
{
	struct zcdma_device *zdev = zcdma_chan_device(video->chan);
	struct media_device *mdev = &video->mdev;

	mdev->dev = dev;
	strscpy(mdev->driver_name, ZCDMA_VIDEO_NAME, sizeof(mdev->driver_name));
	snprintf(mdev->model, sizeof(mdev->model), "%s %s", zcdma_device_name(zdev),
		 zcdma_chan_name(video->chan));
	/* Unlike the name of the device, unique without being cut. */
	snprintf(mdev->bus_info, sizeof(mdev->bus_info), "platform:%s", dev_name(dev));
	snprintf(video->v4l2_dev.name, sizeof(video->v4l2_dev.name), "%s %s", ZCDMA_VIDEO_NAME,
		 dev_name(dev));
}

/* ---- Birth and death ---- */

/* The last reference on v4l2_dev is gone: nobody can reach us. */
static void zcdma_video_free(struct v4l2_device *v4l2_dev)
{
	struct zcdma_video *video = container_of(v4l2_dev, struct zcdma_video, v4l2_dev);

	v4l2_ctrl_handler_free(&video->ctrls);
	media_device_cleanup(&video->mdev);
	mutex_destroy(&video->lock);
	zcdma_chan_put(video->chan);
	kfree(video);
}

static int zcdma_video_probe(struct auxiliary_device *adev, const struct auxiliary_device_id *id)
{
	struct zcdma_chan *chan = to_zcdma_auxdev(adev)->chan;
	struct device *dev = &adev->dev;
	struct zcdma_video *video;
	int ret;

	video = kzalloc(sizeof(*video), GFP_KERNEL);
	if (!video)
		return -ENOMEM;
	auxiliary_set_drvdata(adev, video);

	video->chan = chan;
	zcdma_video_init_names(video, dev);
	ret = v4l2_device_register(dev, &video->v4l2_dev);
	if (ret) {
		kfree(video);
		return ret;
	}

	/* From here on zcdma_video_free() frees. What it undoes cannot fail. */
	video->v4l2_dev.release = zcdma_video_free;
	video->v4l2_dev.mdev = &video->mdev;
	media_device_init(&video->mdev);
	mutex_init(&video->lock);
	zcdma_chan_get(chan);

	video->caps = zcdma_chan_desc(chan)->video;
	video->client = (struct zcdma_client) {
		.owner = ZCDMA_OWNER_VIDEO,
		.done = zcdma_video_done,
		.exposure = zcdma_video_exposure,
		.priv = video,
	};
	ret = zcdma_video_init_queue(video);
	if (ret)
		goto err_put;
	zcdma_video_init_format(video);
	ret = zcdma_video_init_ctrls(video);
	if (ret)
		goto err_put;
	ret = zcdma_video_register_node(video);
	if (ret)
		goto err_put;
	ret = zcdma_video_register_media(video);
	if (ret)
		goto err_unregister;
	return 0;

err_unregister:
	zcdma_video_unregister_node(video);
err_put:
	v4l2_device_disconnect(&video->v4l2_dev);
	v4l2_device_put(&video->v4l2_dev);
	return dev_err_probe(dev, ret, "no video node for channel %s\n", zcdma_chan_name(chan));
}

static void zcdma_video_remove(struct auxiliary_device *adev)
{
	struct zcdma_video *video = auxiliary_get_drvdata(adev);

	zcdma_video_unregister_node(video);
	media_device_unregister(&video->mdev);
	v4l2_device_disconnect(&video->v4l2_dev);
	v4l2_device_put(&video->v4l2_dev);
}

static const struct auxiliary_device_id zcdma_video_ids[] = {
	{ .name = ZCDMA_AUX_MODULE "." ZCDMA_AUX_VIDEO },
	{ }
};
MODULE_DEVICE_TABLE(auxiliary, zcdma_video_ids);

static struct auxiliary_driver zcdma_video_driver = {
	.probe = zcdma_video_probe,
	.remove = zcdma_video_remove,
	.id_table = zcdma_video_ids,
};
module_auxiliary_driver(zcdma_video_driver);

MODULE_DESCRIPTION("zcdma: V4L2 front end");
MODULE_LICENSE("GPL");
