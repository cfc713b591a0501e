// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_chrdev.c - /dev/zcdmaN: what a device is, and buffers for programs
 *
 * An open file holds the zcdma_device, nothing else; every call holds gone_lock for reading, so the
 * engine cannot leave in the middle of one. While it is held nobody touches the program's memory,
 * which may be as long in coming as the program likes: arguments are copied before and after.
 */
#include <linux/dma-buf.h>
#include <linux/dma-map-ops.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/uaccess.h>

#include "zcdma_core.h"

static int zcdma_open(struct inode *inode, struct file *file)
{
	struct zcdma_device *zdev = container_of(inode->i_cdev, struct zcdma_device, cdev);

	get_device(&zdev->dev);
	file->private_data = zdev;
	return nonseekable_open(inode, file);
}

static int zcdma_release(struct inode *inode, struct file *file)
{
	struct zcdma_device *zdev = file->private_data;

	put_device(&zdev->dev);
	return 0;
}

static __poll_t zcdma_poll(struct file *file, poll_table *wait)
{
	struct zcdma_device *zdev = file->private_data;

	poll_wait(file, &zdev->wait, wait);
	return READ_ONCE(zdev->gone) ? EPOLLHUP | EPOLLERR : 0;
}

/* ---- Descriptors that calls make ---- */

/**
 * zcdma_fd_reserve() - a number for a new file
 * @new: what there is to install
 * @file: reference given to @new, dropped where there is no number
 * @fd_flags: O_CLOEXEC counts
 *
 * Return: the number, for the program, or an error.
 */
int zcdma_fd_reserve(struct zcdma_new_fd *new, struct file *file, u32 fd_flags)
{
	int fd = get_unused_fd_flags(fd_flags & O_CLOEXEC);

	if (fd < 0) {
		fput(file);
		return fd;
	}
	*new = (struct zcdma_new_fd) { .fd = fd, .file = file };
	return fd;
}

/**
 * zcdma_fd_export() - a number for a new dma-buf of a buffer
 * @new: what there is to install
 * @buf: reference taken over
 * @fd_flags: valid, zcdma_fd_flags_valid()
 *
 * Return: the number, for the program, or an error.
 */
int zcdma_fd_export(struct zcdma_new_fd *new, struct zcdma_buf *buf, u32 fd_flags)
{
	struct dma_buf *dmabuf = zcdma_buf_export(buf, fd_flags);

	/* The dma-buf holds the buffer now; without one, this may have been the last reference. */
	zcdma_buf_put(buf);
	return IS_ERR(dmabuf) ? PTR_ERR(dmabuf) : zcdma_fd_reserve(new, dmabuf->file, fd_flags);
}

/**
 * zcdma_fd_install() - let the program have a new file, which is out of our hands from then on
 * @new: reserved
 * @not_copied: the program could not be told of the number
 *
 * Return: 0, or -EFAULT where it could not.
 */
int zcdma_fd_install(const struct zcdma_new_fd *new, unsigned long not_copied)
{
	if (not_copied) {
		put_unused_fd(new->fd);
		fput(new->file);
		return -EFAULT;
	}
	fd_install(new->fd, new->file);
	return 0;
}

/* ---- Calls ---- */

static long device_info(struct zcdma_device *zdev, struct zcdma_device_info *info)
{
	*info = (struct zcdma_device_info) {
		.abi_version = ZCDMA_ABI_VERSION,
		.num_channels = zdev->num_chans,
		.features = ZCDMA_FEATURE_STREAM | ZCDMA_FEATURE_PCM | zcdma_gpio_features(zdev),
		.pool_size = zdev->pool_size,
	};

	if (dev_is_dma_coherent(zdev->mem))
		info->features |= ZCDMA_FEATURE_DMA_COHERENT;
	mutex_lock(&zdev->buf_lock);
	info->pool_used = zdev->pool_used;
	mutex_unlock(&zdev->buf_lock);
	strscpy(info->name, zdev->name, sizeof(info->name));
	strscpy(info->driver, zdev->driver, sizeof(info->driver));
	return 0;
}

static long channel_info(struct zcdma_device *zdev, struct zcdma_channel_info *info)
{
	struct zcdma_chan *chan;

	if (memchr_inv(info->reserved, 0, sizeof(info->reserved)))
		return -EINVAL;
	chan = zcdma_device_chan(zdev, info->index);
	if (!chan)
		return -EINVAL;

	*info = (struct zcdma_channel_info) {
		.index = chan->index,
		.kind = chan->desc.kind,
		.direction = chan->desc.direction,
		.owner = zcdma_chan_owner(chan),
		.max_segments = chan->desc.max_segments ?: U32_MAX,
		.alignment = chan->desc.alignment,
		.max_transfer = chan->desc.max_transfer,
	};
	strscpy(info->name, chan->name, sizeof(info->name));
	return 0;
}

static long buffer_alloc(struct zcdma_device *zdev, struct zcdma_buffer_alloc *alloc,
			 struct zcdma_new_fd *new)
{
	struct zcdma_buf_req req = { .dir = DMA_BIDIRECTIONAL };
	struct zcdma_buf *buf;

	if (memchr_inv(alloc->reserved, 0, sizeof(alloc->reserved)) ||
	    alloc->flags & ~ZCDMA_BUFFER_CACHED || !zcdma_fd_flags_valid(alloc->fd_flags) ||
	    !alloc->size || alloc->size > ZCDMA_BUFFER_SIZE_MAX)
		return -EINVAL;

	req.size = alloc->size;
	req.cached = alloc->flags & ZCDMA_BUFFER_CACHED;
	/* Any channel of the device must be able to take it. */
	for (unsigned int i = 0; i < zdev->num_chans; i++)
		req.max_segments = min_not_zero(req.max_segments,
						zdev->chans[i]->desc.max_segments);
	buf = zcdma_buf_alloc(zdev, &req);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	alloc->size = zcdma_buf_size(buf);
	alloc->fd = zcdma_fd_export(new, buf, alloc->fd_flags);
	return min(alloc->fd, 0);
}

static long format_info(struct zcdma_device *zdev, struct zcdma_format_desc *desc)
{
	const struct zcdma_video_caps *caps;
	struct zcdma_chan *chan;

	chan = zcdma_device_chan(zdev, desc->channel);
	if (desc->reserved0 || memchr_inv(desc->reserved, 0, sizeof(desc->reserved)) ||
	    !chan || !chan->desc.video || desc->index >= chan->desc.video->num_fourccs)
		return -EINVAL;

	caps = chan->desc.video;
	*desc = (struct zcdma_format_desc) {
		.channel = desc->channel,
		.index = desc->index,
		.fourcc = caps->fourccs[array_index_nospec(desc->index, caps->num_fourccs)],
		.min_width = caps->min_width,
		.max_width = caps->max_width,
		.step_width = caps->step_width ?: 1,
		.min_height = caps->min_height,
		.max_height = caps->max_height,
		.step_height = caps->step_height ?: 1,
		.min_interval_ns = caps->min_interval_ns,
		.max_interval_ns = caps->max_interval_ns,
	};
	return 0;
}

static long pcm_info(struct zcdma_device *zdev, struct zcdma_pcm_info *info)
{
	const struct zcdma_chan_ops *ops;
	const struct zcdma_pcm_caps *caps;
	struct zcdma_chan *chan;

	chan = zcdma_device_chan(zdev, info->channel);
	if (info->reserved0 || memchr_inv(info->reserved, 0, sizeof(info->reserved)) ||
	    !chan || !chan->desc.pcm)
		return -EINVAL;

	caps = chan->desc.pcm;
	ops = chan->desc.ops;
	*info = (struct zcdma_pcm_info) {
		.channel = info->channel,
		.flags = (ops->pause ? ZCDMA_PCM_PAUSE : 0) |
			 (ops->residue ? ZCDMA_PCM_RESIDUE : 0),
		.formats = caps->formats,
		.min_rate = caps->min_rate,
		.max_rate = caps->max_rate,
		.min_channels = caps->min_channels,
		.max_channels = caps->max_channels,
	};
	return 0;
}

/* The ring of a channel's PCM, with a reference, or ERR_PTR(). */
static struct zcdma_buf *get_ring(struct zcdma_chan *chan, struct zcdma_pcm_export *info)
{
	const struct zcdma_client *client;
	struct zcdma_buf *buf = NULL;

	mutex_lock(&chan->mutex);
	client = chan->client;
	if (client && client->ring)
		buf = client->ring(chan, client->priv, info);
	mutex_unlock(&chan->mutex);
	return buf ?: ERR_PTR(-ENOENT);
}

static long pcm_export(struct zcdma_device *zdev, struct zcdma_pcm_export *info,
		       struct zcdma_new_fd *new)
{
	struct zcdma_chan *chan;
	struct zcdma_buf *buf;

	chan = zcdma_device_chan(zdev, info->channel);
	if (memchr_inv(info->reserved, 0, sizeof(info->reserved)) ||
	    !zcdma_fd_flags_valid(info->fd_flags) || !chan || !chan->desc.pcm)
		return -EINVAL;

	buf = get_ring(chan, info);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	info->fd = zcdma_fd_export(new, buf, info->fd_flags);
	return min(info->fd, 0);
}

static long do_ioctl(struct zcdma_device *zdev, unsigned int cmd, union zcdma_ioctl_arg *arg,
		     struct zcdma_new_fd *new)
{
	switch (cmd) {
	case ZCDMA_IOC_DEVICE_INFO:
		return device_info(zdev, &arg->device_info);
	case ZCDMA_IOC_CHANNEL_INFO:
		return channel_info(zdev, &arg->channel_info);
	case ZCDMA_IOC_BUFFER_ALLOC:
		return buffer_alloc(zdev, &arg->buffer_alloc, new);
	case ZCDMA_IOC_FORMAT_INFO:
		return format_info(zdev, &arg->format_info);
	case ZCDMA_IOC_PCM_INFO:
		return pcm_info(zdev, &arg->pcm_info);
	case ZCDMA_IOC_PCM_EXPORT:
		return pcm_export(zdev, &arg->pcm_export, new);
	case ZCDMA_IOC_STREAM_OPEN:
		return zcdma_stream_open(zdev, &arg->stream_open, new);
	default:
		return zcdma_gpio_ioctl(zdev, cmd, arg, new);
	}
}

static bool is_call(unsigned int cmd)
{
	switch (cmd) {
	case ZCDMA_IOC_DEVICE_INFO:
	case ZCDMA_IOC_CHANNEL_INFO:
	case ZCDMA_IOC_BUFFER_ALLOC:
	case ZCDMA_IOC_FORMAT_INFO:
	case ZCDMA_IOC_PCM_INFO:
	case ZCDMA_IOC_PCM_EXPORT:
	case ZCDMA_IOC_STREAM_OPEN:
	case ZCDMA_IOC_TRIGGER_GET:
	case ZCDMA_IOC_TRIGGER_SET:
	case ZCDMA_IOC_TRIGGER_SOFTWARE:
	case ZCDMA_IOC_STROBE_GET:
	case ZCDMA_IOC_STROBE_SET:
	case ZCDMA_IOC_STROBE_PULSE:
	case ZCDMA_IOC_GPIO_STATE:
	case ZCDMA_IOC_GPIO_OPEN:
		return true;
	default:
		return false;
	}
}

static long zcdma_ioctl(struct file *file, unsigned int cmd, unsigned long user_arg)
{
	void __user *user = (void __user *)user_arg;
	struct zcdma_device *zdev = file->private_data;
	struct zcdma_new_fd new = { .file = NULL };
	union zcdma_ioctl_arg arg = {};
	size_t size = _IOC_SIZE(cmd);
	unsigned long not_copied = 0;
	long ret;

	/* Only for the error code: whoever comes before the end is waited for below. */
	if (READ_ONCE(zdev->gone))
		return -ENODEV;
	if (_IOC_TYPE(cmd) != ZCDMA_IOC_MAGIC || size > sizeof(arg))
		return -ENOTTY;
	/* A call that there is not fails as such, whatever it is given. */
	if (_IOC_DIR(cmd) & _IOC_WRITE && copy_from_user(&arg, user, size))
		return is_call(cmd) ? -EFAULT : -ENOTTY;

	if (down_read_killable(&zdev->gone_lock))
		return -EINTR;
	ret = zdev->gone ? -ENODEV : do_ioctl(zdev, cmd, &arg, &new);
	up_read(&zdev->gone_lock);

	if (ret)
		return ret;
	if (_IOC_DIR(cmd) & _IOC_READ)
		not_copied = copy_to_user(user, &arg, size);
	if (new.file)
		return zcdma_fd_install(&new, not_copied);
	return not_copied ? -EFAULT : 0;
}

const struct file_operations zcdma_chrdev_fops = {
	.owner = THIS_MODULE,
	.open = zcdma_open,
	.release = zcdma_release,
	.poll = zcdma_poll,
	.unlocked_ioctl = zcdma_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};
