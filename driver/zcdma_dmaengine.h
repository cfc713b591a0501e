/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zcdma_dmaengine.h - what the files of zcdma-dmaengine.ko share with each other
 *
 *   zcdma_dmaengine.c     transfers, their watchdog, and probe
 *   zcdma_dmaengine_of.c  what the node says, and whether the DMA controller can do it
 *
 * Lock order: the core's channel lock -> zdma_chan::lock -> locks of the DMA controller's driver.
 * The core is never called with zdma_chan::lock held.
 */
#ifndef ZCDMA_DMAENGINE_H
#define ZCDMA_DMAENGINE_H

#include <linux/dmaengine.h>
#include <linux/hrtimer.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "zcdma.h"

/*
 * Transfers of a channel that the DMA controller's driver has at a time. It goes on to the next by
 * itself, so these outlast the time that a busy machine takes to hand in another.
 */
#define ZDMA_DEPTH		4

#define ZDMA_MAX_CHANS		16

struct zdma_chan;

/**
 * struct zdma_slot - one transfer in the DMA controller's driver
 * @zc: the channel
 * @node: in zdma_chan::idle, waiting or busy
 * @xfer: the core's transfer; NULL while idle
 * @cookie: dmaengine's name for it
 * @table: its pieces as the DMA controller takes them; grows, and is kept for the next transfer
 */
struct zdma_slot {
	struct zdma_chan *zc;
	struct list_head node;
	struct zcdma_xfer *xfer;
	dma_cookie_t cookie;
	struct sg_table table;
};

/**
 * struct zdma_chan - one channel
 * @dev: the platform device
 * @name: the label, which also finds the channel's entries in dma-names and reg-names
 * @kind: what it carries
 * @direction: capture or playback
 * @stream_port: joined to the DMA controller without an address
 * @fifo_index: entry of the FIFO in reg
 * @fifo: CPU physical address of the FIFO
 * @width: bytes that are moved by one access to the FIFO; 1 for a stream port
 * @burst: accesses that are made on one request, 0: as the DMA controller likes
 * @alignment: of address and length of a transfer, in bytes
 * @max_transfer: in bytes, 0: no limit
 * @caps: of a video channel
 * @pcm_caps: of a pcm channel
 * @timed: the device makes no requests: @timer starts a transfer when its time has gone by
 * @exact: the DMA controller tells how far a transfer is
 * @lines: where the DMA controller can leave gaps between lines, or can do nothing but lines: its
 *	description of a frame, NULL elsewhere
 * @dma: the DMA channel, held from probe to unbind
 * @max_piece: longest piece of contiguous memory that the DMA controller takes, in bytes
 * @timeout: longest time of one transfer in jiffies, 0: no limit
 * @watchdog: looks for a transfer that takes longer; pending while running, if there is a limit
 * @timer: armed while @ticking
 * @lock: protects everything below
 * @chan: the core's, while running
 * @format: of a video channel; changes only while stopped
 * @pcm: of a pcm channel; changes only while stopped
 * @running: between start and stop
 * @failing: watchdog or suspend clear the DMA controller: what is submitted meanwhile waits
 * @suspended: it would be running, and will be again
 * @ticking: @timer will look at @waiting
 * @deadline: of the first transfer in @busy, in jiffies
 * @idle: slots free to use
 * @waiting: slots that the DMA controller's driver has no room for yet, or whose time has not
 *	come, oldest first
 * @busy: slots in use, oldest first
 * @slots: all of them
 */
struct zdma_chan {
	struct device *dev;
	char name[ZCDMA_NAME_LEN];
	enum zcdma_kind kind;
	enum zcdma_direction direction;
	bool stream_port;
	int fifo_index;
	phys_addr_t fifo;
	u32 width;
	u32 burst;
	u32 alignment;
	u32 max_transfer;
	struct zcdma_video_caps caps;
	struct zcdma_pcm_caps pcm_caps;
	bool timed;
	bool exact;
	struct dma_interleaved_template *lines;
	struct dma_chan *dma;
	size_t max_piece;
	unsigned long timeout;
	struct delayed_work watchdog;
	struct hrtimer timer;

	spinlock_t lock; /* see above */
	struct zcdma_chan *chan;
	struct zcdma_video_format format;
	struct zcdma_pcm_config pcm;
	bool running;
	bool failing;
	bool suspended;
	bool ticking;
	unsigned long deadline;
	struct list_head idle;
	struct list_head waiting;
	struct list_head busy;
	struct zdma_slot slots[ZDMA_DEPTH];
};

/**
 * struct zdma_dev - one device
 * @dev: the platform device
 * @zdev: registered with the core
 * @num_chans: entries of @chans
 * @chans: the channels
 */
struct zdma_dev {
	struct device *dev;
	struct zcdma_device *zdev;
	unsigned int num_chans;
	struct zdma_chan chans[] __counted_by(num_chans);
};

static inline enum dma_transfer_direction zdma_direction(const struct zdma_chan *zc)
{
	return zc->direction == ZCDMA_CAPTURE ? DMA_DEV_TO_MEM : DMA_MEM_TO_DEV;
}

/* zcdma_dmaengine.c; the lock is held, or nobody else knows of the channel yet. */
void zdma_set_format(struct zdma_chan *zc, const struct zcdma_video_format *format);
void zdma_set_lines(struct zdma_chan *zc, dma_addr_t at, size_t num, size_t stride);

/* zcdma_dmaengine_of.c */
int zdma_of_count(struct device *dev);
int zdma_of_parse(struct zdma_dev *zd);
int zdma_of_configure(struct zdma_chan *zc);

#endif /* ZCDMA_DMAENGINE_H */
