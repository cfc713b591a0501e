// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor.c - zcdma doctor: check this machine, and say what to do
 *
 * Every finding that is not "ok" comes with its remedy.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

#define MAX_DEVICES	64
#define FRAME_SIZE	(1920 * 1080 * 2)

#define INSTALL_RULE	"install tools/60-zcdma.rules as a udev rule (/usr/lib/udev/rules.d), then udevadm trigger"

static unsigned int problems;

__attribute__((format(printf, 1, 2))) static void good(const char *format, ...);
__attribute__((format(printf, 2, 3))) static void bad(const char *remedy, const char *format, ...);
__attribute__((format(printf, 2, 3))) static void note(const char *remedy, const char *format, ...);

#define SAY(mark) \
	do { \
		va_list args_; \
		printf("%-8s ", mark); \
		va_start(args_, format); \
		vprintf(format, args_); \
		va_end(args_); \
		printf("\n"); \
	} while (0)

static void good(const char *format, ...)
{
	SAY("ok");
}

static void note(const char *remedy, const char *format, ...)
{
	SAY("note");
	printf("         %s\n", remedy);
}

static void bad(const char *remedy, const char *format, ...)
{
	SAY("PROBLEM");
	printf("         %s\n", remedy);
	problems++;
}

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

static void check_modules(void)
{
	if (exists("/sys/module/zcdma"))
		good("the core, zcdma.ko, is loaded");
	else
		bad("modprobe zcdma-virt devices=1 gives a virtual device; on a board, modprobe the engine of your device-tree node; where modprobe says that a key was rejected, Secure Boot wants modules signed",
		    "no zcdma module is loaded");
	if (exists("/sys/module/zcdma") && !exists("/sys/module/zcdma_video"))
		note("modprobe zcdma-video, if /dev/video nodes are wanted", "zcdma-video.ko is not loaded");
	if (exists("/sys/module/zcdma") && !exists("/sys/module/zcdma_pcm"))
		note("modprobe zcdma-pcm, if ALSA cards are wanted", "zcdma-pcm.ko is not loaded");
}

static bool in_group(gid_t gid)
{
	gid_t groups[256];
	int n = getgroups(256, groups);

	if (getegid() == gid)
		return true;
	while (n > 0)
		if (groups[--n] == gid)
			return true;
	return false;
}

static void check_node(const char *path)
{
	const char *remedy = INSTALL_RULE ": it gives the node to the group video";
	struct group *group;
	struct stat st;
	char join[128];

	if (stat(path, &st))
		return;
	group = getgrgid(st.st_gid);
	/* Without the rule it is root's, and to be a member of whatever group does not help. */
	if (group && st.st_gid && (st.st_mode & 0060) == 0060 && !in_group(st.st_gid)) {
		snprintf(join, sizeof(join),
			 "add yourself to that group (usermod -aG %s USER) and log in again",
			 group->gr_name);
		remedy = join;
	}
	if (access(path, R_OK | W_OK))
		bad(remedy, "%s (group %s, mode %03o) cannot be opened by this user", path,
		    group ? group->gr_name : "?", st.st_mode & 0777);
	else
		good("%s can be opened by this user", path);
}

/* One line of /proc/meminfo in bytes; 0 where there is none. */
static uint64_t meminfo(const char *name)
{
	char line[128];
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long long kib = 0;
	size_t len = strlen(name);

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, len) && line[len] == ':')
			kib = strtoull(line + len + 1, NULL, 10);
	if (file)
		fclose(file);
	return kib << 10;
}

static void check_memory(struct zcdma_device *device, const struct zcdma_device_info *info)
{
	static const struct { unsigned int flags; const char *name; } kinds[] = {
		{ 0, "coherent" }, { ZCDMA_BUFFER_CACHED, "cached" },
	};

	if (info->pool_size)
		good("%s has %s of memory of its own, %s free", info->name,
		     size_name(info->pool_size), size_name(info->pool_size - info->pool_used));
	else
		good("%s takes its memory from the system; contiguous memory (CMA): %s, %s free",
		     info->name, size_name(meminfo("CmaTotal")), size_name(meminfo("CmaFree")));
	for (unsigned int i = 0; i < 2; i++) {
		int fd = zcdma_device_alloc(device, FRAME_SIZE, kinds[i].flags);

		if (fd >= 0) {
			close(fd);
			good("a %s buffer of one 1920x1080 frame (%s) can be had", kinds[i].name,
			     size_name(FRAME_SIZE));
		} else if (fd == -EOPNOTSUPP) {
			note("remove no-map from the reserved-memory node, to have cached buffers",
			     "the memory of %s cannot be mapped cached", info->name);
		} else {
			bad(info->pool_size ?
			    "enlarge the size property of the node's memory-region, or close who uses it (zcdma info)" :
			    "give the node a memory-region, or boot with a larger cma= (cma=64M)",
			    "a %s buffer of %s cannot be had: %s", kinds[i].name,
			    size_name(FRAME_SIZE), strerror(-fd));
		}
	}
}

static void check_coherency(const struct zcdma_device_info *info)
{
	if (info->features & ZCDMA_FEATURE_DMA_COHERENT)
		good("the DMA of %s is coherent with the CPU's caches", info->name);
	else
		note("where its bus does snoop them, dma-coherent in the node of what does the DMA (the DMA controller's, for zcdma,dmaengine) saves that",
		     "the DMA of %s does not see the CPU's caches: cached buffers are synced for each transfer",
		     info->name);
}

static void check_links(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/dev/zcdma/%s", name);
	if (exists(path))
		good("%s is there", path);
	else
		note(INSTALL_RULE, "%s, the stable names of the nodes, is missing", path);
}

static unsigned int check_devices(void)
{
	unsigned int num = 0;

	for (unsigned int n = 0; n < MAX_DEVICES; n++) {
		struct zcdma_device_info info;
		struct zcdma_device *device;
		char path[32];

		snprintf(path, sizeof(path), "/dev/zcdma%u", n);
		if (!exists(path))
			continue;
		num++;
		check_node(path);
		if (zcdma_device_open(&device, path))
			continue;
		if (!zcdma_device_get_info(device, &info)) {
			if (info.abi_version < ZCDMA_ABI_VERSION)
				bad("load the modules that belong to this command",
				    "the driver's interface is version %u, this command knows %u",
				    info.abi_version, ZCDMA_ABI_VERSION);
			check_memory(device, &info);
			check_coherency(&info);
			check_links(info.name);
		}
		zcdma_device_close(device);
	}
	return num;
}

int cmd_doctor(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1)
		return c == 'h' ? print_help() : EXIT_USAGE;
	if (optind < argc)
		return usage("it takes no arguments");

	check_modules();
	if (!check_devices() && exists("/sys/module/zcdma"))
		bad("dmesg tells why a node was refused; without a node, modprobe zcdma-virt devices=1",
		    "there is no device");
	printf("\n%u problem%s\n", problems, problems == 1 ? "" : "s");
	return problems ? EXIT_FAILED : 0;
}
