// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_stream.c - streams: a channel in the hands of a program, fed through rings in shared memory
 *
 * Who has a buffer:
 *
 *              fill ring, taken by feed()          zcdma_xfer_queue()
 *     PROGRAM ---------------------------> STREAM ------------------> CORE, ENGINE
 *        ^                                   |                             |
 *        |  done ring, put by give_back()    | refused, stopped, gone      | stream_done()
 *        +-----------------------------------+-----------------------------+
 *
 * stream_buffer::busy is false in PROGRAM only. The rings say what the program wants; who has a
 * buffer is never read from there.
 *
 * When the fill ring is looked at: at start, at each completion, and when the program kicks, which
 * the ring's NEED_KICK flag asks of it while no completion would look in time. Looking happens in
 * one context at a time (@feeding), so that transfers are queued in the order of the ring; whoever
 * comes second may leave, because the first looks again after every time it had dropped the lock.
 *
 * Caches: a cached buffer is synced for the device in feed() and for the CPU before give_back(). On
 * hardware that is not coherent this takes time in proportion to the frame, too long for the
 * engine's interrupt: then, and only then (@deferred), completions go through a work item.
 *
 * Who can reach a stream, and what holds it alive:
 *
 *   the file, and mappings through it   the file's reference; release is the end of the stream
 *   the engine's callbacks              from start until zcdma_chan_stop() returns, in release at
 *                                       the latest
 *   the work item                       queued by callbacks; release waits for it
 *
 * and the stream holds its channel, with the device, and one reference on each buffer. Exported
 * dma-bufs hold buffers of their own accord. Unbinding stops the channel, which completes what is
 * under way; after that the engine is not called any more, and nothing here needs it.
 *
 * Lock order: zcdma_stream::mutex -> zcdma_chan::mutex -> zcdma_stream::lock. The core is not
 * called with zcdma_stream::lock held.
 */
#include <linux/anon_inodes.h>
#include <linux/dma-buf.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "zcdma_core.h"
#include "zcdma_ring.h"

/* Layouts that programs were compiled with. */
static_assert(sizeof(struct zcdma_frame) == 64);
static_assert(sizeof(struct zcdma_video_config) == 32);
static_assert(sizeof(struct zcdma_ring_info) == 32);
static_assert(sizeof(struct zcdma_fill) == 16);
static_assert(sizeof(struct zcdma_done) == 72);
static_assert(sizeof(struct zcdma_format_desc) == 88);
static_assert(sizeof(struct zcdma_pcm_info) == 64);
static_assert(sizeof(struct zcdma_pcm_config) == 16);
static_assert(sizeof(struct zcdma_pcm_export) == 64);
static_assert(sizeof(struct zcdma_position) == 32);
static_assert(sizeof(struct zcdma_stream_open) == 208);
static_assert(offsetof(struct zcdma_stream_open, fill) == 80);
static_assert(offsetof(struct zcdma_stream_open, buffers_offset) == 152);
static_assert(sizeof(struct zcdma_stream_buffer) == 16);
static_assert(sizeof(struct zcdma_control) == 64);

/*
 * Offset at which buffer 0 is mapped: clear of any ring area. And low, since a 32-bit kernel has
 * no mappings of a device above 4 GiB.
 */
#define BUFFERS_OFFSET		0x1000000ULL

/* Below this many transfers the next kick would come too late: one under way, one behind it. */
#define LOW_WATER		2

/**
 * struct stream_buffer - one buffer of a stream
 * @xfer: its transfer
 * @node: in zcdma_stream::completed
 * @buf: the memory, NULL until something is attached; changes under mutex and lock, while not @busy
 * @busy: not in the hands of the program; protected by zcdma_stream::lock
 */
struct stream_buffer {
	struct zcdma_xfer xfer;
	struct list_head node;
	struct zcdma_buf *buf;
	bool busy;
};

/**
 * struct zcdma_stream - an open stream
 * @chan: referenced, and claimed
 * @client: as which it is claimed
 * @flags: ZCDMA_STREAM_*
 * @length: bytes of a transfer that names no length
 * @unit: PCM: bytes of a PCM frame; else 1
 * @stride: bytes of a buffer
 * @area: the ring area
 * @area_size: its bytes
 * @wait: pollers, readers, and those who drain
 * @work: completions of cached buffers, and feeding that took too long
 * @mutex: serializes start, stop, kick, attach
 * @started: between start and stop; written under @mutex and @lock
 * @lock: protects all below
 * @ring: the rings
 * @feeding: somebody looks at the fill ring
 * @stopping: nobody may
 * @deferred: completions go through @work, for ever once set
 * @in_flight: number of busy buffers
 * @completed: completions that wait for @work
 * @num_buffers: entries of @buffers
 * @buffers: the buffers
 */
struct zcdma_stream {
	struct zcdma_chan *chan;
	struct zcdma_client client;
	u32 flags;
	u32 length;
	u32 unit;
	u64 stride;
	void *area;
	size_t area_size;
	wait_queue_head_t wait;
	struct work_struct work;
	struct mutex mutex; /* start, stop, kick, attach */
	bool started;

	spinlock_t lock; /* protects all below */
	struct zcdma_ring ring;
	bool feeding;
	bool stopping;
	bool deferred;
	unsigned int in_flight;
	struct list_head completed;
	unsigned int num_buffers;
	struct stream_buffer buffers[] __counted_by(num_buffers);
};

/* ---- Done ring ---- */

static void stream_wake(struct zcdma_stream *s)
{
	if (wq_has_sleeper(&s->wait))
		wake_up_poll(&s->wait, EPOLLIN | EPOLLRDNORM);
}

static void give_back(struct zcdma_stream *s, struct stream_buffer *b)
{
	lockdep_assert_held(&s->lock);

	b->busy = false;
	s->in_flight--;
	zcdma_ring_put(&s->ring, b - s->buffers, &b->xfer.frame);
}

/* Back without having been with the engine. */
static void give_back_error(struct zcdma_stream *s, struct stream_buffer *b)
{
	b->xfer.frame = (struct zcdma_frame) { .flags = ZCDMA_FRAME_ERROR };
	give_back(s, b);
}

/* ---- Fill ring ---- */

static bool range_is_valid(struct zcdma_stream *s, const struct zcdma_fill *entry, size_t length)
{
	const struct zcdma_chan_desc *desc = &s->chan->desc;

	if (entry->flags || (entry->offset | length) & (desc->alignment - 1))
		return false;
	if (desc->kind == ZCDMA_KIND_VIDEO && length != s->length)
		return false;
	if (entry->offset % s->unit || (u32)length % s->unit)
		return false;
	return length && length <= desc->max_transfer && entry->offset <= s->stride &&
	       length <= s->stride - entry->offset;
}

/* Make a transfer of what the program wrote; NULL: it cannot be one. */
static struct stream_buffer *accept(struct zcdma_stream *s, const struct zcdma_fill *entry)
{
	struct stream_buffer *b;
	size_t length;

	lockdep_assert_held(&s->lock);

	if (entry->index >= s->num_buffers)
		goto refuse;
	b = &s->buffers[array_index_nospec(entry->index, s->num_buffers)];
	if (b->busy || !b->buf)
		goto refuse;
	b->busy = true;
	s->in_flight++;

	length = entry->length;
	if (!length && s->chan->desc.kind == ZCDMA_KIND_VIDEO)
		length = s->length;
	else if (!length && entry->offset < s->length)
		length = s->length - entry->offset;
	if (!range_is_valid(s, entry, length)) {
		give_back_error(s, b);
		return NULL;
	}
	b->xfer.buf = b->buf;
	b->xfer.offset = entry->offset;
	b->xfer.len = length;
	return b;

refuse:
	zcdma_ring_refuse(&s->ring, 1);
	return NULL;
}

/* The next buffer that the program hands over; NULL: no more, or no more now. */
static struct stream_buffer *next_filled(struct zcdma_stream *s, unsigned int *budget)
{
	struct zcdma_fill entry;
	struct stream_buffer *b;

	lockdep_assert_held(&s->lock);

	if (s->stopping)
		return NULL;
	while (*budget) {
		/* Each look at the ring counts: a program can make any of them come to nothing. */
		--*budget;
		if (zcdma_ring_take(&s->ring, &entry)) {
			b = accept(s, &entry);
			if (b)
				return b;
		} else if (!zcdma_ring_set_need_kick(&s->ring,
						     s->started && s->in_flight < LOW_WATER)) {
			return NULL;
		}
	}
	/* It writes faster than we read: not in this context. */
	queue_work(system_highpri_wq, &s->work);
	return NULL;
}

/* Hand all that is in the fill ring to the core. Called with the lock held, which it drops. */
static void feed(struct zcdma_stream *s, unsigned long *flags)
{
	/* A full ring, and the look that finds it empty. */
	unsigned int budget = s->ring.mask + 2;
	struct stream_buffer *b;
	int ret;

	lockdep_assert_held(&s->lock);

	if (s->feeding)
		return;
	s->feeding = true;
	while ((b = next_filled(s, &budget))) {
		spin_unlock_irqrestore(&s->lock, *flags);
		zcdma_buf_sync_for_device(b->buf);
		/* May come back with stream_done(), for this one and for others. */
		ret = zcdma_xfer_queue(s->chan, &b->xfer);
		spin_lock_irqsave(&s->lock, *flags);
		if (ret) {
			/* Gone. */
			give_back_error(s, b);
			break;
		}
	}
	s->feeding = false;
}

/* ---- Completion ---- */

static void stream_done(struct zcdma_chan *chan, void *priv, struct zcdma_xfer *xfer)
{
	struct stream_buffer *b = container_of(xfer, struct stream_buffer, xfer);
	struct zcdma_stream *s = priv;
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	if (s->deferred) {
		list_add_tail(&b->node, &s->completed);
		queue_work(system_highpri_wq, &s->work);
		spin_unlock_irqrestore(&s->lock, flags);
		return;
	}
	give_back(s, b);
	feed(s, &flags);
	spin_unlock_irqrestore(&s->lock, flags);
	stream_wake(s);
}

/* Nothing may have been under way whose end would have woken anybody. */
static void stream_gone(struct zcdma_chan *chan, void *priv)
{
	struct zcdma_stream *s = priv;

	wake_up_all(&s->wait);
}

static void stream_work(struct work_struct *work)
{
	struct zcdma_stream *s = container_of(work, struct zcdma_stream, work);
	struct stream_buffer *b;
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	while ((b = list_first_entry_or_null(&s->completed, struct stream_buffer, node))) {
		list_del(&b->node);
		spin_unlock_irqrestore(&s->lock, flags);
		zcdma_buf_sync_for_cpu(b->buf);
		spin_lock_irqsave(&s->lock, flags);
		give_back(s, b);
	}
	feed(s, &flags);
	spin_unlock_irqrestore(&s->lock, flags);
	stream_wake(s);
}

/* ---- Start, stop, and what programs call ---- */

static int stream_kick(struct zcdma_stream *s)
{
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	feed(s, &flags);
	spin_unlock_irqrestore(&s->lock, flags);
	stream_wake(s);
	return 0;
}

static void set_started(struct zcdma_stream *s, bool started)
{
	spin_lock_irq(&s->lock);
	WRITE_ONCE(s->started, started);
	if (!started)
		zcdma_ring_set_need_kick(&s->ring, false);
	spin_unlock_irq(&s->lock);
}

static void set_stopping(struct zcdma_stream *s, bool stopping)
{
	spin_lock_irq(&s->lock);
	s->stopping = stopping;
	spin_unlock_irq(&s->lock);
}

static int stream_start(struct zcdma_stream *s)
{
	int ret;

	lockdep_assert_held(&s->mutex);

	if (s->started)
		return -EBUSY;
	stream_kick(s);
	ret = zcdma_chan_start(s->chan);
	if (ret)
		return ret;
	set_started(s, true);
	/* Once more, to have the kick flag say what is true from here on. */
	return stream_kick(s);
}

/* On return every buffer is with the program, and no callback runs or will. */
static void stream_stop(struct zcdma_stream *s)
{
	lockdep_assert_held(&s->mutex);

	set_stopping(s, true);
	/* It may be about to queue what it took from the ring before that. */
	flush_work(&s->work);
	zcdma_chan_stop(s->chan);
	flush_work(&s->work);
	set_started(s, false);
}

/* Under the mutex, where "gone" cannot matter: the core knows. */
static int stream_locked(struct zcdma_stream *s, int (*call)(struct zcdma_stream *s))
{
	int ret;

	if (mutex_lock_interruptible(&s->mutex))
		return -EINTR;
	ret = call(s);
	mutex_unlock(&s->mutex);
	return ret;
}

static int stream_stop_call(struct zcdma_stream *s)
{
	stream_stop(s);
	set_stopping(s, false);
	stream_wake(s);
	return 0;
}

/* Nothing is under way, nor about to be, and the program can see all that was. */
static bool is_drained(struct zcdma_stream *s)
{
	bool drained;

	spin_lock_irq(&s->lock);
	drained = !s->in_flight && !s->feeding;
	spin_unlock_irq(&s->lock);
	return drained;
}

static int stream_drain(struct zcdma_stream *s, bool nonblock)
{
	int ret;

	if (!READ_ONCE(s->started))
		return -EINVAL;
	ret = stream_locked(s, stream_kick);
	if (ret)
		return ret;
	if (nonblock && !is_drained(s))
		return -EAGAIN;
	/* A stop, and an engine that goes, complete everything, too. */
	if (wait_event_interruptible(s->wait, is_drained(s)))
		return -EINTR;
	if (zcdma_chan_gone(s->chan))
		return -ENODEV;
	return READ_ONCE(s->started) ? 0 : -EINVAL;
}

static int stream_pause(struct zcdma_stream *s)
{
	return zcdma_chan_pause(s->chan, true);
}

static int stream_resume(struct zcdma_stream *s)
{
	return zcdma_chan_pause(s->chan, false);
}

static int stream_position(struct zcdma_stream *s, struct zcdma_position __user *user)
{
	struct zcdma_position position;
	int ret;

	ret = zcdma_chan_position(s->chan, &position);
	if (ret)
		return ret;
	return copy_to_user(user, &position, sizeof(position)) ? -EFAULT : 0;
}

static int attach(struct zcdma_stream *s, struct stream_buffer *b, struct dma_buf *dmabuf)
{
	struct zcdma_buf_req req = {
		.size = s->stride,
		.dir = s->chan->desc.direction == ZCDMA_CAPTURE ? DMA_FROM_DEVICE : DMA_TO_DEVICE,
		.max_segments = s->chan->desc.max_segments,
	};
	struct zcdma_buf *buf, *old;

	lockdep_assert_held(&s->mutex);

	buf = zcdma_buf_import(s->chan->zdev, dmabuf, &req);
	if (IS_ERR(buf))
		return PTR_ERR(buf);

	/* feed() may have made it busy meanwhile. */
	spin_lock_irq(&s->lock);
	old = buf;
	if (!b->busy) {
		old = b->buf;
		b->buf = buf;
		s->deferred |= buf->need_sync;
	}
	spin_unlock_irq(&s->lock);
	zcdma_buf_put(old);
	return old == buf ? -EBUSY : 0;
}

static struct stream_buffer *buffer_arg(struct zcdma_stream *s, struct zcdma_stream_buffer *arg,
					void __user *user)
{
	if (copy_from_user(arg, user, sizeof(*arg)))
		return ERR_PTR(-EFAULT);
	if (arg->reserved || arg->index >= s->num_buffers)
		return ERR_PTR(-EINVAL);
	return &s->buffers[array_index_nospec(arg->index, s->num_buffers)];
}

static int stream_attach(struct zcdma_stream *s, void __user *user)
{
	struct zcdma_stream_buffer arg;
	struct stream_buffer *b;
	struct dma_buf *dmabuf;
	int ret;

	b = buffer_arg(s, &arg, user);
	if (IS_ERR(b))
		return PTR_ERR(b);
	if (arg.fd_flags || !(s->flags & ZCDMA_STREAM_IMPORT))
		return -EINVAL;
	dmabuf = dma_buf_get(arg.fd);
	if (IS_ERR(dmabuf))
		return -EBADF;
	ret = mutex_lock_interruptible(&s->mutex);
	if (!ret) {
		ret = attach(s, b, dmabuf);
		mutex_unlock(&s->mutex);
	}
	dma_buf_put(dmabuf);
	return ret;
}

/* An attached buffer can be replaced, by whoever holds the mutex. */
static struct zcdma_buf *get_memory(struct zcdma_stream *s, struct stream_buffer *b)
{
	struct zcdma_buf *buf;

	mutex_lock(&s->mutex);
	buf = b->buf ? zcdma_buf_get(b->buf) : NULL;
	mutex_unlock(&s->mutex);
	return buf;
}

static int stream_export(struct zcdma_stream *s, struct zcdma_stream_buffer __user *user)
{
	struct zcdma_stream_buffer arg;
	struct stream_buffer *b;
	struct zcdma_new_fd new;
	struct zcdma_buf *buf;
	int fd;

	b = buffer_arg(s, &arg, user);
	if (IS_ERR(b))
		return PTR_ERR(b);
	if (!zcdma_fd_flags_valid(arg.fd_flags))
		return -EINVAL;
	buf = get_memory(s, b);
	if (!buf)
		return -ENOENT;
	fd = zcdma_fd_export(&new, buf, arg.fd_flags);
	if (fd < 0)
		return fd;
	return zcdma_fd_install(&new, put_user(fd, &user->fd));
}

static int stream_control(struct zcdma_stream *s, struct zcdma_control __user *user)
{
	static const enum zcdma_ctrl_id ids[] = {
		[ZCDMA_CONTROL_TEST_PATTERN] = ZCDMA_CTRL_TEST_PATTERN,
		[ZCDMA_CONTROL_STAMPS] = ZCDMA_CTRL_STAMPS,
		[ZCDMA_CONTROL_EXPOSURE] = ZCDMA_CTRL_EXPOSURE,
		[ZCDMA_CONTROL_VOLUME] = ZCDMA_CTRL_VOLUME,
		[ZCDMA_CONTROL_MUTE] = ZCDMA_CTRL_MUTE,
		[ZCDMA_CONTROL_LOOPBACK] = ZCDMA_CTRL_LOOPBACK,
		[ZCDMA_CONTROL_XRUN] = ZCDMA_CTRL_XRUN,
		[ZCDMA_CONTROL_DRIFT] = ZCDMA_CTRL_DRIFT,
	};
	const struct zcdma_chan_desc *desc = &s->chan->desc;
	const struct zcdma_ctrl_desc *ctrl = NULL;
	struct zcdma_control arg;
	u64 rest;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (arg.reserved0 || memchr_inv(arg.reserved, 0, sizeof(arg.reserved)) ||
	    arg.id >= ARRAY_SIZE(ids))
		return -EINVAL;
	for (unsigned int i = 0; i < desc->num_ctrls; i++)
		if (desc->ctrls[i].id == ids[array_index_nospec(arg.id, ARRAY_SIZE(ids))])
			ctrl = &desc->ctrls[i];
	if (!ctrl)
		return -EINVAL;

	arg.min = ctrl->min;
	arg.max = ctrl->max;
	arg.step = ctrl->step;
	arg.def = ctrl->def;
	if (copy_to_user(user, &arg, sizeof(arg)))
		return -EFAULT;
	if (arg.value < ctrl->min || arg.value > ctrl->max)
		return -ERANGE;
	div64_u64_rem(arg.value - ctrl->min, ctrl->step, &rest);
	if (rest)
		return -ERANGE;
	return zcdma_chan_set_ctrl(s->chan, ctrl->id, arg.value);
}

static long stream_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct zcdma_stream *s = file->private_data;
	void __user *user = (void __user *)arg;

	/* Only for the error code: whatever can still happen after this finds the engine gone. */
	if (zcdma_chan_gone(s->chan))
		return -ENODEV;
	switch (cmd) {
	case ZCDMA_IOC_STREAM_START:
		return stream_locked(s, stream_start);
	case ZCDMA_IOC_STREAM_STOP:
		return stream_locked(s, stream_stop_call);
	case ZCDMA_IOC_STREAM_DRAIN:
		return stream_drain(s, file->f_flags & O_NONBLOCK);
	case ZCDMA_IOC_STREAM_KICK:
		return stream_locked(s, stream_kick);
	case ZCDMA_IOC_STREAM_ATTACH:
		return stream_attach(s, user);
	case ZCDMA_IOC_STREAM_EXPORT:
		return stream_export(s, user);
	case ZCDMA_IOC_STREAM_CONTROL:
		return stream_control(s, user);
	case ZCDMA_IOC_STREAM_POSITION:
		return stream_position(s, user);
	case ZCDMA_IOC_STREAM_PAUSE:
		return stream_locked(s, stream_pause);
	case ZCDMA_IOC_STREAM_RESUME:
		return stream_locked(s, stream_resume);
	default:
		return -ENOTTY;
	}
}

/* Only to wait: what there is to read lies in the done ring. */
static ssize_t stream_read(struct file *file, char __user *user, size_t count, loff_t *pos)
{
	struct zcdma_stream *s = file->private_data;
	u64 pending;
	int ret;

	if (count < sizeof(pending))
		return -EINVAL;
	pending = zcdma_ring_pending(&s->ring);
	if (!pending && file->f_flags & O_NONBLOCK)
		return zcdma_chan_gone(s->chan) ? -ENODEV : -EAGAIN;
	ret = wait_event_interruptible(s->wait,
				       (pending = zcdma_ring_pending(&s->ring)) ||
				       zcdma_chan_gone(s->chan));
	if (ret)
		return -EINTR;
	if (!pending)
		return -ENODEV;
	return put_user(pending, (u64 __user *)user) ?: sizeof(pending);
}

static __poll_t stream_poll(struct file *file, poll_table *wait)
{
	struct zcdma_stream *s = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &s->wait, wait);
	if (zcdma_ring_pending(&s->ring))
		events |= EPOLLIN | EPOLLRDNORM;
	if (zcdma_chan_gone(s->chan))
		events |= EPOLLHUP | EPOLLERR;
	return events;
}

static int map_buffer(struct zcdma_stream *s, struct vm_area_struct *vma)
{
	u64 offset = ((u64)vma->vm_pgoff << PAGE_SHIFT) - BUFFERS_OFFSET;
	u64 within;
	u64 index = div64_u64_rem(offset, s->stride, &within);
	struct zcdma_buf *buf;

	if (s->flags & ZCDMA_STREAM_IMPORT || index >= s->num_buffers)
		return -EINVAL;
	/* Own buffers are never replaced, so there is nothing to lock. */
	buf = s->buffers[array_index_nospec((u32)index, s->num_buffers)].buf;
	vma->vm_pgoff = within >> PAGE_SHIFT;
	return zcdma_buf_mmap(buf, vma);
}

static int stream_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct zcdma_stream *s = file->private_data;

	if (zcdma_chan_gone(s->chan))
		return -ENODEV;
	if (vma->vm_pgoff >= BUFFERS_OFFSET >> PAGE_SHIFT)
		return map_buffer(s, vma);
	/* A private mapping would be a copy from the first write on. */
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	return remap_vmalloc_range(vma, s->area, vma->vm_pgoff);
}

/* ---- Birth and death ---- */

/* Also of a stream that is not complete. */
static void stream_free(struct zcdma_stream *s)
{
	for (unsigned int i = 0; i < s->num_buffers; i++)
		zcdma_buf_put(s->buffers[i].buf);
	vfree(s->area);
	zcdma_chan_put(s->chan);
	mutex_destroy(&s->mutex);
	kvfree(s);
}

static int stream_release(struct inode *inode, struct file *file)
{
	struct zcdma_stream *s = file->private_data;

	mutex_lock(&s->mutex);
	stream_stop(s);
	mutex_unlock(&s->mutex);
	zcdma_chan_release(s->chan);
	stream_free(s);
	return 0;
}

static const struct file_operations stream_fops = {
	.owner = THIS_MODULE,
	.release = stream_release,
	.llseek = noop_llseek,
	.read = stream_read,
	.poll = stream_poll,
	.mmap = stream_mmap,
	.unlocked_ioctl = stream_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct zcdma_stream *stream_new(struct zcdma_chan *chan,
				       const struct zcdma_stream_open *arg)
{
	struct zcdma_stream *s;

	s = kvzalloc(struct_size(s, buffers, arg->num_buffers), GFP_KERNEL_ACCOUNT);
	if (!s)
		return NULL;
	s->num_buffers = arg->num_buffers;
	s->chan = zcdma_chan_get(chan);
	s->client.owner = ZCDMA_OWNER_STREAM;
	s->client.done = stream_done;
	s->client.gone = stream_gone;
	s->client.priv = s;
	s->flags = arg->flags;
	s->unit = 1;
	mutex_init(&s->mutex);
	spin_lock_init(&s->lock);
	init_waitqueue_head(&s->wait);
	INIT_WORK(&s->work, stream_work);
	INIT_LIST_HEAD(&s->completed);
	return s;
}

static int configure_pcm(struct zcdma_stream *s, struct zcdma_pcm_config *pcm)
{
	if (!zcdma_pcm_complete(s->chan->desc.pcm, pcm))
		return -EINVAL;
	s->unit = pcm->frame_bytes;
	return zcdma_chan_set_pcm(s->chan, pcm);
}

/* The channel's nearest to what the program wants. */
static int configure_video(struct zcdma_stream *s, struct zcdma_video_config *video)
{
	const struct zcdma_video_caps *caps = s->chan->desc.video;
	struct zcdma_video_format fmt;

	zcdma_video_default(caps, &fmt);
	fmt.fourcc = video->fourcc ?: fmt.fourcc;
	fmt.width = video->width ?: fmt.width;
	fmt.height = video->height ?: fmt.height;
	fmt.bytesperline = video->bytesperline;
	fmt.interval_ns = video->interval_ns ?: fmt.interval_ns;
	zcdma_video_try(caps, &fmt);
	*video = (struct zcdma_video_config) {
		.fourcc = fmt.fourcc,
		.width = fmt.width,
		.height = fmt.height,
		.bytesperline = fmt.bytesperline,
		.sizeimage = fmt.sizeimage,
		.interval_ns = fmt.interval_ns,
	};
	return zcdma_chan_set_video(s->chan, &fmt);
}

static int allocate(struct zcdma_stream *s)
{
	struct zcdma_buf_req req = {
		.size = s->stride,
		.cached = s->flags & ZCDMA_STREAM_CACHED,
		.dir = s->chan->desc.direction == ZCDMA_CAPTURE ? DMA_FROM_DEVICE : DMA_TO_DEVICE,
		.max_segments = s->chan->desc.max_segments,
	};

	for (unsigned int i = 0; i < s->num_buffers; i++) {
		struct zcdma_buf *buf = zcdma_buf_alloc(s->chan->zdev, &req);

		if (IS_ERR(buf))
			return PTR_ERR(buf);
		s->buffers[i].buf = buf;
		s->deferred |= buf->need_sync;
	}
	return 0;
}

/* Everything that needs the channel claimed. */
static int setup(struct zcdma_stream *s, struct zcdma_stream_open *arg)
{
	const struct zcdma_chan_desc *desc = &s->chan->desc;
	u32 entries = roundup_pow_of_two(s->num_buffers);
	int ret = 0;

	if (desc->kind == ZCDMA_KIND_VIDEO)
		ret = configure_video(s, &arg->video);
	else if (desc->kind == ZCDMA_KIND_PCM)
		ret = configure_pcm(s, &arg->pcm);
	if (ret)
		return ret;

	if (desc->kind == ZCDMA_KIND_VIDEO) {
		s->length = arg->video.sizeimage;
		arg->buffer_size = arg->buffer_size ?: s->length;
	} else {
		s->length = arg->buffer_size;
	}
	if (!s->length || s->length > desc->max_transfer || arg->buffer_size < s->length ||
	    s->length & (desc->alignment - 1) || s->length % s->unit)
		return -EINVAL;

	s->stride = PAGE_ALIGN(arg->buffer_size);
	/* An imported buffer may end where the transfer does. */
	if (s->flags & ZCDMA_STREAM_IMPORT)
		s->stride = arg->buffer_size;
	s->area_size = PAGE_ALIGN(zcdma_ring_size(entries));
	s->area = vmalloc_user(s->area_size);
	if (!s->area)
		return -ENOMEM;
	zcdma_ring_init(&s->ring, s->area, entries);
	zcdma_ring_describe(&s->ring, &arg->fill, &arg->done, &arg->invalid);
	arg->ring_size = s->area_size;
	arg->buffers_offset = BUFFERS_OFFSET;
	arg->buffers_stride = s->stride;
	arg->features = 0;
	return s->flags & ZCDMA_STREAM_IMPORT ? 0 : allocate(s);
}

static bool open_arg_is_valid(const struct zcdma_stream_open *arg, const struct zcdma_chan *chan)
{
	static const struct zcdma_video_config no_video;
	static const struct zcdma_pcm_config no_pcm;

	if (arg->flags & ~(ZCDMA_STREAM_CACHED | ZCDMA_STREAM_IMPORT) ||
	    arg->flags == (ZCDMA_STREAM_CACHED | ZCDMA_STREAM_IMPORT) ||
	    arg->fd_flags & ~(O_CLOEXEC | O_NONBLOCK) || arg->video.reserved ||
	    memchr_inv(arg->reserved, 0, sizeof(arg->reserved)) || arg->reserved0)
		return false;
	if (chan->desc.kind != ZCDMA_KIND_VIDEO && memcmp(&arg->video, &no_video, sizeof(no_video)))
		return false;
	if (chan->desc.kind != ZCDMA_KIND_PCM && memcmp(&arg->pcm, &no_pcm, sizeof(no_pcm)))
		return false;
	return arg->num_buffers && arg->num_buffers <= ZCDMA_STREAM_MAX_BUFFERS &&
	       arg->buffer_size <= ZCDMA_BUFFER_SIZE_MAX;
}

/* ZCDMA_IOC_STREAM_OPEN; the caller keeps the device from going. */
int zcdma_stream_open(struct zcdma_device *zdev, struct zcdma_stream_open *arg,
		      struct zcdma_new_fd *new)
{
	struct zcdma_stream *s;
	struct zcdma_chan *chan;
	struct file *file;
	int ret;

	chan = zcdma_device_chan(zdev, arg->channel);
	if (!chan || !open_arg_is_valid(arg, chan))
		return -EINVAL;
	s = stream_new(chan, arg);
	if (!s)
		return -ENOMEM;
	ret = zcdma_chan_claim(chan, &s->client);
	if (ret)
		goto err_free;
	ret = setup(s, arg);
	if (ret)
		goto err_release;

	file = anon_inode_getfile("[zcdma-stream]", &stream_fops, s,
				  O_RDWR | (arg->fd_flags & O_NONBLOCK));
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto err_release;
	}
	/* From here on the file frees. */
	arg->fd = zcdma_fd_reserve(new, file, arg->fd_flags);
	return min(arg->fd, 0);

err_release:
	zcdma_chan_release(chan);
err_free:
	stream_free(s);
	return ret;
}
