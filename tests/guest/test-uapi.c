// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-uapi - /dev/zcdmaN: what its calls say, and that bad calls change nothing
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <sys/resource.h>

#include "zct.h"

#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))

static int dev;

static int open_device(void **state)
{
	dev = zct_open("virt0");
	return dev < 0 ? -1 : 0;
}

static int close_device(void **state)
{
	return close(dev);
}

/* First line of a file; "" where there is none. */
static const char *read_line(const char *format, const char *a, const char *b)
{
	static char line[256];
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), format, a, b);
	f = fopen(path, "r");
	if (!f || !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* ---- Device information ---- */

static void test_device_info_tells_what_it_is(void **state)
{
	static const char * const names[] = { "virt0", "virt1" };
	/* Only the first one has lines, and only the other one dma-coherent in its node. */
	static const uint64_t features[] = {
		ZCDMA_FEATURE_STREAM | ZCDMA_FEATURE_STROBE | ZCDMA_FEATURE_TRIGGER |
			ZCDMA_FEATURE_TRIGGER_LINE | ZCDMA_FEATURE_PCM,
		ZCDMA_FEATURE_STREAM | ZCDMA_FEATURE_TRIGGER | ZCDMA_FEATURE_PCM |
			ZCDMA_FEATURE_DMA_COHERENT,
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int fd = zct_open(names[i]);
		struct zcdma_device_info info;

		assert_true(fd >= 0);
		/* The kernel fills in every byte. */
		memset(&info, 0xff, sizeof(info));
		assert_int_equal(zct_ioctl(fd, ZCDMA_IOC_DEVICE_INFO, &info), 0);
		assert_int_equal(info.abi_version, 1);
		assert_int_equal(info.features, features[i]);
		assert_string_equal(info.name, names[i]);
		assert_true(zct_is_zero((uint8_t *)info.name + strlen(info.name),
					sizeof(info.name) - strlen(info.name)));
		assert_string_equal(info.driver, "zcdma-virt");
		assert_true(zct_is_zero((uint8_t *)info.driver + strlen(info.driver),
					sizeof(info.driver) - strlen(info.driver)));
		assert_true(info.num_channels > 0);
		assert_true(zct_is_zero((uint8_t *)info.reserved, sizeof(info.reserved)));
		close(fd);
	}
}

/* Big-endian cells of a property below /sys/firmware/devicetree, the last of them. */
static uint64_t last_cells(const char *path)
{
	uint8_t cells[64];
	uint64_t value = 0;
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(cells, 1, sizeof(cells), f);
	fclose(f);
	assert_true(n >= 8);
	for (size_t i = n - 8; i < n; i++)
		value = value << 8 | cells[i];
	return value;
}

/* The node's size is what its author wrote into the device tree. */
static void test_device_info_tells_the_pool(void **state)
{
	char path[512];
	const char *base = "/sys/firmware/devicetree/base/reserved-memory";
	struct zcdma_device_info info;
	struct dirent *entry;
	uint64_t size = 0;
	DIR *dir = opendir(base);
	int fd;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s/reg", base, entry->d_name);
		if (access(path, R_OK))
			snprintf(path, sizeof(path), "%s/%s/size", base, entry->d_name);
		if (entry->d_name[0] != '.' && !access(path, R_OK))
			size = last_cells(path);
	}
	closedir(dir);
	assert_true(size);

	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_DEVICE_INFO, &info), 0);
	assert_int_equal(info.pool_size, size);
	fd = zct_open("virt1");
	assert_true(fd >= 0);
	assert_int_equal(zct_ioctl(fd, ZCDMA_IOC_DEVICE_INFO, &info), 0);
	assert_int_equal(info.pool_size, 0);
	close(fd);
}

static void test_device_info_counts_what_is_in_use(void **state)
{
	uint64_t before = zct_used(dev);
	int a, b;

	a = zct_alloc(dev, 1, 0);
	assert_true(a >= 0);
	assert_int_equal(zct_used(dev) - before, ZCT_PAGE);
	b = zct_alloc(dev, 3 * ZCT_PAGE, ZCDMA_BUFFER_CACHED);
	assert_true(b >= 0);
	assert_int_equal(zct_used(dev) - before, 4 * ZCT_PAGE);
	close(a);
	assert_int_equal(zct_used(dev) - before, 3 * ZCT_PAGE);
	close(b);
	assert_int_equal(zct_used(dev), before);
}

/* ---- Channel information ---- */

static void get_channel(uint32_t index, struct zcdma_channel_info *info)
{
	/* All but the number and what is reserved is the kernel's to write. */
	memset(info, 0xff, sizeof(*info));
	memset(info->reserved, 0, sizeof(info->reserved));
	info->index = index;
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_CHANNEL_INFO, info), 0);
}

static void find_channel(const char *name, struct zcdma_channel_info *info)
{
	struct zcdma_device_info device;

	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_DEVICE_INFO, &device), 0);
	for (uint32_t i = 0; i < device.num_channels; i++) {
		get_channel(i, info);
		if (!strcmp(info->name, name))
			return;
	}
	fail_msg("there is no channel %s", name);
}

static void test_channel_info_agrees_with_sysfs(void **state)
{
	static const char * const kinds[] = { "video", "pcm", "raw" };
	static const char * const directions[] = { "capture", "playback" };
	static const char * const owners[] = { "none", "video", "pcm", "stream" };
	struct zcdma_device_info device;
	char dir[128], path[64];
	ssize_t n;

	/* Which zcdmaN that is, the link of udev tells. */
	n = readlink("/dev/zcdma/virt0/device", path, sizeof(path) - 1);
	assert_true(n > 0);
	path[n] = '\0';

	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_DEVICE_INFO, &device), 0);
	for (uint32_t i = 0; i < device.num_channels; i++) {
		struct zcdma_channel_info info;

		get_channel(i, &info);
		assert_int_equal(info.index, i);
		assert_in_range(strlen(info.name), 1, ZCDMA_NAME_LEN - 1);
		assert_in_range(info.kind, ZCDMA_KIND_VIDEO, ZCDMA_KIND_RAW);
		assert_in_range(info.direction, ZCDMA_CAPTURE, ZCDMA_PLAYBACK);
		assert_in_range(info.owner, ZCDMA_OWNER_NONE, ZCDMA_OWNER_STREAM);
		assert_true(info.max_segments >= 1);
		assert_int_equal(info.alignment & (info.alignment - 1), 0);
		assert_true(info.alignment);
		assert_in_range(info.max_transfer, 1, ZCDMA_BUFFER_SIZE_MAX);
		assert_true(zct_is_zero((uint8_t *)info.reserved, sizeof(info.reserved)));
		assert_true(zct_is_zero((uint8_t *)info.name + strlen(info.name),
					sizeof(info.name) - strlen(info.name)));

		snprintf(dir, sizeof(dir), "/sys/class/zcdma-channel/%s-%s", strrchr(path, '/') + 1, info.name);
		assert_string_equal(read_line("%s/%s", dir, "name"), info.name);
		assert_string_equal(read_line("%s/%s", dir, "kind"), kinds[info.kind]);
		assert_string_equal(read_line("%s/%s", dir, "direction"),
				    directions[info.direction]);
		assert_string_equal(read_line("%s/%s", dir, "owner"), owners[info.owner]);
	}
}

static void test_channel_info_of_the_camera(void **state)
{
	struct zcdma_channel_info info;

	find_channel("cam0", &info);
	assert_int_equal(info.kind, ZCDMA_KIND_VIDEO);
	assert_int_equal(info.direction, ZCDMA_CAPTURE);
	find_channel("out0", &info);
	assert_int_equal(info.kind, ZCDMA_KIND_VIDEO);
	assert_int_equal(info.direction, ZCDMA_PLAYBACK);
}

static void test_channel_info_names_the_owner(void **state)
{
	struct v4l2_requestbuffers req = {
		.count = 2,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};
	struct zcdma_channel_info info;
	int fd = open("/dev/zcdma/virt0/cam0", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	find_channel("cam0", &info);
	assert_int_equal(info.owner, ZCDMA_OWNER_NONE);
	assert_int_equal(zct_ioctl(fd, VIDIOC_REQBUFS, &req), 0);
	find_channel("cam0", &info);
	assert_int_equal(info.owner, ZCDMA_OWNER_VIDEO);
	find_channel("out0", &info);
	assert_int_equal(info.owner, ZCDMA_OWNER_NONE);
	close(fd);
	find_channel("cam0", &info);
	assert_int_equal(info.owner, ZCDMA_OWNER_NONE);
}

static void test_channel_info_refuses_what_is_not_there(void **state)
{
	const uint32_t others[] = { 0, 1, 64, INT32_MAX, (uint32_t)INT32_MIN, UINT32_MAX };
	struct zcdma_device_info device;

	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_DEVICE_INFO, &device), 0);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct zcdma_channel_info info = { 0 }, asked;

		info.index = i < 2 ? device.num_channels + others[i] : others[i];
		asked = info;
		assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_CHANNEL_INFO, &info), -EINVAL);
		assert_memory_equal(&info, &asked, sizeof(info));
	}
}

static void test_channel_info_refuses_reserved_fields(void **state)
{
	struct zcdma_channel_info info, asked;

	for (size_t i = 0; i < sizeof(info.reserved); i++) {
		memset(&info, 0, sizeof(info));
		((uint8_t *)info.reserved)[i] = 1;
		asked = info;
		assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_CHANNEL_INFO, &info), -EINVAL);
		assert_memory_equal(&info, &asked, sizeof(info));
	}
}

/* ---- Buffers ---- */

static void test_buffer_alloc_rounds_up_to_pages(void **state)
{
	const size_t sizes[] = { 1, ZCT_PAGE - 1, ZCT_PAGE, ZCT_PAGE + 1, 3 * ZCT_PAGE };
	const size_t pages[] = { 1, 1, 1, 2, 3 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		/* The descriptor is the kernel's to write, whatever is there. */
		struct zcdma_buffer_alloc alloc = { .size = sizes[i], .fd = INT32_MIN };

		assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_BUFFER_ALLOC, &alloc), 0);
		assert_true(alloc.fd >= 0);
		assert_int_equal(alloc.size, pages[i] * ZCT_PAGE);
		assert_int_equal(alloc.flags, 0);
		assert_int_equal(alloc.fd_flags, 0);
		assert_true(zct_is_zero((uint8_t *)alloc.reserved, sizeof(alloc.reserved)));
		assert_int_equal(lseek(alloc.fd, 0, SEEK_END), alloc.size);
		close(alloc.fd);
	}
}

static void test_buffer_alloc_obeys_descriptor_flags(void **state)
{
	const uint32_t modes[] = { O_RDONLY, O_WRONLY, O_RDWR };

	for (size_t i = 0; i < 2 * ARRAY_SIZE(modes); i++) {
		struct zcdma_buffer_alloc alloc = {
			.size = 1,
			.fd_flags = modes[i / 2] | (i & 1 ? O_CLOEXEC : 0),
		};

		assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_BUFFER_ALLOC, &alloc), 0);
		assert_int_equal(fcntl(alloc.fd, F_GETFL) & O_ACCMODE, modes[i / 2]);
		assert_int_equal(fcntl(alloc.fd, F_GETFD), i & 1 ? FD_CLOEXEC : 0);
		close(alloc.fd);
	}
}

/* A call that must fail and change nothing: no memory, no descriptor, not a byte of its argument. */
static void refuse_alloc(const struct zcdma_buffer_alloc *asked, int error)
{
	struct zcdma_buffer_alloc alloc = *asked;
	int next = zct_next_fd();
	uint64_t used = zct_used(dev);

	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_BUFFER_ALLOC, &alloc), error);
	assert_memory_equal(&alloc, asked, sizeof(alloc));
	assert_int_equal(zct_used(dev), used);
	assert_int_equal(zct_next_fd(), next);
}

static void test_buffer_alloc_refuses_sizes(void **state)
{
	const uint64_t sizes[] = {
		0, ZCDMA_BUFFER_SIZE_MAX + 1, 1ULL << 32, (1ULL << 32) + 1, INT64_MAX,
		1ULL << 63, UINT64_MAX - ZCT_PAGE + 2, UINT64_MAX,
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		refuse_alloc(&(struct zcdma_buffer_alloc){ .size = sizes[i] }, -EINVAL);
}

static void test_buffer_alloc_refuses_unknown_flags(void **state)
{
	for (int bit = 0; bit < 32; bit++)
		if (1U << bit != ZCDMA_BUFFER_CACHED)
			refuse_alloc(&(struct zcdma_buffer_alloc){
				.size = 1, .flags = 1U << bit,
			}, -EINVAL);
}

static void test_buffer_alloc_refuses_unknown_descriptor_flags(void **state)
{
	for (int bit = 2; bit < 32; bit++)
		if (1U << bit != O_CLOEXEC)
			refuse_alloc(&(struct zcdma_buffer_alloc){
				.size = 1, .fd_flags = O_RDWR | 1U << bit,
			}, -EINVAL);
	/* The access mode that is none. */
	refuse_alloc(&(struct zcdma_buffer_alloc){ .size = 1, .fd_flags = O_ACCMODE }, -EINVAL);
}

static void test_buffer_alloc_refuses_reserved_fields(void **state)
{
	struct zcdma_buffer_alloc alloc;

	for (size_t i = 0; i < sizeof(alloc.reserved); i++) {
		alloc = (struct zcdma_buffer_alloc) { .size = 1 };
		((uint8_t *)alloc.reserved)[i] = 0x80;
		refuse_alloc(&alloc, -EINVAL);
	}
}

static void test_buffer_alloc_without_free_descriptors(void **state)
{
	struct rlimit limit, none;
	struct zcdma_buffer_alloc alloc = { .size = 1 };
	uint64_t used = zct_used(dev);
	int ret;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	ret = zct_ioctl(dev, ZCDMA_IOC_BUFFER_ALLOC, &alloc);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(ret, -EMFILE);
	assert_int_equal(zct_used(dev), used);
}

/* ---- Addresses, and calls that do not exist ---- */

static void refuse_address(unsigned long request, void *arg)
{
	int next = zct_next_fd();
	uint64_t used = zct_used(dev);

	assert_int_equal(zct_ioctl(dev, request, arg), -EFAULT);
	assert_int_equal(zct_used(dev), used);
	assert_int_equal(zct_next_fd(), next);
}

static void test_bad_addresses_are_refused(void **state)
{
	const unsigned long requests[] = {
		ZCDMA_IOC_DEVICE_INFO, ZCDMA_IOC_CHANNEL_INFO, ZCDMA_IOC_BUFFER_ALLOC,
		ZCDMA_IOC_TRIGGER_GET, ZCDMA_IOC_TRIGGER_SET, ZCDMA_IOC_STROBE_GET,
		ZCDMA_IOC_STROBE_SET, ZCDMA_IOC_STROBE_PULSE, ZCDMA_IOC_GPIO_STATE,
		ZCDMA_IOC_GPIO_OPEN,
	};
	uint8_t *page = mmap(NULL, 2 * ZCT_PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct zcdma_buffer_alloc *alloc = (void *)page;

	assert_ptr_not_equal(page, MAP_FAILED);
	alloc->size = 5 * ZCT_PAGE;
	/* Can be read, so everything is done by the time that the kernel finds out. */
	assert_int_equal(mprotect(page, ZCT_PAGE, PROT_READ), 0);
	assert_int_equal(mprotect(page + ZCT_PAGE, ZCT_PAGE, PROT_NONE), 0);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		refuse_address(requests[i], NULL);
		refuse_address(requests[i], (void *)8);
		refuse_address(requests[i], page + ZCT_PAGE);
		refuse_address(requests[i], page + ZCT_PAGE - 8);
		refuse_address(requests[i], (void *)(UINTPTR_MAX - 7));
		refuse_address(requests[i], (void *)(UINTPTR_MAX << 63));
	}
	/* A channel's number is zero in there, so this has something to write back, too. */
	refuse_address(ZCDMA_IOC_BUFFER_ALLOC, page);
	refuse_address(ZCDMA_IOC_CHANNEL_INFO, page + 64);
	refuse_address(ZCDMA_IOC_GPIO_OPEN, page + 64);
	munmap(page, 2 * ZCT_PAGE);
}

static void test_unknown_ioctls_are_refused(void **state)
{
	static const unsigned int directions[] = {
		_IOC_NONE, _IOC_READ, _IOC_WRITE, _IOC_READ | _IOC_WRITE,
	};
	const unsigned int sizes[] = {
		0, 8, sizeof(struct zcdma_buffer_alloc), sizeof(struct zcdma_buffer_alloc) - 8,
		sizeof(struct zcdma_device_info), sizeof(struct zcdma_channel_info), 4096,
	};
	uint64_t arg[4096 / 8];

	for (unsigned int nr = 0; nr < 256; nr++) {
		for (size_t d = 0; d < ARRAY_SIZE(directions); d++) {
			for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
				unsigned int request = _IOC(directions[d], 'z', nr, sizes[s]);

				if (request == ZCDMA_IOC_DEVICE_INFO ||
				    request == ZCDMA_IOC_CHANNEL_INFO ||
				    request == ZCDMA_IOC_BUFFER_ALLOC ||
				    request == ZCDMA_IOC_TRIGGER_SOFTWARE ||
				    request == ZCDMA_IOC_STROBE_PULSE)
					continue;
				memset(arg, 0, sizeof(arg));
				if (zct_ioctl(dev, request, arg) != -ENOTTY)
					fail_msg("request %#x does not give ENOTTY", request);
				assert_true(zct_is_zero((uint8_t *)arg, sizeof(arg)));
				/* How programs ask whether there is a call. */
				if (zct_ioctl(dev, request, NULL) != -ENOTTY)
					fail_msg("request %#x of nothing does not give ENOTTY", request);
			}
		}
	}
	assert_int_equal(zct_ioctl(dev, 0, arg), -ENOTTY);
	assert_int_equal(zct_ioctl(dev, VIDIOC_QUERYCAP, arg), -ENOTTY);
	assert_int_equal(zct_ioctl(dev, DMA_BUF_IOCTL_SYNC, arg), -ENOTTY);
}

/* A device is neither a stream of bytes nor memory; it has no events until it is gone. */
static void test_device_is_no_ordinary_file(void **state)
{
	struct pollfd p = { .fd = dev, .events = POLLIN | POLLOUT | POLLPRI };
	char c = 0;

	assert_int_equal(read(dev, &c, 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(write(dev, &c, 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(lseek(dev, 0, SEEK_END), -1);
	assert_int_equal(errno, ESPIPE);
	assert_ptr_equal(mmap(NULL, ZCT_PAGE, PROT_READ, MAP_SHARED, dev, 0), MAP_FAILED);
	assert_int_equal(errno, ENODEV);
	assert_int_equal(poll(&p, 1, 0), 0);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, open_device, close_device)
	const struct CMUnitTest tests[] = {
		CASE(test_device_info_tells_what_it_is),
		CASE(test_device_info_tells_the_pool),
		CASE(test_device_info_counts_what_is_in_use),
		CASE(test_channel_info_agrees_with_sysfs),
		CASE(test_channel_info_of_the_camera),
		CASE(test_channel_info_names_the_owner),
		CASE(test_channel_info_refuses_what_is_not_there),
		CASE(test_channel_info_refuses_reserved_fields),
		CASE(test_buffer_alloc_rounds_up_to_pages),
		CASE(test_buffer_alloc_obeys_descriptor_flags),
		CASE(test_buffer_alloc_refuses_sizes),
		CASE(test_buffer_alloc_refuses_unknown_flags),
		CASE(test_buffer_alloc_refuses_unknown_descriptor_flags),
		CASE(test_buffer_alloc_refuses_reserved_fields),
		CASE(test_buffer_alloc_without_free_descriptors),
		CASE(test_bad_addresses_are_refused),
		CASE(test_unknown_ioctls_are_refused),
		CASE(test_device_is_no_ordinary_file),
	};

	return cmocka_run_group_tests_name("uapi", tests, NULL, NULL);
}
