// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_dmaengine.c - an engine for any DMA controller that Linux has a dmaengine driver for
 *
 * zcdma-dmaengine.ko makes channels of the node's `dmas`, so that a board needs no driver of its
 * own; dts/bindings/zcdma,dmaengine.yaml describes the node. Every transfer becomes one finite
 * descriptor, to or from the address of a FIFO, or through a stream port: a list of pieces of
 * memory, none longer than the controller takes (slave_sg), or, where lines of a picture have gaps
 * between them, one description of them all (interleaved). The CPU does not touch the data.
 *
 * Nothing is cyclic. A cyclic descriptor goes round in one buffer without asking: a program would
 * see memory change that it holds, and what it had not filled in time would be played again. Here
 * a buffer has one owner at a time, and what is not handed in is not moved. With ZDMA_DEPTH
 * descriptors in the controller's driver there is no gap between two, either; all that a cyclic
 * one would save is making the next.
 *
 *     submit() ---> waiting ---> busy ---> zdma_complete(), from the controller's driver: moved, or
 *          \____________________/ |        failed
 *                                 |\-----> zdma_watchdog(): it took too long
 *                                 \------> zdma_stop(): forgotten, the core has it back
 *
 * Suspend takes back what is busy, and it waits until resume.
 *
 * A transfer also waits for its time where the device makes no requests: a timer starts it when it
 * would have ended, had the device had a pace of its own.
 *
 * Controllers have descriptors for so many pieces and no more: what does not fit beside the
 * transfers under way waits for one of them to end. What does not fit alone fails.
 *
 * Each transfer ends once: whoever takes the slot off its list, under the lock, reports. The
 * watchdog and stop do so after terminate(), when nothing is moved and no callback runs any more.
 *
 * Who can reach a zdma_chan (devm memory of the platform device), and what holds it alive
 *
 *   engine calls        until zcdma_device_unregister() returns, the first thing in unbinding
 *   the watchdog        queued only while running; zdma_stop() and suspend cancel it
 *   dmaengine callbacks only while a transfer is busy; zdma_stop() and suspend wait for them
 *   the dma_chan        held from probe to unbind, and with it the module of its driver. Should
 *                       that driver be unbound by hand, the device link made in probe has this
 *                       device unbound first
 */
#include <linux/dma-mapping.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "zcdma_compat.h"
#include "zcdma_dmaengine.h"

/* ---- One transfer ---- */

/*
 * Cut a transfer's range into pieces for the DMA controller. With @to, write them there.
 *
 * Return: how many, or -EINVAL where the range is not in the buffer or not aligned.
 */
static int cut_pieces(const struct zdma_chan *zc, const struct zcdma_xfer *xfer,
		      struct scatterlist *to)
{
	size_t skip = xfer->offset;
	size_t left = xfer->len;
	struct scatterlist *sg;
	unsigned int i;
	int num = 0;

	for_each_sgtable_dma_sg(zcdma_buf_sgt(xfer->buf), sg, i) {
		dma_addr_t at = sg_dma_address(sg);
		size_t len = sg_dma_len(sg);

		if (skip >= len) {
			skip -= len;
			continue;
		}
		at += skip;
		len = min(len - skip, left);
		skip = 0;
		left -= len;
		if (!IS_ALIGNED(at | len, zc->alignment))
			return -EINVAL;

		for (; len; num++) {
			size_t piece = min(len, zc->max_piece);

			if (to) {
				to->length = piece;
				sg_dma_address(to) = at;
				sg_dma_len(to) = piece;
				to = sg_next(to);
			}
			at += piece;
			len -= piece;
		}
		if (!left)
			return num;
	}
	return -EINVAL;
}

/* The slot is done with, and the transfer the caller's to report. */
static struct zcdma_xfer *slot_release(struct zdma_slot *slot)
{
	struct zcdma_xfer *xfer = slot->xfer;

	lockdep_assert_held(&slot->zc->lock);

	slot->xfer = NULL;
	list_move_tail(&slot->node, &slot->zc->idle);
	return xfer;
}

/*
 * On return nothing is moved, and no callback runs. Many drivers have no device_synchronize, and
 * then dmaengine_terminate_sync() does not wait for a callback that has begun. They call from
 * tasklets and interrupts: those are over after a grace period.
 */
static void terminate(struct zdma_chan *zc)
{
	dmaengine_terminate_sync(zc->dma);
	if (!zc->dma->device->device_synchronize)
		synchronize_rcu();
}

static const char *result_text(enum dmaengine_tx_result result)
{
	switch (result) {
	case DMA_TRANS_READ_FAILED:
		return "read failed";
	case DMA_TRANS_WRITE_FAILED:
		return "write failed";
	default:
		return "aborted";
	}
}

static void zdma_complete(void *param, const struct dmaengine_result *result);

void zdma_set_format(struct zdma_chan *zc, const struct zcdma_video_format *format)
{
	zc->format = *format;
	if (zc->lines)
		zc->lines->sgl[0].size = format->width * zcdma_format_info(format->fourcc)->bytes;
}

void zdma_set_lines(struct zdma_chan *zc, dma_addr_t at, size_t num, size_t stride)
{
	struct dma_interleaved_template *lines = zc->lines;

	if (zc->direction == ZCDMA_CAPTURE)
		lines->dst_start = at;
	else
		lines->src_start = at;
	lines->numf = num;
	lines->sgl[0].icg = stride - lines->sgl[0].size;
}

/* A list of pieces. NULL: no room for it, or none yet. */
static struct dma_async_tx_descriptor *prep_pieces(struct zdma_slot *slot)
{
	struct zdma_chan *zc = slot->zc;
	int num;

	num = cut_pieces(zc, slot->xfer, NULL);
	if (num < 0)
		return ERR_PTR(num);
	if (num > slot->table.orig_nents) {
		sg_free_table(&slot->table);
		if (sg_alloc_table(&slot->table, num, GFP_NOWAIT | __GFP_NOWARN))
			return NULL;
	}
	cut_pieces(zc, slot->xfer, slot->table.sgl);
	return dmaengine_prep_slave_sg(zc->dma, slot->table.sgl, num, zdma_direction(zc),
				       DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
}

/* Whole lines, in one piece of memory: the core has been told of that. */
static struct dma_async_tx_descriptor *prep_lines(struct zdma_slot *slot)
{
	const struct zcdma_xfer *xfer = slot->xfer;
	const struct scatterlist *sg = zcdma_buf_sgt(xfer->buf)->sgl;
	struct zdma_chan *zc = slot->zc;
	dma_addr_t at = sg_dma_address(sg) + xfer->offset;

	if (xfer->offset + xfer->len > sg_dma_len(sg) || !IS_ALIGNED(at, zc->alignment) ||
	    xfer->len % zc->format.bytesperline)
		return ERR_PTR(-EINVAL);
	zdma_set_lines(zc, at, xfer->len / zc->format.bytesperline, zc->format.bytesperline);
	return dmaengine_prep_interleaved_dma(zc->dma, zc->lines,
					      DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
}

/* A packed picture is one piece, for controllers that can do pieces. */
static bool by_lines(const struct zdma_chan *zc)
{
	return zc->lines && (!zc->dma->device->device_prep_slave_sg ||
			     zc->format.bytesperline != zc->lines->sgl[0].size);
}

/*
 * Make a descriptor of a transfer, and leave it in the DMA controller's driver.
 *
 * Return: 0, -EAGAIN where there is no room for it, or another error.
 */
static int slot_submit(struct zdma_slot *slot)
{
	struct dma_async_tx_descriptor *tx;
	struct zdma_chan *zc = slot->zc;

	lockdep_assert_held(&zc->lock);

	tx = by_lines(zc) ? prep_lines(slot) : prep_pieces(slot);
	if (IS_ERR_OR_NULL(tx))
		return tx ? PTR_ERR(tx) : -EAGAIN;
	tx->callback_result = zdma_complete;
	tx->callback_param = slot;
	slot->cookie = dmaengine_submit(tx);
	if (dma_submit_error(slot->cookie))
		return -EIO;
	if (list_empty(&zc->busy))
		zc->deadline = jiffies + zc->timeout;
	list_move_tail(&slot->node, &zc->busy);
	return 0;
}

/* Those that wait go in order, as far as there is room. Others cannot be submitted: to @failed. */
static void submit_waiting(struct zdma_chan *zc, struct list_head *failed)
{
	struct zdma_slot *slot, *next;
	bool issue = false;
	int ret;

	lockdep_assert_held(&zc->lock);

	list_for_each_entry_safe(slot, next, &zc->waiting, node) {
		ret = slot_submit(slot);
		issue |= !ret;
		if (ret == -EAGAIN)
			break;
		if (ret)
			list_move_tail(&slot->node, failed);
	}
	if (issue)
		dma_async_issue_pending(zc->dma);
}

/* Report what is on a list of slots that only the caller knows, as failed. */
static void fail_slots(struct zdma_chan *zc, struct list_head *failed)
{
	struct zcdma_xfer *xfer;
	unsigned long flags;

	while (!list_empty(failed)) {
		spin_lock_irqsave(&zc->lock, flags);
		xfer = slot_release(list_first_entry(failed, struct zdma_slot, node));
		spin_unlock_irqrestore(&zc->lock, flags);
		/* May come back with a submit. */
		zcdma_xfer_done(zc->chan, xfer, 0, ZCDMA_FRAME_ERROR);
	}
}

/*
 * Nothing is under way whose end would make room. It may have ended just now, though: drivers take
 * a descriptor back after its callback. The watchdog tries once more, and has the last word.
 */
static void expect_room(struct zdma_chan *zc)
{
	lockdep_assert_held(&zc->lock);

	if (zc->running && !zc->timed && list_empty(&zc->busy) && !list_empty(&zc->waiting))
		mod_delayed_work(system_wq, &zc->watchdog, 1);
}

static void zdma_complete(void *param, const struct dmaengine_result *result)
{
	struct zdma_slot *slot = param;
	struct zdma_chan *zc = slot->zc;
	struct zcdma_xfer *xfer = NULL;
	unsigned long irqflags;
	LIST_HEAD(failed);
	size_t bytes;
	u32 flags = 0;

	spin_lock_irqsave(&zc->lock, irqflags);
	if (slot->xfer) {
		xfer = slot_release(slot);
		zc->deadline = jiffies + zc->timeout;
		if (zc->running && !zc->failing && !zc->timed)
			submit_waiting(zc, &failed);
		expect_room(zc);
	}
	spin_unlock_irqrestore(&zc->lock, irqflags);
	/* A driver that calls back twice must not take the core along. */
	if (!xfer)
		return;

	bytes = xfer->len - min_t(size_t, result->residue, xfer->len);
	if (result->result != DMA_TRANS_NOERROR) {
		dev_warn_ratelimited(zc->dev, "channel %s: transfer of %zu bytes: %s\n",
				     zc->name, xfer->len, result_text(result->result));
		flags = ZCDMA_FRAME_ERROR;
	} else if (bytes < xfer->len && zc->kind == ZCDMA_KIND_VIDEO) {
		dev_warn_ratelimited(zc->dev, "channel %s: frame ends after %zu of %zu bytes\n",
				     zc->name, bytes, xfer->len);
		flags = ZCDMA_FRAME_ERROR;
	}
	zcdma_xfer_done(zc->chan, xfer, bytes, flags);
	fail_slots(zc, &failed);
}

/* ---- Devices without a pace ---- */

/* How long the device would take, in ns. */
static u64 duration(const struct zdma_chan *zc, const struct zcdma_xfer *xfer)
{
	if (zc->kind == ZCDMA_KIND_VIDEO)
		return zc->format.interval_ns;
	return div_u64((u64)(xfer->len / zc->pcm.frame_bytes) * NSEC_PER_SEC, zc->pcm.rate);
}

static struct zdma_slot *first_waiting(struct zdma_chan *zc)
{
	lockdep_assert_held(&zc->lock);

	return list_first_entry_or_null(&zc->waiting, struct zdma_slot, node);
}

/* From now on, and as long as something waits. */
static void start_ticking(struct zdma_chan *zc)
{
	struct zdma_slot *slot = first_waiting(zc);

	if (!zc->timed || !zc->running || zc->ticking || !slot)
		return;
	zc->ticking = true;
	hrtimer_start(&zc->timer, ns_to_ktime(duration(zc, slot->xfer)), HRTIMER_MODE_REL_SOFT);
}

static enum hrtimer_restart zdma_tick(struct hrtimer *timer)
{
	struct zdma_chan *zc = container_of(timer, struct zdma_chan, timer);
	struct zdma_slot *slot;
	unsigned long flags;
	LIST_HEAD(failed);
	bool again;
	int ret;

	spin_lock_irqsave(&zc->lock, flags);
	slot = first_waiting(zc);
	if (zc->running && !zc->failing && slot) {
		ret = slot_submit(slot);
		if (!ret)
			dma_async_issue_pending(zc->dma);
		else if (ret != -EAGAIN || list_empty(&zc->busy))
			list_move_tail(&slot->node, &failed);
		slot = first_waiting(zc);
	}
	again = zc->running && slot;
	if (again)
		hrtimer_add_expires_ns(timer, duration(zc, slot->xfer));
	zc->ticking = again;
	spin_unlock_irqrestore(&zc->lock, flags);

	fail_slots(zc, &failed);
	return again ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

/* ---- The engine's calls ---- */

static int zdma_submit(struct zcdma_chan *chan, struct zcdma_xfer *xfer)
{
	struct zdma_chan *zc = zcdma_chan_priv(chan);
	struct zdma_slot *slot;
	unsigned long flags;
	int ret = -EAGAIN;

	spin_lock_irqsave(&zc->lock, flags);
	/* The core hands in no more than there are slots. */
	slot = list_first_entry(&zc->idle, struct zdma_slot, node);
	slot->xfer = xfer;
	if (!zc->failing && !zc->timed && list_empty(&zc->waiting))
		ret = slot_submit(slot);
	if (!ret && zc->running) {
		dma_async_issue_pending(zc->dma);
	} else if (ret == -EAGAIN) {
		list_move_tail(&slot->node, &zc->waiting);
		expect_room(zc);
		start_ticking(zc);
		ret = 0;
	} else if (ret) {
		slot_release(slot);
	}
	spin_unlock_irqrestore(&zc->lock, flags);
	return ret;
}

static int zdma_start(struct zcdma_chan *chan)
{
	struct zdma_chan *zc = zcdma_chan_priv(chan);

	spin_lock_irq(&zc->lock);
	zc->chan = chan;
	zc->running = true;
	zc->deadline = jiffies + zc->timeout;
	dma_async_issue_pending(zc->dma);
	if (zc->timeout)
		schedule_delayed_work(&zc->watchdog, zc->timeout);
	expect_room(zc);
	start_ticking(zc);
	spin_unlock_irq(&zc->lock);
	return 0;
}

static void zdma_stop(struct zcdma_chan *chan)
{
	struct zdma_chan *zc = zcdma_chan_priv(chan);

	spin_lock_irq(&zc->lock);
	zc->running = false;
	spin_unlock_irq(&zc->lock);

	hrtimer_cancel(&zc->timer);
	cancel_delayed_work_sync(&zc->watchdog);
	terminate(zc);

	spin_lock_irq(&zc->lock);
	zc->ticking = false;
	zc->failing = false;
	zc->suspended = false;
	list_splice_init(&zc->waiting, &zc->busy);
	while (!list_empty(&zc->busy))
		slot_release(list_first_entry(&zc->busy, struct zdma_slot, node));
	spin_unlock_irq(&zc->lock);
}

static size_t zdma_residue(struct zcdma_chan *chan, const struct zcdma_xfer *xfer)
{
	struct zdma_chan *zc = zcdma_chan_priv(chan);
	struct dma_tx_state state = {};
	struct zdma_slot *slot;
	unsigned long flags;
	size_t residue = 0;

	spin_lock_irqsave(&zc->lock, flags);
	slot = list_first_entry_or_null(&zc->busy, struct zdma_slot, node);
	if (!slot)
		slot = list_first_entry_or_null(&zc->waiting, struct zdma_slot, node);
	/* Its slot is free already while its end is being reported. */
	if (!slot || slot->xfer != xfer)
		goto out_unlock;
	if (list_empty(&zc->busy))
		residue = xfer->len;
	else if (dmaengine_tx_status(zc->dma, slot->cookie, &state) != DMA_COMPLETE)
		residue = min_t(size_t, state.residue, xfer->len);
out_unlock:
	spin_unlock_irqrestore(&zc->lock, flags);
	return residue;
}

/* The hardware produces what the node says; zcdma_video_try() has seen to it. */
static int zdma_set_video(struct zcdma_chan *chan, const struct zcdma_video_format *fmt)
{
	struct zdma_chan *zc = zcdma_chan_priv(chan);

	spin_lock_irq(&zc->lock);
	zdma_set_format(zc, fmt);
	spin_unlock_irq(&zc->lock);
	return 0;
}

static int zdma_set_pcm(struct zcdma_chan *chan, const struct zcdma_pcm_config *config)
{
	struct zdma_chan *zc = zcdma_chan_priv(chan);

	spin_lock_irq(&zc->lock);
	zc->pcm = *config;
	spin_unlock_irq(&zc->lock);
	return 0;
}

/* Not to be paused: few controllers can, and what the device does meanwhile nobody knows. */
static const struct zcdma_chan_ops zdma_ops = {
	.set_video = zdma_set_video,
	.set_pcm = zdma_set_pcm,
	.start = zdma_start,
	.stop = zdma_stop,
	.submit = zdma_submit,
};

static const struct zcdma_chan_ops zdma_exact_ops = {
	.set_video = zdma_set_video,
	.set_pcm = zdma_set_pcm,
	.start = zdma_start,
	.stop = zdma_stop,
	.submit = zdma_submit,
	.residue = zdma_residue,
};

/* ---- The watchdog ---- */

/* Have nothing under way that takes too long. On return it is on the list, and nobody else's. */
static void clear_late(struct zdma_chan *zc, struct list_head *failed)
{
	spin_lock_irq(&zc->lock);
	zc->failing = zc->running && zc->timeout && !list_empty(&zc->busy) &&
		      time_after_eq(jiffies, zc->deadline);
	spin_unlock_irq(&zc->lock);
	if (!zc->failing)
		return;

	dev_warn_ratelimited(zc->dev,
			     "channel %s: no transfer ended for %u ms: the device asks for no data, or zcdma,timeout-ms is too short\n",
			     zc->name, jiffies_to_msecs(zc->timeout));
	terminate(zc);

	spin_lock_irq(&zc->lock);
	zc->failing = false;
	list_splice_tail_init(&zc->busy, failed);
	spin_unlock_irq(&zc->lock);
}

/* What has no room where nothing else is will never have. */
static void submit_or_fail(struct zdma_chan *zc, struct list_head *failed)
{
	struct zdma_slot *slot;

	lockdep_assert_held(&zc->lock);

	submit_waiting(zc, failed);
	while (list_empty(&zc->busy) && !list_empty(&zc->waiting)) {
		slot = list_first_entry(&zc->waiting, struct zdma_slot, node);
		dev_warn_ratelimited(zc->dev,
				     "channel %s: %s takes no transfer of %zu bytes in so many pieces: a memory-region gives buffers of one piece\n",
				     zc->name, dev_name(zc->dma->device->dev), slot->xfer->len);
		list_move_tail(&slot->node, failed);
		submit_waiting(zc, failed);
	}
}

static void zdma_watchdog(struct work_struct *work)
{
	struct zdma_chan *zc = container_of(to_delayed_work(work), struct zdma_chan, watchdog);
	unsigned long now, next;
	LIST_HEAD(failed);

	clear_late(zc, &failed);
	spin_lock_irq(&zc->lock);
	if (zc->running && !zc->timed)
		submit_or_fail(zc, &failed);
	spin_unlock_irq(&zc->lock);
	fail_slots(zc, &failed);

	spin_lock_irq(&zc->lock);
	now = jiffies;
	next = list_empty(&zc->busy) ? now + zc->timeout : zc->deadline;
	/* Whoever clears running cancels this work after that. */
	if (zc->running && zc->timeout)
		schedule_delayed_work(&zc->watchdog, time_after(next, now) ? next - now : 0);
	spin_unlock_irq(&zc->lock);
}

/* ---- Suspend ---- */

/*
 * A DMA controller may forget what it has, and drivers of some refuse to sleep with transfers under
 * way. Those begin anew after it. Programs are frozen by now, so nobody starts or stops a channel.
 */
static void suspend_chan(struct zdma_chan *zc)
{
	spin_lock_irq(&zc->lock);
	zc->suspended = zc->running;
	zc->running = false;
	spin_unlock_irq(&zc->lock);
	if (!zc->suspended)
		return;

	hrtimer_cancel(&zc->timer);
	cancel_delayed_work_sync(&zc->watchdog);
	spin_lock_irq(&zc->lock);
	zc->failing = true;
	spin_unlock_irq(&zc->lock);
	terminate(zc);

	spin_lock_irq(&zc->lock);
	zc->ticking = false;
	list_splice_init(&zc->busy, &zc->waiting);
	spin_unlock_irq(&zc->lock);
}

static void resume_chan(struct zdma_chan *zc)
{
	spin_lock_irq(&zc->lock);
	if (zc->suspended) {
		zc->suspended = false;
		zc->failing = false;
		zc->running = true;
		zc->deadline = jiffies + zc->timeout;
		/* It hands in what waits. */
		mod_delayed_work(system_wq, &zc->watchdog, 0);
		start_ticking(zc);
	}
	spin_unlock_irq(&zc->lock);
}

static int zdma_suspend(struct device *dev)
{
	struct zdma_dev *zd = dev_get_drvdata(dev);

	for (unsigned int i = 0; i < zd->num_chans; i++)
		suspend_chan(&zd->chans[i]);
	return 0;
}

static int zdma_resume(struct device *dev)
{
	struct zdma_dev *zd = dev_get_drvdata(dev);

	for (unsigned int i = 0; i < zd->num_chans; i++)
		resume_chan(&zd->chans[i]);
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(zdma_pm_ops, zdma_suspend, zdma_resume);

/* ---- Probe ---- */

static void release_dma(void *data)
{
	struct zdma_chan *zc = data;

	dma_release_channel(zc->dma);
	for (unsigned int i = 0; i < ZDMA_DEPTH; i++)
		sg_free_table(&zc->slots[i].table);
}

static int request_dma(struct zdma_chan *zc)
{
	struct device *dev = zc->dev;
	struct device *supplier;

	zc->dma = dma_request_chan(dev, zc->name);
	if (IS_ERR(zc->dma))
		return dev_err_probe(dev, PTR_ERR(zc->dma), "channel %s: %s\n", zc->name,
				     PTR_ERR(zc->dma) == -EPROBE_DEFER ?
				     "the DMA controller has no driver yet" :
				     "the DMA controller gives no channel: all are taken, or it does not know this entry of dmas");

	/*
	 * The reference on the driver's module does not keep anybody from unbinding it: see to it
	 * that we go first, and that we come back with it.
	 */
	supplier = zc->dma->device->dev;
	if (supplier->driver &&
	    !device_link_add(dev, supplier, DL_FLAG_AUTOPROBE_CONSUMER))
		dev_warn(dev, "channel %s: no device link to %s: do not unbind that while in use\n",
			 zc->name, dev_name(supplier));

	return devm_add_action_or_reset(dev, release_dma, zc);
}

static void init_chan(struct zdma_chan *zc)
{
	spin_lock_init(&zc->lock);
	INIT_DELAYED_WORK(&zc->watchdog, zdma_watchdog);
	hrtimer_setup(&zc->timer, zdma_tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	INIT_LIST_HEAD(&zc->idle);
	INIT_LIST_HEAD(&zc->waiting);
	INIT_LIST_HEAD(&zc->busy);
	for (unsigned int i = 0; i < ZDMA_DEPTH; i++) {
		zc->slots[i].zc = zc;
		list_add_tail(&zc->slots[i].node, &zc->idle);
	}
}

/* Buffers belong to a device, and are mapped for one DMA controller. */
static int check_dma_dev(struct zdma_dev *zd)
{
	struct device *first = dmaengine_get_dma_device(zd->chans[0].dma);

	for (unsigned int i = 1; i < zd->num_chans; i++) {
		struct device *other = dmaengine_get_dma_device(zd->chans[i].dma);

		if (other != first)
			return dev_err_probe(zd->dev, -EINVAL,
					     "channels %s and %s are of different DMA controllers, %s and %s: give each controller a node of its own\n",
					     zd->chans[0].name, zd->chans[i].name,
					     dev_name(first), dev_name(other));
	}
	return 0;
}

static void unregister(void *data)
{
	struct zdma_dev *zd = data;

	zcdma_device_unregister(zd->zdev);
}

static int register_device(struct zdma_dev *zd)
{
	struct zcdma_chan_desc descs[ZDMA_MAX_CHANS] = {};
	const struct zcdma_device_desc device = {
		.parent = zd->dev,
		.dma_dev = dmaengine_get_dma_device(zd->chans[0].dma),
		.chans = descs,
		.num_chans = zd->num_chans,
	};

	for (unsigned int i = 0; i < zd->num_chans; i++) {
		struct zdma_chan *zc = &zd->chans[i];

		descs[i] = (struct zcdma_chan_desc) {
			.name = zc->name,
			.kind = zc->kind,
			.direction = zc->direction,
			.depth = ZDMA_DEPTH,
			.max_segments = zc->lines ? 1 : 0,
			.alignment = zc->alignment,
			.max_transfer = zc->max_transfer,
			.ops = zc->exact ? &zdma_exact_ops : &zdma_ops,
			.priv = zc,
			.video = zc->kind == ZCDMA_KIND_VIDEO ? &zc->caps : NULL,
			.pcm = zc->kind == ZCDMA_KIND_PCM ? &zc->pcm_caps : NULL,
		};
	}
	zd->zdev = zcdma_device_register(&device);
	return PTR_ERR_OR_ZERO(zd->zdev);
}

static int zdma_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct zdma_dev *zd;
	int num, ret;

	num = zdma_of_count(dev);
	if (num < 0)
		return num;
	zd = devm_kzalloc(dev, struct_size(zd, chans, num), GFP_KERNEL);
	if (!zd)
		return -ENOMEM;
	zd->dev = dev;
	zd->num_chans = num;
	platform_set_drvdata(pdev, zd);
	for (unsigned int i = 0; i < zd->num_chans; i++) {
		zd->chans[i].dev = dev;
		init_chan(&zd->chans[i]);
	}

	ret = zdma_of_parse(zd);
	for (unsigned int i = 0; !ret && i < zd->num_chans; i++)
		ret = request_dma(&zd->chans[i]) ?: zdma_of_configure(&zd->chans[i]);
	if (!ret)
		ret = check_dma_dev(zd) ?: register_device(zd);
	return ret ?: devm_add_action_or_reset(dev, unregister, zd);
}

static const struct of_device_id zdma_of_match[] = {
	{ .compatible = "zcdma,dmaengine" },
	{ }
};
MODULE_DEVICE_TABLE(of, zdma_of_match);

static struct platform_driver zdma_driver = {
	.probe = zdma_probe,
	.driver = {
		.name = "zcdma-dmaengine",
		.of_match_table = zdma_of_match,
		.pm = pm_sleep_ptr(&zdma_pm_ops),
	},
};
module_platform_driver(zdma_driver);

MODULE_DESCRIPTION("zcdma: engine for DMA controllers with a dmaengine driver");
MODULE_LICENSE("GPL");
