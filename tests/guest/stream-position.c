// SPDX-License-Identifier: GPL-2.0-only
/*
 * stream-position DEVICE CHANNEL BYTES - start a channel with two transfers of so many bytes, and
 * print the furthest position in bytes that it tells of within half a second
 *
 * not-a-test
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "zcs.h"

int main(int argc, char **argv)
{
	struct zcdma_position position;
	uint64_t furthest = 0;
	struct zcs s;
	int dev;

	if (argc != 4)
		return 2;
	dev = zct_open(argv[1]);
	if (dev < 0)
		return 1;
	zcs_open(&s, dev, argv[2], 2, strtoull(argv[3], NULL, 0), 0);
	zcs_fill(&s, 0);
	zcs_fill(&s, 1);
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	for (int i = 0; i < 50; i++) {
		usleep(10000);
		assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_POSITION, &position), 0);
		if (position.bytes > furthest)
			furthest = position.bytes;
	}
	printf("%llu\n", (unsigned long long)furthest);
	zcs_close(&s);
	close(dev);
	return 0;
}
