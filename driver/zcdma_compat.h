/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that this driver builds for, 6.1 and newer
 *
 * The only place that looks at LINUX_VERSION_CODE. Each entry gives older kernels the newest
 * one's interface, and goes when the last kernel that needs it does.
 */
#ifndef ZCDMA_COMPAT_H
#define ZCDMA_COMPAT_H

#include <linux/device.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <linux/random.h>
#include <linux/version.h>

/* The one walk over device trees that has no stub where there is none. */
#ifndef CONFIG_OF
static inline struct device_node *of_find_all_nodes(struct device_node *prev)
{
	return NULL;
}
#endif

/* Moved in 6.12. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#include <asm/unaligned.h>
#else
#include <linux/unaligned.h>
#endif

/* New in 6.2 and 6.3, and in later releases of 6.1: macros, which do not clash with those. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
static inline u32 zcdma_random_u32_inclusive(u32 floor, u32 ceil)
{
	return floor + prandom_u32_max(ceil - floor + 1);
}

#define get_random_u32_inclusive zcdma_random_u32_inclusive
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define of_property_present(np, name) of_property_read_bool(np, name)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock_id, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock_id, mode);
	timer->function = function;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#define kthread_run_worker kthread_create_worker
#endif

/* The namespace became a string in 6.13. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define ZCDMA_IMPORT_NS_DMA_BUF MODULE_IMPORT_NS(DMA_BUF)
#else
#define ZCDMA_IMPORT_NS_DMA_BUF MODULE_IMPORT_NS("DMA_BUF")
#endif

/* class_register() writes to the class before 6.4. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define ZCDMA_CLASS_CONST
#else
#define ZCDMA_CLASS_CONST const
#endif

/* The source of the string is known from __string() since 6.10. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define zcdma_assign_str(dst, src) __assign_str(dst, src)
#else
#define zcdma_assign_str(dst, src) __assign_str(dst)
#endif

static inline void zcdma_vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	vma->vm_flags |= flags;
#else
	vm_flags_set(vma, flags);
#endif
}

/* Not the version but the architecture: where DMA is always coherent there is nothing to set. */
static inline void zcdma_set_dma_coherent(struct device *dev, bool coherent)
{
#if defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_DEVICE) || \
	defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU) || \
	defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU_ALL)
	dev->dma_coherent = coherent;
#endif
}

/* videobuf2 had at most 32 buffers, and another name for the limit, before 6.8. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define min_queued_buffers min_buffers_needed
#define vb2_get_num_buffers(queue) ((queue)->num_buffers)
#define zcdma_vb2_set_max_buffers(queue, max) ((void)(queue), (void)(max))
#else
#define zcdma_vb2_set_max_buffers(queue, max) ((queue)->max_num_buffers = (max))
#endif

/* A second look of queue_setup() could not be told from the first before 6.10. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define ZCDMA_VB2_TAKES_FEWER false
#else
#define ZCDMA_VB2_TAKES_FEWER true
#endif

/* It dropped the queue's lock around a wait only where the driver said so before 6.13. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define ZCDMA_VB2_WAIT_OPS \
	.wait_prepare = vb2_ops_wait_prepare, \
	.wait_finish = vb2_ops_wait_finish,
#else
#define ZCDMA_VB2_WAIT_OPS
#endif

/* 6.2 split these in two, by who locks the reservation; before, the callee does where it must. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define dma_buf_vmap_unlocked dma_buf_vmap
#define dma_buf_vunmap_unlocked dma_buf_vunmap
#endif

/* New in 6.6, and in some stable kernels before. */
#ifndef __counted_by
#define __counted_by(member)
#endif

#endif /* ZCDMA_COMPAT_H */
