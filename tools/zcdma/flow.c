// SPDX-License-Identifier: GPL-2.0-only
/*
 * flow.c - zcdma flow: how one buffer came to be, from device tree to page table
 *
 * Nothing is remembered or assumed: each line is read from the running system, where it comes from
 * is said with it, and what this user may not read is said to be so.
 */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/dma-buf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

#define TRACING		"/sys/kernel/tracing/"
#define DEVICE_TREE	"/sys/firmware/devicetree/base/reserved-memory"

/* The instance of the kernel's trace that is ours. */
static char trace[64];

static void step(unsigned int n, const char *what)
{
	printf("\n%u. %s\n", n, what);
}

/* Contents of a small file, NUL-terminated; -1 on failure. */
static ssize_t read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

static uint32_t cell(const char *path)
{
	uint32_t value = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (read(fd, &value, sizeof(value)) != sizeof(value))
			value = 0;
		close(fd);
	}
	return be32toh(value);
}

/* The reserved-memory node that the device's memory-region points to. */
static void show_device_tree(unsigned int number)
{
	char path[512], text[256], *node, *base;
	struct dirent *entry;
	uint32_t region;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/class/zcdma/zcdma%u/device/of_node", number);
	node = realpath(path, NULL);
	if (!node) {
		printf("   the device has no device-tree node: its memory comes from the system\n");
		return;
	}
	base = strstr(node, "/base");
	printf("   node             %s\n", base ? base + 5 : node);
	free(node);
	snprintf(path, sizeof(path), "/sys/class/zcdma/zcdma%u/device/of_node/memory-region", number);
	region = cell(path);
	if (!region) {
		printf("   memory-region    none: memory comes from the system\n");
		return;
	}
	dir = opendir(DEVICE_TREE);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), DEVICE_TREE "/%s/phandle", entry->d_name);
		if (entry->d_name[0] == '.' || cell(path) != region)
			continue;
		printf("   memory-region    /reserved-memory/%s (phandle %u)\n", entry->d_name, region);
		snprintf(path, sizeof(path), DEVICE_TREE "/%s/compatible", entry->d_name);
		read_file(path, text, sizeof(text));
		printf("   its properties   compatible = \"%s\"", text);
		snprintf(path, sizeof(path), DEVICE_TREE "/%s/reusable", entry->d_name);
		printf("%s", access(path, F_OK) ? "" : ", reusable (CMA: the system may use it meanwhile)");
		snprintf(path, sizeof(path), DEVICE_TREE "/%s/no-map", entry->d_name);
		printf("%s\n", access(path, F_OK) ? "" : ", no-map");
	}
	if (dir)
		closedir(dir);
}

/* The line of debugfs about the newest buffer. */
static void show_allocation(const char *device)
{
	char path[128], *line = NULL, *last = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/debug/zcdma/%s/buffers", device);
	file = fopen(path, "r");
	if (!file) {
		printf("   DMA addresses    for root only (%s: %s)\n", path, strerror(errno));
		return;
	}
	while (getline(&line, &size, file) > 0) {
		free(last);
		last = strdup(line);
	}
	fclose(file);
	if (last)
		printf("   debugfs          %s", last);
	free(line);
	free(last);
}

/* In a buffer of our own: whoever traces on this system keeps his, and his settings. */
/* Return: 0, or an errno. */
static int trace_begin(void)
{
	char path[128];
	int error;

	snprintf(trace, sizeof(trace), TRACING "instances/zcdma-flow-%d", (int)getpid());
	if (mkdir(trace, 0700))
		return errno;
	snprintf(path, sizeof(path), "%s/events/zcdma/enable", trace);
	if (write_file(path, "1"))
		return 0;
	error = errno;
	rmdir(trace);
	return error;
}

static void trace_show(void)
{
	char line[512];
	FILE *file;

	snprintf(line, sizeof(line), "%s/trace", trace);
	file = fopen(line, "r");
	while (file && fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, "zcdma_buf");

		if (line[0] != '#' && at)
			printf("   %s", at);
	}
	if (file)
		fclose(file);
}

static void trace_end(void)
{
	rmdir(trace);
}

/* The lines of /proc/self/smaps that tell of a mapping. Whether it is one of pages that are counted. */
static bool show_mapping(const void *map)
{
	bool counted = true;
	char line[512], start[32];
	bool ours = false;
	FILE *file = fopen("/proc/self/smaps", "r");

	snprintf(start, sizeof(start), "%lx-", (unsigned long)map);
	while (file && fgets(line, sizeof(line), file)) {
		if (strchr(line, '-') && strchr(line, '-') < strchr(line, ' '))
			ours = !strncmp(line, start, strlen(start));
		if (ours && !strncmp(line, start, strlen(start)))
			printf("   /proc/self/smaps %s", line);
		if (ours && (!strncmp(line, "VmFlags:", 8) || !strncmp(line, "Rss:", 4)))
			printf("                    %s", line);
		if (ours && !strncmp(line, "VmFlags:", 8) && strstr(line, " pf "))
			counted = false;
	}
	if (file)
		fclose(file);
	return counted;
}

static void show_page(const void *map)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (fd < 0 || pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)map / page * 8)) != 8) {
		printf("   physical page    unknown: %s\n", strerror(errno));
	} else if (!(entry >> 63)) {
		printf("   physical page    none yet\n");
	} else if (!(entry & ((1ULL << 55) - 1))) {
		printf("   physical page    there is one; which, is for root only\n");
	} else {
		printf("   /proc/self/pagemap  the first page is at physical address %#llx\n",
		       (unsigned long long)(entry & ((1ULL << 55) - 1)) * page);
	}
	if (fd >= 0)
		close(fd);
}

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

static void show_access(uint8_t *map, size_t size, int fd)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW };
	size_t page = (size_t)sysconf(_SC_PAGESIZE), touched = 0, zero = 0;
	long before, after;

	ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
	before = faults();
	for (size_t at = 0; at < size; at += page, touched++)
		zero += !((volatile uint8_t *)map)[at];
	after = faults();
	sync.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW;
	ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
	printf("   %zu pages read, %zu of them begin with 0, %ld page faults: %s\n", touched, zero,
	       after - before, after - before < (long)touched / 2 ?
	       "the page table was filled when the buffer was mapped" :
	       "the page table is filled by first access");
}

/* From the allocation to the close. Return: 0, or an exit status. */
static int show_buffer(struct zcdma_device *device, const char *name, uint64_t size, bool coherent)
{
	uint8_t *map;
	off_t whole;
	int fd;

	fd = zcdma_device_alloc(device, size, coherent ? 0 : ZCDMA_BUFFER_CACHED);
	if (fd < 0) {
		complain("cannot allocate %s: %s; `zcdma doctor` says what is missing",
			 size_name(size), strerror(-fd));
		return EXIT_FAILED;
	}
	whole = lseek(fd, 0, SEEK_END);
	step(2, "ZCDMA_IOC_BUFFER_ALLOC: the core allocates and zeroes it, and makes a dma-buf of it");
	printf("   dma-buf          descriptor %d, %s\n", fd, size_name((uint64_t)whole));
	show_allocation(name);

	map = mmap(NULL, (size_t)whole, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		complain("cannot map it: %s", strerror(errno));
		close(fd);
		return EXIT_FAILED;
	}
	step(3, "mmap: this process gets a view");
	if (show_mapping(map))
		show_page(map);
	else
		printf("   physical page    the DMA address of step 2: the kernel tells no more of a mapping with the flag pf\n");

	step(4, "First access");
	show_access(map, (size_t)whole, fd);

	munmap(map, (size_t)whole);
	close(fd);
	return 0;
}

static int flow(struct zcdma_device *device, uint64_t size, bool coherent)
{
	struct zcdma_device_info info;
	int ret, no_trace;

	ret = zcdma_device_get_info(device, &info);
	if (ret)
		return complain_channel("ask", NULL, ret);
	printf("One %s buffer of %s of device %s\n", coherent ? "coherent" : "cached", size_name(size),
	       info.name);

	step(1, "Boot: the device tree reserves memory");
	show_device_tree(zcdma_device_number(device));
	printf("   pool             %s, %s in use before this\n",
	       info.pool_size ? size_name(info.pool_size) : "none", size_name(info.pool_used));

	/* What a Ctrl-C must not leave behind is the trace; all this takes a moment. */
	catch_interrupt();
	no_trace = trace_begin();
	ret = show_buffer(device, info.name, size, coherent);
	if (!ret) {
		step(5, "Close: nobody holds it any more, the memory goes back");
		if (!zcdma_device_get_info(device, &info))
			printf("   pool             %s in use after this\n", size_name(info.pool_used));
		step(6, "The same, as the driver's tracepoints saw it");
		if (no_trace)
			printf("   cannot be had in " TRACING "instances: %s%s\n", strerror(no_trace),
			       geteuid() ? ", it is for root only" : "");
		else
			trace_show();
	}
	if (!no_trace)
		trace_end();
	return ret;
}

int cmd_flow(int argc, char **argv)
{
	static const struct option options[] = {
		{ "coherent", no_argument, NULL, 'c' },
		{ "size", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	struct zcdma_device *device;
	long long size = 1 << 20;
	bool coherent = false;
	int c, ret;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h')
			return print_help();
		else if (c == 'c')
			coherent = true;
		else if (c != 's')
			return EXIT_USAGE;
		else if (!parse_number("--size", optarg, 1, ZCDMA_BUFFER_SIZE_MAX, &size))
			return EXIT_USAGE;
	}
	if (argc - optind > 1)
		return usage("one device at a time");
	ret = zcdma_device_open(&device, argv[optind]);
	if (ret)
		return complain_channel("open", argv[optind] ? argv[optind] : "the first device", ret);
	ret = flow(device, (uint64_t)size, coherent);
	zcdma_device_close(device);
	return ret;
}
