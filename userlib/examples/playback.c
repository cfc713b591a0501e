/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Play standard input to a raw channel: playback NAME <file */
#include <stdio.h>
#include <string.h>
#include <zcdma.h>

int main(int argc, char **argv)
{
	const struct zcdma_config config = { .flags = ZCDMA_CONFIG_PLAYBACK };
	struct zcdma_stream *s = NULL;
	struct zcdma_buffer *b;
	int started = 0;
	size_t total = 0;
	int ret = zcdma_open(&s, argv[1], &config);

	while (!ret && !(ret = zcdma_acquire(s, &b, 5000))) {
		b->length = fread(b->data, 1, b->length, stdin);
		/* Whole words, as the hardware wants them. */
		b->length -= b->length % 4;
		if (!b->length)
			break;
		total += b->length;
		ret = zcdma_release(s, b);
		if (!ret && !started++)
			ret = zcdma_start(s);
	}
	if (!ret && started)
		ret = zcdma_drain(s);
	zcdma_close(s);
	if (ret) {
		fprintf(stderr, "playback: %s\n", strerror(-ret));
		return 1;
	}
	printf("played %zu bytes\n", total);
	return 0;
}
