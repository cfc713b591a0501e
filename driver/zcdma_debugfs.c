// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_debugfs.c - what a device is doing, for root: /sys/kernel/debug/zcdma/NAME
 *
 *   state           one line for each channel
 *   buffers         one line for each buffer alive, with its DMA addresses
 *   CHANNEL/        empty here; engines put their faults and counters there
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "zcdma_core.h"

static struct dentry *root;

static unsigned int count(struct list_head *list)
{
	struct list_head *node;
	unsigned int n = 0;

	list_for_each(node, list)
		n++;
	return n;
}

static int state_show(struct seq_file *s, void *unused)
{
	struct zcdma_device *zdev = s->private;

	mutex_lock(&zdev->buf_lock);
	seq_printf(s, "pool %s size %llu used %llu\n",
		   zdev->pool_size ? zdev->pool_name : "system", zdev->pool_size,
		   zdev->pool_used);
	mutex_unlock(&zdev->buf_lock);

	for (unsigned int i = 0; i < zdev->num_chans; i++) {
		struct zcdma_chan *chan = zdev->chans[i];
		enum zcdma_owner owner = zcdma_chan_owner(chan);
		unsigned int queued, active;
		bool running;
		u64 sequence;

		spin_lock_irq(&chan->lock);
		running = chan->running;
		queued = count(&chan->queued);
		active = chan->num_active;
		sequence = chan->sequence;
		spin_unlock_irq(&chan->lock);
		seq_printf(s, "channel %s %s %s owner %u %s queued %u active %u sequence %llu\n",
			   chan->name, zcdma_kind_name(chan->desc.kind),
			   zcdma_direction_name(chan->desc.direction), owner,
			   running ? "running" : "stopped", queued, active, sequence);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

static int buffers_show(struct seq_file *s, void *unused)
{
	static const char * const names[] = {
		[ZCDMA_BUF_COHERENT] = "coherent",
		[ZCDMA_BUF_CONTIG] = "contiguous",
		[ZCDMA_BUF_PAGES] = "pages",
		[ZCDMA_BUF_IMPORTED] = "imported",
	};
	struct zcdma_device *zdev = s->private;
	struct zcdma_buf *buf;

	mutex_lock(&zdev->buf_lock);
	list_for_each_entry(buf, &zdev->bufs, node) {
		struct scatterlist *sg;
		unsigned int i;

		seq_printf(s, "buffer %u size %zu %s %s users %u dma", buf->id, buf->size,
			   names[buf->backing], buf->cached ? "cached" : "uncached",
			   zcdma_buf_users(buf));
		for_each_sgtable_dma_sg(zcdma_buf_sgt(buf), sg, i)
			seq_printf(s, " %#llx+%#x", (u64)sg_dma_address(sg), sg_dma_len(sg));
		seq_putc(s, '\n');
	}
	mutex_unlock(&zdev->buf_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(buffers);

void zcdma_debugfs_add(struct zcdma_device *zdev)
{
	zdev->debugfs = debugfs_create_dir(zdev->name, root);
	debugfs_create_file("state", 0400, zdev->debugfs, zdev, &state_fops);
	debugfs_create_file("buffers", 0400, zdev->debugfs, zdev, &buffers_fops);
}

void zcdma_debugfs_add_chan(struct zcdma_chan *chan)
{
	chan->debugfs = debugfs_create_dir(chan->name, chan->zdev->debugfs);
}

void zcdma_debugfs_init(void)
{
	root = debugfs_create_dir("zcdma", NULL);
}

void zcdma_debugfs_exit(void)
{
	debugfs_remove_recursive(root);
}
