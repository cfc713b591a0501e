// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual hardware: a camera, a display, and the wire between them
 *
 * Camera (capture). Frames start one interval apart, the first one an interval after streaming
 * has. A frame takes its descriptor when its exposure starts, and hands it to the worker when the
 * exposure ends; the next exposure may begin before the worker is through. A frame that finds no
 * descriptor is lost, and counted. Triggered, the same happens at each trigger instead of each
 * interval; one that comes during an exposure is refused.
 *
 * Display (playback). At each refresh the display goes on to the next descriptor, and is done with
 * the one before it. Where there is no next one, it shows the last frame again, from a copy of its
 * own, so that the program has its buffer back in time; the sequence number counts refreshes.
 *
 * Wire. A camera that a display is looped to does not look at its test pattern while the display
 * streams in the same format (fourcc, width, height, bytesperline, sizeimage): a camera frame is
 * then a copy, byte for byte, of the frame that the display shows at the moment when the camera's
 * exposure starts. Both run on the device's one clock and their events happen in the order of
 * their times, so with equal intervals the camera sees each display frame exactly once and in
 * order, whatever the load; if it has no descriptor for one, its sequence number tells so. The
 * display's transfer is not done before the camera's frames that show it are copied. If the
 * display stops before that, they show the test pattern, as they do before its first frame.
 *
 * The mutex zvirt_dev::wire keeps the display's memory in place during a copy: whoever takes away
 * that memory first clears all zvirt_desc::source that lead to it and then passes the mutex.
 */
#include <linux/font.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "zcdma_virt.h"

/*
 * A line takes about as long as in a sensor or a display for 1080 lines at 60 Hz: 4320 lines still
 * have 16 frames a second, and up to 69 have 1000.
 */
#define LINE_NS			14400

/* Few, as in hardware, but enough to outlast a worker that has to wait for a CPU. */
#define VIDEO_DEPTH		4

/* The names of the test pattern control: the generator's, and one of our own. */
#define PATTERN_NULL		(TPG_PAT_NOISE + 1)
#define NUM_PATTERNS		(PATTERN_NULL + 1)

static const char *pattern_names[NUM_PATTERNS + 1];

#define TEXT_X			16
#define TEXT_Y			16
#define FONT_WIDTH		8
#define FONT_HEIGHT		16

#define DEFAULT_EXPOSURE_NS	(10 * NSEC_PER_MSEC)

static const u32 fourccs[] = {
	V4L2_PIX_FMT_YUYV,
	V4L2_PIX_FMT_UYVY,
	V4L2_PIX_FMT_NV12,
	V4L2_PIX_FMT_RGB24,
	V4L2_PIX_FMT_XBGR32,
	V4L2_PIX_FMT_GREY,
	V4L2_PIX_FMT_SRGGB8,
	V4L2_PIX_FMT_SRGGB10,
};

static const struct zcdma_ctrl_desc camera_ctrls[] = {
	{
		.id = ZCDMA_CTRL_TEST_PATTERN,
		.max = PATTERN_NULL,
		.step = 1,
		.menu = pattern_names,
	},
	{
		.id = ZCDMA_CTRL_STAMPS,
		.max = 1,
		.step = 1,
	},
	{
		.id = ZCDMA_CTRL_EXPOSURE,
		.min = NSEC_PER_USEC,
		.max = NSEC_PER_SEC,
		.step = NSEC_PER_USEC,
		.def = DEFAULT_EXPOSURE_NS,
	},
};

/* ---- The wire ---- */

static bool same_format(const struct zcdma_video_format *a, const struct zcdma_video_format *b)
{
	return a->fourcc == b->fourcc && a->width == b->width && a->height == b->height &&
	       a->bytesperline == b->bytesperline && a->sizeimage == b->sizeimage;
}

/* A camera frame begins: note what is on the wire. */
static void wire_latch(struct zvirt_chan *vc, struct zvirt_desc *desc)
{
	struct zvirt_chan *display = vc->peer;

	lockdep_assert_held(&vc->vdev->lock);

	if (!display || !display->running || !display->video.on_wire ||
	    !same_format(&vc->video.fmt, &display->video.fmt))
		return;
	desc->source = display->video.on_wire;
	desc->source->readers++;
}

/* A camera frame needs the display's memory no longer: the display may have waited for that. */
static void wire_release(struct zvirt_chan *vc, struct zvirt_desc *desc)
{
	lockdep_assert_held(&vc->vdev->lock);

	if (!desc->source)
		return;
	desc->source->readers--;
	desc->source = NULL;
	zvirt_kick(vc->peer);
}

/*
 * Copy what a camera frame has noted.
 *
 * Return: 1, 0 where there is nothing to copy, or -ENOMEM.
 */
static int wire_copy(struct zvirt_chan *vc, struct zvirt_desc *desc, void *to)
{
	struct zvirt_dev *vdev = vc->vdev;
	struct zvirt_desc *source;
	void *from;
	int ret = 0;

	if (!vc->peer)
		return 0;

	mutex_lock(&vdev->wire);
	spin_lock_irq(&vdev->lock);
	source = desc->source;
	spin_unlock_irq(&vdev->lock);
	if (source) {
		if (source == &vc->peer->video.store)
			from = vc->peer->video.store_mem;
		else
			from = zvirt_memory(source);
		if (from)
			memcpy(to, from, vc->video.fmt.sizeimage);
		ret = from ? 1 : -ENOMEM;
	}
	mutex_unlock(&vdev->wire);
	return ret;
}

/* ---- Camera ---- */

static void stamp(void *at, const struct zcdma_xfer *xfer)
{
	struct zcdma_stamp stamp = {
		.magic = cpu_to_le64(ZCDMA_STAMP_MAGIC),
		.sequence = cpu_to_le64(xfer->frame.sequence),
		.exposure_start_ns = cpu_to_le64(xfer->frame.exposure_start_ns),
	};

	memcpy(at, &stamp, sizeof(stamp));
}

/* One line of text, where it fits. */
static void draw_text(struct zvirt_video *video, u8 *basep[TPG_MAX_PLANES][2], unsigned int line,
		      const char *text)
{
	if (TEXT_X + strlen(text) * FONT_WIDTH <= video->fmt.width)
		tpg_gen_text(&video->tpg, basep, TEXT_Y + line * FONT_HEIGHT, TEXT_X, text);
}

static void draw(struct zvirt_video *video, u32 pattern, const struct zcdma_xfer *xfer, u8 *at)
{
	u8 *basep[TPG_MAX_PLANES][2];
	struct tpg_data *tpg = &video->tpg;
	char text[32];
	u32 us;
	u64 s;

	tpg_s_pattern(tpg, pattern);
	for (unsigned int p = 0; p < tpg_g_planes(tpg); p++) {
		tpg_calc_text_basep(tpg, basep, p, at);
		tpg_fill_plane_buffer(tpg, 0, p, at);
		at += tpg_calc_plane_size(tpg, p);
	}

	scnprintf(text, sizeof(text), " %llu ", xfer->frame.sequence);
	draw_text(video, basep, 0, text);
	s = div_u64_rem(div_u64(xfer->frame.exposure_start_ns, NSEC_PER_USEC), USEC_PER_SEC, &us);
	scnprintf(text, sizeof(text), " %llu.%06u s ", s, us);
	draw_text(video, basep, 1, text);
}

/*
 * With stamps, a reader must at no time find two that are equal around anything but a whole frame.
 * The first head stamp says that a new frame is being written; drawing runs over it and over the
 * old tail; the second one is there before the tail is.
 */
static void picture(struct zvirt_chan *vc, const struct zcdma_xfer *xfer, void *at)
{
	struct zvirt_video *video = &vc->video;
	u32 pattern = READ_ONCE(video->pattern);
	bool stamps = READ_ONCE(video->stamps);

	if (stamps) {
		stamp(at, xfer);
		dma_wmb();
	}
	if (pattern != PATTERN_NULL)
		draw(video, pattern, xfer, at);
	if (stamps) {
		stamp(at, xfer);
		dma_wmb();
		stamp(at + video->fmt.sizeimage - sizeof(struct zcdma_stamp), xfer);
	}
}

static bool camera_move(struct zvirt_chan *vc, struct zvirt_desc *desc)
{
	struct zvirt_dev *vdev = vc->vdev;
	size_t bytes = 0;
	void *at;

	at = desc->failed ? NULL : zvirt_memory(desc);
	if (at) {
		int copied = wire_copy(vc, desc, at);

		if (!copied)
			picture(vc, desc->xfer, at);
		if (copied >= 0)
			bytes = vc->video.fmt.sizeimage;
	}
	zvirt_moved(desc, bytes);

	spin_lock_irq(&vdev->lock);
	wire_release(vc, desc);
	spin_unlock_irq(&vdev->lock);
	return true;
}

/*
 * An exposure starts at @time.
 *
 * Return: when it ends.
 */
static ktime_t camera_expose(struct zvirt_chan *vc, ktime_t time)
{
	struct zvirt_video *video = &vc->video;
	u64 length;

	lockdep_assert_held(&vc->vdev->lock);

	video->frame = zvirt_fault(&vc->faults.drop) ? NULL : zvirt_begin(vc);
	if (video->frame && !video->frame->failed)
		wire_latch(vc, video->frame);
	video->exposing = true;
	vc->begun_at = time;
	length = zvirt_clock(vc, video->fmt.interval_ns);
	video->frame_end = ktime_add_ns(time, length);
	return ktime_add_ns(time, min(video->exposure_ns, length));
}

static void camera_event(struct zvirt_chan *vc, struct zvirt_event *event)
{
	struct zvirt_video *video = &vc->video;

	event->time = vc->due;
	if (video->exposing) {
		event->type = ZVIRT_EVENT_EXPOSURE_END;
		event->xfer = video->frame ? video->frame->xfer : NULL;
		event->ready = video->frame;
		video->exposing = false;
		video->ending = true;
		vc->due = video->triggered ? KTIME_MAX : video->frame_end;
		return;
	}

	vc->due = camera_expose(vc, vc->due);
	event->type = ZVIRT_EVENT_EXPOSURE_START;
	event->xfer = video->frame ? video->frame->xfer : NULL;
}

/* The interrupt has the end of this exposure to report only after its start has been, here. */
static int camera_trigger(struct zcdma_chan *chan, ktime_t time)
{
	struct zvirt_chan *vc = zcdma_chan_priv(chan);
	struct zvirt_video *video = &vc->video;
	struct zvirt_dev *vdev = vc->vdev;
	struct zcdma_xfer *xfer;
	unsigned long flags;
	ktime_t end;

	spin_lock_irqsave(&vdev->lock, flags);
	if (vc->faults.stall || video->exposing || video->ending) {
		spin_unlock_irqrestore(&vdev->lock, flags);
		return -EBUSY;
	}
	end = camera_expose(vc, time);
	xfer = video->frame ? video->frame->xfer : NULL;
	spin_unlock_irqrestore(&vdev->lock, flags);

	zcdma_exposure_start(chan, xfer, time);

	spin_lock_irqsave(&vdev->lock, flags);
	vc->due = end;
	zvirt_arm(vdev);
	spin_unlock_irqrestore(&vdev->lock, flags);
	return 0;
}

static int camera_set_triggered(struct zcdma_chan *chan, bool on)
{
	struct zvirt_chan *vc = zcdma_chan_priv(chan);
	struct zvirt_video *video = &vc->video;
	struct zvirt_dev *vdev = vc->vdev;

	spin_lock_irq(&vdev->lock);
	video->triggered = on;
	if (vc->running && !video->exposing) {
		vc->due = on ? KTIME_MAX : max(video->frame_end, ktime_get());
		zvirt_arm(vdev);
	}
	spin_unlock_irq(&vdev->lock);
	return 0;
}

static int camera_start(struct zvirt_chan *vc)
{
	const struct zcdma_video_format *fmt = &vc->video.fmt;
	u32 pattern = READ_ONCE(vc->video.pattern);
	struct tpg_data *tpg = &vc->video.tpg;
	u8 *basep[TPG_MAX_PLANES][2];
	int ret;

	tpg_init(tpg, fmt->width, fmt->height);
	if (!tpg_s_fourcc(tpg, fmt->fourcc))
		return -EINVAL;
	/* The generator works in pairs of pixels. */
	ret = tpg_alloc(tpg, ALIGN(fmt->width, 2));
	if (ret)
		return ret;
	tpg_reset_source(tpg, fmt->width, fmt->height, V4L2_FIELD_NONE);
	tpg_s_bytesperline(tpg, 0, fmt->bytesperline);
	if (pattern != PATTERN_NULL) {
		/* Has the generator compute its lines now, so that the first frame is not late. */
		tpg_s_pattern(tpg, pattern);
		tpg_calc_text_basep(tpg, basep, 0, NULL);
	}
	return 0;
}

static void camera_stop(struct zvirt_chan *vc)
{
	struct zvirt_dev *vdev = vc->vdev;

	spin_lock_irq(&vdev->lock);
	for (unsigned int i = 0; i < ZVIRT_RING; i++)
		wire_release(vc, &vc->ring[i]);
	spin_unlock_irq(&vdev->lock);
	tpg_free(&vc->video.tpg);
}

static void camera_run(struct zvirt_chan *vc, ktime_t now)
{
	struct zvirt_video *video = &vc->video;

	video->exposing = false;
	video->ending = false;
	video->frame = NULL;
	video->frame_end = ktime_add_ns(now, video->fmt.interval_ns);
	vc->due = video->triggered ? KTIME_MAX : video->frame_end;
}

/* ---- Display ---- */

static void display_event(struct zvirt_chan *vc, struct zvirt_event *event)
{
	struct zvirt_video *video = &vc->video;

	event->ready = video->frame;
	video->frame = zvirt_fault(&vc->faults.drop) ? NULL : zvirt_begin(vc);
	if (video->frame && !video->frame->failed)
		video->on_wire = video->frame;
	event->type = ZVIRT_EVENT_EXPOSURE_START;
	event->xfer = video->frame ? video->frame->xfer : NULL;
	event->time = vc->due;
	vc->begun_at = vc->due;
	vc->due = ktime_add_ns(vc->due, zvirt_clock(vc, video->fmt.interval_ns));
}

/* Nobody reads the store, and nobody can begin to before it is on the wire. */
static bool display_save(struct zvirt_video *video, struct zvirt_desc *desc)
{
	void *from = zvirt_memory(desc);

	if (!video->store_mem)
		video->store_mem = kvmalloc(video->fmt.sizeimage, GFP_KERNEL | __GFP_NOWARN);
	if (!from || !video->store_mem)
		return false;
	memcpy(video->store_mem, from, video->fmt.sizeimage);
	return true;
}

/* A frame's time on the display is over: keep a copy if it is still on the wire, and let it go. */
static bool display_move(struct zvirt_chan *vc, struct zvirt_desc *desc)
{
	struct zvirt_video *video = &vc->video;
	struct zvirt_dev *vdev = vc->vdev;
	bool keep, busy, kept = false;

	zvirt_moved(desc, desc->failed ? 0 : video->fmt.sizeimage);

	spin_lock_irq(&vdev->lock);
	keep = vc->peer && video->on_wire == desc;
	busy = keep && video->store.readers;
	spin_unlock_irq(&vdev->lock);
	if (busy)
		return false;
	if (keep)
		kept = display_save(video, desc);

	spin_lock_irq(&vdev->lock);
	if (video->on_wire == desc)
		video->on_wire = kept ? &video->store : NULL;
	busy = desc->readers;
	spin_unlock_irq(&vdev->lock);
	return !busy;
}

/* The cable is pulled: cameras that have not copied yet never will. */
static void display_stop(struct zvirt_chan *vc)
{
	struct zvirt_video *video = &vc->video;
	struct zvirt_dev *vdev = vc->vdev;

	spin_lock_irq(&vdev->lock);
	video->on_wire = NULL;
	video->store.readers = 0;
	for (unsigned int i = 0; vc->peer && i < ZVIRT_RING; i++)
		vc->peer->ring[i].source = NULL;
	spin_unlock_irq(&vdev->lock);

	/* One that copies right now holds this. */
	mutex_lock(&vdev->wire);
	mutex_unlock(&vdev->wire);

	kvfree(video->store_mem);
	video->store_mem = NULL;
}

static void display_run(struct zvirt_chan *vc, ktime_t now)
{
	vc->video.frame = NULL;
	vc->due = ktime_add_ns(now, vc->video.fmt.interval_ns);
}

/* ---- Both ---- */

static bool video_accepts(const struct zvirt_chan *vc, const struct zcdma_xfer *xfer)
{
	return xfer->len >= vc->video.fmt.sizeimage;
}

static int video_set_video(struct zcdma_chan *chan, const struct zcdma_video_format *fmt)
{
	struct zvirt_chan *vc = zcdma_chan_priv(chan);

	spin_lock_irq(&vc->vdev->lock);
	vc->video.fmt = *fmt;
	spin_unlock_irq(&vc->vdev->lock);
	return 0;
}

static int camera_set_ctrl(struct zcdma_chan *chan, enum zcdma_ctrl_id id, s64 value)
{
	struct zvirt_chan *vc = zcdma_chan_priv(chan);
	struct zvirt_video *video = &vc->video;
	int ret = 0;

	spin_lock_irq(&vc->vdev->lock);
	switch (id) {
	case ZCDMA_CTRL_TEST_PATTERN:
		WRITE_ONCE(video->pattern, value);
		break;
	case ZCDMA_CTRL_STAMPS:
		WRITE_ONCE(video->stamps, value);
		break;
	case ZCDMA_CTRL_EXPOSURE:
		video->exposure_ns = value;
		break;
	default:
		ret = -EINVAL;
	}
	spin_unlock_irq(&vc->vdev->lock);
	return ret;
}

static const struct zvirt_model camera = {
	.depth = VIDEO_DEPTH,
	.start = camera_start,
	.stop = camera_stop,
	.run = camera_run,
	.event = camera_event,
	.accepts = video_accepts,
	.move = camera_move,
};

static const struct zvirt_model display = {
	.depth = VIDEO_DEPTH,
	.stop = display_stop,
	.run = display_run,
	.event = display_event,
	.accepts = video_accepts,
	.move = display_move,
};

static const struct zcdma_chan_ops camera_ops = {
	.set_video = video_set_video,
	.set_ctrl = camera_set_ctrl,
	.start = zvirt_start,
	.stop = zvirt_stop,
	.submit = zvirt_submit,
	.set_triggered = camera_set_triggered,
	.trigger = camera_trigger,
};

static const struct zcdma_chan_ops display_ops = {
	.set_video = video_set_video,
	.start = zvirt_start,
	.stop = zvirt_stop,
	.submit = zvirt_submit,
};

/**
 * zvirt_video_init() - make a channel a camera or a display
 * @vc: its direction is set
 * @max_width: pixels, ZVIRT_MIN_SIZE to ZVIRT_MAX_WIDTH
 * @max_height: lines, ZVIRT_MIN_SIZE to ZVIRT_MAX_HEIGHT
 */
void zvirt_video_init(struct zvirt_chan *vc, u32 max_width, u32 max_height)
{
	struct zvirt_video *video = &vc->video;

	vc->model = vc->direction == ZCDMA_CAPTURE ? &camera : &display;
	video->caps = (struct zcdma_video_caps) {
		.fourccs = fourccs,
		.num_fourccs = ARRAY_SIZE(fourccs),
		.min_width = ZVIRT_MIN_SIZE,
		.max_width = max_width,
		.step_width = 2,
		.min_height = ZVIRT_MIN_SIZE,
		.max_height = max_height,
		.step_height = 2,
		.min_interval_ns = NSEC_PER_MSEC,
		.max_interval_ns = NSEC_PER_SEC,
		.line_ns = LINE_NS,
		.def_width = min(max_width, 640u),
		.def_height = min(max_height, 480u),
		.def_interval_ns = NSEC_PER_SEC / 30,
	};
	video->exposure_ns = DEFAULT_EXPOSURE_NS;
	zcdma_video_default(&video->caps, &video->fmt);
}

/**
 * zvirt_video_describe() - tell the core what a video channel can do
 * @vc: channel
 * @desc: what all kinds of channels have is filled in
 */
void zvirt_video_describe(const struct zvirt_chan *vc, struct zcdma_chan_desc *desc)
{
	desc->video = &vc->video.caps;
	desc->ops = &display_ops;
	if (vc->direction == ZCDMA_CAPTURE) {
		desc->ops = &camera_ops;
		desc->ctrls = camera_ctrls;
		desc->num_ctrls = ARRAY_SIZE(camera_ctrls);
	}
}

void __init zvirt_video_module_init(void)
{
	const struct font_desc *font = find_font("VGA8x16");

	for (unsigned int i = 0; i <= TPG_PAT_NOISE; i++)
		pattern_names[i] = tpg_pattern_strings[i];
	pattern_names[PATTERN_NULL] = "Null";

	if (font)
		tpg_set_font(font->data);
	else
		pr_notice("zcdma-virt: no font VGA8x16: pictures have no frame counter (CONFIG_FONT_8x16)\n");
}
