// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_chrdev.c - /dev/zcdmaN: what a device is, and buffers for programs
 *
 * An open file holds the zcdma_device, nothing else; every call holds gone_lock for reading, so the
 * engine cannot leave in the middle of one.
 */
#include <linux/dma-buf.h>
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

static long device_info(struct zcdma_device *zdev, struct zcdma_device_info __user *arg)
{
	struct zcdma_device_info info = {
		.abi_version = ZCDMA_ABI_VERSION,
		.num_channels = zdev->num_chans,
		.features = ZCDMA_FEATURE_STREAM | ZCDMA_FEATURE_PCM | zcdma_gpio_features(zdev),
		.pool_size = zdev->pool_size,
	};

	mutex_lock(&zdev->buf_lock);
	info.pool_used = zdev->pool_used;
	mutex_unlock(&zdev->buf_lock);
	strscpy(info.name, zdev->name, sizeof(info.name));
	strscpy(info.driver, zdev->driver, sizeof(info.driver));
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long channel_info(struct zcdma_device *zdev, struct zcdma_channel_info __user *arg)
{
	struct zcdma_channel_info info;
	struct zcdma_chan *chan;

	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;
	if (memchr_inv(info.reserved, 0, sizeof(info.reserved)))
		return -EINVAL;
	chan = zcdma_device_chan(zdev, info.index);
	if (!chan)
		return -EINVAL;

	info = (struct zcdma_channel_info) {
		.index = chan->index,
		.kind = chan->desc.kind,
		.direction = chan->desc.direction,
		.owner = zcdma_chan_owner(chan),
		.max_segments = chan->desc.max_segments ?: U32_MAX,
		.alignment = chan->desc.alignment,
		.max_transfer = chan->desc.max_transfer,
	};
	strscpy(info.name, chan->name, sizeof(info.name));
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long buffer_alloc(struct zcdma_device *zdev, struct zcdma_buffer_alloc __user *arg)
{
	struct zcdma_buffer_alloc alloc;
	struct zcdma_buf_req req = { .dir = DMA_BIDIRECTIONAL };
	struct dma_buf *dmabuf;
	struct zcdma_buf *buf;
	int fd;

	if (copy_from_user(&alloc, arg, sizeof(alloc)))
		return -EFAULT;
	if (memchr_inv(alloc.reserved, 0, sizeof(alloc.reserved)) ||
	    alloc.flags & ~ZCDMA_BUFFER_CACHED || !zcdma_fd_flags_valid(alloc.fd_flags) ||
	    !alloc.size || alloc.size > ZCDMA_BUFFER_SIZE_MAX)
		return -EINVAL;

	req.size = alloc.size;
	req.cached = alloc.flags & ZCDMA_BUFFER_CACHED;
	/* Any channel of the device must be able to take it. */
	for (unsigned int i = 0; i < zdev->num_chans; i++)
		req.max_segments = min_not_zero(req.max_segments,
						zdev->chans[i]->desc.max_segments);
	buf = zcdma_buf_alloc(zdev, &req);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	alloc.size = zcdma_buf_size(buf);
	dmabuf = zcdma_buf_export(buf, alloc.fd_flags);
	/* The dma-buf holds the buffer now; without one, this was the last reference. */
	zcdma_buf_put(buf);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	fd = zcdma_dmabuf_reserve_fd(dmabuf, alloc.fd_flags);
	if (fd < 0)
		return fd;
	alloc.fd = fd;
	return zcdma_dmabuf_install_fd(dmabuf, fd, copy_to_user(arg, &alloc, sizeof(alloc)));
}

static long format_info(struct zcdma_device *zdev, struct zcdma_format_desc __user *arg)
{
	const struct zcdma_video_caps *caps;
	struct zcdma_format_desc desc;
	struct zcdma_chan *chan;

	if (copy_from_user(&desc, arg, sizeof(desc)))
		return -EFAULT;
	chan = zcdma_device_chan(zdev, desc.channel);
	if (desc.reserved0 || memchr_inv(desc.reserved, 0, sizeof(desc.reserved)) ||
	    !chan || !chan->desc.video || desc.index >= chan->desc.video->num_fourccs)
		return -EINVAL;

	caps = chan->desc.video;
	desc = (struct zcdma_format_desc) {
		.channel = desc.channel,
		.index = desc.index,
		.fourcc = caps->fourccs[array_index_nospec(desc.index, caps->num_fourccs)],
		.min_width = caps->min_width,
		.max_width = caps->max_width,
		.step_width = caps->step_width ?: 1,
		.min_height = caps->min_height,
		.max_height = caps->max_height,
		.step_height = caps->step_height ?: 1,
		.min_interval_ns = caps->min_interval_ns,
		.max_interval_ns = caps->max_interval_ns,
	};
	return copy_to_user(arg, &desc, sizeof(desc)) ? -EFAULT : 0;
}

static long pcm_info(struct zcdma_device *zdev, struct zcdma_pcm_info __user *arg)
{
	const struct zcdma_chan_ops *ops;
	const struct zcdma_pcm_caps *caps;
	struct zcdma_pcm_info info;
	struct zcdma_chan *chan;

	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;
	chan = zcdma_device_chan(zdev, info.channel);
	if (info.reserved0 || memchr_inv(info.reserved, 0, sizeof(info.reserved)) ||
	    !chan || !chan->desc.pcm)
		return -EINVAL;

	caps = chan->desc.pcm;
	ops = chan->desc.ops;
	info = (struct zcdma_pcm_info) {
		.channel = info.channel,
		.flags = (ops->pause ? ZCDMA_PCM_PAUSE : 0) |
			 (ops->residue ? ZCDMA_PCM_RESIDUE : 0),
		.formats = caps->formats,
		.min_rate = caps->min_rate,
		.max_rate = caps->max_rate,
		.min_channels = caps->min_channels,
		.max_channels = caps->max_channels,
	};
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
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

static long pcm_export(struct zcdma_device *zdev, struct zcdma_pcm_export __user *arg)
{
	struct zcdma_pcm_export info;
	struct dma_buf *dmabuf;
	struct zcdma_chan *chan;
	struct zcdma_buf *buf;
	int fd;

	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;
	chan = zcdma_device_chan(zdev, info.channel);
	if (memchr_inv(info.reserved, 0, sizeof(info.reserved)) ||
	    !zcdma_fd_flags_valid(info.fd_flags) || !chan || !chan->desc.pcm)
		return -EINVAL;

	buf = get_ring(chan, &info);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	dmabuf = zcdma_buf_export(buf, info.fd_flags);
	zcdma_buf_put(buf);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	fd = zcdma_dmabuf_reserve_fd(dmabuf, info.fd_flags);
	if (fd < 0)
		return fd;
	info.fd = fd;
	return zcdma_dmabuf_install_fd(dmabuf, fd, copy_to_user(arg, &info, sizeof(info)));
}

static long do_ioctl(struct zcdma_device *zdev, unsigned int cmd, void __user *arg)
{
	switch (cmd) {
	case ZCDMA_IOC_DEVICE_INFO:
		return device_info(zdev, arg);
	case ZCDMA_IOC_CHANNEL_INFO:
		return channel_info(zdev, arg);
	case ZCDMA_IOC_BUFFER_ALLOC:
		return buffer_alloc(zdev, arg);
	case ZCDMA_IOC_FORMAT_INFO:
		return format_info(zdev, arg);
	case ZCDMA_IOC_PCM_INFO:
		return pcm_info(zdev, arg);
	case ZCDMA_IOC_PCM_EXPORT:
		return pcm_export(zdev, arg);
	case ZCDMA_IOC_STREAM_OPEN:
		return zcdma_stream_open(zdev, arg);
	default:
		return zcdma_gpio_ioctl(zdev, cmd, arg);
	}
}

static long zcdma_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct zcdma_device *zdev = file->private_data;
	long ret;

	if (down_read_killable(&zdev->gone_lock))
		return -EINTR;
	ret = zdev->gone ? -ENODEV : do_ioctl(zdev, cmd, (void __user *)arg);
	up_read(&zdev->gone_lock);
	return ret;
}

const struct file_operations zcdma_chrdev_fops = {
	.owner = THIS_MODULE,
	.open = zcdma_open,
	.release = zcdma_release,
	.poll = zcdma_poll,
	.unlocked_ioctl = zcdma_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};
