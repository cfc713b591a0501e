// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_chan.c - channels: ownership, and transfers on their way through an engine
 *
 * A channel has one owner at a time, a client. The client hands in transfers, the core keeps them
 * in order and gives the engine as many as it takes at once; the engine reports exposures and
 * completions, the core completes the frame record and hands the transfer back:
 *
 *      client                     core                          engine
 *      zcdma_xfer_queue() -----> queued --- ops->submit() ----> (takes up to depth)
 *                                 active <-- exposure_start/end
 *      client->done() <--------- ........ <-- zcdma_xfer_done()
 *
 * Lock order: zcdma_chan::mutex -> zcdma_chan::lock -> the engine's own. Callbacks of the client
 * are called without the lock; while the channel runs its client cannot change, because release
 * comes after stop, and stop waits for the engine.
 */
#include <linux/idr.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "zcdma_gpio.h"
#include "zcdma_trace.h"

/* Auxiliary devices are numbered across all devices of the system. */
static DEFINE_IDA(aux_ida);

/* ---- What a channel is ---- */

const char *zcdma_kind_name(enum zcdma_kind kind)
{
	static const char * const names[] = {
		[ZCDMA_KIND_VIDEO] = ZCDMA_AUX_VIDEO,
		[ZCDMA_KIND_PCM] = ZCDMA_AUX_PCM,
		[ZCDMA_KIND_RAW] = ZCDMA_AUX_RAW,
	};

	return names[kind];
}

const char *zcdma_direction_name(enum zcdma_direction direction)
{
	return direction == ZCDMA_CAPTURE ? "capture" : "playback";
}

/**
 * zcdma_chan_name() - name within the device
 * @chan: channel
 */
const char *zcdma_chan_name(const struct zcdma_chan *chan)
{
	return chan->name;
}
EXPORT_SYMBOL_GPL(zcdma_chan_name);

/**
 * zcdma_chan_desc() - what the engine said of a channel
 * @chan: channel
 *
 * Return: the description, with every "0 stands for" resolved; valid as long as the channel is.
 */
const struct zcdma_chan_desc *zcdma_chan_desc(const struct zcdma_chan *chan)
{
	return &chan->desc;
}
EXPORT_SYMBOL_GPL(zcdma_chan_desc);

/**
 * zcdma_chan_priv() - the engine's own data
 * @chan: channel
 */
void *zcdma_chan_priv(const struct zcdma_chan *chan)
{
	return chan->desc.priv;
}
EXPORT_SYMBOL_GPL(zcdma_chan_priv);

/**
 * zcdma_chan_device() - the device that a channel belongs to
 * @chan: channel
 *
 * Return: the device, valid as long as the channel is.
 */
struct zcdma_device *zcdma_chan_device(const struct zcdma_chan *chan)
{
	return chan->zdev;
}
EXPORT_SYMBOL_GPL(zcdma_chan_device);

/**
 * zcdma_chan_debugfs() - directory of a channel in debugfs, removed with the device
 * @chan: channel
 */
struct dentry *zcdma_chan_debugfs(const struct zcdma_chan *chan)
{
	return chan->debugfs;
}
EXPORT_SYMBOL_GPL(zcdma_chan_debugfs);

/**
 * zcdma_chan_get() - take a reference
 * @chan: a channel that the caller has a reference on, or is bound to
 *
 * Return: @chan.
 */
struct zcdma_chan *zcdma_chan_get(struct zcdma_chan *chan)
{
	get_device(&chan->dev);
	return chan;
}
EXPORT_SYMBOL_GPL(zcdma_chan_get);

/**
 * zcdma_chan_put() - drop a reference
 * @chan: channel
 */
void zcdma_chan_put(struct zcdma_chan *chan)
{
	put_device(&chan->dev);
}
EXPORT_SYMBOL_GPL(zcdma_chan_put);

/**
 * zcdma_chan_gone() - whether the engine has left
 * @chan: channel
 *
 * Return: true once, and for ever after, nothing can be started on the channel.
 */
bool zcdma_chan_gone(const struct zcdma_chan *chan)
{
	return READ_ONCE(chan->gone);
}
EXPORT_SYMBOL_GPL(zcdma_chan_gone);

/* ---- Ownership and configuration ---- */

/**
 * zcdma_chan_claim() - become the owner of a channel
 * @chan: channel
 * @client: who; stays valid until zcdma_chan_release()
 *
 * Return: 0, -EBUSY where somebody else is, -ENODEV where the device is gone.
 */
int zcdma_chan_claim(struct zcdma_chan *chan, const struct zcdma_client *client)
{
	int ret = 0;

	mutex_lock(&chan->mutex);
	if (chan->gone)
		ret = -ENODEV;
	else if (chan->client)
		ret = -EBUSY;
	else
		chan->client = client;
	mutex_unlock(&chan->mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(zcdma_chan_claim);

/**
 * zcdma_chan_release() - give a channel back
 * @chan: channel, claimed by the caller and stopped
 */
void zcdma_chan_release(struct zcdma_chan *chan)
{
	mutex_lock(&chan->mutex);
	WARN_ON_ONCE(chan->running || !list_empty(&chan->queued));
	chan->client = NULL;
	mutex_unlock(&chan->mutex);
}
EXPORT_SYMBOL_GPL(zcdma_chan_release);

enum zcdma_owner zcdma_chan_owner(struct zcdma_chan *chan)
{
	enum zcdma_owner owner;

	mutex_lock(&chan->mutex);
	owner = chan->client ? chan->client->owner : ZCDMA_OWNER_NONE;
	mutex_unlock(&chan->mutex);
	return owner;
}

/* What can only be done to a channel that does not run. */
static int must_be_stopped(const struct zcdma_chan *chan)
{
	lockdep_assert_held(&chan->mutex);

	if (chan->gone)
		return -ENODEV;
	return chan->running ? -EBUSY : 0;
}

/**
 * zcdma_chan_set_video() - set format and pace of a video channel
 * @chan: channel
 * @fmt: adjusted by zcdma_video_try()
 *
 * Return: 0, -EBUSY while running, -ENODEV where the device is gone, or the engine's error.
 */
int zcdma_chan_set_video(struct zcdma_chan *chan, const struct zcdma_video_format *fmt)
{
	int ret;

	mutex_lock(&chan->mutex);
	ret = must_be_stopped(chan) ?: chan->desc.ops->set_video(chan, fmt);
	mutex_unlock(&chan->mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(zcdma_chan_set_video);

/**
 * zcdma_chan_set_pcm() - set format and rate of a PCM channel
 * @chan: channel
 * @config: as zcdma_pcm_complete() has left it
 *
 * Return: 0, -EBUSY while running, -ENODEV where the device is gone, or the engine's error.
 */
int zcdma_chan_set_pcm(struct zcdma_chan *chan, const struct zcdma_pcm_config *config)
{
	int ret;

	mutex_lock(&chan->mutex);
	ret = must_be_stopped(chan) ?: chan->desc.ops->set_pcm(chan, config);
	if (!ret) {
		spin_lock_irq(&chan->lock);
		chan->config = *config;
		spin_unlock_irq(&chan->lock);
	}
	mutex_unlock(&chan->mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(zcdma_chan_set_pcm);

/**
 * zcdma_chan_set_ctrl() - set a control
 * @chan: channel
 * @id: one of its controls
 * @value: within the range of its description
 *
 * Return: 0, -ENODEV where the device is gone, or the engine's error.
 */
int zcdma_chan_set_ctrl(struct zcdma_chan *chan, enum zcdma_ctrl_id id, s64 value)
{
	int ret;

	mutex_lock(&chan->mutex);
	ret = chan->gone ? -ENODEV : chan->desc.ops->set_ctrl(chan, id, value);
	/* An xrun is over when it has happened. */
	if (!ret && id != ZCDMA_CTRL_XRUN)
		chan->ctrls[id] = value;
	mutex_unlock(&chan->mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(zcdma_chan_set_ctrl);

/**
 * zcdma_chan_get_ctrl() - the value of a control, whichever front end has set it
 * @chan: channel
 * @id: one of its controls
 *
 * Process context.
 */
s64 zcdma_chan_get_ctrl(struct zcdma_chan *chan, enum zcdma_ctrl_id id)
{
	s64 value;

	mutex_lock(&chan->mutex);
	value = chan->ctrls[id];
	mutex_unlock(&chan->mutex);
	return value;
}
EXPORT_SYMBOL_GPL(zcdma_chan_get_ctrl);

/* ---- Transfers ---- */

/* One by one: for so few fields a memset() costs several times as much, on every frame's way. */
static void clear_frame(struct zcdma_frame *frame)
{
	frame->sequence = 0;
	frame->trigger_ns = 0;
	frame->exposure_start_ns = 0;
	frame->exposure_end_ns = 0;
	frame->done_ns = 0;
	frame->pcm_position = 0;
	frame->bytesused = 0;
	frame->flags = 0;
	frame->reserved[0] = 0;
	frame->reserved[1] = 0;
}

/* As a transfer is that the engine has not had, or never really had. */
static void set_queued(struct zcdma_xfer *xfer)
{
	xfer->state = ZCDMA_XFER_QUEUED;
	xfer->exposed = false;
	clear_frame(&xfer->frame);
}

/* Hand a transfer, on no list, to the engine. False: the engine refuses it, and it is DONE. */
static inline bool submit(struct zcdma_chan *chan, struct zcdma_xfer *xfer)
{
	lockdep_assert_held(&chan->lock);

	xfer->state = ZCDMA_XFER_ACTIVE;
	/* The next one now; otherwise that is when the one before it is done. */
	if (!chan->num_active)
		xfer->frame.exposure_start_ns = ktime_get_ns();
	if (chan->desc.ops->submit(chan, xfer)) {
		xfer->state = ZCDMA_XFER_DONE;
		xfer->frame.flags |= ZCDMA_FRAME_ERROR;
		return false;
	}
	list_add_tail(&xfer->node, &chan->active);
	chan->num_active++;
	trace_zcdma_xfer_start(chan, xfer);
	return true;
}

/*
 * Hand the oldest queued transfers to an engine that is about to start. What it refuses, and what
 * comes after that, it is offered again once it runs: should it not start, the order is kept.
 */
static void feed_before_start(struct zcdma_chan *chan)
{
	struct zcdma_xfer *xfer;

	lockdep_assert_held(&chan->lock);

	while (chan->num_active < chan->desc.depth && !list_empty(&chan->queued)) {
		xfer = list_first_entry(&chan->queued, struct zcdma_xfer, node);
		list_del(&xfer->node);
		if (submit(chan, xfer))
			continue;
		set_queued(xfer);
		list_add(&xfer->node, &chan->queued);
		return;
	}
}

/* Hand the oldest queued transfers to the engine; those that it refuses go to @refused. */
static void feed(struct zcdma_chan *chan, struct list_head *refused)
{
	struct zcdma_xfer *xfer;

	lockdep_assert_held(&chan->lock);

	while (chan->num_active < chan->desc.depth && !list_empty(&chan->queued)) {
		xfer = list_first_entry(&chan->queued, struct zcdma_xfer, node);
		list_del(&xfer->node);
		if (!submit(chan, xfer))
			list_add_tail(&xfer->node, refused);
	}
}

/* Give a transfer, on no list, back to the client, which may queue it again from the callback. */
static void give_back(struct zcdma_chan *chan, struct zcdma_xfer *xfer)
{
	if (chan->desc.direction == ZCDMA_CAPTURE)
		WRITE_ONCE(xfer->buf->device_wrote, true);
	trace_zcdma_xfer_done(chan, xfer);
	chan->client->done(chan, chan->client->priv, xfer);
}

static void give_all_back(struct zcdma_chan *chan, struct list_head *list)
{
	struct zcdma_xfer *xfer, *next;

	list_for_each_entry_safe(xfer, next, list, node) {
		list_del(&xfer->node);
		give_back(chan, xfer);
	}
}

/**
 * zcdma_xfer_queue() - hand in a transfer
 * @chan: channel, owned by the caller
 * @xfer: FREE or DONE, with @buf, @offset and @len set; the bytes belong to the device
 *
 * The caller makes sure, where the numbers come from a program, that the range lies within the
 * buffer, and of its alignment and length (struct zcdma_chan_desc): nobody looks again.
 *
 * Before the channel is started, transfers only collect. Any context, also the done callback.
 *
 * Return: 0, or -ENODEV where the device is gone; then the transfer stays with the caller.
 */
int zcdma_xfer_queue(struct zcdma_chan *chan, struct zcdma_xfer *xfer)
{
	bool refused = false;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	if (chan->gone) {
		spin_unlock_irqrestore(&chan->lock, flags);
		return -ENODEV;
	}
	set_queued(xfer);
	trace_zcdma_xfer_queue(chan, xfer);
	/* While a channel runs, others wait only if the engine has no room. */
	if (chan->running && chan->num_active < chan->desc.depth)
		refused = !submit(chan, xfer);
	else
		list_add_tail(&xfer->node, &chan->queued);
	spin_unlock_irqrestore(&chan->lock, flags);

	if (refused)
		give_back(chan, xfer);
	return 0;
}
EXPORT_SYMBOL_GPL(zcdma_xfer_queue);

/* Number the frame, and note the gap before it, if any. */
static void begin_frame(struct zcdma_chan *chan, struct zcdma_xfer *xfer)
{
	lockdep_assert_held(&chan->lock);

	xfer->exposed = true;
	xfer->frame.sequence = chan->sequence++;
	if (chan->lost)
		xfer->frame.flags |= ZCDMA_FRAME_LOST;
	chan->lost = false;
	if (chan->trigger_missed)
		xfer->frame.flags |= ZCDMA_FRAME_TRIGGER_MISSED;
	chan->trigger_missed = false;
}

/**
 * zcdma_exposure_start() - the device has begun to expose a frame
 * @chan: channel
 * @xfer: ACTIVE transfer that the frame will go to; NULL where there is none and the frame is
 *	lost
 * @time: when, CLOCK_MONOTONIC
 */
void zcdma_exposure_start(struct zcdma_chan *chan, struct zcdma_xfer *xfer, ktime_t time)
{
	unsigned long flags;
	u64 position = 0, trigger_ns = 0;
	bool has_position;
	u64 sequence;

	/* Light first. */
	if (chan->gpio) {
		zcdma_strobe_exposure_start(chan->gpio, time);
		trigger_ns = zcdma_trigger_take(chan->gpio);
	}
	/* Another channel's clock maybe, and so not under this one's lock. */
	has_position = xfer && zcdma_clock_read(chan, time, &position);

	spin_lock_irqsave(&chan->lock, flags);
	sequence = chan->sequence;
	if (xfer) {
		begin_frame(chan, xfer);
		xfer->frame.exposure_start_ns = ktime_to_ns(time);
		xfer->frame.flags |= ZCDMA_FRAME_EXPOSURE_TIME;
		if (trigger_ns) {
			xfer->frame.trigger_ns = trigger_ns;
			xfer->frame.flags |= ZCDMA_FRAME_TRIGGER_TIME;
		}
		if (has_position) {
			xfer->frame.pcm_position = position;
			xfer->frame.flags |= ZCDMA_FRAME_PCM_POSITION;
		}
	} else {
		chan->sequence++;
		chan->lost = true;
	}
	spin_unlock_irqrestore(&chan->lock, flags);

	if (chan->client->exposure)
		chan->client->exposure(chan, chan->client->priv, sequence, time);
}
EXPORT_SYMBOL_GPL(zcdma_exposure_start);

/**
 * zcdma_exposure_end() - the device has exposed a frame
 * @chan: channel
 * @xfer: as in zcdma_exposure_start()
 * @time: when, CLOCK_MONOTONIC
 */
void zcdma_exposure_end(struct zcdma_chan *chan, struct zcdma_xfer *xfer, ktime_t time)
{
	if (chan->gpio)
		zcdma_strobe_exposure_end(chan->gpio);
	if (xfer)
		xfer->frame.exposure_end_ns = ktime_to_ns(time);
}
EXPORT_SYMBOL_GPL(zcdma_exposure_end);

/**
 * zcdma_xfer_done() - the engine has finished a transfer
 * @chan: channel
 * @xfer: an ACTIVE transfer, which the engine must not touch any more
 * @bytes: what it moved
 * @flags: 0 or %ZCDMA_FRAME_ERROR
 *
 * Called without the engine's locks held: comes back with ops->submit().
 */
void zcdma_xfer_done(struct zcdma_chan *chan, struct zcdma_xfer *xfer, size_t bytes, u32 flags)
{
	struct zcdma_xfer *next;
	LIST_HEAD(done);
	unsigned long irqflags;

	spin_lock_irqsave(&chan->lock, irqflags);
	if (WARN_ON_ONCE(xfer->state != ZCDMA_XFER_ACTIVE)) {
		spin_unlock_irqrestore(&chan->lock, irqflags);
		return;
	}
	if (!xfer->exposed) {
		begin_frame(chan, xfer);
		if (chan->config.frame_bytes) {
			xfer->frame.pcm_position = div_u64(chan->moved, chan->config.frame_bytes);
			xfer->frame.flags |= ZCDMA_FRAME_PCM_POSITION;
		}
	}
	chan->moved += bytes;
	xfer->state = ZCDMA_XFER_DONE;
	xfer->frame.done_ns = ktime_get_ns();
	xfer->frame.bytesused = bytes;
	xfer->frame.flags |= flags;
	list_move_tail(&xfer->node, &done);
	chan->num_active--;
	/* An engine that knows of no exposure begins with the next one when this one is done. */
	next = list_first_entry_or_null(&chan->active, struct zcdma_xfer, node);
	if (next && !next->exposed)
		next->frame.exposure_start_ns = xfer->frame.done_ns;
	if (chan->running)
		feed(chan, &done);
	spin_unlock_irqrestore(&chan->lock, irqflags);

	give_all_back(chan, &done);
}
EXPORT_SYMBOL_GPL(zcdma_xfer_done);

/* ---- Start and stop ---- */

/**
 * zcdma_chan_start() - let a channel run
 * @chan: channel, owned by the caller
 *
 * The transfers queued so far go to the engine before its start, so that the first frame finds
 * them; those that come meanwhile follow when it has started. On failure all of them are QUEUED
 * again, in order; zcdma_chan_stop() gets them back.
 *
 * Return: 0, -EBUSY while running, -ENODEV where the device is gone, or the engine's error.
 */
int zcdma_chan_start(struct zcdma_chan *chan)
{
	struct zcdma_xfer *xfer;
	LIST_HEAD(refused);
	int ret;

	mutex_lock(&chan->mutex);
	ret = must_be_stopped(chan);
	if (ret)
		goto out_unlock;

	spin_lock_irq(&chan->lock);
	chan->sequence = 0;
	chan->moved = 0;
	chan->lost = false;
	chan->trigger_missed = false;
	feed_before_start(chan);
	spin_unlock_irq(&chan->lock);

	if (chan->gpio)
		zcdma_strobe_start(chan->gpio);
	ret = chan->desc.ops->start(chan);
	spin_lock_irq(&chan->lock);
	if (ret) {
		list_for_each_entry(xfer, &chan->active, node)
			set_queued(xfer);
		list_splice_init(&chan->active, &chan->queued);
		chan->num_active = 0;
		spin_unlock_irq(&chan->lock);
		if (chan->gpio)
			zcdma_strobe_stop(chan->gpio);
		goto out_unlock;
	}
	chan->running = true;
	feed(chan, &refused);
	spin_unlock_irq(&chan->lock);
	chan->paused = false;
	if (chan->desc.kind == ZCDMA_KIND_PCM)
		zcdma_clock_add(chan);
	if (chan->gpio)
		zcdma_trigger_start(chan->gpio);
out_unlock:
	mutex_unlock(&chan->mutex);
	give_all_back(chan, &refused);
	return ret;
}
EXPORT_SYMBOL_GPL(zcdma_chan_start);

static void stop_locked(struct zcdma_chan *chan)
{
	struct zcdma_xfer *xfer;
	bool was_running;
	LIST_HEAD(done);

	lockdep_assert_held(&chan->mutex);

	spin_lock_irq(&chan->lock);
	was_running = chan->running;
	chan->running = false;
	spin_unlock_irq(&chan->lock);

	/* Nobody reads the clock after this, so the engine need not have one any more. */
	zcdma_clock_del(chan);
	if (was_running && chan->gpio) {
		zcdma_trigger_stop(chan->gpio);
		zcdma_strobe_stop(chan->gpio);
	}
	if (was_running)
		chan->desc.ops->stop(chan);

	spin_lock_irq(&chan->lock);
	list_splice_init(&chan->active, &done);
	list_splice_tail_init(&chan->queued, &done);
	chan->num_active = 0;
	list_for_each_entry(xfer, &done, node) {
		xfer->state = ZCDMA_XFER_DONE;
		xfer->frame.flags |= ZCDMA_FRAME_ERROR;
	}
	spin_unlock_irq(&chan->lock);

	give_all_back(chan, &done);
}

/**
 * zcdma_chan_stop() - end all activity, and get every transfer back
 * @chan: channel, owned by the caller
 *
 * On return the done callback has been called for every transfer, with %ZCDMA_FRAME_ERROR where it
 * was not finished, and will not be called again. Harmless where the channel does not run, or the
 * device is gone. Not from a callback; the done callback must not queue while this runs.
 */
void zcdma_chan_stop(struct zcdma_chan *chan)
{
	mutex_lock(&chan->mutex);
	stop_locked(chan);
	mutex_unlock(&chan->mutex);
}
EXPORT_SYMBOL_GPL(zcdma_chan_stop);

/**
 * zcdma_chan_pause() - stop the clock of a PCM channel for a while
 * @chan: channel, owned by the caller
 * @pause: whether to stop it or to let it go on
 *
 * Transfers stay where they are, and more can be queued.
 *
 * Return: 0, also where there is nothing to do; -EINVAL where the channel does not run, -EOPNOTSUPP
 * where the engine cannot, -ENODEV where the device is gone, or the engine's error.
 */
int zcdma_chan_pause(struct zcdma_chan *chan, bool pause)
{
	int ret = 0;

	mutex_lock(&chan->mutex);
	if (chan->gone)
		ret = -ENODEV;
	else if (!chan->desc.ops->pause)
		ret = -EOPNOTSUPP;
	else if (!chan->running)
		ret = -EINVAL;
	else if (chan->paused != pause)
		ret = chan->desc.ops->pause(chan, pause);
	if (!ret)
		chan->paused = pause;
	mutex_unlock(&chan->mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(zcdma_chan_pause);

/* The engine leaves: from here on none of its ops is called. */
void zcdma_chan_set_gone(struct zcdma_chan *chan)
{
	mutex_lock(&chan->mutex);
	spin_lock_irq(&chan->lock);
	WRITE_ONCE(chan->gone, true);
	spin_unlock_irq(&chan->lock);
	stop_locked(chan);
	if (chan->client && chan->client->gone)
		chan->client->gone(chan, chan->client->priv);
	mutex_unlock(&chan->mutex);
}

/* ---- sysfs ---- */

static struct zcdma_chan *to_chan(struct device *dev)
{
	return container_of(dev, struct zcdma_chan, dev);
}

static ssize_t name_show(struct device *dev, struct device_attribute *attr, char *page)
{
	return sysfs_emit(page, "%s\n", to_chan(dev)->name);
}
static DEVICE_ATTR_RO(name);

/* What udev rules make links of: below a video node, "name" would be the node's own. */
static ssize_t path_show(struct device *dev, struct device_attribute *attr, char *page)
{
	return sysfs_emit(page, "%s/%s\n", to_chan(dev)->zdev->name, to_chan(dev)->name);
}
static DEVICE_ATTR_RO(path);

static ssize_t kind_show(struct device *dev, struct device_attribute *attr, char *page)
{
	return sysfs_emit(page, "%s\n", zcdma_kind_name(to_chan(dev)->desc.kind));
}
static DEVICE_ATTR_RO(kind);

static ssize_t direction_show(struct device *dev, struct device_attribute *attr, char *page)
{
	return sysfs_emit(page, "%s\n", zcdma_direction_name(to_chan(dev)->desc.direction));
}
static DEVICE_ATTR_RO(direction);

static ssize_t owner_show(struct device *dev, struct device_attribute *attr, char *page)
{
	static const char * const names[] = {
		[ZCDMA_OWNER_NONE] = "none",
		[ZCDMA_OWNER_VIDEO] = "video",
		[ZCDMA_OWNER_PCM] = "pcm",
		[ZCDMA_OWNER_STREAM] = "stream",
	};

	return sysfs_emit(page, "%s\n", names[zcdma_chan_owner(to_chan(dev))]);
}
static DEVICE_ATTR_RO(owner);

static struct attribute *chan_attrs[] = {
	&dev_attr_name.attr,
	&dev_attr_path.attr,
	&dev_attr_kind.attr,
	&dev_attr_direction.attr,
	&dev_attr_owner.attr,
	NULL
};
ATTRIBUTE_GROUPS(chan);

static void chan_release(struct device *dev)
{
	struct zcdma_chan *chan = to_chan(dev);

	for (unsigned int i = 0; i < chan->desc.num_ctrls; i++)
		kfree(chan->desc.ctrls[i].menu);
	kfree(chan->desc.ctrls);
	kfree(chan->video.fourccs);
	put_device(&chan->zdev->dev);
	mutex_destroy(&chan->mutex);
	kfree(chan);
}

ZCDMA_CLASS_CONST struct class zcdma_chan_class = {
	.name = "zcdma-channel",
	.dev_groups = chan_groups,
	.dev_release = chan_release,
};

/* ---- Birth and death ---- */

/* The names of a menu, in one piece of memory with the pointers to them. */
static const char * const *copy_menu(const char * const *menu)
{
	size_t num, bytes = 0;
	const char **copy;
	char *text;

	for (num = 0; menu[num]; num++)
		bytes += strlen(menu[num]) + 1;
	copy = kmalloc((num + 1) * sizeof(*copy) + bytes, GFP_KERNEL);
	if (!copy)
		return NULL;
	text = (char *)&copy[num + 1];
	for (size_t i = 0; i < num; i++) {
		size_t len = strlen(menu[i]) + 1;

		copy[i] = memcpy(text, menu[i], len);
		text += len;
	}
	copy[num] = NULL;
	return copy;
}

/*
 * What programs are told of a channel. They may ask while the engine's module goes, and a call that
 * waits for a program's memory may go on long after that: so nothing here is the engine's.
 */
static int copy_caps(struct zcdma_chan *chan, const struct zcdma_chan_desc *desc)
{
	struct zcdma_ctrl_desc *ctrls;

	if (desc->video) {
		chan->video = *desc->video;
		chan->video.fourccs = kmemdup(desc->video->fourccs, desc->video->num_fourccs *
					      sizeof(*desc->video->fourccs), GFP_KERNEL);
		if (!chan->video.fourccs)
			return -ENOMEM;
		chan->desc.video = &chan->video;
	}
	if (desc->pcm) {
		chan->pcm = *desc->pcm;
		chan->desc.pcm = &chan->pcm;
		chan->config = desc->pcm->def;
	}
	ctrls = kcalloc(desc->num_ctrls, sizeof(*ctrls), GFP_KERNEL);
	if (!ctrls)
		return -ENOMEM;
	chan->desc.ctrls = ctrls;
	chan->desc.num_ctrls = desc->num_ctrls;
	for (unsigned int i = 0; i < desc->num_ctrls; i++) {
		ctrls[i] = desc->ctrls[i];
		chan->ctrls[ctrls[i].id] = ctrls[i].def;
		if (!ctrls[i].menu)
			continue;
		ctrls[i].menu = copy_menu(desc->ctrls[i].menu);
		if (!ctrls[i].menu)
			return -ENOMEM;
	}
	return 0;
}

struct zcdma_chan *zcdma_chan_create(struct zcdma_device *zdev, unsigned int index,
				     const struct zcdma_chan_desc *desc)
{
	struct zcdma_chan *chan;

	chan = kzalloc(sizeof(*chan), GFP_KERNEL);
	if (!chan)
		return NULL;
	device_initialize(&chan->dev);
	chan->dev.class = &zcdma_chan_class;
	chan->dev.parent = &zdev->dev;
	chan->zdev = zdev;
	get_device(&zdev->dev);
	chan->index = index;
	strscpy(chan->name, desc->name, sizeof(chan->name));
	chan->desc = *desc;
	chan->desc.name = chan->name;
	chan->desc.alignment = desc->alignment ?: 1;
	chan->desc.max_transfer = desc->max_transfer ?: ZCDMA_BUFFER_SIZE_MAX;
	/* Not before the copies are there: these are freed. */
	chan->desc.ctrls = NULL;
	chan->desc.num_ctrls = 0;
	INIT_LIST_HEAD(&chan->clock_node);
	mutex_init(&chan->mutex);
	spin_lock_init(&chan->lock);
	INIT_LIST_HEAD(&chan->queued);
	INIT_LIST_HEAD(&chan->active);
	if (copy_caps(chan, desc)) {
		zcdma_chan_put(chan);
		return NULL;
	}
	return chan;
}

int zcdma_chan_add(struct zcdma_chan *chan)
{
	int ret;

	ret = dev_set_name(&chan->dev, "%s-%s", dev_name(&chan->zdev->dev), chan->name);
	if (ret)
		return ret;
	ret = device_add(&chan->dev);
	if (ret)
		return ret;
	zcdma_debugfs_add_chan(chan);
	return 0;
}

void zcdma_chan_del(struct zcdma_chan *chan)
{
	device_del(&chan->dev);
}

static void aux_release(struct device *dev)
{
	struct zcdma_auxdev *aux = to_zcdma_auxdev(to_auxiliary_dev(dev));

	ida_free(&aux_ida, aux->adev.id);
	zcdma_chan_put(aux->chan);
	kfree(aux);
}

int zcdma_chan_add_aux(struct zcdma_chan *chan)
{
	struct zcdma_auxdev *aux;
	int ret;

	aux = kzalloc(sizeof(*aux), GFP_KERNEL);
	if (!aux)
		return -ENOMEM;
	ret = ida_alloc(&aux_ida, GFP_KERNEL);
	if (ret < 0)
		goto err_free;
	aux->adev.id = ret;
	aux->adev.name = zcdma_kind_name(chan->desc.kind);
	aux->adev.dev.parent = &chan->dev;
	aux->adev.dev.release = aux_release;
	aux->chan = chan;
	ret = auxiliary_device_init(&aux->adev);
	if (ret)
		goto err_ida;
	/* From here on, aux_release() frees. */
	zcdma_chan_get(chan);
	ret = __auxiliary_device_add(&aux->adev, ZCDMA_AUX_MODULE);
	if (ret) {
		auxiliary_device_uninit(&aux->adev);
		return ret;
	}
	chan->aux = aux;
	return 0;

err_ida:
	ida_free(&aux_ida, aux->adev.id);
err_free:
	kfree(aux);
	return ret;
}

void zcdma_chan_del_aux(struct zcdma_chan *chan)
{
	if (!chan->aux)
		return;
	auxiliary_device_delete(&chan->aux->adev);
	auxiliary_device_uninit(&chan->aux->adev);
	chan->aux = NULL;
}
