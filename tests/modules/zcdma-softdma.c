// SPDX-License-Identifier: GPL-2.0-only
/*
 * A DMA controller made of software, for what QEMU's does not do: pieces of a bounded size and
 * number, lines with gaps, residues, transfers that fail, end early or never, channels that are not
 * there yet. It is strict: what a driver may not ask of it, it refuses.
 *
 * A capture channel writes 32-bit words that count from 0, without end. What a playback channel
 * reads ends up in the file "sink" of its directory in debugfs, beside "state", which has the
 * FIFO's address and how many transfers and pieces there were. All of it begins anew when a channel
 * is requested.
 *
 * Nodes, compatible "zcdma-test,softdma", #dma-cells 1 (channel); the defaults do everything:
 *   max-piece       longest piece of memory in bytes
 *   max-pieces      pieces of all transfers of a channel together, until after their callback
 *   address-bits    of memory and of FIFOs
 *   directions      1: capture, 2: playback, 3: both
 *   max-burst       accesses for one request
 *   lines           1: interleaved transfers, too; 2: only those
 *   residue         in steps of 0: the transfer, 1: a piece, 2: a byte
 *   no-synchronize  does not wait for callbacks, as many drivers do not
 *
 * What it has when the system suspends is lost.
 *
 * Parameters are for all of them and take effect at once. The module does not load by itself.
 */
#include <linux/debugfs.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_dma.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#define NUM_CHANS	8
#define SINK_SIZE	(4 << 20)

static unsigned int interval_us = 1000;
module_param(interval_us, uint, 0644);
MODULE_PARM_DESC(interval_us, "how long a transfer takes");

static int hold = -1;
module_param(hold, int, 0644);
MODULE_PARM_DESC(hold, "transfers stop after so many bytes and stay (-1: they do not)");

static unsigned int fail;
module_param(fail, uint, 0644);
MODULE_PARM_DESC(fail, "so many transfers end with an error");

static unsigned int cut;
module_param(cut, uint, 0644);
MODULE_PARM_DESC(cut, "transfers end so many bytes early, without an error");

static unsigned int refuse;
module_param(refuse, uint, 0644);
MODULE_PARM_DESC(refuse, "so many descriptors are refused");

static unsigned int reject;
module_param(reject, uint, 0644);
MODULE_PARM_DESC(reject, "so many descriptors are made, and cannot be submitted");

static bool twice;
module_param(twice, bool, 0644);
MODULE_PARM_DESC(twice, "say twice that a transfer is over");

static unsigned int late_ms;
module_param(late_ms, uint, 0644);
MODULE_PARM_DESC(late_ms, "so many ms pass between the end of a transfer and saying so");

struct soft_piece {
	dma_addr_t at;
	size_t len;
};

struct soft_desc {
	struct dma_async_tx_descriptor tx;
	struct list_head node;
	enum dma_transfer_direction dir;
	size_t len;
	size_t moved;
	unsigned int num;
	struct soft_piece pieces[] __counted_by(num);
};

struct soft_chan {
	struct dma_chan chan;
	struct soft_dma *dma;
	struct hrtimer timer;
	struct dma_slave_config config;
	struct debugfs_blob_wrapper sink;

	spinlock_t lock; /* protects all below */
	struct list_head submitted;
	struct list_head issued;
	bool armed;
	unsigned int in_use;
	u32 counter;
	unsigned int transfers;
	unsigned int pieces;
	size_t longest;
};

struct soft_dma {
	struct dma_device ddev;
	struct dentry *dir;
	u32 max_piece;
	u32 max_pieces;
	u32 address_bits;
	u32 directions;
	u32 max_burst;
	u32 lines;
	u32 residue;
	struct soft_chan chans[NUM_CHANS];
};

static struct soft_chan *to_soft(struct dma_chan *chan)
{
	return container_of(chan, struct soft_chan, chan);
}

/* ---- Moving data ---- */

static void move(struct soft_chan *sc, const struct soft_desc *desc, void *at, size_t len)
{
	size_t room = SINK_SIZE - sc->sink.size;

	if (desc->dir == DMA_MEM_TO_DEV) {
		memcpy(sc->sink.data + sc->sink.size, at, min(len, room));
		sc->sink.size += min(len, room);
		return;
	}
	for (size_t i = 0; i < len / sizeof(u32); i++)
		((u32 *)at)[i] = sc->counter++;
}

/* Up to so many bytes of it, from where it stopped. */
static void move_until(struct soft_chan *sc, struct soft_desc *desc, size_t end)
{
	size_t before = 0;

	for (unsigned int i = 0; i < desc->num && desc->moved < end; i++) {
		const struct soft_piece *piece = &desc->pieces[i];
		size_t skip = desc->moved - before;
		size_t len;

		before += piece->len;
		if (desc->moved >= before)
			continue;
		len = min(piece->len - skip, end - desc->moved);
		move(sc, desc, phys_to_virt(dma_to_phys(sc->dma->ddev.dev, piece->at)) + skip, len);
		desc->moved += len;
	}
}

static ktime_t pace(void)
{
	return ns_to_ktime(max(READ_ONCE(interval_us), 1U) * (u64)NSEC_PER_USEC);
}

/* Take part in a fault that is to happen a number of times. */
static bool happens(unsigned int *times)
{
	unsigned int left = READ_ONCE(*times);

	if (!left)
		return false;
	WRITE_ONCE(*times, left - 1);
	return true;
}

static void free_desc(struct soft_chan *sc, struct soft_desc *desc)
{
	unsigned long flags;

	spin_lock_irqsave(&sc->lock, flags);
	sc->in_use -= desc->num;
	spin_unlock_irqrestore(&sc->lock, flags);
	kfree(desc);
}

static enum hrtimer_restart soft_timer(struct hrtimer *timer)
{
	struct soft_chan *sc = container_of(timer, struct soft_chan, timer);
	struct dmaengine_result result = { .result = DMA_TRANS_NOERROR };
	struct soft_desc *desc;
	unsigned long flags;
	ktime_t late;
	int stop;

	spin_lock_irqsave(&sc->lock, flags);
	desc = list_first_entry_or_null(&sc->issued, struct soft_desc, node);
	if (!desc)
		goto out_idle;
	stop = READ_ONCE(hold);
	if (stop >= 0) {
		move_until(sc, desc, min_t(size_t, stop, desc->len));
		goto out_again;
	}
	if (happens(&fail)) {
		result.result = desc->dir == DMA_MEM_TO_DEV ? DMA_TRANS_READ_FAILED :
							      DMA_TRANS_WRITE_FAILED;
		result.residue = desc->len - desc->moved;
	} else {
		result.residue = min_t(size_t, READ_ONCE(cut), desc->len);
		move_until(sc, desc, desc->len - result.residue);
	}
	list_del(&desc->node);
	sc->chan.completed_cookie = desc->tx.cookie;
	sc->transfers++;
	spin_unlock_irqrestore(&sc->lock, flags);

	/* Not mdelay(), which takes many times as long on a busy host. */
	late = ktime_add_ms(ktime_get(), READ_ONCE(late_ms));
	while (ktime_before(ktime_get(), late))
		cpu_relax();
	for (int i = 0; desc->tx.callback_result && i <= READ_ONCE(twice); i++)
		desc->tx.callback_result(desc->tx.callback_param, &result);
	free_desc(sc, desc);

	spin_lock_irqsave(&sc->lock, flags);
	if (list_empty(&sc->issued))
		goto out_idle;
out_again:
	spin_unlock_irqrestore(&sc->lock, flags);
	/* After this one, not after the last: moving data takes time, and others want some. */
	hrtimer_set_expires(timer, ktime_add(hrtimer_cb_get_time(timer), pace()));
	return HRTIMER_RESTART;

out_idle:
	/* A restart from here on is soft_issue()'s. */
	sc->armed = false;
	spin_unlock_irqrestore(&sc->lock, flags);
	return HRTIMER_NORESTART;
}

/* ---- What the DMA controller's users call ---- */

static dma_cookie_t soft_submit(struct dma_async_tx_descriptor *tx)
{
	struct soft_desc *desc = container_of(tx, struct soft_desc, tx);
	struct soft_chan *sc = to_soft(tx->chan);
	unsigned long flags;

	if (happens(&reject)) {
		free_desc(sc, desc);
		return -EIO;
	}
	spin_lock_irqsave(&sc->lock, flags);
	tx->cookie = max(sc->chan.cookie + 1, DMA_MIN_COOKIE);
	sc->chan.cookie = tx->cookie;
	list_add_tail(&desc->node, &sc->submitted);
	spin_unlock_irqrestore(&sc->lock, flags);
	return tx->cookie;
}

static struct soft_desc *new_desc(struct soft_chan *sc, unsigned int num,
				  enum dma_transfer_direction dir)
{
	struct soft_desc *desc;
	unsigned long flags;
	bool room;

	if (!num || happens(&refuse) || !(sc->dma->ddev.directions & BIT(dir)))
		return NULL;
	desc = kzalloc(struct_size(desc, pieces, num), GFP_NOWAIT | __GFP_NOWARN);
	if (!desc)
		return NULL;
	spin_lock_irqsave(&sc->lock, flags);
	room = num <= sc->dma->max_pieces - sc->in_use;
	if (room)
		sc->in_use += num;
	spin_unlock_irqrestore(&sc->lock, flags);
	if (!room) {
		kfree(desc);
		return NULL;
	}
	desc->num = num;
	desc->dir = dir;
	dma_async_tx_descriptor_init(&desc->tx, &sc->chan);
	desc->tx.tx_submit = soft_submit;
	return desc;
}

static bool add_piece(struct soft_chan *sc, struct soft_desc *desc, unsigned int index,
		      dma_addr_t at, size_t len)
{
	if (!len || len > sc->dma->max_piece || !IS_ALIGNED(at | len, sizeof(u32)) ||
	    at + len - 1 > dma_get_mask(sc->dma->ddev.dev))
		return false;
	desc->pieces[index].at = at;
	desc->pieces[index].len = len;
	desc->len += len;
	sc->pieces++;
	sc->longest = max(sc->longest, len);
	return true;
}

static struct dma_async_tx_descriptor *soft_prep_sg(struct dma_chan *chan,
						    struct scatterlist *sgl, unsigned int num,
						    enum dma_transfer_direction dir,
						    unsigned long flags, void *context)
{
	struct soft_chan *sc = to_soft(chan);
	struct soft_desc *desc = new_desc(sc, num, dir);
	struct scatterlist *sg;
	unsigned int i;

	if (!desc)
		return NULL;
	for_each_sg(sgl, sg, num, i) {
		if (!add_piece(sc, desc, i, sg_dma_address(sg), sg_dma_len(sg))) {
			free_desc(sc, desc);
			return NULL;
		}
	}
	return &desc->tx;
}

static struct dma_async_tx_descriptor *soft_prep_lines(struct dma_chan *chan,
						       struct dma_interleaved_template *lines,
						       unsigned long flags)
{
	bool capture = lines->dir == DMA_DEV_TO_MEM;
	dma_addr_t at = capture ? lines->dst_start : lines->src_start;
	struct soft_chan *sc = to_soft(chan);
	struct soft_desc *desc;

	/* Of the FIFO's side nothing is to move; of the memory's, all. */
	if (lines->frame_size != 1 || !is_slave_direction(lines->dir) ||
	    lines->src_inc == capture || lines->dst_inc != capture ||
	    !(capture ? lines->dst_sgl : lines->src_sgl))
		return NULL;
	desc = new_desc(sc, lines->numf, lines->dir);
	if (!desc)
		return NULL;
	for (unsigned int i = 0; i < lines->numf; i++) {
		if (!add_piece(sc, desc, i, at, lines->sgl[0].size)) {
			free_desc(sc, desc);
			return NULL;
		}
		at += lines->sgl[0].size + (capture ?
					    dmaengine_get_dst_icg(lines, &lines->sgl[0]) :
					    dmaengine_get_src_icg(lines, &lines->sgl[0]));
	}
	return &desc->tx;
}

static void soft_issue(struct dma_chan *chan)
{
	struct soft_chan *sc = to_soft(chan);
	unsigned long flags;

	spin_lock_irqsave(&sc->lock, flags);
	list_splice_tail_init(&sc->submitted, &sc->issued);
	if (!sc->armed && !list_empty(&sc->issued)) {
		sc->armed = true;
		hrtimer_start(&sc->timer, pace(), HRTIMER_MODE_REL_SOFT);
	}
	spin_unlock_irqrestore(&sc->lock, flags);
}

static size_t residue_of(const struct soft_chan *sc, const struct soft_desc *desc)
{
	size_t whole = 0;

	switch (sc->dma->residue) {
	case DMA_RESIDUE_GRANULARITY_DESCRIPTOR:
		return desc->len;
	case DMA_RESIDUE_GRANULARITY_SEGMENT:
		for (unsigned int i = 0; i < desc->num; i++)
			if (whole + desc->pieces[i].len <= desc->moved)
				whole += desc->pieces[i].len;
		return desc->len - whole;
	default:
		return desc->len - desc->moved;
	}
}

static enum dma_status soft_status(struct dma_chan *chan, dma_cookie_t cookie,
				   struct dma_tx_state *state)
{
	struct soft_chan *sc = to_soft(chan);
	struct soft_desc *desc;
	enum dma_status status;
	unsigned long flags;

	spin_lock_irqsave(&sc->lock, flags);
	status = dma_async_is_complete(cookie, chan->completed_cookie, chan->cookie);
	dma_set_tx_state(state, chan->completed_cookie, chan->cookie, 0);
	list_for_each_entry(desc, &sc->issued, node)
		if (desc->tx.cookie == cookie && state)
			state->residue = residue_of(sc, desc);
	list_for_each_entry(desc, &sc->submitted, node)
		if (desc->tx.cookie == cookie && state)
			state->residue = desc->len;
	spin_unlock_irqrestore(&sc->lock, flags);
	return status;
}

static int soft_config(struct dma_chan *chan, struct dma_slave_config *config)
{
	to_soft(chan)->config = *config;
	return 0;
}

static int soft_terminate(struct dma_chan *chan)
{
	struct soft_chan *sc = to_soft(chan);
	struct soft_desc *desc, *next;
	unsigned long flags;
	LIST_HEAD(all);

	spin_lock_irqsave(&sc->lock, flags);
	list_splice_tail_init(&sc->issued, &all);
	list_splice_tail_init(&sc->submitted, &all);
	spin_unlock_irqrestore(&sc->lock, flags);
	list_for_each_entry_safe(desc, next, &all, node)
		free_desc(sc, desc);
	return 0;
}

static void soft_synchronize(struct dma_chan *chan)
{
	struct soft_chan *sc = to_soft(chan);

	hrtimer_cancel(&sc->timer);
	sc->armed = false;
}

static int soft_alloc(struct dma_chan *chan)
{
	struct soft_chan *sc = to_soft(chan);

	sc->in_use = 0;
	sc->sink.size = 0;
	sc->counter = 0;
	sc->transfers = 0;
	sc->pieces = 0;
	sc->longest = 0;
	memset(&sc->config, 0, sizeof(sc->config));
	return 0;
}

static void soft_free(struct dma_chan *chan)
{
	/* Whoever leaves without ending what it began is wrong. */
	soft_synchronize(chan);
	WARN_ON(to_soft(chan)->in_use);
}

/* ---- Probe ---- */

static int state_show(struct seq_file *s, void *unused)
{
	struct soft_chan *sc = s->private;
	const struct dma_slave_config *config = &sc->config;
	bool capture = config->direction == DMA_DEV_TO_MEM;
	phys_addr_t fifo = capture ? config->src_addr : config->dst_addr;

	spin_lock_irq(&sc->lock);
	seq_printf(s, "fifo %pa width %u burst %u\n", &fifo,
		   capture ? config->src_addr_width : config->dst_addr_width,
		   capture ? config->src_maxburst : config->dst_maxburst);
	seq_printf(s, "transfers %u pieces %u longest %zu\n", sc->transfers, sc->pieces,
		   sc->longest);
	spin_unlock_irq(&sc->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

static int init_chan(struct soft_dma *dma, unsigned int index)
{
	struct soft_chan *sc = &dma->chans[index];
	struct dentry *dir;
	char name[8];

	sc->dma = dma;
	spin_lock_init(&sc->lock);
	INIT_LIST_HEAD(&sc->submitted);
	INIT_LIST_HEAD(&sc->issued);
	hrtimer_init(&sc->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	sc->timer.function = soft_timer;
	sc->sink.data = vmalloc(SINK_SIZE);
	if (!sc->sink.data)
		return -ENOMEM;
	sc->chan.device = &dma->ddev;
	sc->chan.cookie = DMA_MIN_COOKIE;
	sc->chan.completed_cookie = DMA_MIN_COOKIE;
	list_add_tail(&sc->chan.device_node, &dma->ddev.channels);

	snprintf(name, sizeof(name), "%u", index);
	dir = debugfs_create_dir(name, dma->dir);
	debugfs_create_file("state", 0400, dir, sc, &state_fops);
	debugfs_create_blob("sink", 0400, dir, &sc->sink);
	return 0;
}

static void cleanup(void *data)
{
	struct soft_dma *dma = data;

	debugfs_remove_recursive(dma->dir);
	for (unsigned int i = 0; i < NUM_CHANS; i++)
		vfree(dma->chans[i].sink.data);
}

static void parse(struct soft_dma *dma, const struct device_node *np)
{
	dma->max_piece = U32_MAX;
	dma->max_pieces = U32_MAX;
	dma->address_bits = 64;
	dma->directions = 3;
	dma->residue = DMA_RESIDUE_GRANULARITY_BURST;
	of_property_read_u32(np, "max-piece", &dma->max_piece);
	of_property_read_u32(np, "max-pieces", &dma->max_pieces);
	of_property_read_u32(np, "address-bits", &dma->address_bits);
	of_property_read_u32(np, "directions", &dma->directions);
	of_property_read_u32(np, "max-burst", &dma->max_burst);
	of_property_read_u32(np, "lines", &dma->lines);
	of_property_read_u32(np, "residue", &dma->residue);
}

static void describe(struct soft_dma *dma, struct device *dev)
{
	struct dma_device *ddev = &dma->ddev;

	ddev->dev = dev;
	dma_cap_set(DMA_SLAVE, ddev->cap_mask);
	dma_cap_set(DMA_PRIVATE, ddev->cap_mask);
	ddev->directions = (dma->directions & 1 ? BIT(DMA_DEV_TO_MEM) : 0) |
			   (dma->directions & 2 ? BIT(DMA_MEM_TO_DEV) : 0);
	ddev->src_addr_widths = BIT(4) | BIT(8);
	ddev->dst_addr_widths = BIT(4) | BIT(8);
	ddev->max_burst = dma->max_burst;
	ddev->residue_granularity = dma->residue;
	ddev->device_alloc_chan_resources = soft_alloc;
	ddev->device_free_chan_resources = soft_free;
	ddev->device_config = soft_config;
	if (dma->lines != 2)
		ddev->device_prep_slave_sg = soft_prep_sg;
	if (dma->lines) {
		dma_cap_set(DMA_INTERLEAVE, ddev->cap_mask);
		ddev->device_prep_interleaved_dma = soft_prep_lines;
	}
	ddev->device_issue_pending = soft_issue;
	ddev->device_tx_status = soft_status;
	ddev->device_terminate_all = soft_terminate;
	if (!of_property_read_bool(dev->of_node, "no-synchronize"))
		ddev->device_synchronize = soft_synchronize;
	INIT_LIST_HEAD(&ddev->channels);
}

static void free_controller(void *data)
{
	of_dma_controller_free(data);
}

static int soft_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct soft_dma *dma;
	int ret;

	dma = devm_kzalloc(dev, sizeof(*dma), GFP_KERNEL);
	if (!dma)
		return -ENOMEM;
	platform_set_drvdata(pdev, dma);
	parse(dma, dev->of_node);
	describe(dma, dev);
	dma->dir = debugfs_create_dir(dev_name(dev), NULL);
	ret = devm_add_action_or_reset(dev, cleanup, dma);
	for (unsigned int i = 0; !ret && i < NUM_CHANS; i++)
		ret = init_chan(dma, i);
	if (!ret)
		ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(dma->address_bits));
	if (ret)
		return ret;
	dma_set_max_seg_size(dev, dma->max_piece);
	ret = dmaenginem_async_device_register(&dma->ddev) ?:
	      of_dma_controller_register(dev->of_node, of_dma_xlate_by_chan_id, &dma->ddev);
	return ret ?: devm_add_action_or_reset(dev, free_controller, dev->of_node);
}

/* It loses what it has. */
static int soft_suspend(struct device *dev)
{
	struct soft_dma *dma = dev_get_drvdata(dev);

	for (unsigned int i = 0; i < NUM_CHANS; i++)
		soft_terminate(&dma->chans[i].chan);
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(soft_pm_ops, soft_suspend, NULL);

static const struct of_device_id soft_of_match[] = {
	{ .compatible = "zcdma-test,softdma" },
	{ }
};

static struct platform_driver soft_driver = {
	.probe = soft_probe,
	.driver = {
		.name = "zcdma-softdma",
		.of_match_table = soft_of_match,
		.pm = pm_sleep_ptr(&soft_pm_ops),
	},
};
module_platform_driver(soft_driver);

MODULE_DESCRIPTION("DMA controller made of software, for the tests of zcdma");
MODULE_LICENSE("GPL");
