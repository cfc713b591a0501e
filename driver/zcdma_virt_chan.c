// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual hardware: time, descriptors and completion, as all channels have them
 *
 * Time. A device has one timer, its interrupt. Each channel names the time of its next event; the
 * handler lets the events that are due happen in the order of their times, across channels, and
 * then arms the timer for the next. Every event is computed from the programmed time of the one
 * before it, never from when the handler came to run, and it is the programmed time that is
 * reported: frames are as evenly spaced as those of a sensor with its own crystal, whatever the
 * latency of this machine. A late handler catches up: the hardware has not waited for it, and
 * exposed as many frames as it had descriptors for.
 *
 * Data. A worker thread for each channel, which runs while the channel does, stands for the DMA
 * engine. It moves data (draws pictures, adds up checksums) through the memory that the DMA
 * addresses lead to, and then raises the "completion interrupt", zcdma_xfer_done(). Up to
 * zvirt_model::depth frames wait for it as in a sensor's frame memory. When they do, a new frame
 * finds no descriptor: it is lost and counted, as with hardware whose bus is too slow.
 *
 * Descriptors form a ring and never overtake each other:
 *
 *      submit()        frame begins       frame ends          worker          zcdma_xfer_done()
 *     ---------> queued ---------> begun ---------> ready ---------> moved ---------> reported
 */
#include <linux/math64.h>
#include <linux/random.h>
#include <linux/sched.h>

#include "zcdma_compat.h"
#include "zcdma_virt.h"

/*
 * A handler that comes late finds many events due. After this many, others get the CPU for a while,
 * too.
 */
#define MAX_EVENTS	64
#define PAUSE_NS	(100 * NSEC_PER_USEC)

/* Of workers that take as long as a frame is large. */
#define WORKER_NICE	-10

static struct zvirt_desc *ring_desc(struct zvirt_chan *vc, u32 count)
{
	return &vc->ring[count % ZVIRT_RING];
}

/* ---- Time ---- */

static ktime_t next_event(const struct zvirt_chan *vc)
{
	return vc->running && !vc->faults.stall ? vc->due : KTIME_MAX;
}

/* Program the timer for the earliest event of all channels. */
void zvirt_arm(struct zvirt_dev *vdev)
{
	ktime_t next = KTIME_MAX;
	u32 jitter_ns = 0;

	lockdep_assert_held(&vdev->lock);

	for (unsigned int i = 0; i < vdev->num_chans; i++) {
		struct zvirt_chan *vc = &vdev->chans[i];

		if (next_event(vc) >= next)
			continue;
		next = next_event(vc);
		jitter_ns = vc->faults.jitter_ns;
	}
	if (next == KTIME_MAX)
		return;
	if (jitter_ns)
		next = ktime_add_ns(next, get_random_u32_inclusive(0, jitter_ns));
	hrtimer_start(&vdev->timer, next, HRTIMER_MODE_ABS);
}

/* The channel whose event is due first. At the same time, displays come before cameras. */
static struct zvirt_chan *first_due(struct zvirt_dev *vdev, ktime_t now)
{
	struct zvirt_chan *first = NULL;
	ktime_t best = KTIME_MAX;

	lockdep_assert_held(&vdev->lock);

	for (unsigned int i = 0; i < vdev->num_chans; i++) {
		struct zvirt_chan *vc = &vdev->chans[i];
		ktime_t next = next_event(vc);

		if (next > now || next > best)
			continue;
		if (next == best && vc->direction == ZCDMA_CAPTURE)
			continue;
		first = vc;
		best = next;
	}
	return first;
}

static enum hrtimer_restart interrupt(struct hrtimer *timer)
{
	struct zvirt_dev *vdev = container_of(timer, struct zvirt_dev, timer);
	unsigned int handled;
	unsigned long flags;

	for (handled = 0; handled < MAX_EVENTS; handled++) {
		struct zvirt_event event = {};
		struct zvirt_chan *vc;

		spin_lock_irqsave(&vdev->lock, flags);
		vc = first_due(vdev, ktime_get());
		if (vc)
			vc->model->event(vc, &event);
		spin_unlock_irqrestore(&vdev->lock, flags);
		if (!vc)
			break;

		/* A stop on another CPU waits for this handler before it returns. */
		if (event.type == ZVIRT_EVENT_EXPOSURE_START)
			zcdma_exposure_start(vc->chan, event.xfer, event.time);
		else if (event.type == ZVIRT_EVENT_EXPOSURE_END)
			zcdma_exposure_end(vc->chan, event.xfer, event.time);

		if (event.ready || event.type == ZVIRT_EVENT_EXPOSURE_END) {
			spin_lock_irqsave(&vdev->lock, flags);
			/* Only cameras have ends, and now a trigger may begin the next exposure. */
			if (event.type == ZVIRT_EVENT_EXPOSURE_END)
				vc->video.ending = false;
			if (event.ready) {
				vc->ready++;
				zvirt_kick(vc);
			}
			spin_unlock_irqrestore(&vdev->lock, flags);
		}
	}

	spin_lock_irqsave(&vdev->lock, flags);
	if (handled < MAX_EVENTS)
		zvirt_arm(vdev);
	else
		hrtimer_start(timer, ktime_add_ns(ktime_get(), PAUSE_NS), HRTIMER_MODE_ABS);
	spin_unlock_irqrestore(&vdev->lock, flags);
	/* Armed above, under the lock: start and stop of other channels arm it, too. */
	return HRTIMER_NORESTART;
}

/*
 * Length on CLOCK_MONOTONIC of @ns on the channel's own clock. What is cut off goes into the next
 * one, so that no frame count makes it add up.
 */
u64 zvirt_clock(struct zvirt_chan *vc, u64 ns)
{
	struct zvirt_faults *faults = &vc->faults;

	lockdep_assert_held(&vc->vdev->lock);

	if (!faults->drift_ppb)
		return ns;
	return div64_u64_rem(ns * NSEC_PER_SEC + faults->rest,
			     NSEC_PER_SEC + faults->drift_ppb, &faults->rest);
}

/* ---- Descriptors ---- */

/* Take the next descriptor for a frame that begins; NULL: there is none. */
struct zvirt_desc *zvirt_begin(struct zvirt_chan *vc)
{
	struct zvirt_desc *desc;

	lockdep_assert_held(&vc->vdev->lock);

	if (vc->begun == vc->queued)
		return NULL;
	desc = ring_desc(vc, vc->begun++);
	desc->failed = zvirt_fault(&vc->faults.error);
	return desc;
}

/**
 * zvirt_memory() - where a descriptor's bytes are, as the device sees them
 * @desc: descriptor of the caller's worker
 *
 * Return: the address, or NULL where there is no memory to map it.
 */
void *zvirt_memory(struct zvirt_desc *desc)
{
	void *view = zcdma_buf_device_view(desc->xfer->buf);

	return view ? view + desc->xfer->offset : NULL;
}

/* Note the result of a descriptor: 0 bytes is a failure. */
void zvirt_moved(struct zvirt_desc *desc, size_t bytes)
{
	desc->bytes = bytes;
	desc->flags = bytes ? 0 : ZCDMA_FRAME_ERROR;
}

/* ---- The worker ---- */

/* Have the worker look for something to do. */
void zvirt_kick(struct zvirt_chan *vc)
{
	lockdep_assert_held(&vc->vdev->lock);

	if (vc->running)
		kthread_queue_work(vc->worker, &vc->work);
}

/* The completion interrupt: reports whatever is complete. */
static void complete_moved(struct zvirt_chan *vc)
{
	struct zvirt_dev *vdev = vc->vdev;

	lockdep_assert_held(&vdev->lock);

	while (vc->reported != vc->moved) {
		struct zvirt_desc desc = *ring_desc(vc, vc->reported++);

		spin_unlock_irq(&vdev->lock);
		zcdma_xfer_done(vc->chan, desc.xfer, desc.bytes, desc.flags);
		spin_lock_irq(&vdev->lock);
	}
}

static void work(struct kthread_work *work)
{
	struct zvirt_chan *vc = container_of(work, struct zvirt_chan, work);
	struct zvirt_dev *vdev = vc->vdev;
	bool moved;

	if (vc->model->prepare)
		vc->model->prepare(vc);

	spin_lock_irq(&vdev->lock);
	while (vc->running && !vc->faults.stall && vc->moved != vc->ready) {
		struct zvirt_desc *desc = ring_desc(vc, vc->moved);

		spin_unlock_irq(&vdev->lock);
		moved = vc->model->move(vc, desc);
		spin_lock_irq(&vdev->lock);
		if (!moved)
			break;
		vc->moved++;
		if (!zvirt_fault(&vc->faults.lost_irq))
			complete_moved(vc);
	}
	spin_unlock_irq(&vdev->lock);
}

/* ---- The engine's calls ---- */

int zvirt_submit(struct zcdma_chan *chan, struct zcdma_xfer *xfer)
{
	struct zvirt_chan *vc = zcdma_chan_priv(chan);
	struct zvirt_dev *vdev = vc->vdev;
	struct zvirt_desc *desc;

	if (!vc->model->accepts(vc, xfer))
		return -EINVAL;

	/* Interrupts are off: the core holds its lock. */
	spin_lock(&vdev->lock);
	desc = ring_desc(vc, vc->queued++);
	desc->xfer = xfer;
	desc->source = NULL;
	desc->readers = 0;
	desc->skip = 0;
	if (vc->running && vc->model->submitted)
		vc->model->submitted(vc, ktime_get());
	spin_unlock(&vdev->lock);
	return 0;
}

static void forget_all(struct zvirt_chan *vc)
{
	lockdep_assert_held(&vc->vdev->lock);

	vc->queued = 0;
	vc->begun = 0;
	vc->ready = 0;
	vc->moved = 0;
	vc->reported = 0;
}

int zvirt_start(struct zcdma_chan *chan)
{
	struct zvirt_chan *vc = zcdma_chan_priv(chan);
	struct zvirt_dev *vdev = vc->vdev;
	struct kthread_worker *worker;
	ktime_t now;
	int ret;

	worker = kthread_run_worker(0, "%s/%s", zcdma_device_name(zcdma_chan_device(chan)),
				    vc->name);
	if (IS_ERR(worker)) {
		ret = PTR_ERR(worker);
		goto err_forget;
	}
	/*
	 * DMA does not wait for a time slice. But a real-time thread that needs longer for a
	 * picture than a frame lasts would keep a processor for itself; periods of sound are short
	 * work.
	 */
	if (vc->kind == ZCDMA_KIND_PCM)
		sched_set_fifo_low(worker->task);
	else
		set_user_nice(worker->task, WORKER_NICE);

	ret = vc->model->start ? vc->model->start(vc) : 0;
	if (ret)
		goto err_destroy;

	/* A work item remembers its worker, and this is a new one. */
	kthread_init_work(&vc->work, work);

	spin_lock_irq(&vdev->lock);
	now = ktime_get();
	vc->chan = chan;
	vc->worker = worker;
	vc->faults.rest = 0;
	vc->begun_at = now;
	vc->running = true;
	vc->model->run(vc, now);
	zvirt_arm(vdev);
	spin_unlock_irq(&vdev->lock);
	return 0;

err_destroy:
	kthread_destroy_worker(worker);
err_forget:
	spin_lock_irq(&vdev->lock);
	forget_all(vc);
	spin_unlock_irq(&vdev->lock);
	return ret;
}

void zvirt_stop(struct zcdma_chan *chan)
{
	struct zvirt_chan *vc = zcdma_chan_priv(chan);
	struct zvirt_dev *vdev = vc->vdev;

	spin_lock_irq(&vdev->lock);
	vc->running = false;
	spin_unlock_irq(&vdev->lock);

	/* No handler that saw the channel running is left after this; the others go on. */
	hrtimer_cancel(&vdev->timer);
	spin_lock_irq(&vdev->lock);
	zvirt_arm(vdev);
	spin_unlock_irq(&vdev->lock);

	kthread_destroy_worker(vc->worker);
	if (vc->model->stop)
		vc->model->stop(vc);

	spin_lock_irq(&vdev->lock);
	forget_all(vc);
	spin_unlock_irq(&vdev->lock);
}

void zvirt_dev_init(struct zvirt_dev *vdev)
{
	spin_lock_init(&vdev->lock);
	mutex_init(&vdev->wire);
	hrtimer_setup(&vdev->timer, interrupt, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
}
