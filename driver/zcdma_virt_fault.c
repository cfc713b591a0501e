// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual hardware: faults on demand, CHANNEL/fault in debugfs
 *
 *   drop       lose the next N frames: they are exposed, and counted, but go nowhere. A raw
 *              channel loses as many bytes as the transfer under way is long; a PCM channel as
 *              much time as the next transfer takes, as by an xrun
 *   error      fail the next N transfers: done, with ZCDMA_FRAME_ERROR and 0 bytes
 *   lost_irq   keep quiet about the next N completions. The next one that is not lost reports
 *              them, too, in order. With N as large as the descriptor ring there is no next one
 *              before a restart: hardware that has lost all its interrupts is stuck
 *   stall      1: from now on nothing begins, ends or moves; 0: everything goes on where it was,
 *              frame clock included. A transfer that is being moved at this moment is completed
 *   drift_ppb  the channel's clock is this many billionths fast (negative: slow) against
 *              CLOCK_MONOTONIC, from its next frame on
 *   jitter_ns  interrupts come late, by a random time up to this. What they report is not: the
 *              hardware does not wait for anybody
 *
 * Reading a counter tells how many are left. Values live as long as the device is bound.
 */
#include <linux/debugfs.h>
#include <linux/limits.h>
#include <linux/minmax.h>

#include "zcdma_virt.h"

#define MAX_JITTER_NS	NSEC_PER_SEC

static int counter_get(void *data, u64 *value)
{
	*value = atomic_read(data);
	return 0;
}

static int counter_set(void *data, u64 value)
{
	if (value > INT_MAX)
		return -EINVAL;
	atomic_set(data, value);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(counter_fops, counter_get, counter_set, "%llu\n");

static int stall_get(void *data, u64 *value)
{
	struct zvirt_chan *vc = data;

	spin_lock_irq(&vc->vdev->lock);
	*value = vc->faults.stall;
	spin_unlock_irq(&vc->vdev->lock);
	return 0;
}

static void stall_end(struct zvirt_chan *vc)
{
	ktime_t since = max(vc->faults.stalled_at, vc->begun_at);
	ktime_t length = ktime_sub(ktime_get(), since);

	lockdep_assert_held(&vc->vdev->lock);

	vc->faults.stall = false;
	if (!vc->running)
		return;
	if (vc->kind == ZCDMA_KIND_PCM) {
		zvirt_pcm_thaw(vc);
		zvirt_kick(vc);
		return;
	}
	if (vc->due != KTIME_MAX)
		vc->due = ktime_add(vc->due, length);
	if (vc->kind == ZCDMA_KIND_VIDEO)
		vc->video.frame_end = ktime_add(vc->video.frame_end, length);
	zvirt_arm(vc->vdev);
	zvirt_kick(vc);
}

static int stall_set(void *data, u64 value)
{
	struct zvirt_chan *vc = data;

	if (value > 1)
		return -EINVAL;
	spin_lock_irq(&vc->vdev->lock);
	if (value && !vc->faults.stall) {
		if (vc->kind == ZCDMA_KIND_PCM)
			zvirt_pcm_freeze(vc);
		vc->faults.stall = true;
		vc->faults.stalled_at = ktime_get();
	} else if (!value && vc->faults.stall) {
		stall_end(vc);
	}
	spin_unlock_irq(&vc->vdev->lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(stall_fops, stall_get, stall_set, "%llu\n");

static int drift_get(void *data, u64 *value)
{
	struct zvirt_chan *vc = data;

	spin_lock_irq(&vc->vdev->lock);
	*value = vc->faults.drift_ppb;
	spin_unlock_irq(&vc->vdev->lock);
	return 0;
}

static int drift_set(void *data, u64 value)
{
	struct zvirt_chan *vc = data;
	s64 ppb = value;

	if (ppb < -ZVIRT_MAX_DRIFT_PPB || ppb > ZVIRT_MAX_DRIFT_PPB)
		return -EINVAL;
	spin_lock_irq(&vc->vdev->lock);
	if (vc->kind == ZCDMA_KIND_PCM)
		zvirt_pcm_set_drift(vc, ppb);
	else
		vc->faults.drift_ppb = ppb;
	spin_unlock_irq(&vc->vdev->lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE_SIGNED(drift_fops, drift_get, drift_set, "%lld\n");

static int jitter_get(void *data, u64 *value)
{
	struct zvirt_chan *vc = data;

	spin_lock_irq(&vc->vdev->lock);
	*value = vc->faults.jitter_ns;
	spin_unlock_irq(&vc->vdev->lock);
	return 0;
}

static int jitter_set(void *data, u64 value)
{
	struct zvirt_chan *vc = data;

	if (value > MAX_JITTER_NS)
		return -EINVAL;
	spin_lock_irq(&vc->vdev->lock);
	vc->faults.jitter_ns = value;
	spin_unlock_irq(&vc->vdev->lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(jitter_fops, jitter_get, jitter_set, "%llu\n");

/**
 * zvirt_fault_debugfs() - let faults be asked for
 * @vc: channel, valid as long as the core keeps @dir
 * @dir: the channel's directory
 */
void zvirt_fault_debugfs(struct zvirt_chan *vc, struct dentry *dir)
{
	struct dentry *sub = debugfs_create_dir("fault", dir);

	debugfs_create_file_unsafe("drop", 0600, sub, &vc->faults.drop, &counter_fops);
	debugfs_create_file_unsafe("error", 0600, sub, &vc->faults.error, &counter_fops);
	debugfs_create_file_unsafe("lost_irq", 0600, sub, &vc->faults.lost_irq, &counter_fops);
	debugfs_create_file_unsafe("stall", 0600, sub, vc, &stall_fops);
	debugfs_create_file_unsafe("drift_ppb", 0600, sub, vc, &drift_fops);
	debugfs_create_file_unsafe("jitter_ns", 0600, sub, vc, &jitter_fops);
}
