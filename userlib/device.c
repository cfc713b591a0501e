// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * device.c - devices, and which channel a name means
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "internal.h"

/* As many as the kernel makes. */
#define MAX_DEVICES	64

#define DEV		"/dev/"
#define NODE		"zcdma"

/* ioctl() that a signal does not end, returning -errno. */
int zcdma_xioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}

static int open_node(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Whether open_node() found that there is nothing, rather than nothing for us. */
static int means_none(int error)
{
	return error != -EACCES && error != -EPERM && error != -EMFILE && error != -ENFILE &&
	       error != -ENOMEM;
}

/* Whether a descriptor is a /dev/zcdmaN, and of which device. */
static int get_info(int fd, struct zcdma_device_info *info)
{
	memset(info, 0, sizeof(*info));
	return zcdma_xioctl(fd, ZCDMA_IOC_DEVICE_INFO, info);
}

/* Open the device with a name, or the first one. */
static int find_by_name(struct zcdma_device *device, const char *name)
{
	struct zcdma_device_info info;
	int ret = -ENODEV;

	for (unsigned int n = 0; n < MAX_DEVICES; n++) {
		char path[32];
		int fd;

		snprintf(path, sizeof(path), DEV NODE "%u", n);
		fd = open_node(path);
		if (fd < 0) {
			/* There is one, and it may be the one: better than "no such device". */
			if (!means_none(fd))
				ret = fd;
			continue;
		}
		if (!get_info(fd, &info) &&
		    (!name || !strcmp(name, info.name) || !strcmp(name, path + strlen(DEV)))) {
			*device = (struct zcdma_device) { .fd = fd, .number = n };
			return 0;
		}
		close(fd);
	}
	return ret;
}

int zcdma_find_device(struct zcdma_device *device, const char *name)
{
	struct zcdma_device_info info;
	struct stat st;
	int fd, ret;

	if (!name || name[0] != '/')
		return find_by_name(device, name);
	fd = open_node(name);
	if (fd < 0)
		return means_none(fd) ? -ENODEV : fd;
	ret = get_info(fd, &info);
	if (!ret && fstat(fd, &st))
		ret = -errno;
	if (ret) {
		close(fd);
		return ret == -ENOTTY ? -ENODEV : ret;
	}
	/* The path may be a link: the number is the node's. */
	*device = (struct zcdma_device) { .fd = fd, .number = minor(st.st_rdev) };
	return 0;
}

static int get_channel(int fd, unsigned int index, struct zcdma_channel_info *info)
{
	memset(info, 0, sizeof(*info));
	info->index = index;
	return zcdma_xioctl(fd, ZCDMA_IOC_CHANNEL_INFO, info);
}

/* Index of a channel by name, or of the first free one of a direction. */
static int find_channel(int fd, const char *name, enum zcdma_direction direction)
{
	int ret = -ENOENT;

	for (unsigned int i = 0;; i++) {
		struct zcdma_channel_info info;
		int err = get_channel(fd, i, &info);

		if (err == -EINVAL)
			return ret;
		if (err)
			return err;
		if (name ? strcmp(name, info.name) : info.direction != direction)
			continue;
		if (name || info.owner == ZCDMA_OWNER_NONE)
			return (int)i;
		ret = -EBUSY;
	}
}

static int resolve_channel(const char *name, const char *channel, enum zcdma_direction direction,
			   struct zcdma_device *device, int *index)
{
	int ret;

	ret = zcdma_find_device(device, name);
	if (ret)
		return ret;
	ret = find_channel(device->fd, channel, direction);
	if (ret < 0) {
		close(device->fd);
		return ret;
	}
	*index = ret;
	return 0;
}

static int resolve_node(const char *path, struct zcdma_device *device, int *channel)
{
	struct v4l2_capability cap;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	/* udev's folder of a device is no node. */
	if (fd < 0)
		return errno == EISDIR ? -ENODEV : -errno;
	if (zcdma_xioctl(fd, VIDIOC_QUERYCAP, &cap)) {
		close(fd);
		return -ENODEV;
	}
	device->fd = fd;
	*channel = -1;
	return 0;
}

int zcdma_resolve(const char *name, enum zcdma_direction direction, struct zcdma_device *device,
		  int *channel)
{
	struct stat st;
	char *copy, *slash;
	int ret;

	if (!name)
		return resolve_channel(NULL, NULL, direction, device, channel);

	if (name[0] == '/' && !stat(name, &st)) {
		ret = resolve_channel(name, NULL, direction, device, channel);
		return ret == -ENODEV ? resolve_node(name, device, channel) : ret;
	}

	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	slash = strrchr(copy, '/');
	if (slash && slash != copy) {
		*slash = '\0';
		ret = resolve_channel(copy, slash + 1, direction, device, channel);
	} else {
		ret = resolve_channel(copy, NULL, direction, device, channel);
	}
	free(copy);
	return ret;
}

int zcdma_device_open(struct zcdma_device **device, const char *name)
{
	struct zcdma_device *d = malloc(sizeof(*d));
	int ret;

	if (!d)
		return -ENOMEM;
	ret = zcdma_find_device(d, name);
	if (ret) {
		free(d);
		return ret;
	}
	*device = d;
	return 0;
}

void zcdma_device_close(struct zcdma_device *device)
{
	if (!device)
		return;
	close(device->fd);
	free(device);
}

unsigned int zcdma_device_number(const struct zcdma_device *device)
{
	return device->number;
}

int zcdma_device_fd(const struct zcdma_device *device)
{
	return device->fd;
}

int zcdma_device_get_info(struct zcdma_device *device, struct zcdma_device_info *info)
{
	return get_info(device->fd, info);
}

int zcdma_device_get_channel(struct zcdma_device *device, unsigned int index,
			     struct zcdma_channel_info *info)
{
	return get_channel(device->fd, index, info);
}

int zcdma_device_get_format(struct zcdma_device *device, unsigned int channel, unsigned int index,
			    struct zcdma_format_desc *format)
{
	memset(format, 0, sizeof(*format));
	format->channel = channel;
	format->index = index;
	return zcdma_xioctl(device->fd, ZCDMA_IOC_FORMAT_INFO, format);
}

int zcdma_device_get_pcm(struct zcdma_device *device, unsigned int channel,
			 struct zcdma_pcm_info *info)
{
	memset(info, 0, sizeof(*info));
	info->channel = channel;
	return zcdma_xioctl(device->fd, ZCDMA_IOC_PCM_INFO, info);
}

int zcdma_device_alloc(struct zcdma_device *device, uint64_t size, unsigned int flags)
{
	struct zcdma_buffer_alloc alloc = {
		.size = size,
		.flags = flags,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int ret = zcdma_xioctl(device->fd, ZCDMA_IOC_BUFFER_ALLOC, &alloc);

	return ret < 0 ? ret : alloc.fd;
}
