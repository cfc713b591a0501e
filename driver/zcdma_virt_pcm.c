// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual hardware: a loudspeaker, a microphone, and the cable between them
 *
 * Clock. A channel's samples lie on a grid that its rate draws over CLOCK_MONOTONIC: two channels
 * of one rate have the same grid, whenever they were started, as converters on one crystal do. A
 * drift (ZCDMA_CTRL_DRIFT, or debugfs) moves a channel off that grid. Frame n of a run belongs to a
 * time that is computed, never measured, and time does not wait: where there is no transfer for a
 * frame the loudspeaker plays silence, the microphone loses it, and the next transfer has
 * ZCDMA_FRAME_LOST and the true position.
 *
 * Data. Frames move when somebody could tell the difference, and at the latest BURST_MS after
 * their time: with the channel's own event, with an event of the other end of the cable, or because
 * of a question for the residue, which is exact therefore; what it says was moved, is. They move
 * under the device's lock, straight between the transfers of the two ends. Only what may sleep
 * is the worker's: mapping a transfer's memory, before which the transfer counts as not yet there,
 * and reporting it done.
 *
 * Loudspeaker (playback). Shows bytes and checksum of what it got in debugfs.
 *
 * Microphone (capture). With the loopback switch on it hears what the loudspeaker plays, if both
 * have one format, rate and number of channels, bit by bit at full volume, and silence while that
 * does not play. Else it hears the test pattern: "Silence", a tone, or "Counter", the number of the
 * frame. When the drifts of the two ends differ, a frame is lost or silent now and then, as between
 * two crystals.
 *
 * Volume goes in steps of a factor of two, which is exact in every format, floating point included.
 */
#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/crc32.h>
#include <linux/fixp-arith.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "zcdma_compat.h"
#include "zcdma_virt.h"

#define PCM_DEPTH		ZVIRT_RING

/* Bounds what one event has to move. */
#define BURST_MS		10

/* 20 log10(2) dB, in hundredths. */
#define VOLUME_STEP		602
#define VOLUME_STEPS		15

/* Of full scale: a shift. */
#define TONE_ATTENUATION	2

enum {
	PATTERN_TONE_440,
	PATTERN_TONE_1000,
	PATTERN_SILENCE,
	PATTERN_COUNTER,
};

static const char * const pattern_names[] = {
	"Tone 440 Hz", "Tone 1 kHz", "Silence", "Counter", NULL
};

#define CTRL_VOLUME { \
		.id = ZCDMA_CTRL_VOLUME, \
		.min = -VOLUME_STEPS * VOLUME_STEP, \
		.step = VOLUME_STEP, \
	}
#define CTRL_MUTE { \
		.id = ZCDMA_CTRL_MUTE, \
		.max = 1, \
		.step = 1, \
	}
#define CTRL_XRUN { \
		.id = ZCDMA_CTRL_XRUN, \
		.max = 1000, \
		.step = 1, \
	}
#define CTRL_DRIFT { \
		.id = ZCDMA_CTRL_DRIFT, \
		.min = -ZVIRT_MAX_DRIFT_PPB, \
		.max = ZVIRT_MAX_DRIFT_PPB, \
		.step = 1, \
	}

static const struct zcdma_ctrl_desc speaker_ctrls[] = {
	CTRL_VOLUME, CTRL_MUTE, CTRL_XRUN, CTRL_DRIFT,
};

static const struct zcdma_ctrl_desc microphone_ctrls[] = {
	CTRL_VOLUME, CTRL_MUTE, CTRL_XRUN, CTRL_DRIFT,
	{
		.id = ZCDMA_CTRL_TEST_PATTERN,
		.max = PATTERN_COUNTER,
		.step = 1,
		.menu = pattern_names,
	},
	/* The last one: only where there is a cable. */
	{
		.id = ZCDMA_CTRL_LOOPBACK,
		.max = 1,
		.step = 1,
		.def = 1,
	},
};

static const struct zcdma_pcm_caps pcm_caps = {
	.formats = ZCDMA_PCM_S16_LE | ZCDMA_PCM_S24_LE | ZCDMA_PCM_S32_LE | ZCDMA_PCM_FLOAT_LE,
	.min_rate = 8000,
	.max_rate = 192000,
	.min_channels = 1,
	.max_channels = 8,
	.def = {
		.format = ZCDMA_PCM_S16_LE,
		.channels = 2,
		.rate = 48000,
		.frame_bytes = 4,
	},
};

/* ---- The clock ---- */

/* Length on the channel's own clock of @ns on CLOCK_MONOTONIC. */
static u64 drifted(const struct zvirt_chan *vc, u64 ns)
{
	s32 ppb = vc->faults.drift_ppb;

	if (!ppb)
		return ns;
	return ppb > 0 ? ns + mul_u64_u32_div(ns, ppb, NSEC_PER_SEC) :
			 ns - mul_u64_u32_div(ns, -ppb, NSEC_PER_SEC);
}

/* The channel's own time. */
static u64 audio_time(const struct zvirt_chan *vc, ktime_t time)
{
	const struct zvirt_pcm *pcm = &vc->pcm;

	if (time < pcm->base)
		return pcm->base_ns - drifted(vc, ktime_to_ns(ktime_sub(pcm->base, time)));
	return pcm->base_ns + drifted(vc, ktime_to_ns(ktime_sub(time, pcm->base)));
}

/* Lines of the grid up to @time. */
static u64 grid(const struct zvirt_chan *vc, ktime_t time)
{
	return mul_u64_u32_div(audio_time(vc, time), vc->pcm.config.rate, NSEC_PER_SEC);
}

/* Frames since start that are over at @time. */
static u64 frames_at(const struct zvirt_chan *vc, ktime_t time)
{
	u64 line;

	lockdep_assert_held(&vc->vdev->lock);

	if (vc->pcm.frozen)
		time = min(time, vc->pcm.frozen_at);
	line = grid(vc, time);
	return line > vc->pcm.first ? line - vc->pcm.first : 0;
}

/* The time at which @frames frames since start are over. */
static ktime_t time_of(const struct zvirt_chan *vc, u64 frames)
{
	const struct zvirt_pcm *pcm = &vc->pcm;
	u64 ns = mul_u64_u32_div(pcm->first + frames, NSEC_PER_SEC, pcm->config.rate);
	ktime_t time = pcm->base;

	if (ns > pcm->base_ns)
		time = ktime_add_ns(time, mul_u64_u32_div(ns - pcm->base_ns, NSEC_PER_SEC,
							  NSEC_PER_SEC + vc->faults.drift_ppb));
	/* Divisions round down: what is missing are a few ns. */
	while (grid(vc, time) < pcm->first + frames)
		time = ktime_add_ns(time, 1);
	return time;
}

/* ---- Samples ---- */

/* -1.0 to 1.0 as an IEEE 754 single, from 32 bits with a sign. */
static u32 to_float(s32 value)
{
	u32 magnitude = value < 0 ? -(u32)value : value;
	int bits = fls(magnitude);

	if (!bits)
		return 0;
	magnitude = bits > 24 ? magnitude >> (bits - 24) : magnitude << (24 - bits);
	return (value < 0 ? BIT(31) : 0) | (127 + bits - 32) << 23 | (magnitude & GENMASK(22, 0));
}

static u32 float_shift(u32 value, unsigned int shift)
{
	u32 exponent = (value >> 23) & 0xff;

	if (exponent == 0xff)
		return value;
	return exponent > shift ? value - (shift << 23) : value & BIT(31);
}

/* Half the volume of @num samples, @shift times. */
static void attenuate(u32 format, void *at, size_t num, unsigned int shift)
{
	if (format == ZCDMA_PCM_S16_LE) {
		for (size_t i = 0; i < num; i++, at += 2)
			put_unaligned_le16((s16)get_unaligned_le16(at) >> shift, at);
		return;
	}
	for (size_t i = 0; i < num; i++, at += 4) {
		u32 value = get_unaligned_le32(at);

		if (format == ZCDMA_PCM_FLOAT_LE)
			value = float_shift(value, shift);
		else if (format == ZCDMA_PCM_S24_LE)
			value = sign_extend32(value, 23) >> shift;
		else
			value = (s32)value >> shift;
		put_unaligned_le32(value, at);
	}
}

/* One frame of the same sample in each channel; @value uses all 32 bits. */
static void put_frame(const struct zcdma_pcm_config *config, void *at, s32 value)
{
	u32 sample = value;

	if (config->format == ZCDMA_PCM_S24_LE)
		sample = value >> 8;
	else if (config->format == ZCDMA_PCM_FLOAT_LE)
		sample = to_float(value);

	for (u32 i = 0; i < config->channels; i++) {
		if (config->format == ZCDMA_PCM_S16_LE)
			put_unaligned_le16(value >> 16, at + 2 * i);
		else
			put_unaligned_le32(sample, at + 4 * i);
	}
}

/* A period of the sine is as many steps long as there are frames in a second. */
static void make_tone(const struct zvirt_pcm *pcm, void *at, u64 num, u32 hz)
{
	u32 rate = pcm->config.rate;
	u32 phase;

	div_u64_rem(pcm->pos * hz, rate, &phase);
	for (; num--; at += pcm->config.frame_bytes) {
		put_frame(&pcm->config, at, fixp_sin32_rad(phase, rate) >> TONE_ATTENUATION);
		phase = (phase + hz) % rate;
	}
}

/* The frame's number, in as many bits as a sample has, 24 of them for FLOAT_LE. */
static void make_count(const struct zvirt_pcm *pcm, void *at, u64 num)
{
	u32 format = pcm->config.format;
	unsigned int shift = format == ZCDMA_PCM_S16_LE ? 16 : format == ZCDMA_PCM_S32_LE ? 0 : 8;

	for (u64 i = 0; i < num; i++, at += pcm->config.frame_bytes)
		put_frame(&pcm->config, at, (u32)(pcm->pos + i) << shift);
}

static void make_pattern(struct zvirt_pcm *pcm, void *at, u64 num)
{
	switch (pcm->pattern) {
	case PATTERN_TONE_440:
		return make_tone(pcm, at, num, 440);
	case PATTERN_TONE_1000:
		return make_tone(pcm, at, num, 1000);
	case PATTERN_COUNTER:
		return make_count(pcm, at, num);
	default:
		memset(at, 0, num * pcm->config.frame_bytes);
	}
}

/* ---- Transfers ---- */

/* Begin with the next transfer, if there is one. */
static void begin(struct zvirt_chan *vc)
{
	struct zvirt_pcm *pcm = &vc->pcm;
	struct zvirt_desc *desc;

	lockdep_assert_held(&vc->vdev->lock);

	if (pcm->desc || pcm->skip || vc->begun == pcm->mapped)
		return;
	if (zvirt_fault(&vc->faults.drop)) {
		pcm->skip = vc->ring[vc->begun % ZVIRT_RING].xfer->len / pcm->config.frame_bytes;
		return;
	}
	desc = zvirt_begin(vc);
	desc->begun_at = max(time_of(vc, pcm->pos), vc->begun_at);
	desc->after_gap = pcm->gap;
	pcm->gap = false;
	pcm->desc = desc;
	pcm->done = 0;
}

/*
 * Where the next frames are, @num at most in one piece, which changes @num.
 *
 * Return: the address, or NULL: nowhere.
 */
static void *next_piece(struct zvirt_chan *vc, u64 *num)
{
	struct zvirt_pcm *pcm = &vc->pcm;
	struct zvirt_desc *desc;

	begin(vc);
	desc = pcm->desc;
	if (!desc) {
		if (pcm->skip)
			*num = min(*num, pcm->skip);
		return NULL;
	}
	*num = min_t(u64, *num, (desc->xfer->len - pcm->done) / pcm->config.frame_bytes);
	return desc->failed || !desc->at ? NULL : desc->at + pcm->done;
}

/* As many frames as next_piece() has said are over. */
static void pass(struct zvirt_chan *vc, u64 num)
{
	struct zvirt_pcm *pcm = &vc->pcm;

	pcm->pos += num;
	if (!pcm->desc) {
		pcm->gap = true;
		pcm->lost += num;
		pcm->skip -= min(pcm->skip, num);
		return;
	}
	pcm->done += num * pcm->config.frame_bytes;
	if (pcm->done < pcm->desc->xfer->len)
		return;
	pcm->desc->ended_at = time_of(vc, pcm->pos);
	pcm->desc = NULL;
	vc->ready++;
	zvirt_kick(vc);
}

/* ---- The cable ---- */

static bool ticking(const struct zvirt_chan *vc)
{
	return vc && vc->running && !vc->pcm.frozen;
}

static bool hears(const struct zvirt_chan *vc)
{
	const struct zvirt_chan *speaker = vc->peer;

	return ticking(vc) && ticking(speaker) && vc->pcm.loopback &&
	       !memcmp(&vc->pcm.config, &speaker->pcm.config, sizeof(vc->pcm.config));
}

/*
 * Record @num frames: those at @from, with the loudspeaker's volume taken off; or, without, what
 * there is to be heard.
 */
static void record(struct zvirt_chan *vc, const void *from, u64 num)
{
	struct zvirt_pcm *pcm = &vc->pcm;
	unsigned int volume = pcm->volume;
	bool mute = pcm->mute;

	if (from) {
		volume += vc->peer->pcm.volume;
		mute |= vc->peer->pcm.mute;
	}
	while (num) {
		u64 piece = num;
		void *to = next_piece(vc, &piece);
		size_t bytes = piece * pcm->config.frame_bytes;

		if (to && (mute || (!from && pcm->loopback)))
			memset(to, 0, bytes);
		else if (to && from)
			memcpy(to, from, bytes);
		else if (to)
			make_pattern(pcm, to, piece);
		if (to && volume && !mute)
			attenuate(pcm->config.format, to, piece * pcm->config.channels, volume);
		pass(vc, piece);
		num -= piece;
		from = from ? from + bytes : NULL;
	}
}

/* Play the frames up to @end; the microphone hears no more of them than it has time for. */
static void play(struct zvirt_chan *vc, u64 end)
{
	struct zvirt_pcm *pcm = &vc->pcm;

	while (pcm->pos < end) {
		u64 num = end - pcm->pos;
		void *from = next_piece(vc, &num);

		if (from) {
			size_t bytes = num * pcm->config.frame_bytes;

			vc->sink.crc = crc32_le(vc->sink.crc, from, bytes);
			vc->sink.bytes += bytes;
		}
		if (vc->peer && hears(vc->peer)) {
			struct zvirt_pcm *ear = &vc->peer->pcm;

			record(vc->peer, from, min(num, ear->end - ear->pos));
		}
		pass(vc, num);
	}
}

/* Move whatever is due until @time, at both ends of the cable. */
static void advance(struct zvirt_chan *vc, ktime_t time)
{
	bool plays = vc->direction == ZCDMA_PLAYBACK;
	struct zvirt_chan *speaker = plays ? vc : vc->peer;
	struct zvirt_chan *microphone = plays ? vc->peer : vc;

	lockdep_assert_held(&vc->vdev->lock);

	if (ticking(microphone))
		microphone->pcm.end = max(microphone->pcm.pos, frames_at(microphone, time));
	if (ticking(speaker))
		play(speaker, frames_at(speaker, time));
	if (ticking(microphone))
		record(microphone, NULL, microphone->pcm.end - microphone->pcm.pos);
}

/* Set the next event. */
static void schedule_event(struct zvirt_chan *vc)
{
	struct zvirt_pcm *pcm = &vc->pcm;
	u64 num = pcm->config.rate * BURST_MS / MSEC_PER_SEC;

	vc->due = KTIME_MAX;
	if (!ticking(vc))
		return;
	next_piece(vc, &num);
	if (pcm->desc || pcm->skip)
		vc->due = time_of(vc, pcm->pos + num);
}

/* ---- The model ---- */

/* What came in can be used once its memory is mapped, and not before. */
static void map_submitted(struct zvirt_chan *vc)
{
	struct zvirt_dev *vdev = vc->vdev;
	struct zvirt_pcm *pcm = &vc->pcm;

	lockdep_assert_held(&vdev->lock);

	while (pcm->mapped != vc->queued) {
		struct zvirt_desc *desc = &vc->ring[pcm->mapped % ZVIRT_RING];
		void *at;

		spin_unlock_irq(&vdev->lock);
		at = zvirt_memory(desc);
		spin_lock_irq(&vdev->lock);
		if (ticking(vc))
			advance(vc, ktime_get());
		desc->at = at;
		pcm->mapped++;
	}
}

static void pcm_prepare(struct zvirt_chan *vc)
{
	struct zvirt_dev *vdev = vc->vdev;

	spin_lock_irq(&vdev->lock);
	if (vc->pcm.mapped != vc->queued) {
		map_submitted(vc);
		if (vc->running) {
			schedule_event(vc);
			zvirt_arm(vdev);
		}
	}
	spin_unlock_irq(&vdev->lock);
}

static int pcm_start(struct zvirt_chan *vc)
{
	struct zvirt_dev *vdev = vc->vdev;

	spin_lock_irq(&vdev->lock);
	vc->pcm.mapped = 0;
	map_submitted(vc);
	spin_unlock_irq(&vdev->lock);
	return 0;
}

static void pcm_run(struct zvirt_chan *vc, ktime_t now)
{
	struct zvirt_pcm *pcm = &vc->pcm;

	pcm->base = now;
	pcm->base_ns = ktime_to_ns(now);
	pcm->first = grid(vc, now);
	pcm->paused = false;
	pcm->frozen = vc->faults.stall;
	pcm->frozen_at = now;
	pcm->pos = 0;
	pcm->desc = NULL;
	pcm->skip = 0;
	pcm->gap = false;
	pcm->lost = 0;
	vc->sink.bytes = 0;
	vc->sink.crc = ~0;
	/* The other end is at this moment, too, when the two meet. */
	advance(vc, now);
	schedule_event(vc);
	zvirt_kick(vc);
}

static void pcm_submitted(struct zvirt_chan *vc, ktime_t now)
{
	zvirt_kick(vc);
}

static void pcm_event(struct zvirt_chan *vc, struct zvirt_event *event)
{
	advance(vc, vc->due);
	schedule_event(vc);
}

static bool pcm_accepts(const struct zvirt_chan *vc, const struct zcdma_xfer *xfer)
{
	return xfer->len && xfer->len % vc->pcm.config.frame_bytes == 0;
}

/* The data is there; what is left is to tell. */
static bool pcm_move(struct zvirt_chan *vc, struct zvirt_desc *desc)
{
	if (desc->after_gap)
		zcdma_exposure_start(vc->chan, NULL, desc->begun_at);
	zcdma_exposure_start(vc->chan, desc->xfer, desc->begun_at);
	zcdma_exposure_end(vc->chan, desc->xfer, desc->ended_at);
	zvirt_moved(desc, desc->failed || !desc->at ? 0 : desc->xfer->len);
	return true;
}

static const struct zvirt_model pcm_model = {
	.depth = PCM_DEPTH,
	.start = pcm_start,
	.run = pcm_run,
	.submitted = pcm_submitted,
	.event = pcm_event,
	.accepts = pcm_accepts,
	.prepare = pcm_prepare,
	.move = pcm_move,
};

/* ---- Time stands still ---- */

/**
 * zvirt_pcm_freeze() - stop the clock of a channel, if it is not
 * @vc: a PCM channel; lock held
 */
void zvirt_pcm_freeze(struct zvirt_chan *vc)
{
	struct zvirt_pcm *pcm = &vc->pcm;

	lockdep_assert_held(&vc->vdev->lock);

	if (!ticking(vc))
		return;
	pcm->frozen_at = ktime_get();
	advance(vc, pcm->frozen_at);
	pcm->frozen = true;
	vc->due = KTIME_MAX;
}

/**
 * zvirt_pcm_thaw() - let the clock of a channel go on, if nobody holds it any more
 * @vc: a PCM channel; lock held
 *
 * It goes on along the same grid, so that it still fits the other end of the cable.
 */
void zvirt_pcm_thaw(struct zvirt_chan *vc)
{
	struct zvirt_pcm *pcm = &vc->pcm;
	ktime_t now = ktime_get();

	lockdep_assert_held(&vc->vdev->lock);

	if (!vc->running || !pcm->frozen || pcm->paused || vc->faults.stall)
		return;
	pcm->first += grid(vc, now) - grid(vc, pcm->frozen_at);
	/* While this end stood still the other one has gone on alone. */
	advance(vc, now);
	pcm->frozen = false;
	schedule_event(vc);
	zvirt_arm(vc->vdev);
}

/**
 * zvirt_pcm_set_drift() - let the clock of a channel go faster or slower from now on
 * @vc: a PCM channel; lock held
 * @ppb: billionths
 */
void zvirt_pcm_set_drift(struct zvirt_chan *vc, s32 ppb)
{
	struct zvirt_pcm *pcm = &vc->pcm;
	ktime_t now = pcm->frozen ? pcm->frozen_at : ktime_get();

	lockdep_assert_held(&vc->vdev->lock);

	if (vc->running) {
		advance(vc, now);
		pcm->base_ns = audio_time(vc, now);
		pcm->base = now;
	}
	vc->faults.drift_ppb = ppb;
	if (!vc->running)
		return;
	schedule_event(vc);
	zvirt_arm(vc->vdev);
}

/* ---- The engine's calls ---- */

static int pcm_set_pcm(struct zcdma_chan *chan, const struct zcdma_pcm_config *config)
{
	struct zvirt_chan *vc = zcdma_chan_priv(chan);

	spin_lock_irq(&vc->vdev->lock);
	vc->pcm.config = *config;
	spin_unlock_irq(&vc->vdev->lock);
	return 0;
}

static int pcm_set_ctrl(struct zcdma_chan *chan, enum zcdma_ctrl_id id, s64 value)
{
	struct zvirt_chan *vc = zcdma_chan_priv(chan);
	struct zvirt_pcm *pcm = &vc->pcm;
	int ret = 0;

	spin_lock_irq(&vc->vdev->lock);
	if (ticking(vc))
		advance(vc, ktime_get());
	switch (id) {
	case ZCDMA_CTRL_TEST_PATTERN:
		pcm->pattern = value;
		break;
	case ZCDMA_CTRL_VOLUME:
		pcm->volume = (u32)-value / VOLUME_STEP;
		break;
	case ZCDMA_CTRL_MUTE:
		pcm->mute = value;
		break;
	case ZCDMA_CTRL_LOOPBACK:
		pcm->loopback = value;
		break;
	case ZCDMA_CTRL_XRUN:
		atomic_set(&vc->faults.drop, value);
		break;
	case ZCDMA_CTRL_DRIFT:
		zvirt_pcm_set_drift(vc, value);
		break;
	default:
		ret = -EINVAL;
	}
	spin_unlock_irq(&vc->vdev->lock);
	return ret;
}

static size_t pcm_residue(struct zcdma_chan *chan, const struct zcdma_xfer *xfer)
{
	struct zvirt_chan *vc = zcdma_chan_priv(chan);
	struct zvirt_dev *vdev = vc->vdev;
	unsigned long flags;
	size_t residue = 0;

	spin_lock_irqsave(&vdev->lock, flags);
	if (ticking(vc))
		advance(vc, ktime_get());
	if (vc->pcm.desc && vc->pcm.desc->xfer == xfer)
		residue = xfer->len - vc->pcm.done;
	else if (vc->begun != vc->queued && vc->ring[vc->begun % ZVIRT_RING].xfer == xfer)
		residue = xfer->len;
	spin_unlock_irqrestore(&vdev->lock, flags);
	return residue;
}

static u64 pcm_clock(struct zcdma_chan *chan, ktime_t time)
{
	struct zvirt_chan *vc = zcdma_chan_priv(chan);
	unsigned long flags;
	u64 frames;

	spin_lock_irqsave(&vc->vdev->lock, flags);
	frames = frames_at(vc, time);
	spin_unlock_irqrestore(&vc->vdev->lock, flags);
	return frames;
}

static int pcm_pause(struct zcdma_chan *chan, bool pause)
{
	struct zvirt_chan *vc = zcdma_chan_priv(chan);

	spin_lock_irq(&vc->vdev->lock);
	if (pause)
		zvirt_pcm_freeze(vc);
	vc->pcm.paused = pause;
	if (!pause)
		zvirt_pcm_thaw(vc);
	spin_unlock_irq(&vc->vdev->lock);
	return 0;
}

static const struct zcdma_chan_ops pcm_ops = {
	.set_pcm = pcm_set_pcm,
	.set_ctrl = pcm_set_ctrl,
	.start = zvirt_start,
	.stop = zvirt_stop,
	.submit = zvirt_submit,
	.residue = pcm_residue,
	.pcm_clock = pcm_clock,
	.pause = pcm_pause,
};

/* ---- Birth ---- */

/**
 * zvirt_pcm_init() - make a channel a loudspeaker or a microphone
 * @vc: its direction is set
 */
void zvirt_pcm_init(struct zvirt_chan *vc)
{
	struct zvirt_pcm *pcm = &vc->pcm;

	vc->model = &pcm_model;
	pcm->config = pcm_caps.def;
	pcm->loopback = vc->peer;
	vc->sink.crc = ~0;
}

/**
 * zvirt_pcm_describe() - tell the core what a PCM channel can do
 * @vc: channel
 * @desc: what all kinds of channels have is filled in
 */
void zvirt_pcm_describe(const struct zvirt_chan *vc, struct zcdma_chan_desc *desc)
{
	desc->pcm = &pcm_caps;
	desc->ops = &pcm_ops;
	if (vc->direction == ZCDMA_CAPTURE) {
		desc->ctrls = microphone_ctrls;
		desc->num_ctrls = ARRAY_SIZE(microphone_ctrls) - !vc->peer;
	} else {
		desc->ctrls = speaker_ctrls;
		desc->num_ctrls = ARRAY_SIZE(speaker_ctrls);
	}
}
