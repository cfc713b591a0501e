/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capture 100 frames: capture [NAME]; see zcdma_open() for what a name can be. */
#include <stdio.h>
#include <string.h>
#include <zcdma.h>

int main(int argc, char **argv)
{
	struct zcdma_stream *s = NULL;
	struct zcdma_buffer *b;
	int ret = zcdma_open(&s, argv[1], NULL);

	if (!ret)
		ret = zcdma_start(s);
	for (int n = 0; n < 100 && !ret && !(ret = zcdma_acquire(s, &b, 5000)); n++) {
		printf("frame %llu: %zu bytes\n", (unsigned long long)b->frame.sequence, b->length);
		ret = zcdma_release(s, b);
	}
	if (ret)
		fprintf(stderr, "capture: %s\n", strerror(-ret));
	zcdma_close(s);
	return ret != 0;
}
