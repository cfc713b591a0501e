// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * pcm_zcdma.c - ALSA I/O plugin: a PCM channel of a zcdma device as an ALSA PCM
 *
 *	pcm.x { type zcdma  device "virt0"  channel "spk0" }
 *
 * A period of ALSA's is a buffer of the stream. The transfer callback writes what the program has
 * straight into the mapped DMA buffer, or reads from there: one copy, which is the program's
 * own writei or readi. There is no other memory, and while there is room no system call.
 *
 * Where a buffer is, playback:
 *
 *      spare[] --put()--> current --full--> queue[] --hw_start()--> kernel --> done ring --> spare[]
 *                                  `------- once started ---------->'
 * and capture:
 *
 *      kernel --> done ring --take()--> spare[], oldest first, while it is read --> kernel
 *
 * Position. The pointer goes by whole periods: those that are done, which the ring tells without a
 * call. delay() asks the kernel and is exact. A period is handed over once it is full, and drain
 * hands over what has been written of the last one; the hardware is started with the first one.
 *
 * Polling. There are two descriptors: the stream's, which is readable while something is in the
 * done ring, and an eventfd for all other reasons to look: room before the start, or in spare[]; an
 * xrun. Whenever the program has to wait, nothing may be left in the done ring that is no reason
 * (settle()).
 *
 * Locks. alsa-lib calls some of these with the PCM's lock and some without: pcm_zcdma::lock is
 * around all that touch the stream. Nothing here calls a function of alsa-lib that calls us.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>

#include <zcdma.h>

/* As many as the kernel makes. */
#define MAX_DEVICES	64

#define MIN_PERIOD_BYTES	64
#define MAX_PERIOD_BYTES	(8u << 20)
#define MAX_BUFFER_BYTES	(32u << 20)
/* One is on top of the ring's periods for capture, see hw_params(). */
#define MAX_PERIODS		(ZCDMA_STREAM_MAX_BUFFERS - 2)

/**
 * struct pcm_zcdma - an open PCM
 * @io: alsa-lib's part
 * @callback: with a pause call, or without
 * @name: of the channel, for zcdma_open()
 * @info: what the channel can do
 * @alignment: of a transfer's length in bytes
 * @max_transfer: longest transfer in bytes
 * @event: eventfd
 * @lock: protects all below
 * @signalled: @event is readable
 * @stream: from hw_params to hw_free
 * @frame: bytes of a PCM frame
 * @period: PCM frames of a buffer
 * @boundary: where alsa-lib's pointers wrap
 * @avail_min: PCM frames that make it worth waking up
 * @stop_threshold: PCM frames of room, or of data, that are an xrun
 * @num: buffers
 * @spare: a ring of @num buffers in our hands
 * @first: place of its oldest
 * @num_spare: how many there are
 * @queue: full, not handed over: the hardware is not started
 * @num_queue: how many
 * @current: playback: being filled
 * @fill: PCM frames in it
 * @running: started by the program, and not paused
 * @hw: started
 * @released: playback: buffers handed over since start
 * @taken: buffers taken back since start; capture: those in @spare and before
 * @last_appl: alsa-lib's pointer that @appl stands for
 * @appl: PCM frames written, or read, since prepare
 * @handed: playback: PCM frames handed over
 */
struct pcm_zcdma {
	snd_pcm_ioplug_t io;
	snd_pcm_ioplug_callback_t callback;
	char name[2 * ZCDMA_NAME_LEN];
	struct zcdma_pcm_info info;
	uint32_t alignment;
	uint64_t max_transfer;
	int event;

	pthread_mutex_t lock; /* protects all below */
	bool signalled;
	struct zcdma_stream *stream;
	size_t frame;
	snd_pcm_uframes_t period;
	snd_pcm_uframes_t boundary;
	snd_pcm_uframes_t avail_min;
	snd_pcm_uframes_t stop_threshold;
	unsigned int num;
	struct zcdma_buffer **spare;
	unsigned int first;
	unsigned int num_spare;
	struct zcdma_buffer **queue;
	unsigned int num_queue;
	struct zcdma_buffer *current;
	snd_pcm_uframes_t fill;
	bool running;
	bool hw;
	uint64_t released;
	uint64_t taken;
	snd_pcm_uframes_t last_appl;
	uint64_t appl;
	uint64_t handed;
};

static const struct {
	uint32_t format;
	snd_pcm_format_t alsa;
} formats[] = {
	{ ZCDMA_PCM_S16_LE, SND_PCM_FORMAT_S16_LE },
	{ ZCDMA_PCM_S24_LE, SND_PCM_FORMAT_S24_LE },
	{ ZCDMA_PCM_S32_LE, SND_PCM_FORMAT_S32_LE },
	{ ZCDMA_PCM_FLOAT_LE, SND_PCM_FORMAT_FLOAT_LE },
};

#define NUM_FORMATS	(sizeof(formats) / sizeof(formats[0]))

static bool plays(const struct pcm_zcdma *p)
{
	return p->io.stream == SND_PCM_STREAM_PLAYBACK;
}

/* ---- Errors ---- */

static void set_signal(struct pcm_zcdma *p, bool on)
{
	eventfd_t value;

	if (p->signalled == on)
		return;
	if (on ? eventfd_write(p->event, 1) : eventfd_read(p->event, &value))
		return;
	p->signalled = on;
}

/* The stream has come to an end by itself: -ENODEV if the device is gone, else an xrun. */
static int fail(struct pcm_zcdma *p)
{
	struct zcdma_position position;
	bool gone = zcdma_get_position(p->stream, &position) == -ENODEV;

	snd_pcm_ioplug_set_state(&p->io, gone ? SND_PCM_STATE_DISCONNECTED : SND_PCM_STATE_XRUN);
	set_signal(p, true);
	return gone ? -ENODEV : -EPIPE;
}

static int state_error(const struct pcm_zcdma *p)
{
	switch (p->io.state) {
	case SND_PCM_STATE_XRUN:
		return -EPIPE;
	case SND_PCM_STATE_DISCONNECTED:
		return -ENODEV;
	default:
		return 0;
	}
}

/* ---- Buffers ---- */

static void push_spare(struct pcm_zcdma *p, struct zcdma_buffer *b)
{
	unsigned int at = p->first + p->num_spare++;

	p->spare[at < p->num ? at : at - p->num] = b;
}

static struct zcdma_buffer *pop_spare(struct pcm_zcdma *p)
{
	struct zcdma_buffer *b = p->spare[p->first];

	p->num_spare--;
	if (++p->first == p->num)
		p->first = 0;
	return b;
}

/* Take one from the done ring, which is not empty. */
static int take(struct pcm_zcdma *p)
{
	struct zcdma_buffer *b;
	int ret = zcdma_acquire(p->stream, &b, 0);

	if (ret)
		return ret;
	p->taken++;
	push_spare(p, b);
	if (b->frame.flags & ZCDMA_FRAME_ERROR)
		return fail(p);
	/* There was a gap before it. That is no reason not to play the rest. */
	if (b->frame.flags & ZCDMA_FRAME_LOST && p->stop_threshold < p->boundary &&
	    p->io.state != SND_PCM_STATE_DRAINING)
		return fail(p);
	return 0;
}

/* ---- Positions, in PCM frames since prepare ---- */

static uint64_t num_done(const struct pcm_zcdma *p)
{
	return p->hw ? p->taken + zcdma_num_done(p->stream) : 0;
}

/* What the device has played, or recorded. */
static uint64_t moved(const struct pcm_zcdma *p)
{
	uint64_t done = num_done(p);

	if (!plays(p))
		return done * p->period;
	/* Only the last one can be short. */
	return p->hw && done == p->released ? p->handed : done * p->period;
}

/* What there is room for, or to read. */
static uint64_t available(const struct pcm_zcdma *p)
{
	return plays(p) ? p->io.buffer_size + moved(p) - p->appl : moved(p) - p->appl;
}

/* How far the program has moved its pointer behind our back: rewind, forward, mmap. */
static snd_pcm_sframes_t appl_moved(const struct pcm_zcdma *p)
{
	snd_pcm_uframes_t appl = p->io.appl_ptr;
	snd_pcm_uframes_t ahead = appl >= p->last_appl ? appl - p->last_appl :
				  appl + p->boundary - p->last_appl;

	return ahead > p->boundary / 2 ? (snd_pcm_sframes_t)(ahead - p->boundary) :
	       (snd_pcm_sframes_t)ahead;
}

static void advance_appl(struct pcm_zcdma *p, snd_pcm_sframes_t frames)
{
	p->appl += (uint64_t)frames;
	p->last_appl += (snd_pcm_uframes_t)frames;
	if (frames < 0 && p->last_appl >= p->boundary)
		p->last_appl += p->boundary;
	else if (p->last_appl >= p->boundary)
		p->last_appl -= p->boundary;
}

/* ---- Playback ---- */

/* Let the hardware run, with all that is full. */
static int hw_start(struct pcm_zcdma *p)
{
	int ret = 0;

	for (unsigned int i = 0; i < p->num_queue && !ret; i++)
		ret = zcdma_release(p->stream, p->queue[i]);
	if (!ret)
		ret = zcdma_start(p->stream);
	p->released = p->num_queue;
	p->num_queue = 0;
	p->hw = !ret;
	if (ret)
		zcdma_stop(p->stream);
	return ret;
}

/* Hand over what is being filled, which may be less than a period only if it is the last. */
static int hand_over(struct pcm_zcdma *p)
{
	struct zcdma_buffer *b = p->current;

	b->length = p->fill * p->frame;
	/* Whole frames, and an aligned length: at the latest a period is both. */
	for (; b->length % p->alignment; b->length += p->frame)
		memset((char *)b->data + b->length, 0, p->frame);
	p->handed += p->fill;
	p->current = NULL;
	p->fill = 0;
	if (p->hw) {
		p->released++;
		return zcdma_release(p->stream, b);
	}
	p->queue[p->num_queue++] = b;
	return p->running ? hw_start(p) : 0;
}

/* Write to the buffers as much as there is room for; without @from, silence. */
static snd_pcm_sframes_t put(struct pcm_zcdma *p, const char *from, snd_pcm_uframes_t frames)
{
	snd_pcm_uframes_t left = frames;
	int ret = 0;

	while (left && !ret) {
		snd_pcm_uframes_t piece = p->period - p->fill;
		char *to;

		if (!p->current) {
			if (!p->num_spare && p->hw && zcdma_num_done(p->stream))
				ret = take(p);
			if (ret || !p->num_spare)
				break;
			p->current = pop_spare(p);
		}
		if (piece > left)
			piece = left;
		to = (char *)p->current->data + p->fill * p->frame;
		if (from) {
			memcpy(to, from, piece * p->frame);
			from += piece * p->frame;
		} else {
			/* In every format that we have. */
			memset(to, 0, piece * p->frame);
		}
		p->fill += piece;
		left -= piece;
		advance_appl(p, (snd_pcm_sframes_t)piece);
		if (p->fill == p->period)
			ret = hand_over(p);
	}
	if (ret == -ENODEV)
		return fail(p);
	if (ret)
		return ret;
	return left < frames ? (snd_pcm_sframes_t)(frames - left) : -EAGAIN;
}

static snd_pcm_sframes_t write_frames(struct pcm_zcdma *p, const char *from,
				      snd_pcm_uframes_t frames)
{
	snd_pcm_sframes_t jump = appl_moved(p), ret;
	snd_pcm_uframes_t late = 0;

	if (jump > 0) {
		ret = put(p, NULL, (snd_pcm_uframes_t)jump);
		if (ret != jump)
			return ret < 0 ? ret : -EAGAIN;
	} else if (jump < 0) {
		snd_pcm_uframes_t back = (snd_pcm_uframes_t)-jump;

		/* What was handed over will be played; what would have been there is too late. */
		if (back > p->fill) {
			late = back - p->fill;
			if (late > frames)
				return (snd_pcm_sframes_t)frames;
			back = p->fill;
		}
		p->fill -= back;
		advance_appl(p, -(snd_pcm_sframes_t)back);
		if (late == frames)
			return (snd_pcm_sframes_t)frames;
	}
	ret = put(p, from + late * p->frame, frames - late);
	return ret < 0 ? ret : ret + (snd_pcm_sframes_t)late;
}

/* ---- Capture ---- */

/* Give back what lies before a position, and nobody will ask for again. */
static int give_back(struct pcm_zcdma *p, uint64_t position)
{
	int ret = 0;

	while (p->num_spare && !ret && (p->taken - p->num_spare + 1) * p->period <= position)
		ret = zcdma_release(p->stream, pop_spare(p));
	return ret;
}

/*
 * With mmap access alsa-lib asks for the same frames again and again until the program has moved
 * its pointer: what is read is not gone.
 */
static snd_pcm_sframes_t read_frames(struct pcm_zcdma *p, char *to, snd_pcm_uframes_t frames)
{
	snd_pcm_uframes_t left = frames;
	uint64_t at;
	int ret = 0;

	advance_appl(p, appl_moved(p));
	at = p->appl;
	if (at < (p->taken - p->num_spare) * p->period)
		return -EIO;
	while (left && !ret) {
		snd_pcm_uframes_t offset = at % p->period, piece = p->period - offset;
		uint64_t index = at / p->period - (p->taken - p->num_spare);

		if (index >= p->num_spare) {
			if (!zcdma_num_done(p->stream))
				break;
			ret = take(p);
			continue;
		}
		if (piece > left)
			piece = left;
		memcpy(to, (char *)p->spare[(p->first + index) % p->num]->data + offset * p->frame,
		       piece * p->frame);
		to += piece * p->frame;
		at += piece;
		left -= piece;
	}
	if (!ret && p->io.access == SND_PCM_ACCESS_RW_INTERLEAVED)
		ret = give_back(p, at);
	if (ret == -ENODEV)
		return fail(p);
	if (ret)
		return ret;
	return left < frames ? (snd_pcm_sframes_t)(frames - left) : -EAGAIN;
}

/* ---- What alsa-lib asks ---- */

/*
 * Whether the program has a reason to look, and nothing else in what it polls. Once on, the event
 * stays on until it is wrong: a program that always has room costs no call.
 */
static bool settle(struct pcm_zcdma *p, snd_pcm_state_t state)
{
	bool ready;

	switch (state) {
	case SND_PCM_STATE_PREPARED:
	case SND_PCM_STATE_RUNNING:
	case SND_PCM_STATE_PAUSED:
		ready = available(p) >= p->avail_min && (plays(p) || p->hw);
		break;
	case SND_PCM_STATE_DRAINING:
		/* Until the next one is done. */
		ready = false;
		break;
	default:
		set_signal(p, true);
		return true;
	}
	if (ready && !(p->hw && zcdma_num_done(p->stream)))
		set_signal(p, true);
	if (!ready) {
		while (p->hw && zcdma_num_done(p->stream) && !take(p))
			;
		if (!state_error(p))
			set_signal(p, false);
	}
	return ready;
}

/* Look where the device is, and whether it still is. Return: 0, -EPIPE, -ENODEV. */
static int update(struct pcm_zcdma *p)
{
	int ret = 0;

	if (p->io.state == SND_PCM_STATE_DRAINING && plays(p)) {
		if (p->fill)
			ret = hand_over(p);
		if (ret)
			return fail(p);
	}
	if (!plays(p)) {
		advance_appl(p, appl_moved(p));
		if (give_back(p, p->appl))
			return fail(p);
	}
	if (p->io.state == SND_PCM_STATE_RUNNING && p->hw) {
		bool empty = plays(p) ? num_done(p) == p->released && p->stop_threshold < p->boundary :
			     available(p) >= p->stop_threshold;

		if (empty)
			return fail(p);
	}
	settle(p, p->io.state);
	return state_error(p);
}

static bool is_active(const struct pcm_zcdma *p)
{
	return p->stream && (p->io.state == SND_PCM_STATE_RUNNING ||
			     p->io.state == SND_PCM_STATE_DRAINING ||
			     p->io.state == SND_PCM_STATE_PAUSED);
}

static snd_pcm_sframes_t zcdma_pointer(snd_pcm_ioplug_t *io)
{
	struct pcm_zcdma *p = io->private_data;
	snd_pcm_sframes_t ret = 0;

	pthread_mutex_lock(&p->lock);
	if (is_active(p) && update(p) == -EPIPE)
		ret = -EPIPE;
	else if (io->state == SND_PCM_STATE_DRAINING && !plays(p))
		/* alsa-lib would go on until the buffer is full; so it stops. */
		ret = -EPIPE;
	else if (p->boundary)
		ret = (snd_pcm_sframes_t)(moved(p) % p->boundary);
	pthread_mutex_unlock(&p->lock);
	return ret;
}

static snd_pcm_sframes_t zcdma_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
					snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
	struct pcm_zcdma *p = io->private_data;
	/* Interleaved, all of it: see set_constraints(). */
	char *at = (char *)areas->addr + areas->first / 8 + offset * p->frame;
	snd_pcm_sframes_t ret;

	pthread_mutex_lock(&p->lock);
	ret = state_error(p);
	if (!ret)
		ret = plays(p) ? write_frames(p, at, size) : read_frames(p, at, size);
	/* When it runs the pointer callback is next. */
	if (io->state == SND_PCM_STATE_PREPARED)
		settle(p, io->state);
	pthread_mutex_unlock(&p->lock);
	return ret;
}

static int zcdma_delay(snd_pcm_ioplug_t *io, snd_pcm_sframes_t *delay)
{
	struct pcm_zcdma *p = io->private_data;
	struct zcdma_position position;
	uint64_t frames;
	int ret = 0;

	pthread_mutex_lock(&p->lock);
	if (is_active(p))
		ret = update(p);
	ret = ret ? ret : state_error(p);
	if (!ret) {
		frames = moved(p);
		if (p->hw && !zcdma_get_position(p->stream, &position))
			frames = position.bytes / p->frame;
		/* Padding, see hand_over(). */
		if (plays(p) && frames > p->appl)
			frames = p->appl;
		*delay = (snd_pcm_sframes_t)(plays(p) ? p->appl - frames : frames - p->appl);
	}
	pthread_mutex_unlock(&p->lock);
	return ret;
}

/* ---- Start and stop ---- */

static int halt(struct pcm_zcdma *p)
{
	int ret = p->hw ? zcdma_stop(p->stream) : 0;

	p->hw = false;
	p->running = false;
	return ret;
}

static int zcdma_prepare(snd_pcm_ioplug_t *io)
{
	struct pcm_zcdma *p = io->private_data;
	int ret;

	pthread_mutex_lock(&p->lock);
	ret = halt(p);
	p->first = 0;
	p->num_spare = 0;
	p->num_queue = 0;
	p->current = NULL;
	p->fill = 0;
	p->released = 0;
	p->taken = 0;
	p->last_appl = 0;
	p->appl = 0;
	p->handed = 0;
	for (unsigned int i = 0; i < p->num && !ret; i++) {
		struct zcdma_buffer *b = zcdma_get_buffer(p->stream, i);

		if (plays(p) && b->held)
			push_spare(p, b);
		else if (b->held)
			ret = zcdma_release(p->stream, b);
	}
	while (plays(p) && p->num_spare < p->num && !ret) {
		struct zcdma_buffer *b;

		ret = zcdma_acquire(p->stream, &b, 0);
		if (!ret)
			push_spare(p, b);
	}
	if (!ret)
		settle(p, SND_PCM_STATE_PREPARED);
	pthread_mutex_unlock(&p->lock);
	return ret;
}

static int zcdma_trigger_start(snd_pcm_ioplug_t *io)
{
	struct pcm_zcdma *p = io->private_data;
	int ret = 0;

	pthread_mutex_lock(&p->lock);
	if (!plays(p)) {
		ret = zcdma_start(p->stream);
		p->hw = !ret;
	} else if (p->num_queue) {
		ret = hw_start(p);
	}
	p->running = !ret;
	pthread_mutex_unlock(&p->lock);
	return ret;
}

static int zcdma_trigger_stop(snd_pcm_ioplug_t *io)
{
	struct pcm_zcdma *p = io->private_data;
	int ret;

	pthread_mutex_lock(&p->lock);
	ret = halt(p);
	/* Somebody may wait for what will not come any more. */
	set_signal(p, true);
	pthread_mutex_unlock(&p->lock);
	return ret;
}

static int zcdma_trigger_pause(snd_pcm_ioplug_t *io, int enable)
{
	struct pcm_zcdma *p = io->private_data;
	int ret = 0;

	pthread_mutex_lock(&p->lock);
	if (p->hw)
		ret = enable ? zcdma_pause(p->stream) : zcdma_resume(p->stream);
	else if (!enable && p->num_queue)
		ret = hw_start(p);
	if (!ret)
		p->running = !enable;
	pthread_mutex_unlock(&p->lock);
	return ret;
}

/* ---- Polling ---- */

static int zcdma_poll_descriptors_count(snd_pcm_ioplug_t *io)
{
	const struct pcm_zcdma *p = io->private_data;

	return p->stream ? 2 : 1;
}

static int zcdma_poll_descriptors(snd_pcm_ioplug_t *io, struct pollfd *pfd, unsigned int space)
{
	struct pcm_zcdma *p = io->private_data;
	unsigned int num = 0;

	if (num < space)
		pfd[num++] = (struct pollfd) { .fd = p->event, .events = POLLIN };
	if (num < space && p->stream)
		pfd[num++] = (struct pollfd) { .fd = zcdma_fd(p->stream), .events = POLLIN };
	return (int)num;
}

static int zcdma_poll_revents(snd_pcm_ioplug_t *io, struct pollfd *pfd, unsigned int nfds,
			      unsigned short *revents)
{
	struct pcm_zcdma *p = io->private_data;
	unsigned short direction = plays(p) ? POLLOUT : POLLIN;
	bool woken = false, gone = false;

	for (unsigned int i = 0; i < nfds; i++) {
		woken |= pfd[i].revents;
		gone |= pfd[i].revents & (POLLHUP | POLLERR | POLLNVAL);
	}
	*revents = 0;
	pthread_mutex_lock(&p->lock);
	if (gone && p->io.state != SND_PCM_STATE_DISCONNECTED) {
		snd_pcm_ioplug_set_state(io, SND_PCM_STATE_DISCONNECTED);
		set_signal(p, true);
	}
	if (is_active(p))
		update(p);
	switch (p->io.state) {
	case SND_PCM_STATE_PREPARED:
	case SND_PCM_STATE_RUNNING:
	case SND_PCM_STATE_PAUSED:
		if (settle(p, p->io.state))
			*revents = direction;
		break;
	case SND_PCM_STATE_DRAINING:
		/* alsa-lib looks how far it is. */
		if (woken)
			*revents = direction;
		break;
	default:
		*revents = direction | POLLERR;
	}
	pthread_mutex_unlock(&p->lock);
	return 0;
}

/* ---- Parameters ---- */

static void free_stream(struct pcm_zcdma *p)
{
	zcdma_close(p->stream);
	free(p->spare);
	free(p->queue);
	p->stream = NULL;
	p->spare = NULL;
	p->queue = NULL;
	p->hw = false;
	p->num = 0;
}

static int open_stream(struct pcm_zcdma *p, const struct zcdma_config *config)
{
	int ret = zcdma_open(&p->stream, p->name, config);

	if (ret) {
		p->stream = NULL;
		SNDERR("%s: cannot take the channel for %u periods of %llu bytes: %s", p->name,
		       config->num_buffers, (unsigned long long)config->buffer_size, strerror(-ret));
		return ret;
	}
	p->num = zcdma_num_buffers(p->stream);
	p->spare = calloc(p->num, sizeof(*p->spare));
	p->queue = calloc(p->num, sizeof(*p->queue));
	if (p->spare && p->queue)
		return 0;
	free_stream(p);
	return -ENOMEM;
}

static int zcdma_hw_params(snd_pcm_ioplug_t *io, snd_pcm_hw_params_t *params)
{
	struct pcm_zcdma *p = io->private_data;
	struct zcdma_config config = { .channels = io->channels, .rate = io->rate };
	int ret;

	(void)params;
	for (size_t i = 0; i < NUM_FORMATS; i++)
		if (formats[i].alsa == io->format)
			config.sample_format = formats[i].format;
	p->frame = (size_t)snd_pcm_format_physical_width(io->format) / 8 * io->channels;
	config.buffer_size = io->period_size * p->frame;
	if (config.buffer_size % p->alignment) {
		SNDERR("%s: a period of %lu frames has %llu bytes, but must have a multiple of %u",
		       p->name, io->period_size, (unsigned long long)config.buffer_size,
		       p->alignment);
		return -EINVAL;
	}
	config.num_buffers = (uint32_t)((io->buffer_size + io->period_size - 1) / io->period_size);
	if (plays(p)) {
		/* Written once, in order: caches would be of no use. */
		config.flags = ZCDMA_CONFIG_PLAYBACK | ZCDMA_CONFIG_COHERENT;
	} else {
		/* The program reads one while all others may be full. */
		config.num_buffers++;
	}

	pthread_mutex_lock(&p->lock);
	free_stream(p);
	p->period = io->period_size;
	ret = open_stream(p, &config);
	pthread_mutex_unlock(&p->lock);
	return ret;
}

static int zcdma_hw_free(snd_pcm_ioplug_t *io)
{
	struct pcm_zcdma *p = io->private_data;

	pthread_mutex_lock(&p->lock);
	free_stream(p);
	pthread_mutex_unlock(&p->lock);
	return 0;
}

static int zcdma_sw_params(snd_pcm_ioplug_t *io, snd_pcm_sw_params_t *params)
{
	struct pcm_zcdma *p = io->private_data;
	snd_pcm_uframes_t avail_min, stop_threshold, boundary;
	int ret;

	ret = snd_pcm_sw_params_get_avail_min(params, &avail_min);
	if (!ret)
		ret = snd_pcm_sw_params_get_stop_threshold(params, &stop_threshold);
	if (!ret)
		ret = snd_pcm_sw_params_get_boundary(params, &boundary);
	if (ret)
		return ret;
	pthread_mutex_lock(&p->lock);
	p->avail_min = avail_min;
	p->stop_threshold = stop_threshold;
	p->boundary = boundary;
	pthread_mutex_unlock(&p->lock);
	return 0;
}

static int set_constraints(struct pcm_zcdma *p)
{
	static const unsigned int access[] = {
		SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED,
	};
	const struct zcdma_pcm_info *info = &p->info;
	unsigned int list[NUM_FORMATS], num = 0, longest = MAX_PERIOD_BYTES;
	int ret;

	if (longest > p->max_transfer)
		longest = (unsigned int)p->max_transfer;
	for (size_t i = 0; i < NUM_FORMATS; i++)
		if (info->formats & formats[i].format)
			list[num++] = formats[i].alsa;
	ret = snd_pcm_ioplug_set_param_list(&p->io, SND_PCM_IOPLUG_HW_ACCESS, 2, access);
	if (ret >= 0)
		ret = snd_pcm_ioplug_set_param_list(&p->io, SND_PCM_IOPLUG_HW_FORMAT, num, list);
	if (ret >= 0)
		ret = snd_pcm_ioplug_set_param_minmax(&p->io, SND_PCM_IOPLUG_HW_CHANNELS,
						      info->min_channels, info->max_channels);
	if (ret >= 0)
		ret = snd_pcm_ioplug_set_param_minmax(&p->io, SND_PCM_IOPLUG_HW_RATE,
						      info->min_rate, info->max_rate);
	if (ret >= 0)
		ret = snd_pcm_ioplug_set_param_minmax(&p->io, SND_PCM_IOPLUG_HW_PERIOD_BYTES,
						      MIN_PERIOD_BYTES, longest);
	if (ret >= 0)
		ret = snd_pcm_ioplug_set_param_minmax(&p->io, SND_PCM_IOPLUG_HW_BUFFER_BYTES,
						      2 * MIN_PERIOD_BYTES, MAX_BUFFER_BYTES);
	if (ret >= 0)
		ret = snd_pcm_ioplug_set_param_minmax(&p->io, SND_PCM_IOPLUG_HW_PERIODS, 2,
						      MAX_PERIODS);
	return ret < 0 ? ret : 0;
}

/* ---- Birth and death ---- */

static void zcdma_dump(snd_pcm_ioplug_t *io, snd_output_t *out)
{
	struct pcm_zcdma *p = io->private_data;

	snd_output_printf(out, "zcdma channel %s\n", p->name);
	if (p->stream) {
		snd_output_printf(out, "Its setup is:\n");
		snd_pcm_dump_setup(io->pcm, out);
	}
}

/* Of what was not handed to snd_pcm_ioplug_create(), and by zcdma_close_pcm(). */
static void free_pcm(struct pcm_zcdma *p)
{
	free_stream(p);
	if (p->event >= 0)
		close(p->event);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static int zcdma_close_pcm(snd_pcm_ioplug_t *io)
{
	free_pcm(io->private_data);
	return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
	.start = zcdma_trigger_start,
	.stop = zcdma_trigger_stop,
	.pointer = zcdma_pointer,
	.transfer = zcdma_transfer,
	.close = zcdma_close_pcm,
	.hw_params = zcdma_hw_params,
	.hw_free = zcdma_hw_free,
	.sw_params = zcdma_sw_params,
	.prepare = zcdma_prepare,
	.pause = zcdma_trigger_pause,
	.poll_descriptors_count = zcdma_poll_descriptors_count,
	.poll_descriptors = zcdma_poll_descriptors,
	.poll_revents = zcdma_poll_revents,
	.dump = zcdma_dump,
	.delay = zcdma_delay,
};

/* The PCM channel of a device that has a name, or else the first one that is free. */
static int find_channel(struct pcm_zcdma *p, struct zcdma_device *device, const char *channel,
			snd_pcm_stream_t stream)
{
	uint32_t direction = stream == SND_PCM_STREAM_PLAYBACK ? ZCDMA_PLAYBACK : ZCDMA_CAPTURE;
	struct zcdma_channel_info info;
	int ret = -ENOENT;

	for (unsigned int i = 0; !zcdma_device_get_channel(device, i, &info); i++) {
		if (info.kind != ZCDMA_KIND_PCM || info.direction != direction ||
		    (*channel && strcmp(channel, info.name)))
			continue;
		ret = -EBUSY;
		if (info.owner != ZCDMA_OWNER_NONE)
			continue;
		snprintf(p->name, sizeof(p->name), "/dev/zcdma%u/%s", zcdma_device_number(device),
			 info.name);
		p->alignment = info.alignment;
		p->max_transfer = info.max_transfer;
		return zcdma_device_get_pcm(device, i, &p->info);
	}
	return ret;
}

/* As find_channel(), on the device that has a name, or else on the first one that has it. */
static int find_device(struct pcm_zcdma *p, const char *name, const char *channel,
		       snd_pcm_stream_t stream)
{
	int ret = -ENODEV;

	for (unsigned int n = 0; n < MAX_DEVICES; n++) {
		struct zcdma_device *device;
		char node[16];
		int err;

		/* By its path: a device may have the name of another one's node. */
		snprintf(node, sizeof(node), "/dev/zcdma%u", n);
		err = zcdma_device_open(&device, *name ? name : node);
		if (!err) {
			err = find_channel(p, device, channel, stream);
			zcdma_device_close(device);
		}
		if (!err || *name)
			return err;
		/* The most that is known: busy, rather than none of that name, rather than none. */
		if (ret == -ENODEV || err == -EBUSY)
			ret = err;
	}
	return ret;
}

static int parse(snd_config_t *conf, const char **device, const char **channel)
{
	snd_config_iterator_t i, next;

	snd_config_for_each(i, next, conf) {
		snd_config_t *entry = snd_config_iterator_entry(i);
		const char *id;

		if (snd_config_get_id(entry, &id) < 0)
			continue;
		if (!strcmp(id, "comment") || !strcmp(id, "type") || !strcmp(id, "hint"))
			continue;
		if (strcmp(id, "device") && strcmp(id, "channel")) {
			SNDERR("unknown field %s: there are device and channel", id);
			return -EINVAL;
		}
		if (snd_config_get_string(entry, strcmp(id, "device") ? channel : device) < 0) {
			SNDERR("%s must be a string", id);
			return -EINVAL;
		}
	}
	return 0;
}

SND_PCM_PLUGIN_DEFINE_FUNC(zcdma)
{
	const char *device = "", *channel = "";
	struct pcm_zcdma *p;
	int ret;

	(void)root;
	ret = parse(conf, &device, &channel);
	if (ret)
		return ret;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	pthread_mutex_init(&p->lock, NULL);
	p->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->event < 0) {
		ret = -errno;
		free_pcm(p);
		return ret;
	}
	ret = find_device(p, device, channel, stream);
	if (ret) {
		SNDERR("no channel \"%s\" that is free for %s on device \"%s\": %s; `zcdma info` lists them",
		       channel, snd_pcm_stream_name(stream), device, strerror(-ret));
		free_pcm(p);
		return ret;
	}
	p->callback = callbacks;
	if (!(p->info.flags & ZCDMA_PCM_PAUSE))
		p->callback.pause = NULL;
	p->io.version = SND_PCM_IOPLUG_VERSION;
	p->io.name = "zcdma";
	/* Not MONOTONIC: hw_params do not tell programs so, and who asks for it gets it anyway. */
	p->io.flags = SND_PCM_IOPLUG_FLAG_BOUNDARY_WA;
	p->io.callback = &p->callback;
	p->io.private_data = p;
	ret = snd_pcm_ioplug_create(&p->io, name, stream, mode);
	if (ret < 0) {
		free_pcm(p);
		return ret;
	}
	/* alsa-lib sets it only when it changes. */
	p->io.nonblock = !!(mode & SND_PCM_NONBLOCK);
	/* From here on the close callback frees. */
	ret = set_constraints(p);
	if (ret) {
		snd_pcm_ioplug_delete(&p->io);
		return ret;
	}
	*pcmp = p->io.pcm;
	return 0;
}

SND_PCM_PLUGIN_SYMBOL(zcdma);
