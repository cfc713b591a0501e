/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of zcdma-pcm.ko share with each other
 *
 *   zcdma_pcm.c       the card and its PCMs
 *   zcdma_pcm_ctl.c   the card's controls
 */
#ifndef ZCDMA_PCM_H
#define ZCDMA_PCM_H

#include <linux/mutex.h>
#include <linux/workqueue.h>
#include <sound/control.h>
#include <sound/core.h>
#include <sound/memalloc.h>
#include <sound/pcm.h>

#include "zcdma.h"

/* In both directions together; more make no sense on one card. */
#define ZPCM_MAX_CHANS	32

struct zpcm_card;
struct zpcm_stream;

/**
 * struct zpcm_period - one period of the ring
 * @xfer: its transfer, again and again
 */
struct zpcm_period {
	struct zcdma_xfer xfer;
};

/**
 * struct zpcm_ctl - one control
 * @zs: the stream whose channel has it
 * @desc: the engine's description
 * @tlv: volume: scale in dB
 */
struct zpcm_ctl {
	struct zpcm_stream *zs;
	const struct zcdma_ctrl_desc *desc;
	unsigned int tlv[4];
};

/**
 * struct zpcm_stream - one channel as a stream of a PCM
 * @card: the card
 * @chan: referenced
 * @can_pause: the engine can pause
 * @exact: the engine knows how far a period is
 * @client: as which it is claimed
 * @substream: while open
 * @claimed: from hw_params to hw_free
 * @dma: what ALSA knows of @buf
 * @periods: the periods of the ring, @num_periods of them
 * @num_periods: see there
 * @running: periods are queued again when they are done
 * @started: the channel runs; told apart from @running, as it is paused or stopped in between
 * @stopped_at: bytes since start, when it was stopped
 * @elapsed: tells ALSA of periods
 * @xrun: the engine has told of a gap or an error; @elapsed acts on it
 * @lock: protects @buf, @config and @period_bytes for those who ask for the ring
 * @buf: the ring, or NULL
 * @config: format and rate
 * @period_bytes: bytes of a period
 * @ctls: controls
 *
 * What has no lock of its own here is protected by ALSA: calls for one substream come one at a
 * time. The exceptions are @running and @xrun, for the done callback.
 */
struct zpcm_stream {
	struct zpcm_card *card;
	struct zcdma_chan *chan;
	bool can_pause;
	bool exact;
	struct zcdma_client client;
	struct snd_pcm_substream *substream;
	bool claimed;
	struct snd_dma_buffer dma;
	struct zpcm_period *periods;
	unsigned int num_periods;
	bool running;
	bool started;
	u64 stopped_at;
	struct work_struct elapsed;
	bool xrun;
	struct mutex lock; /* protects buf, config, period_bytes */
	struct zcdma_buf *buf;
	struct zcdma_pcm_config config;
	u32 period_bytes;
	struct zpcm_ctl *ctls;
};

/**
 * struct zpcm_card - a card
 * @card: ALSA's; this struct is its private_data, and goes with it
 * @num_streams: entries of @streams
 * @streams: one for each PCM channel of the device
 */
struct zpcm_card {
	struct snd_card *card;
	unsigned int num_streams;
	struct zpcm_stream streams[] __counted_by(num_streams);
};

/* zcdma_pcm_ctl.c */
int zpcm_add_ctls(struct zpcm_stream *zs, unsigned int device);

#endif /* ZCDMA_PCM_H */
