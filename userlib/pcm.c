// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * pcm.c - what only streams of sound have
 */
#include <errno.h>
#include <sys/ioctl.h>

#include "internal.h"

#define DEFAULT_CHANNELS	2
#define DEFAULT_RATE		48000
/* Periods in a second. */
#define DEFAULT_PACE		100

static uint32_t within(uint32_t value, uint32_t min, uint32_t max)
{
	return value < min ? min : value > max ? max : value;
}

/* The shortest transfer of at least 1 / DEFAULT_PACE s that is whole PCM frames, and aligned. */
static uint64_t default_size(const struct zcdma_pcm_config *pcm, uint32_t alignment)
{
	uint64_t frame = (uint64_t)pcm->channels * (pcm->format == ZCDMA_PCM_S16_LE ? 2 : 4);
	uint64_t size = pcm->rate / DEFAULT_PACE * frame;

	while (size % alignment)
		size += frame;
	return size;
}

/*
 * Fill in what a program wants of a PCM channel, and our choice where it does not say: the kernel's
 * own comes too late to make whole frames of the size of a transfer, a multiple of @alignment.
 */
int zcdma_ask_for_pcm(int fd, const struct zcdma_config *config, uint32_t alignment,
		      struct zcdma_stream_open *arg)
{
	struct zcdma_pcm_info info = { .channel = arg->channel };
	struct zcdma_pcm_config *pcm = &arg->pcm;
	int ret;

	ret = zcdma_xioctl(fd, ZCDMA_IOC_PCM_INFO, &info);
	if (ret)
		return ret;
	pcm->format = config->sample_format;
	if (!pcm->format)
		pcm->format = info.formats & -info.formats;
	pcm->channels = config->channels;
	if (!pcm->channels)
		pcm->channels = within(DEFAULT_CHANNELS, info.min_channels, info.max_channels);
	pcm->rate = config->rate;
	if (!pcm->rate)
		pcm->rate = within(DEFAULT_RATE, info.min_rate, info.max_rate);
	if (!arg->buffer_size)
		arg->buffer_size = default_size(pcm, alignment);
	return 0;
}

int zcdma_get_pcm(const struct zcdma_stream *stream, struct zcdma_pcm_config *pcm)
{
	if (!stream->is_pcm)
		return -EINVAL;
	*pcm = stream->pcm;
	return 0;
}

/* Of those that only our own streams know. */
static int call(const struct zcdma_stream *stream, unsigned long request, void *arg)
{
	int ret = zcdma_xioctl(stream->fd, request, arg);

	return ret == -ENOTTY ? -ENOTSUP : ret;
}

int zcdma_get_position(const struct zcdma_stream *stream, struct zcdma_position *position)
{
	return call(stream, ZCDMA_IOC_STREAM_POSITION, position);
}

int zcdma_pause(struct zcdma_stream *stream)
{
	return call(stream, ZCDMA_IOC_STREAM_PAUSE, NULL);
}

int zcdma_resume(struct zcdma_stream *stream)
{
	return call(stream, ZCDMA_IOC_STREAM_RESUME, NULL);
}
