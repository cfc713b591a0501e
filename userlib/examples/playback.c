/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Play standard input to a raw channel: playback DEVICE/CHANNEL <file */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zcdma.h>

/* What the length of a transfer must be a multiple of. */
static uint32_t alignment_of(struct zcdma_stream *s, const char *channel)
{
	struct zcdma_channel_info info;
	struct zcdma_device *device;

	if (!zcdma_get_device(s, &device))
		for (unsigned int i = 0; !zcdma_device_get_channel(device, i, &info); i++)
			if (!strcmp(info.name, channel))
				return info.alignment;
	return 1;
}

/* Acquire, and look at how what was in the buffer before went. */
static int acquire(struct zcdma_stream *s, struct zcdma_buffer **b, int timeout_ms)
{
	int ret = zcdma_acquire(s, b, timeout_ms);

	return !ret && (*b)->frame.flags & ZCDMA_FRAME_ERROR ? -EIO : ret;
}

int main(int argc, char **argv)
{
	const struct zcdma_config config = { .flags = ZCDMA_CONFIG_PLAYBACK };
	const char *slash = argc > 1 ? strrchr(argv[1], '/') : NULL;
	struct zcdma_stream *s = NULL;
	struct zcdma_buffer *b;
	uint32_t alignment = 1;
	size_t total = 0;
	int started = 0;
	int ret;

	if (!slash) {
		fprintf(stderr, "usage: playback DEVICE/CHANNEL <file\n");
		return 2;
	}
	ret = zcdma_open(&s, argv[1], &config);
	if (!ret)
		alignment = alignment_of(s, slash + 1);
	while (!ret && !(ret = acquire(s, &b, 5000))) {
		b->length = fread(b->data, 1, b->length, stdin);
		b->length -= b->length % alignment;
		if (!b->length)
			break;
		total += b->length;
		ret = zcdma_release(s, b);
		if (!ret && !started++)
			ret = zcdma_start(s);
	}
	if (!ret && started)
		ret = zcdma_drain(s);
	/* The last ones come back now, without a wait. */
	while (!ret)
		ret = acquire(s, &b, 0);
	if (ret == -EAGAIN)
		ret = 0;
	zcdma_close(s);
	if (ret) {
		fprintf(stderr, "playback: %s\n", strerror(-ret));
		return 1;
	}
	printf("played %zu bytes\n", total);
	return 0;
}
