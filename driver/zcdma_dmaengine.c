// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_dmaengine.c - an engine for any DMA controller that Linux has a dmaengine driver for
 *
 * zcdma-dmaengine.ko makes channels of the node's `dmas`, so that a board needs no driver of its
 * own; dts/bindings/zcdma,dmaengine.yaml describes the node. Every transfer becomes one finite
 * slave_sg descriptor: its pieces of memory, none longer than the controller takes, to or from the
 * address of a FIFO, or through a stream port. The CPU does not touch the data.
 *
 * A transfer ends in one of three ways, each exactly once:
 *
 *     submit() ---> busy ---> zdma_complete(), from the controller's driver: moved, or failed
 *                    | \----> zdma_watchdog(): it took too long, the controller is cleared
 *                    \------> zdma_stop(): forgotten, the core has it back
 *
 * Whoever takes the slot off the busy list, under the lock, reports. The watchdog and stop do so
 * after dmaengine_terminate_sync(), when nothing is moved and no callback runs any more.
 *
 * Who can reach a zdma_chan (devm memory of the platform device), and what holds it alive
 *
 *   engine calls        until zcdma_device_unregister() returns, the first thing in unbinding
 *   the watchdog        queued only while running; zdma_stop() cancels it
 *   dmaengine callbacks only while a transfer is busy; zdma_stop() waits for them
 *   the dma_chan        held from probe to unbind, and with it the module of its driver. Should
 *                       that driver be unbound by hand, the device link made in probe has this
 *                       device unbound first
 */
#include <linux/dma-mapping.h>
#include <linux/jiffies.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>
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

static void zdma_complete(void *param, const struct dmaengine_result *result)
{
	struct zdma_slot *slot = param;
	struct zdma_chan *zc = slot->zc;
	struct zcdma_xfer *xfer = NULL;
	unsigned long irqflags;
	size_t bytes;
	u32 flags = 0;

	spin_lock_irqsave(&zc->lock, irqflags);
	if (slot->xfer) {
		xfer = slot_release(slot);
		zc->deadline = jiffies + zc->timeout;
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
}

/* Make a descriptor of a transfer, and leave it in the DMA controller's driver. */
static int slot_submit(struct zdma_slot *slot)
{
	struct dma_async_tx_descriptor *tx;
	struct zdma_chan *zc = slot->zc;
	int num, ret;

	lockdep_assert_held(&zc->lock);

	num = cut_pieces(zc, slot->xfer, NULL);
	if (num < 0)
		return num;
	if (num > slot->table.orig_nents) {
		sg_free_table(&slot->table);
		ret = sg_alloc_table(&slot->table, num, GFP_NOWAIT | __GFP_NOWARN);
		if (ret)
			return ret;
	}
	cut_pieces(zc, slot->xfer, slot->table.sgl);

	tx = dmaengine_prep_slave_sg(zc->dma, slot->table.sgl, num, zdma_direction(zc),
				     DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!tx)
		return -EIO;
	tx->callback_result = zdma_complete;
	tx->callback_param = slot;
	slot->cookie = dmaengine_submit(tx);
	return dma_submit_error(slot->cookie) ? -EIO : 0;
}

/* ---- The engine's calls ---- */

static int zdma_submit(struct zcdma_chan *chan, struct zcdma_xfer *xfer)
{
	struct zdma_chan *zc = zcdma_chan_priv(chan);
	struct zdma_slot *slot;
	unsigned long flags;
	int ret = 0;

	spin_lock_irqsave(&zc->lock, flags);
	/* The core hands in no more than there are slots. */
	slot = list_first_entry(&zc->idle, struct zdma_slot, node);
	slot->xfer = xfer;
	if (!zc->failing)
		ret = slot_submit(slot);
	if (ret) {
		slot->xfer = NULL;
		goto out_unlock;
	}
	if (list_empty(&zc->busy))
		zc->deadline = jiffies + zc->timeout;
	list_move_tail(&slot->node, &zc->busy);
	if (zc->running && !zc->failing)
		dma_async_issue_pending(zc->dma);
out_unlock:
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
	spin_unlock_irq(&zc->lock);

	if (zc->timeout)
		schedule_delayed_work(&zc->watchdog, zc->timeout);
	return 0;
}

static void zdma_stop(struct zcdma_chan *chan)
{
	struct zdma_chan *zc = zcdma_chan_priv(chan);

	spin_lock_irq(&zc->lock);
	zc->running = false;
	spin_unlock_irq(&zc->lock);

	cancel_delayed_work_sync(&zc->watchdog);
	dmaengine_terminate_sync(zc->dma);

	spin_lock_irq(&zc->lock);
	while (!list_empty(&zc->busy))
		slot_release(list_first_entry(&zc->busy, struct zdma_slot, node));
	spin_unlock_irq(&zc->lock);
}

static size_t zdma_residue(struct zcdma_chan *chan)
{
	struct zdma_chan *zc = zcdma_chan_priv(chan);
	struct dma_tx_state state = {};
	struct zdma_slot *slot;
	unsigned long flags;
	size_t residue = 0;

	spin_lock_irqsave(&zc->lock, flags);
	slot = list_first_entry_or_null(&zc->busy, struct zdma_slot, node);
	if (slot && dmaengine_tx_status(zc->dma, slot->cookie, &state) != DMA_COMPLETE)
		residue = min_t(size_t, state.residue, slot->xfer->len);
	spin_unlock_irqrestore(&zc->lock, flags);
	return residue;
}

/* The hardware produces what the node says; zcdma_video_try() has seen to it. */
static int zdma_set_video(struct zcdma_chan *chan, const struct zcdma_video_format *fmt)
{
	return 0;
}

static const struct zcdma_chan_ops zdma_ops = {
	.set_video = zdma_set_video,
	.start = zdma_start,
	.stop = zdma_stop,
	.submit = zdma_submit,
	.residue = zdma_residue,
};

/* ---- The watchdog ---- */

/* Clear the DMA controller, and report whatever was in it, or came in meanwhile, as failed. */
static void fail_all(struct zdma_chan *zc)
{
	struct zcdma_xfer *failed[ZDMA_DEPTH];
	unsigned int num = 0;

	dev_warn_ratelimited(zc->dev,
			     "channel %s: no transfer ended for %u ms: the device asks for no data, or zcdma,timeout-ms is too short\n",
			     zc->name, jiffies_to_msecs(zc->timeout));
	dmaengine_terminate_sync(zc->dma);

	spin_lock_irq(&zc->lock);
	zc->failing = false;
	while (!list_empty(&zc->busy))
		failed[num++] = slot_release(list_first_entry(&zc->busy, struct zdma_slot, node));
	spin_unlock_irq(&zc->lock);

	/* Each may come back with a submit. */
	for (unsigned int i = 0; i < num; i++)
		zcdma_xfer_done(zc->chan, failed[i], 0, ZCDMA_FRAME_ERROR);
}

static void zdma_watchdog(struct work_struct *work)
{
	struct zdma_chan *zc = container_of(to_delayed_work(work), struct zdma_chan, watchdog);
	unsigned long now, next;

	spin_lock_irq(&zc->lock);
	zc->failing = zc->running && !list_empty(&zc->busy) &&
		      time_after_eq(jiffies, zc->deadline);
	spin_unlock_irq(&zc->lock);
	if (zc->failing)
		fail_all(zc);

	spin_lock_irq(&zc->lock);
	now = jiffies;
	next = list_empty(&zc->busy) ? now + zc->timeout : zc->deadline;
	/* Whoever clears running cancels this work after that. */
	if (zc->running)
		schedule_delayed_work(&zc->watchdog, time_after(next, now) ? next - now : 0);
	spin_unlock_irq(&zc->lock);
}

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
	if (device_is_bound(supplier) &&
	    !device_link_add(dev, supplier, DL_FLAG_AUTOPROBE_CONSUMER))
		dev_warn(dev, "channel %s: no device link to %s: do not unbind that while in use\n",
			 zc->name, dev_name(supplier));

	return devm_add_action_or_reset(dev, release_dma, zc);
}

static void init_chan(struct zdma_chan *zc)
{
	spin_lock_init(&zc->lock);
	INIT_DELAYED_WORK(&zc->watchdog, zdma_watchdog);
	INIT_LIST_HEAD(&zc->idle);
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
			.alignment = zc->alignment,
			.max_transfer = zc->max_transfer,
			.ops = &zdma_ops,
			.priv = zc,
			.video = zc->kind == ZCDMA_KIND_VIDEO ? &zc->caps : NULL,
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
	},
};
module_platform_driver(zdma_driver);

MODULE_DESCRIPTION("zcdma: engine for DMA controllers with a dmaengine driver");
MODULE_LICENSE("GPL");
