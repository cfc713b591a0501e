/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zcdma_gpio.h - what the files for strobe and trigger share with each other
 *
 *   zcdma_gpio.c      lines and block from the device tree, ioctls, sysfs, the GPIO descriptor
 *   zcdma_strobe.c    the strobe: pulses, and their end in every case
 *   zcdma_trigger.c   the trigger: from its source to the engine
 *
 * Who can reach a struct zcdma_gpio, and what holds it alive: it is freed with the zcdma_device,
 * which whoever gets here holds. What it has of others (lines, interrupt, registers, notifiers)
 * goes in zcdma_gpio_exit(), after the last of these has ended:
 *
 *   calls from user space   gone_lock, and the channel is not gone
 *   front ends, the engine  until their channel is gone
 *   interrupt, timers       freed and cancelled there
 *   sysfs                   the files are removed before
 *   panic, reboot, suspend  notifiers unregistered there; the class device is removed before
 *   mappings                have the physical block, not our mapping of it
 *
 * Locks: zcdma_chan::mutex of the channel serializes settings, start and stop;
 * zcdma_gpio_trigger::lock -> the engine's and zcdma_chan::lock -> zcdma_gpio_strobe::lock.
 */
#ifndef ZCDMA_GPIO_H
#define ZCDMA_GPIO_H

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/io.h>
#include <linux/notifier.h>
#include <linux/spinlock.h>

#include "zcdma_core.h"

struct gpio_desc;

/**
 * struct zcdma_gpio_write - one write to a register
 * @reg: where
 * @value: what
 */
struct zcdma_gpio_write {
	void __iomem *reg;
	u32 value;
};

static inline void zcdma_gpio_write(const struct zcdma_gpio_write *write)
{
	writel(write->value, write->reg);
}

/**
 * struct zcdma_gpio_block - the registers of the strobe line's controller
 * @layout: which registers there are
 * @start: physical address
 * @size: bytes that the device tree gives it
 * @map_size: bytes that programs may map, 0: none
 * @base: our mapping
 * @set_offset: register that makes the strobe line high
 * @set_value: what to write there
 * @clear_offset: register that makes it low
 * @clear_value: what to write there
 * @level_offset: register with its level
 * @level_mask: its bit there
 *
 * Constant once the device is registered.
 */
struct zcdma_gpio_block {
	enum zcdma_gpio_layout layout;
	phys_addr_t start;
	resource_size_t size;
	resource_size_t map_size;
	void __iomem *base;
	u32 set_offset;
	u32 set_value;
	u32 clear_offset;
	u32 clear_value;
	u32 level_offset;
	u32 level_mask;
};

/**
 * enum zcdma_strobe_phase - where the strobe is
 * @ZCDMA_STROBE_IDLE: inactive
 * @ZCDMA_STROBE_DELAYED: inactive; an exposure has started, and the timer runs until the pulse
 * @ZCDMA_STROBE_ACTIVE: active, and the timer runs until the pulse has to be over
 *
 *            exposure starts, or a test pulse
 *     IDLE -----------------------------------> ACTIVE
 *      ^ \                                       ^  |
 *      |  `------> DELAYED ----------------------'  |
 *      |     delay    |       timer                 |
 *      +--------------+-----------------------------+
 *         exposure ends, timer, stop, new settings, suspend
 */
enum zcdma_strobe_phase {
	ZCDMA_STROBE_IDLE,
	ZCDMA_STROBE_DELAYED,
	ZCDMA_STROBE_ACTIVE,
};

/**
 * struct zcdma_gpio_strobe - the strobe
 * @desc: the line; NULL: there is none
 * @block: whether edges are written to the block
 * @limit_ns: longest pulse; @set repeats it for programs
 * @lock: protects everything below. Raw: the limit is kept by a timer that runs in interrupt
 *	context on PREEMPT_RT, too
 * @edge: writes that make the line inactive [0] and active [1]; with @block only
 * @low: active is low
 * @set: settings
 * @running: the channel runs: exposures have pulses
 * @blocked: suspended, or the system goes down: there are no pulses
 * @phase: see there
 * @due: when the timer has something to do
 * @cut: when it has, that is the limit
 * @timer: end of the delay, or of the pulse
 * @pulses: zcdma_gpio_state::strobes
 * @missed: zcdma_gpio_state::strobes_missed
 * @cuts: zcdma_gpio_state::strobes_cut
 * @on: zcdma_gpio_state::strobe_on_ns
 * @off: zcdma_gpio_state::strobe_off_ns
 * @panic: to be called in a panic
 * @reboot: to be called before the system goes down
 */
struct zcdma_gpio_strobe {
	struct gpio_desc *desc;
	bool block;
	u64 limit_ns;
	raw_spinlock_t lock; /* protects all from here to off */
	struct zcdma_gpio_write edge[2];
	bool low;
	struct zcdma_strobe set;
	bool running;
	bool blocked;
	enum zcdma_strobe_phase phase;
	ktime_t due;
	bool cut;
	struct hrtimer timer;
	u64 pulses;
	u64 missed;
	u64 cuts;
	ktime_t on;
	ktime_t off;
	struct notifier_block panic;
	struct notifier_block reboot;
};

/**
 * struct zcdma_gpio_trigger - the trigger
 * @present: the engine can be triggered
 * @desc: the line; NULL: there is none
 * @irq: its interrupt, enabled while @set says that it is the source
 * @lock: protects everything below
 * @set: settings; written with the channel's mutex held, too
 * @listening: edges count
 * @running: the channel runs: triggers start frames
 * @blocked: suspended
 * @divided: triggers since the last that was to start a frame
 * @delayed: the delay of @delayed_time lasts
 * @delayed_time: time of the trigger
 * @delay: end of the delay
 * @tick: the timer as source
 * @seen: zcdma_gpio_state::triggers
 * @missed: zcdma_gpio_state::triggers_missed
 * @last: zcdma_gpio_state::trigger_ns
 * @pending: time of the trigger that the engine has taken and not yet begun to expose for; 0: none.
 *	Set under @lock, taken without
 */
struct zcdma_gpio_trigger {
	bool present;
	struct gpio_desc *desc;
	int irq;
	spinlock_t lock; /* protects all from here to last */
	struct zcdma_trigger set;
	bool listening;
	bool running;
	bool blocked;
	u32 divided;
	bool delayed;
	ktime_t delayed_time;
	struct hrtimer delay;
	struct hrtimer tick;
	u64 seen;
	u64 missed;
	ktime_t last;
	atomic64_t pending;
};

/**
 * struct zcdma_gpio - strobe and trigger of a device
 * @zdev: the device
 * @chan: the channel that they belong to
 * @block: the strobe line's registers
 * @strobe: the strobe
 * @trigger: the trigger
 * @wait: pollers of GPIO descriptors, woken by triggers
 * @groups: sysfs
 */
struct zcdma_gpio {
	struct zcdma_device *zdev;
	struct zcdma_chan *chan;
	struct zcdma_gpio_block block;
	struct zcdma_gpio_strobe strobe;
	struct zcdma_gpio_trigger trigger;
	wait_queue_head_t wait;
	const struct attribute_group *groups[3];
};

/* zcdma_strobe.c */
int zcdma_strobe_init(struct zcdma_gpio *gpio, u64 limit_ns);
void zcdma_strobe_exit(struct zcdma_gpio *gpio);
void zcdma_strobe_start(struct zcdma_gpio *gpio);
void zcdma_strobe_stop(struct zcdma_gpio *gpio);
void zcdma_strobe_block(struct zcdma_gpio *gpio, bool blocked);
void zcdma_strobe_state(struct zcdma_gpio *gpio, struct zcdma_gpio_state *state);
void zcdma_strobe_settings(struct zcdma_gpio *gpio, struct zcdma_strobe *set);

/* zcdma_trigger.c */
int zcdma_trigger_init(struct zcdma_gpio *gpio);
void zcdma_trigger_exit(struct zcdma_gpio *gpio);
void zcdma_trigger_start(struct zcdma_gpio *gpio);
void zcdma_trigger_stop(struct zcdma_gpio *gpio);
void zcdma_trigger_block(struct zcdma_gpio *gpio, bool blocked);
void zcdma_trigger_state(struct zcdma_gpio *gpio, struct zcdma_gpio_state *state);
void zcdma_trigger_settings(struct zcdma_gpio *gpio, struct zcdma_trigger *set);

#endif /* ZCDMA_GPIO_H */
