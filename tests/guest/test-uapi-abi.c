// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-uapi-abi - the native interface gives a 32-bit program what it gives a 64-bit one
 *
 * Built twice, and therefore without cmocka, which there is for one architecture only. The layouts
 * themselves are pinned by tests/host/test-uapi-layout.sh.
 *
 * build: armhf
 */
#define _GNU_SOURCE
#include <poll.h>

#include "zct.h"

static bool failed;

#define check(condition) \
	do { \
		if (!(condition)) { \
			printf("# line %d: %s\n", __LINE__, #condition); \
			return false; \
		} \
	} while (0)

static void run(const char *name, bool (*test)(int dev))
{
	int dev = zct_open("virt0");
	bool ok = dev >= 0 && test(dev);

	close(dev);
	printf("%sok - %s\n", ok ? "" : "not ", name);
	fflush(stdout);
	failed |= !ok;
}

static bool device_info(int dev)
{
	struct zcdma_device_info info;

	memset(&info, 0xff, sizeof(info));
	check(zct_ioctl(dev, ZCDMA_IOC_DEVICE_INFO, &info) == 0);
	check(info.abi_version == ZCDMA_ABI_VERSION);
	check(info.num_channels >= 2 && info.num_channels <= 8);
	check(info.features == (ZCDMA_FEATURE_STREAM | ZCDMA_FEATURE_STROBE |
				ZCDMA_FEATURE_TRIGGER | ZCDMA_FEATURE_TRIGGER_LINE |
				ZCDMA_FEATURE_PCM));
	check(info.pool_size >= 1 << 20 && info.pool_size % ZCT_PAGE == 0);
	check(info.pool_used == 0);
	check(!strcmp(info.name, "virt0"));
	check(!strcmp(info.driver, "zcdma-virt"));
	check(zct_is_zero((uint8_t *)info.reserved, sizeof(info.reserved)));
	return true;
}

static bool channel_info(int dev)
{
	struct zcdma_channel_info info;

	memset(&info, 0xff, sizeof(info));
	memset(info.reserved, 0, sizeof(info.reserved));
	info.index = 0;
	check(zct_ioctl(dev, ZCDMA_IOC_CHANNEL_INFO, &info) == 0);
	check(info.index == 0);
	check(info.kind == ZCDMA_KIND_VIDEO);
	check(info.direction == ZCDMA_CAPTURE);
	check(info.owner == ZCDMA_OWNER_NONE);
	check(info.max_segments >= 1 && info.alignment >= 1);
	check(info.max_transfer >= 1 && info.max_transfer <= ZCDMA_BUFFER_SIZE_MAX);
	check(!strcmp(info.name, "cam0"));
	check(zct_is_zero((uint8_t *)info.reserved, sizeof(info.reserved)));
	info.reserved[3] = 1ULL << 63;
	check(zct_ioctl(dev, ZCDMA_IOC_CHANNEL_INFO, &info) == -EINVAL);
	return true;
}

static bool buffer_alloc(int dev)
{
	struct zcdma_buffer_alloc alloc = {
		.size = 2 * ZCT_PAGE + 1,
		.flags = ZCDMA_BUFFER_CACHED,
		.fd_flags = O_RDWR | O_CLOEXEC,
		.fd = -1,
	};
	uint8_t *map;

	check(zct_ioctl(dev, ZCDMA_IOC_BUFFER_ALLOC, &alloc) == 0);
	check(alloc.size == 3 * ZCT_PAGE && alloc.fd >= 0);
	check(fcntl(alloc.fd, F_GETFD) == FD_CLOEXEC);
	check(lseek(alloc.fd, 0, SEEK_END) == (off_t)alloc.size);
	check(zct_used(dev) == alloc.size);
	map = zct_map(alloc.fd, alloc.size);
	check(map);
	check(zct_sync(alloc.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW) == 0);
	zct_fill(map, alloc.size, 1);
	check(zct_sync(alloc.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW) == 0);
	check(zct_holds(map, alloc.size, 1));
	munmap(map, alloc.size);
	close(alloc.fd);
	check(zct_used(dev) == 0);
	return true;
}

static bool strobe_and_trigger(int dev)
{
	struct zcdma_gpio_open open = { .fd_flags = O_CLOEXEC };
	struct zcdma_gpio_state state;
	struct zcdma_trigger trigger;
	struct zcdma_strobe strobe;

	check(zct_ioctl(dev, ZCDMA_IOC_TRIGGER_GET, &trigger) == 0);
	check(trigger.mode == ZCDMA_TRIGGER_OFF && trigger.divider == 1);
	check(zct_ioctl(dev, ZCDMA_IOC_TRIGGER_SET, &trigger) == 0);
	check(zct_ioctl(dev, ZCDMA_IOC_TRIGGER_SOFTWARE, NULL) == -EINVAL);
	check(zct_ioctl(dev, ZCDMA_IOC_STROBE_GET, &strobe) == 0);
	check(strobe.mode == ZCDMA_STROBE_OFF && strobe.limit_ns == 5000000000);
	check(zct_ioctl(dev, ZCDMA_IOC_STROBE_SET, &strobe) == 0);
	memset(&state, 0xff, sizeof(state));
	check(zct_ioctl(dev, ZCDMA_IOC_GPIO_STATE, &state) == 0);
	check(!(state.flags & ZCDMA_GPIO_STROBE_ACTIVE));
	check(zct_is_zero((uint8_t *)state.reserved, sizeof(state.reserved)));
	check(zct_ioctl(dev, ZCDMA_IOC_GPIO_OPEN, &open) == 0);
	check(open.layout == ZCDMA_GPIO_PL061 && open.map_size >= ZCT_PAGE);
	check(zct_ioctl(open.fd, ZCDMA_IOC_GPIO_STATE, &state) == 0);
	close(open.fd);
	return true;
}

static bool refusals(int dev)
{
	struct zcdma_buffer_alloc alloc = { .size = 1ULL << 32 | 4096 };
	struct pollfd p = { .fd = dev, .events = POLLIN };

	check(zct_ioctl(dev, ZCDMA_IOC_BUFFER_ALLOC, &alloc) == -EINVAL);
	alloc = (struct zcdma_buffer_alloc) { .size = 1, .reserved = { 0, 0, 1 } };
	check(zct_ioctl(dev, ZCDMA_IOC_BUFFER_ALLOC, &alloc) == -EINVAL);
	alloc = (struct zcdma_buffer_alloc) { .size = 1, .flags = 1U << 31 };
	check(zct_ioctl(dev, ZCDMA_IOC_BUFFER_ALLOC, &alloc) == -EINVAL);
	check(zct_ioctl(dev, ZCDMA_IOC_BUFFER_ALLOC, NULL) == -EFAULT);
	check(zct_ioctl(dev, _IO(ZCDMA_IOC_MAGIC, 0x7f), NULL) == -ENOTTY);
	check(poll(&p, 1, 0) == 0);
	return true;
}

int main(void)
{
	printf("# pointers of %zu bits\n", 8 * sizeof(void *));
	run("test_device_info_is_the_same", device_info);
	run("test_channel_info_is_the_same", channel_info);
	run("test_buffer_alloc_is_the_same", buffer_alloc);
	run("test_strobe_and_trigger_are_the_same", strobe_and_trigger);
	run("test_refusals_are_the_same", refusals);
	return failed;
}
