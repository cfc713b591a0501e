// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_audio.c - what the core knows of sound: configurations, positions, and the one clock
 *
 * A device has one audio clock as far as its other channels are concerned: that of the first PCM
 * channel that runs, those that capture first. Every exposure is stamped with what it has counted,
 * which ties a picture to a sample of the recording that runs beside it.
 *
 * Where an engine cannot say what its clock has counted at a given time, it is reckoned from the
 * bytes moved, back from now at the nominal rate.
 *
 * Lock order: zcdma_chan::mutex -> zcdma_device::clock_lock -> zcdma_chan::lock. As a channel
 * leaves zcdma_device::clock before its engine is told to stop, whoever holds clock_lock can ask
 * the engines of those that are in it.
 */
#include <linux/bits.h>
#include <linux/bitops.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/timekeeping.h>

#include "zcdma_core.h"

/* ---- Configurations ---- */

/**
 * zcdma_pcm_frame_bytes() - size of a PCM frame
 * @format: one of ZCDMA_PCM_*_LE
 * @channels: channels of sound
 *
 * Return: bytes.
 */
unsigned int zcdma_pcm_frame_bytes(u32 format, u32 channels)
{
	return (format == ZCDMA_PCM_S16_LE ? 2 : 4) * channels;
}
EXPORT_SYMBOL_GPL(zcdma_pcm_frame_bytes);

/**
 * zcdma_pcm_complete() - fill in what a configuration leaves open, and check the rest
 * @caps: what the channel can do
 * @config: 0 in a field asks for the default
 *
 * Return: whether the channel can do this.
 */
bool zcdma_pcm_complete(const struct zcdma_pcm_caps *caps, struct zcdma_pcm_config *config)
{
	config->format = config->format ?: caps->def.format;
	config->channels = config->channels ?: caps->def.channels;
	config->rate = config->rate ?: caps->def.rate;
	if (hweight32(config->format) != 1 || !(config->format & caps->formats) ||
	    config->channels < caps->min_channels || config->channels > caps->max_channels ||
	    config->rate < caps->min_rate || config->rate > caps->max_rate)
		return false;
	config->frame_bytes = zcdma_pcm_frame_bytes(config->format, config->channels);
	return true;
}
EXPORT_SYMBOL_GPL(zcdma_pcm_complete);

/* ---- Positions ---- */

/* Bytes moved since start, as far as the engine says. */
static u64 bytes_moved(struct zcdma_chan *chan)
{
	const struct zcdma_xfer *xfer;

	lockdep_assert_held(&chan->lock);

	xfer = list_first_entry_or_null(&chan->active, struct zcdma_xfer, node);
	if (!xfer || !chan->desc.ops->residue)
		return chan->moved;
	return chan->moved + xfer->len - min(chan->desc.ops->residue(chan, xfer), xfer->len);
}

static u64 pcm_clock(struct zcdma_chan *chan, ktime_t time)
{
	u64 frames, back;

	lockdep_assert_held(&chan->lock);

	if (chan->desc.ops->pcm_clock)
		return chan->desc.ops->pcm_clock(chan, time);

	frames = div_u64(bytes_moved(chan), chan->config.frame_bytes);
	back = max_t(s64, ktime_to_ns(ktime_sub(ktime_get(), time)), 0);
	return frames - min(frames, mul_u64_u32_div(back, chan->config.rate, NSEC_PER_SEC));
}

/**
 * zcdma_chan_position() - how far a channel is
 * @chan: channel, owned by the caller
 * @position: the answer
 *
 * Any context.
 *
 * Return: 0, -EINVAL where the channel does not run, -ENODEV where the device is gone.
 */
int zcdma_chan_position(struct zcdma_chan *chan, struct zcdma_position *position)
{
	unsigned long flags;
	int ret = 0;

	*position = (struct zcdma_position) {};
	spin_lock_irqsave(&chan->lock, flags);
	if (chan->gone) {
		ret = -ENODEV;
	} else if (!chan->running) {
		ret = -EINVAL;
	} else {
		ktime_t now = ktime_get();

		position->time_ns = ktime_to_ns(now);
		position->bytes = bytes_moved(chan);
		if (chan->desc.kind == ZCDMA_KIND_PCM)
			position->clock = pcm_clock(chan, now);
	}
	spin_unlock_irqrestore(&chan->lock, flags);
	return ret;
}
EXPORT_SYMBOL_GPL(zcdma_chan_position);

/* ---- The one clock ---- */

/* A PCM channel has been started. */
void zcdma_clock_add(struct zcdma_chan *chan)
{
	struct zcdma_device *zdev = chan->zdev;
	struct list_head *before = &zdev->clock;
	struct zcdma_chan *other;

	spin_lock_irq(&zdev->clock_lock);
	list_for_each_entry(other, &zdev->clock, clock_node) {
		if (other->desc.direction < chan->desc.direction ||
		    (other->desc.direction == chan->desc.direction && other->index < chan->index))
			continue;
		before = &other->clock_node;
		break;
	}
	list_add_tail(&chan->clock_node, before);
	spin_unlock_irq(&zdev->clock_lock);
}

/* A channel is about to be stopped; harmless if it is none of those. */
void zcdma_clock_del(struct zcdma_chan *chan)
{
	spin_lock_irq(&chan->zdev->clock_lock);
	list_del_init(&chan->clock_node);
	spin_unlock_irq(&chan->zdev->clock_lock);
}

/*
 * What the clock that belongs to a channel has counted at a time; false: there is none. Any
 * context, without the channel's lock; between start and stop of the channel.
 */
bool zcdma_clock_read(struct zcdma_chan *chan, ktime_t time, u64 *frames)
{
	struct zcdma_device *zdev = chan->zdev;
	struct zcdma_chan *clock;
	unsigned long flags;

	if (chan->desc.kind == ZCDMA_KIND_PCM) {
		spin_lock_irqsave(&chan->lock, flags);
		*frames = pcm_clock(chan, time);
		spin_unlock_irqrestore(&chan->lock, flags);
		return true;
	}

	/* Every picture comes this way, and few have sound beside them. */
	if (list_empty(&zdev->clock))
		return false;

	spin_lock_irqsave(&zdev->clock_lock, flags);
	clock = list_first_entry_or_null(&zdev->clock, struct zcdma_chan, clock_node);
	if (clock) {
		spin_lock(&clock->lock);
		*frames = pcm_clock(clock, time);
		spin_unlock(&clock->lock);
	}
	spin_unlock_irqrestore(&zdev->clock_lock, flags);
	return clock;
}
