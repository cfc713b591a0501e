// SPDX-License-Identifier: GPL-2.0-only
/*
 * gpio-map - try to map a device's GPIO block; prints "SIZE RESULT"
 *
 * usage: gpio-map /dev/zcdmaN
 *
 * not-a-test: called by tests
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/zcdma.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
	struct zcdma_gpio_open arg = { .fd_flags = O_CLOEXEC };
	int dev = argc == 2 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
	void *at;

	if (dev < 0)
		err(1, "usage: gpio-map /dev/zcdmaN");
	if (ioctl(dev, ZCDMA_IOC_GPIO_OPEN, &arg))
		err(1, "ZCDMA_IOC_GPIO_OPEN");
	at = mmap(NULL, arg.map_size ? arg.map_size : 4096, PROT_READ, MAP_SHARED, arg.fd, 0);
	printf("%llu %s\n", (unsigned long long)arg.map_size,
	       at == MAP_FAILED ? strerror(errno) : "mapped");
	return 0;
}
