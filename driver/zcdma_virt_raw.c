// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual hardware: a counter source and a checksum sink
 *
 * Both move a byte in RAW_NS_PER_BYTE and wait for a transfer where there is none, like a peer on
 * a stream bus with flow control: nothing is lost between two transfers, however late the second.
 *
 * Source (capture). 32-bit words, little endian, by the test pattern control: "Counter": 0, 1, 2
 * and so on, over all transfers since start; "PRBS31": the bits of x^31 + x^28 + 1 (ITU-T O.150,
 * section 5.8, without its inversion), first bit in bit 0, from all ones; "Null": the buffer is
 * left alone. All of them count words, so that the counter goes on where another pattern ends.
 *
 * Sink (playback). Swallows, and shows in debugfs the number of bytes since start and their CRC-32
 * as zlib computes it.
 */
#include <linux/align.h>
#include <linux/bits.h>
#include <linux/crc32.h>
#include <linux/debugfs.h>
#include <linux/minmax.h>

#include "zcdma_virt.h"

/* A 32-bit bus at 25 MHz. */
#define RAW_NS_PER_BYTE		10
/* A transfer takes this long, even if it is shorter: setting up a descriptor has a price. */
#define RAW_MIN_NS		(10 * NSEC_PER_USEC)

/* Records may be small and many: one run of the worker serves all of these. */
#define RAW_DEPTH		ZVIRT_RING

#define RAW_WORD		sizeof(__le32)

#define PRBS31_SEED		GENMASK(30, 0)

enum {
	PATTERN_COUNTER,
	PATTERN_PRBS31,
	PATTERN_NULL,
};

static const char * const pattern_names[] = { "Counter", "PRBS31", "Null", NULL };

static const struct zcdma_ctrl_desc source_ctrls[] = {
	{
		.id = ZCDMA_CTRL_TEST_PATTERN,
		.max = PATTERN_NULL,
		.step = 1,
		.menu = pattern_names,
	},
};

/*
 * The next 32 bits of the sequence. @state holds the 31 before them, oldest in bit 0. A bit depends
 * on those 31 and 28 before it, so up to 28 at a time follow from @state at once.
 */
static u32 prbs31_next(u32 *state)
{
	u32 out = 0;

	for (unsigned int have = 0; have < 32; have += 16) {
		u32 next = (*state ^ (*state >> 3)) & GENMASK(15, 0);

		*state = (*state >> 16) | (next << 15);
		out |= next << have;
	}
	return out;
}

static void source_fill(struct zvirt_raw *raw, __le32 *at, size_t num)
{
	switch (READ_ONCE(raw->pattern)) {
	case PATTERN_COUNTER:
		for (size_t i = 0; i < num; i++)
			at[i] = cpu_to_le32(raw->words + i);
		break;
	case PATTERN_PRBS31:
		for (size_t i = 0; i < num; i++)
			at[i] = cpu_to_le32(prbs31_next(&raw->prbs));
		break;
	}
}

static bool source_move(struct zvirt_chan *vc, struct zvirt_desc *desc)
{
	struct zvirt_raw *raw = &vc->raw;
	size_t len = desc->xfer->len;
	void *at;

	raw->words += desc->skip / RAW_WORD;
	at = desc->failed ? NULL : zvirt_memory(desc);
	if (at)
		source_fill(raw, at, len / RAW_WORD);
	raw->words += len / RAW_WORD;
	zvirt_moved(desc, at ? len : 0);
	return true;
}

static bool sink_move(struct zvirt_chan *vc, struct zvirt_desc *desc)
{
	struct zvirt_dev *vdev = vc->vdev;
	size_t len = desc->xfer->len;
	void *at;
	u32 crc;

	at = desc->failed ? NULL : zvirt_memory(desc);
	zvirt_moved(desc, at ? len : 0);
	if (!at)
		return true;
	crc = crc32_le(vc->sink.crc, at, len);

	spin_lock_irq(&vdev->lock);
	vc->sink.crc = crc;
	vc->sink.bytes += len;
	spin_unlock_irq(&vdev->lock);
	return true;
}

static u64 raw_duration(struct zvirt_chan *vc, const struct zvirt_desc *desc)
{
	return zvirt_clock(vc, max_t(u64, (u64)desc->xfer->len * RAW_NS_PER_BYTE, RAW_MIN_NS));
}

/* Begin with the next transfer, at @time, if there is one. */
static void raw_begin(struct zvirt_chan *vc, ktime_t time)
{
	struct zvirt_raw *raw = &vc->raw;
	struct zvirt_desc *desc = zvirt_begin(vc);

	raw->busy = desc;
	vc->due = KTIME_MAX;
	if (!desc)
		return;
	vc->begun_at = time;
	vc->due = ktime_add_ns(time, raw_duration(vc, desc));
}

static void raw_submitted(struct zvirt_chan *vc, ktime_t now)
{
	if (vc->raw.busy)
		return;
	raw_begin(vc, now);
	zvirt_arm(vc->vdev);
}

static void raw_event(struct zvirt_chan *vc, struct zvirt_event *event)
{
	struct zvirt_desc *desc = &vc->ring[(vc->begun - 1) % ZVIRT_RING];

	if (zvirt_fault(&vc->faults.drop)) {
		/* As many bytes as were on their way have gone nowhere. */
		event->type = ZVIRT_EVENT_EXPOSURE_START;
		event->time = vc->begun_at;
		desc->skip += desc->xfer->len;
		vc->begun_at = vc->due;
		vc->due = ktime_add_ns(vc->due, raw_duration(vc, desc));
		return;
	}
	event->ready = true;
	raw_begin(vc, vc->due);
}

static void raw_run(struct zvirt_chan *vc, ktime_t now)
{
	struct zvirt_raw *raw = &vc->raw;

	raw->words = 0;
	raw->prbs = PRBS31_SEED;
	vc->sink.bytes = 0;
	vc->sink.crc = ~0;
	raw_begin(vc, now);
}

static bool raw_accepts(const struct zvirt_chan *vc, const struct zcdma_xfer *xfer)
{
	return xfer->len && IS_ALIGNED(xfer->len | xfer->offset, RAW_WORD);
}

static int source_set_ctrl(struct zcdma_chan *chan, enum zcdma_ctrl_id id, s64 value)
{
	struct zvirt_chan *vc = zcdma_chan_priv(chan);

	if (id != ZCDMA_CTRL_TEST_PATTERN)
		return -EINVAL;
	WRITE_ONCE(vc->raw.pattern, value);
	return 0;
}

static const struct zvirt_model source = {
	.depth = RAW_DEPTH,
	.run = raw_run,
	.submitted = raw_submitted,
	.event = raw_event,
	.accepts = raw_accepts,
	.move = source_move,
};

static const struct zvirt_model sink = {
	.depth = RAW_DEPTH,
	.run = raw_run,
	.submitted = raw_submitted,
	.event = raw_event,
	.accepts = raw_accepts,
	.move = sink_move,
};

static const struct zcdma_chan_ops source_ops = {
	.set_ctrl = source_set_ctrl,
	.start = zvirt_start,
	.stop = zvirt_stop,
	.submit = zvirt_submit,
};

static const struct zcdma_chan_ops sink_ops = {
	.start = zvirt_start,
	.stop = zvirt_stop,
	.submit = zvirt_submit,
};

/* ---- What a sink has seen ---- */

static int sink_bytes_get(void *data, u64 *value)
{
	struct zvirt_chan *vc = data;

	spin_lock_irq(&vc->vdev->lock);
	*value = vc->sink.bytes;
	spin_unlock_irq(&vc->vdev->lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(sink_bytes_fops, sink_bytes_get, NULL, "%llu\n");

static int sink_crc32_get(void *data, u64 *value)
{
	struct zvirt_chan *vc = data;

	spin_lock_irq(&vc->vdev->lock);
	*value = (u32)~vc->sink.crc;
	spin_unlock_irq(&vc->vdev->lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(sink_crc32_fops, sink_crc32_get, NULL, "0x%08llx\n");

/**
 * zvirt_sink_debugfs() - show what a raw or PCM channel has seen, if it is a sink
 * @vc: channel, valid as long as the core keeps @dir
 * @dir: the channel's directory
 */
void zvirt_sink_debugfs(struct zvirt_chan *vc, struct dentry *dir)
{
	struct dentry *sub;

	if (vc->kind == ZCDMA_KIND_VIDEO || vc->direction == ZCDMA_CAPTURE)
		return;
	sub = debugfs_create_dir("sink", dir);
	debugfs_create_file_unsafe("bytes", 0400, sub, vc, &sink_bytes_fops);
	debugfs_create_file_unsafe("crc32", 0400, sub, vc, &sink_crc32_fops);
}

/* ---- Birth ---- */

/**
 * zvirt_raw_init() - make a channel a source or a sink
 * @vc: its direction is set
 */
void zvirt_raw_init(struct zvirt_chan *vc)
{
	vc->model = vc->direction == ZCDMA_CAPTURE ? &source : &sink;
	vc->alignment = max_t(unsigned int, vc->alignment, RAW_WORD);
	vc->sink.crc = ~0;
}

/**
 * zvirt_raw_describe() - tell the core what a raw channel can do
 * @vc: channel
 * @desc: what all kinds of channels have is filled in
 */
void zvirt_raw_describe(const struct zvirt_chan *vc, struct zcdma_chan_desc *desc)
{
	desc->ops = &sink_ops;
	if (vc->direction == ZCDMA_CAPTURE) {
		desc->ops = &source_ops;
		desc->ctrls = source_ctrls;
		desc->num_ctrls = ARRAY_SIZE(source_ctrls);
	}
}
