// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_pcm.c - ALSA front end: a card for each device that has PCM channels
 *
 * Translates between ALSA and the core and knows nothing of the engine. The PCM's ring is one
 * buffer of the core, which programs map; each of its periods is a transfer, handed in again as
 * soon as it is done, so that the engine needs no cyclic mode. Nothing is copied.
 *
 * The n-th channel that plays and the n-th that captures are the two directions of PCM n.
 *
 * PCMs are nonatomic: ALSA calls trigger and pointer under a mutex, because a channel is started
 * and stopped in process context. In return the core's done callback, which comes in any context
 * and which stopping waits for, must not call ALSA: it leaves that to a work item (@elapsed).
 *
 * Who can reach a struct zpcm_card, and what holds it alive (the snd_card, whose private data it
 * is):
 *
 *   auxiliary device, bound      from probe to remove
 *   open files of the card       ALSA frees the card when the last one is closed
 *   mappings                     hold the file, and the buffer: ALSA refuses hw_free as long as
 *                                there is one, but on many kernels not while one is being made
 *   callbacks of the core        only between zcdma_chan_start() and the return of
 *                                zcdma_chan_stop(), which is before the end of hw_free
 *   the work item                cancelled in sync_stop and hw_free
 *   ZCDMA_IOC_PCM_EXPORT         while the channel is claimed, which the core makes sure of; the
 *                                dma-buf then holds the buffer alone
 *
 * and it holds its channels. Remove disconnects the card, which stops what runs and wakes whoever
 * waits, and lets go of it; hw_free of a file that is closed later finds its channel stopped and
 * gone, and gives it back.
 *
 * The channel is owned from hw_params to hw_free.
 *
 * While a PCM is paused, ALSA's core asks for no pointer and reports the one that it had last. The
 * driver cannot tell it of a later one: snd_pcm_period_elapsed() goes by the time of the last
 * interrupt, which snd_pcm_do_pause() has just set to long ago, and would add a whole buffer.
 */
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <sound/initval.h>
#include <sound/pcm_params.h>

#include "zcdma_pcm.h"

#define ZPCM_NAME		"zcdma-pcm"

/* Two periods of a second of the most that ALSA's formats here can be, and some. */
#define MAX_RING_BYTES		(16 << 20)
#define MIN_PERIODS		2
#define MAX_PERIODS		1024
#define MIN_PERIOD_US		1000
#define MAX_PERIOD_US		1000000

static const struct {
	u32 format;
	snd_pcm_format_t alsa;
} formats[] = {
	{ ZCDMA_PCM_S16_LE, SNDRV_PCM_FORMAT_S16_LE },
	{ ZCDMA_PCM_S24_LE, SNDRV_PCM_FORMAT_S24_LE },
	{ ZCDMA_PCM_S32_LE, SNDRV_PCM_FORMAT_S32_LE },
	{ ZCDMA_PCM_FLOAT_LE, SNDRV_PCM_FORMAT_FLOAT_LE },
};

/* pcm->private_data: the streams of one PCM, by direction, or NULL. */
struct zpcm_pair {
	struct zpcm_stream *streams[2];
};

static struct zpcm_stream *to_stream(struct snd_pcm_substream *substream)
{
	const struct zpcm_pair *pair = substream->pcm->private_data;

	return pair->streams[substream->stream];
}

static u32 from_alsa_format(snd_pcm_format_t alsa)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i].alsa == alsa)
			return formats[i].format;
	return 0;
}

static u64 to_alsa_formats(u32 caps)
{
	u64 bits = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(formats); i++)
		if (caps & formats[i].format)
			bits |= pcm_format_to_bits(formats[i].alsa);
	return bits;
}

/* ---- Callbacks of the core ---- */

static void zpcm_done(struct zcdma_chan *chan, void *priv, struct zcdma_xfer *xfer)
{
	struct zpcm_stream *zs = priv;
	/* The position counts bytes, the ring whole periods: one that ended early shifts them. */
	bool cut = xfer->frame.flags & (ZCDMA_FRAME_ERROR | ZCDMA_FRAME_LOST) ||
		   xfer->frame.bytesused < xfer->len;

	/* Stopping has begun, which is why it comes back, or the device goes. */
	if (!READ_ONCE(zs->running))
		return;
	if (cut)
		WRITE_ONCE(zs->xrun, true);
	/*
	 * Whether or not anybody has filled it since: that is ALSA's to judge. But one that failed
	 * stays here: an engine that refuses it would refuse it again, and the core tells of that
	 * by this very callback, from within zcdma_xfer_queue(). The xrun ends it all anyway.
	 */
	if (!(xfer->frame.flags & ZCDMA_FRAME_ERROR) && zcdma_xfer_queue(chan, xfer))
		return;
	if (cut || !zs->substream->runtime->no_period_wakeup)
		queue_work(system_highpri_wq, &zs->elapsed);
}

static void zpcm_elapsed(struct work_struct *work)
{
	struct zpcm_stream *zs = container_of(work, struct zpcm_stream, elapsed);

	/* Until the next start: one that comes while paused is told of when that is over. */
	if (READ_ONCE(zs->xrun))
		snd_pcm_stop_xrun(zs->substream);
	else
		snd_pcm_period_elapsed(zs->substream);
}

/* The ring, for ZCDMA_IOC_PCM_EXPORT: with a reference for the caller, or NULL. */
static struct zcdma_buf *zpcm_ring(struct zcdma_chan *chan, void *priv,
				   struct zcdma_pcm_export *info)
{
	struct zpcm_stream *zs = priv;
	struct zcdma_buf *buf = NULL;

	mutex_lock(&zs->lock);
	if (zs->buf) {
		buf = zcdma_buf_get(zs->buf);
		info->size = (u64)zs->num_periods * zs->period_bytes;
		info->period_bytes = zs->period_bytes;
		info->pcm = zs->config;
	}
	mutex_unlock(&zs->lock);
	return buf;
}

/* ---- The ring ---- */

static void free_ring(struct zpcm_stream *zs)
{
	struct zcdma_buf *buf;

	mutex_lock(&zs->lock);
	buf = zs->buf;
	zs->buf = NULL;
	mutex_unlock(&zs->lock);

	snd_pcm_set_runtime_buffer(zs->substream, NULL);
	zcdma_buf_put(buf);
	kvfree(zs->periods);
	zs->periods = NULL;
}

static int alloc_ring(struct zpcm_stream *zs, unsigned int num, u32 bytes,
		      const struct zcdma_pcm_config *config)
{
	const struct zcdma_chan_desc *desc = zcdma_chan_desc(zs->chan);
	struct zcdma_buf_req req = {
		.size = (size_t)num * bytes,
		.dir = desc->direction == ZCDMA_CAPTURE ? DMA_FROM_DEVICE : DMA_TO_DEVICE,
		.max_segments = desc->max_segments,
	};
	struct zcdma_buf *buf;
	void *vaddr;

	zs->periods = kvcalloc(num, sizeof(*zs->periods), GFP_KERNEL_ACCOUNT);
	if (!zs->periods)
		return -ENOMEM;
	buf = zcdma_buf_alloc(zcdma_chan_device(zs->chan), &req);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	vaddr = zcdma_buf_vaddr(buf);
	if (!vaddr) {
		zcdma_buf_put(buf);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < num; i++) {
		zs->periods[i].xfer.buf = buf;
		zs->periods[i].xfer.offset = (size_t)i * bytes;
		zs->periods[i].xfer.len = bytes;
	}
	zs->dma = (struct snd_dma_buffer) {
		.dev = { .type = SNDRV_DMA_TYPE_UNKNOWN },
		.area = vaddr,
		.bytes = zcdma_buf_size(buf),
	};
	snd_pcm_set_runtime_buffer(zs->substream, &zs->dma);

	mutex_lock(&zs->lock);
	zs->buf = buf;
	zs->num_periods = num;
	zs->period_bytes = bytes;
	zs->config = *config;
	mutex_unlock(&zs->lock);
	return 0;
}

/* ---- PCM operations ---- */

static int zpcm_open(struct snd_pcm_substream *substream)
{
	struct zpcm_stream *zs = to_stream(substream);
	const struct zcdma_chan_desc *desc = zcdma_chan_desc(zs->chan);
	const struct zcdma_pcm_caps *caps = desc->pcm;
	struct snd_pcm_runtime *runtime = substream->runtime;
	u64 max_period = min_t(u64, desc->max_transfer, MAX_RING_BYTES / MIN_PERIODS);
	int ret;

	runtime->hw = (struct snd_pcm_hardware) {
		.info = SNDRV_PCM_INFO_MMAP | SNDRV_PCM_INFO_MMAP_VALID |
			SNDRV_PCM_INFO_INTERLEAVED | SNDRV_PCM_INFO_BLOCK_TRANSFER |
			SNDRV_PCM_INFO_NO_PERIOD_WAKEUP | SNDRV_PCM_INFO_HAS_LINK_ATIME |
			(zs->can_pause ? SNDRV_PCM_INFO_PAUSE : 0) |
			(zs->exact ? 0 : SNDRV_PCM_INFO_BATCH),
		.formats = to_alsa_formats(caps->formats),
		.rates = SNDRV_PCM_RATE_CONTINUOUS,
		.rate_min = caps->min_rate,
		.rate_max = caps->max_rate,
		.channels_min = caps->min_channels,
		.channels_max = caps->max_channels,
		.buffer_bytes_max = MAX_RING_BYTES,
		.period_bytes_min = max(desc->alignment, 16U),
		.period_bytes_max = max_period,
		.periods_min = MIN_PERIODS,
		.periods_max = MAX_PERIODS,
	};
	ret = snd_pcm_hw_constraint_integer(runtime, SNDRV_PCM_HW_PARAM_PERIODS);
	if (ret < 0)
		return ret;
	ret = snd_pcm_hw_constraint_step(runtime, 0, SNDRV_PCM_HW_PARAM_PERIOD_BYTES,
					 desc->alignment);
	if (ret < 0)
		return ret;
	ret = snd_pcm_hw_constraint_minmax(runtime, SNDRV_PCM_HW_PARAM_PERIOD_TIME,
					   MIN_PERIOD_US, MAX_PERIOD_US);
	if (ret < 0)
		return ret;

	zs->substream = substream;
	return 0;
}

/* Give everything back that hw_params took. */
static void give_up(struct zpcm_stream *zs)
{
	WRITE_ONCE(zs->running, false);
	zs->started = false;
	if (zs->claimed)
		zcdma_chan_stop(zs->chan);
	cancel_work_sync(&zs->elapsed);
	free_ring(zs);
	if (zs->claimed)
		zcdma_chan_release(zs->chan);
	zs->claimed = false;
}

/* The emulation of OSS alone does not care for mappings, and must not free what is mapped. */
static bool is_mapped(struct snd_pcm_substream *substream)
{
	return atomic_read(&substream->mmap_count);
}

static int zpcm_hw_free(struct snd_pcm_substream *substream)
{
	if (!is_mapped(substream))
		give_up(to_stream(substream));
	return 0;
}

static int zpcm_close(struct snd_pcm_substream *substream)
{
	struct zpcm_stream *zs = to_stream(substream);

	give_up(zs);
	zs->substream = NULL;
	return 0;
}

/* May come again without hw_free in between; after an error ALSA calls that. */
static int zpcm_hw_params(struct snd_pcm_substream *substream, struct snd_pcm_hw_params *params)
{
	struct zpcm_stream *zs = to_stream(substream);
	struct zcdma_pcm_config config = {
		.format = from_alsa_format(params_format(params)),
		.channels = params_channels(params),
		.rate = params_rate(params),
	};
	int ret;

	if (is_mapped(substream))
		return -EBUSY;
	free_ring(zs);
	if (!zcdma_pcm_complete(zcdma_chan_desc(zs->chan)->pcm, &config))
		return -EINVAL;
	if (!zs->claimed) {
		ret = zcdma_chan_claim(zs->chan, &zs->client);
		if (ret)
			return ret;
		zs->claimed = true;
	}
	ret = zcdma_chan_set_pcm(zs->chan, &config);
	if (ret)
		return ret;
	return alloc_ring(zs, params_periods(params), params_period_bytes(params), &config);
}

static int zpcm_prepare(struct snd_pcm_substream *substream)
{
	struct zpcm_stream *zs = to_stream(substream);

	if (zcdma_chan_gone(zs->chan))
		return -ENODEV;
	zs->stopped_at = 0;
	WRITE_ONCE(zs->xrun, false);
	return 0;
}

static int zpcm_start(struct zpcm_stream *zs)
{
	int ret = 0;

	WRITE_ONCE(zs->running, true);
	for (unsigned int i = 0; !ret && i < zs->num_periods; i++)
		ret = zcdma_xfer_queue(zs->chan, &zs->periods[i].xfer);
	if (!ret)
		ret = zcdma_chan_start(zs->chan);
	if (ret) {
		WRITE_ONCE(zs->running, false);
		zcdma_chan_stop(zs->chan);
		return ret;
	}
	zs->started = true;
	return 0;
}

static u64 zpcm_bytes(struct zpcm_stream *zs)
{
	struct zcdma_position position;

	if (!zs->started || zcdma_chan_position(zs->chan, &position))
		return zs->stopped_at;
	return position.bytes;
}

static void zpcm_stop(struct zpcm_stream *zs)
{
	zs->stopped_at = zpcm_bytes(zs);
	WRITE_ONCE(zs->running, false);
	zcdma_chan_stop(zs->chan);
	zs->started = false;
}

static int zpcm_trigger(struct snd_pcm_substream *substream, int cmd)
{
	struct zpcm_stream *zs = to_stream(substream);
	int ret;

	switch (cmd) {
	case SNDRV_PCM_TRIGGER_START:
		return zpcm_start(zs);
	case SNDRV_PCM_TRIGGER_PAUSE_PUSH:
		return zcdma_chan_pause(zs->chan, true);
	case SNDRV_PCM_TRIGGER_PAUSE_RELEASE:
		ret = zcdma_chan_pause(zs->chan, false);
		if (!ret && READ_ONCE(zs->xrun))
			queue_work(system_highpri_wq, &zs->elapsed);
		return ret;
	case SNDRV_PCM_TRIGGER_STOP:
	case SNDRV_PCM_TRIGGER_SUSPEND:
		zpcm_stop(zs);
		return 0;
	default:
		return -EINVAL;
	}
}

/* After a stop, outside the stream's lock, which the work item takes. */
static int zpcm_sync_stop(struct snd_pcm_substream *substream)
{
	cancel_work_sync(&to_stream(substream)->elapsed);
	return 0;
}

static snd_pcm_uframes_t zpcm_pointer(struct snd_pcm_substream *substream)
{
	struct zpcm_stream *zs = to_stream(substream);
	u64 at;

	div64_u64_rem(zpcm_bytes(zs), (u64)zs->num_periods * zs->period_bytes, &at);
	return bytes_to_frames(substream->runtime, at);
}

/* The clock of the samples beside that of the system, both at one moment. */
static int zpcm_get_time_info(struct snd_pcm_substream *substream, struct timespec64 *system_ts,
			      struct timespec64 *audio_ts,
			      struct snd_pcm_audio_tstamp_config *config,
			      struct snd_pcm_audio_tstamp_report *report)
{
	struct snd_pcm_runtime *runtime = substream->runtime;
	struct zpcm_stream *zs = to_stream(substream);
	struct zcdma_position position;

	report->actual_type = SNDRV_PCM_AUDIO_TSTAMP_TYPE_DEFAULT;
	if (config->type_requested != SNDRV_PCM_AUDIO_TSTAMP_TYPE_LINK ||
	    runtime->tstamp_type != SNDRV_PCM_TSTAMP_TYPE_MONOTONIC || !zs->started ||
	    zcdma_chan_position(zs->chan, &position))
		return 0;

	*system_ts = ns_to_timespec64(position.time_ns);
	*audio_ts = ns_to_timespec64(mul_u64_u32_div(position.clock, NSEC_PER_SEC, runtime->rate));
	report->actual_type = SNDRV_PCM_AUDIO_TSTAMP_TYPE_LINK;
	report->accuracy_report = 1;
	report->accuracy = NSEC_PER_SEC / runtime->rate;
	return 0;
}

/* A mapping and its copies, by fork() and so on: ALSA counts them, and each holds the ring. */
struct zpcm_mapping {
	refcount_t ref;
	struct snd_pcm_substream *substream;
	struct zcdma_buf *buf;
};

static void zpcm_vm_open(struct vm_area_struct *vma)
{
	struct zpcm_mapping *mapping = vma->vm_private_data;

	refcount_inc(&mapping->ref);
	atomic_inc(&mapping->substream->mmap_count);
}

static void zpcm_vm_close(struct vm_area_struct *vma)
{
	struct zpcm_mapping *mapping = vma->vm_private_data;

	atomic_dec(&mapping->substream->mmap_count);
	if (!refcount_dec_and_test(&mapping->ref))
		return;
	zcdma_buf_put(mapping->buf);
	kfree(mapping);
}

static const struct vm_operations_struct zpcm_vm_ops = {
	.open = zpcm_vm_open,
	.close = zpcm_vm_close,
};

static int zpcm_mmap(struct snd_pcm_substream *substream, struct vm_area_struct *vma)
{
	struct zpcm_stream *zs = to_stream(substream);
	struct zpcm_mapping *mapping;
	int ret;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return -ENOMEM;
	refcount_set(&mapping->ref, 1);
	mapping->substream = substream;

	mutex_lock(&zs->lock);
	if (zs->buf)
		mapping->buf = zcdma_buf_get(zs->buf);
	mutex_unlock(&zs->lock);
	ret = mapping->buf ? zcdma_buf_insert(mapping->buf, vma) : -EBADFD;
	if (ret) {
		zcdma_buf_put(mapping->buf);
		kfree(mapping);
		return ret;
	}
	/* From here on zpcm_vm_close() frees. ALSA counts this one when we return. */
	vma->vm_private_data = mapping;
	vma->vm_ops = &zpcm_vm_ops;
	return 0;
}

static const struct snd_pcm_ops zpcm_ops = {
	.open		= zpcm_open,
	.close		= zpcm_close,
	.hw_params	= zpcm_hw_params,
	.hw_free	= zpcm_hw_free,
	.prepare	= zpcm_prepare,
	.trigger	= zpcm_trigger,
	.sync_stop	= zpcm_sync_stop,
	.pointer	= zpcm_pointer,
	.get_time_info	= zpcm_get_time_info,
	.mmap		= zpcm_mmap,
};

/* ---- The card ---- */

/* The @n-th stream of a direction, or NULL. */
static struct zpcm_stream *find_stream(struct zpcm_card *zcard, enum zcdma_direction direction,
				       unsigned int n)
{
	for (unsigned int i = 0; i < zcard->num_streams; i++)
		if (zcdma_chan_desc(zcard->streams[i].chan)->direction == direction && !n--)
			return &zcard->streams[i];
	return NULL;
}

static void zpcm_free_pcm(struct snd_pcm *pcm)
{
	kfree(pcm->private_data);
}

static int zpcm_add_pcm(struct zpcm_card *zcard, unsigned int device, struct zpcm_stream *play,
			struct zpcm_stream *capture)
{
	const char *first = zcdma_chan_name((play ?: capture)->chan);
	struct zpcm_pair *pair;
	struct snd_pcm *pcm;
	int ret;

	pair = kzalloc(sizeof(*pair), GFP_KERNEL);
	if (!pair)
		return -ENOMEM;
	pair->streams[SNDRV_PCM_STREAM_PLAYBACK] = play;
	pair->streams[SNDRV_PCM_STREAM_CAPTURE] = capture;
	ret = snd_pcm_new(zcard->card, first, device, play ? 1 : 0, capture ? 1 : 0, &pcm);
	if (ret) {
		kfree(pair);
		return ret;
	}
	pcm->private_data = pair;
	pcm->private_free = zpcm_free_pcm;
	pcm->nonatomic = true;
	if (play)
		snd_pcm_set_ops(pcm, SNDRV_PCM_STREAM_PLAYBACK, &zpcm_ops);
	if (capture)
		snd_pcm_set_ops(pcm, SNDRV_PCM_STREAM_CAPTURE, &zpcm_ops);
	if (play && capture)
		snprintf(pcm->name, sizeof(pcm->name), "%s, %s", first,
			 zcdma_chan_name(capture->chan));
	else
		strscpy(pcm->name, first, sizeof(pcm->name));

	ret = play ? zpcm_add_ctls(play, device) : 0;
	if (!ret && capture)
		ret = zpcm_add_ctls(capture, device);
	return ret;
}

static void zpcm_init_stream(struct zpcm_card *zcard, struct zpcm_stream *zs,
			     struct zcdma_chan *chan)
{
	const struct zcdma_chan_ops *ops = zcdma_chan_desc(chan)->ops;

	zs->card = zcard;
	zs->chan = zcdma_chan_get(chan);
	/* An open that waits for another may go on when the engine's module is no longer there. */
	zs->can_pause = ops->pause;
	zs->exact = ops->residue;
	zs->client = (struct zcdma_client) {
		.owner = ZCDMA_OWNER_PCM,
		.done = zpcm_done,
		.ring = zpcm_ring,
		.priv = zs,
	};
	mutex_init(&zs->lock);
	INIT_WORK(&zs->elapsed, zpcm_elapsed);
}

/* Nobody can reach the card any more. */
static void zpcm_free(struct snd_card *card)
{
	struct zpcm_card *zcard = card->private_data;

	for (unsigned int i = 0; i < zcard->num_streams; i++) {
		kfree(zcard->streams[i].ctls);
		mutex_destroy(&zcard->streams[i].lock);
		zcdma_chan_put(zcard->streams[i].chan);
	}
}

static void zpcm_init_names(struct snd_card *card, struct zcdma_device *zdev)
{
	const char *name = zcdma_device_name(zdev);

	strscpy(card->driver, ZPCM_NAME, sizeof(card->driver));
	strscpy(card->shortname, name, sizeof(card->shortname));
	snprintf(card->longname, sizeof(card->longname), "%s, zero-copy DMA by %s", name,
		 zcdma_device_driver(zdev));
	strscpy(card->mixername, name, sizeof(card->mixername));
}

/* The PCM channels of a device, in order; with @zcard, make them its streams. */
static unsigned int collect_streams(struct zcdma_device *zdev, struct zpcm_card *zcard)
{
	struct zcdma_chan *chan;
	unsigned int num = 0;

	for (unsigned int i = 0; num < ZPCM_MAX_CHANS && (chan = zcdma_device_chan(zdev, i)); i++) {
		if (zcdma_chan_desc(chan)->kind != ZCDMA_KIND_PCM)
			continue;
		if (zcard)
			zpcm_init_stream(zcard, &zcard->streams[num], chan);
		num++;
	}
	return num;
}

static int zpcm_probe(struct auxiliary_device *adev, const struct auxiliary_device_id *id)
{
	struct zcdma_device *zdev = zcdma_chan_device(to_zcdma_auxdev(adev)->chan);
	unsigned int num = collect_streams(zdev, NULL);
	struct zpcm_stream *play, *capture;
	struct device *dev = &adev->dev;
	struct zpcm_card *zcard;
	struct snd_card *card;
	int ret;

	ret = snd_card_new(dev, SNDRV_DEFAULT_IDX1, zcdma_device_name(zdev), THIS_MODULE,
			   struct_size(zcard, streams, num), &card);
	if (ret)
		return dev_err_probe(dev, ret, "no sound card for %s\n", zcdma_device_name(zdev));
	zcard = card->private_data;
	zcard->card = card;
	zcard->num_streams = num;
	collect_streams(zdev, zcard);
	/* From here on zpcm_free() undoes. */
	card->private_free = zpcm_free;
	zpcm_init_names(card, zdev);

	for (unsigned int i = 0; i < num; i++) {
		play = find_stream(zcard, ZCDMA_PLAYBACK, i);
		capture = find_stream(zcard, ZCDMA_CAPTURE, i);
		if (!play && !capture)
			break;
		ret = zpcm_add_pcm(zcard, i, play, capture);
		if (ret)
			goto err_free;
	}
	ret = snd_card_register(card);
	if (ret)
		goto err_free;
	auxiliary_set_drvdata(adev, card);
	return 0;

err_free:
	snd_card_free(card);
	return dev_err_probe(dev, ret, "no sound card for %s\n", zcdma_device_name(zdev));
}

static void zpcm_remove(struct auxiliary_device *adev)
{
	struct snd_card *card = auxiliary_get_drvdata(adev);

	snd_card_disconnect(card);
	snd_card_free_when_closed(card);
}

static const struct auxiliary_device_id zpcm_ids[] = {
	{ .name = ZCDMA_AUX_MODULE "." ZCDMA_AUX_PCM },
	{ }
};
MODULE_DEVICE_TABLE(auxiliary, zpcm_ids);

static struct auxiliary_driver zpcm_driver = {
	.probe = zpcm_probe,
	.remove = zpcm_remove,
	.id_table = zpcm_ids,
};
module_auxiliary_driver(zpcm_driver);

MODULE_DESCRIPTION("zcdma: ALSA front end");
MODULE_LICENSE("GPL");
