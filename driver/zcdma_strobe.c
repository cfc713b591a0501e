// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_strobe.c - the strobe: an output pulse tied to the exposure
 *
 * A lamp that stays on burns, or blinds. So whatever makes the line active starts, in the same
 * locked step, the timer that makes it inactive again; and stop, close, unbind, new settings,
 * suspend, reboot and panic make it inactive at once.
 *
 * The line belongs to gpiolib, which has arbitrated it and made it an output. Its edges are one
 * write to the controller's registers where the device tree names a block that has such for single
 * lines, and gpiod calls elsewhere.
 */
#include <linux/gpio/consumer.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>
#include <linux/timekeeping.h>

#include "zcdma_gpio.h"

static struct zcdma_gpio_strobe *chan_strobe(struct zcdma_chan *chan)
{
	return chan->gpio && chan->gpio->strobe.desc ? &chan->gpio->strobe : NULL;
}

/* ---- The line ---- */

static void line_write(struct zcdma_gpio_strobe *strobe, bool active)
{
	if (strobe->block)
		zcdma_gpio_write(&strobe->edge[active]);
	else
		gpiod_set_raw_value(strobe->desc, active != strobe->low);
}

/* Which level is active follows from the device tree and the settings. */
static void line_set_polarity(struct zcdma_gpio *gpio)
{
	struct zcdma_gpio_strobe *strobe = &gpio->strobe;
	const struct zcdma_gpio_block *block = &gpio->block;

	strobe->low = gpiod_is_active_low(strobe->desc) != !!strobe->set.inverted;
	strobe->edge[!strobe->low] = (struct zcdma_gpio_write) {
		block->base + block->set_offset, block->set_value
	};
	strobe->edge[strobe->low] = (struct zcdma_gpio_write) {
		block->base + block->clear_offset, block->clear_value
	};
}

/* ---- Pulses ---- */

static void timer_start(struct zcdma_gpio_strobe *strobe, ktime_t due)
{
	strobe->due = due;
	hrtimer_start(&strobe->timer, due,
		      strobe->block ? HRTIMER_MODE_ABS_HARD : HRTIMER_MODE_ABS);
}

static void pulse_begin(struct zcdma_gpio_strobe *strobe, u64 length_ns, bool cut)
{
	lockdep_assert_held(&strobe->lock);

	line_write(strobe, true);
	strobe->on = ktime_get();
	strobe->phase = ZCDMA_STROBE_ACTIVE;
	strobe->cut = cut;
	strobe->pulses++;
	timer_start(strobe, ktime_add_ns(strobe->on, length_ns));
}

/* The timer, if it runs, will find nothing to do. */
static void pulse_end(struct zcdma_gpio_strobe *strobe)
{
	lockdep_assert_held(&strobe->lock);

	if (strobe->phase == ZCDMA_STROBE_ACTIVE) {
		line_write(strobe, false);
		strobe->off = ktime_get();
	}
	strobe->phase = ZCDMA_STROBE_IDLE;
}

/* The pulse of an exposure. */
static void pulse_begin_exposure(struct zcdma_gpio_strobe *strobe)
{
	if (strobe->set.mode == ZCDMA_STROBE_FIXED)
		pulse_begin(strobe, strobe->set.duration_ns, false);
	else
		pulse_begin(strobe, strobe->limit_ns, true);
}

static enum hrtimer_restart strobe_timer(struct hrtimer *timer)
{
	struct zcdma_gpio_strobe *strobe = container_of(timer, struct zcdma_gpio_strobe, timer);
	unsigned long flags;

	raw_spin_lock_irqsave(&strobe->lock, flags);
	if (strobe->phase != ZCDMA_STROBE_IDLE && ktime_get() >= strobe->due) {
		if (strobe->phase == ZCDMA_STROBE_DELAYED) {
			pulse_begin_exposure(strobe);
		} else {
			strobe->cuts += strobe->cut;
			pulse_end(strobe);
		}
	}
	raw_spin_unlock_irqrestore(&strobe->lock, flags);
	/* Else the pulse that it was started for is over, and it was started again for the next. */
	return HRTIMER_NORESTART;
}

/**
 * zcdma_strobe_exposure_start() - the camera has begun to expose a frame
 * @gpio: strobe and trigger of the channel
 * @time: when
 *
 * Any context.
 */
void zcdma_strobe_exposure_start(struct zcdma_gpio *gpio, ktime_t time)
{
	struct zcdma_gpio_strobe *strobe = &gpio->strobe;
	unsigned long flags;

	if (!strobe->desc)
		return;
	raw_spin_lock_irqsave(&strobe->lock, flags);
	if (!strobe->running || strobe->blocked || strobe->set.mode == ZCDMA_STROBE_OFF)
		goto out_unlock;
	if (strobe->phase != ZCDMA_STROBE_IDLE) {
		strobe->missed++;
	} else if (strobe->set.delay_ns) {
		strobe->phase = ZCDMA_STROBE_DELAYED;
		timer_start(strobe, ktime_add_ns(time, strobe->set.delay_ns));
	} else {
		pulse_begin_exposure(strobe);
	}
out_unlock:
	raw_spin_unlock_irqrestore(&strobe->lock, flags);
}

/**
 * zcdma_strobe_exposure_end() - the camera has exposed a frame
 * @gpio: strobe and trigger of the channel
 *
 * Any context.
 */
void zcdma_strobe_exposure_end(struct zcdma_gpio *gpio)
{
	struct zcdma_gpio_strobe *strobe = &gpio->strobe;
	unsigned long flags;

	if (!strobe->desc)
		return;
	raw_spin_lock_irqsave(&strobe->lock, flags);
	if (strobe->running && strobe->set.mode == ZCDMA_STROBE_EXPOSURE)
		pulse_end(strobe);
	raw_spin_unlock_irqrestore(&strobe->lock, flags);
}

/* ---- Start, stop, and other interruptions ---- */

static void set_running(struct zcdma_gpio_strobe *strobe, bool running)
{
	unsigned long flags;

	if (!strobe->desc)
		return;
	raw_spin_lock_irqsave(&strobe->lock, flags);
	strobe->running = running;
	pulse_end(strobe);
	raw_spin_unlock_irqrestore(&strobe->lock, flags);
}

/* The channel is about to run. A test pulse ends. */
void zcdma_strobe_start(struct zcdma_gpio *gpio)
{
	set_running(&gpio->strobe, true);
}

/* The channel is about to stop. Harmless where it does not run. */
void zcdma_strobe_stop(struct zcdma_gpio *gpio)
{
	set_running(&gpio->strobe, false);
}

static void set_blocked(struct zcdma_gpio_strobe *strobe, bool blocked)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&strobe->lock, flags);
	strobe->blocked = blocked;
	pulse_end(strobe);
	raw_spin_unlock_irqrestore(&strobe->lock, flags);
}

/* Suspend and resume. */
void zcdma_strobe_block(struct zcdma_gpio *gpio, bool blocked)
{
	if (gpio->strobe.desc)
		set_blocked(&gpio->strobe, blocked);
}

static int strobe_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	set_blocked(container_of(nb, struct zcdma_gpio_strobe, reboot), true);
	return NOTIFY_DONE;
}

/*
 * Whoever has the lock has been stopped and will not give it back, nor make the line active. But
 * without a reboot (panic_timeout is 0) this processor goes on to take interrupts: cameras run, and
 * timers end.
 */
static int strobe_panic(struct notifier_block *nb, unsigned long action, void *data)
{
	struct zcdma_gpio_strobe *strobe = container_of(nb, struct zcdma_gpio_strobe, panic);

	WRITE_ONCE(strobe->blocked, true);
	WRITE_ONCE(strobe->phase, ZCDMA_STROBE_IDLE);
	line_write(strobe, false);
	return NOTIFY_DONE;
}

/* ---- Settings ---- */

/**
 * zcdma_chan_has_strobe() - whether a channel has a strobe line
 * @chan: channel
 */
bool zcdma_chan_has_strobe(struct zcdma_chan *chan)
{
	return chan_strobe(chan);
}
EXPORT_SYMBOL_GPL(zcdma_chan_has_strobe);

void zcdma_strobe_settings(struct zcdma_gpio *gpio, struct zcdma_strobe *set)
{
	struct zcdma_gpio_strobe *strobe = &gpio->strobe;
	unsigned long flags;

	raw_spin_lock_irqsave(&strobe->lock, flags);
	*set = strobe->set;
	raw_spin_unlock_irqrestore(&strobe->lock, flags);
}

/**
 * zcdma_chan_get_strobe() - the strobe's settings
 * @chan: channel
 * @set: result
 *
 * Return: 0, or -EOPNOTSUPP where it has no strobe line.
 */
int zcdma_chan_get_strobe(struct zcdma_chan *chan, struct zcdma_strobe *set)
{
	if (!chan_strobe(chan))
		return -EOPNOTSUPP;
	zcdma_strobe_settings(chan->gpio, set);
	return 0;
}
EXPORT_SYMBOL_GPL(zcdma_chan_get_strobe);

static int check_settings(const struct zcdma_strobe *set, u64 limit_ns)
{
	if (set->mode > ZCDMA_STROBE_FIXED || set->inverted > 1 ||
	    memchr_inv(set->reserved, 0, sizeof(set->reserved)))
		return -EINVAL;
	if (set->delay_ns > ZCDMA_STROBE_DELAY_MAX_NS ||
	    set->duration_ns < ZCDMA_STROBE_DURATION_MIN_NS || set->duration_ns > limit_ns)
		return -ERANGE;
	return 0;
}

static int set_settings(struct zcdma_chan *chan, const struct zcdma_strobe *set)
{
	struct zcdma_gpio_strobe *strobe = &chan->gpio->strobe;
	int ret;

	lockdep_assert_held(&chan->mutex);

	ret = check_settings(set, strobe->limit_ns);
	if (ret)
		return ret;
	if (chan->gone)
		return -ENODEV;
	raw_spin_lock_irq(&strobe->lock);
	pulse_end(strobe);
	strobe->set = *set;
	strobe->set.limit_ns = strobe->limit_ns;
	line_set_polarity(chan->gpio);
	line_write(strobe, false);
	raw_spin_unlock_irq(&strobe->lock);
	return 0;
}

/**
 * zcdma_chan_set_strobe() - change the strobe's settings
 * @chan: channel
 * @set: new settings; limit_ns is ignored
 *
 * Process context.
 *
 * Return: 0, or an error as documented with struct zcdma_strobe, or -ENODEV where the device is
 * gone.
 */
int zcdma_chan_set_strobe(struct zcdma_chan *chan, const struct zcdma_strobe *set)
{
	int ret;

	if (!chan_strobe(chan))
		return -EOPNOTSUPP;
	mutex_lock(&chan->mutex);
	ret = set_settings(chan, set);
	mutex_unlock(&chan->mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(zcdma_chan_set_strobe);

/**
 * zcdma_chan_change_strobe() - change some of the strobe's settings, whatever others do
 * @chan: channel
 * @change: makes the new settings of the present ones; must not call the core
 * @arg: for @change
 *
 * Process context. Between what @change sees and what it makes of it nobody sets anything else.
 *
 * Return: as zcdma_chan_set_strobe().
 */
int zcdma_chan_change_strobe(struct zcdma_chan *chan,
			     void (*change)(struct zcdma_strobe *set, const void *arg),
			     const void *arg)
{
	struct zcdma_strobe set;
	int ret;

	if (!chan_strobe(chan))
		return -EOPNOTSUPP;
	mutex_lock(&chan->mutex);
	zcdma_strobe_settings(chan->gpio, &set);
	change(&set, arg);
	ret = set_settings(chan, &set);
	mutex_unlock(&chan->mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(zcdma_chan_change_strobe);

/**
 * zcdma_chan_pulse_strobe() - make a test pulse
 * @chan: channel
 * @duration_ns: its length, 0: end the one under way
 *
 * Process context.
 *
 * Return: 0, or an error as documented with struct zcdma_strobe_pulse, or -ENODEV where the device
 * is gone.
 */
int zcdma_chan_pulse_strobe(struct zcdma_chan *chan, u64 duration_ns)
{
	struct zcdma_gpio_strobe *strobe = chan_strobe(chan);
	int ret = 0;

	if (!strobe)
		return -EOPNOTSUPP;
	if (duration_ns && (duration_ns < ZCDMA_STROBE_DURATION_MIN_NS ||
			    duration_ns > strobe->limit_ns))
		return -ERANGE;

	mutex_lock(&chan->mutex);
	raw_spin_lock_irq(&strobe->lock);
	if (chan->gone)
		ret = -ENODEV;
	else if (strobe->running && strobe->set.mode != ZCDMA_STROBE_OFF)
		ret = -EBUSY;
	else if (!duration_ns)
		pulse_end(strobe);
	else if (strobe->phase != ZCDMA_STROBE_IDLE || strobe->blocked)
		ret = -EBUSY;
	else
		pulse_begin(strobe, duration_ns, false);
	raw_spin_unlock_irq(&strobe->lock);
	mutex_unlock(&chan->mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(zcdma_chan_pulse_strobe);

void zcdma_strobe_state(struct zcdma_gpio *gpio, struct zcdma_gpio_state *state)
{
	struct zcdma_gpio_strobe *strobe = &gpio->strobe;
	unsigned long flags;

	if (!strobe->desc)
		return;
	raw_spin_lock_irqsave(&strobe->lock, flags);
	if (strobe->phase == ZCDMA_STROBE_ACTIVE)
		state->flags |= ZCDMA_GPIO_STROBE_ACTIVE;
	if (strobe->block)
		state->flags |= ZCDMA_GPIO_STROBE_MAPPED;
	state->strobes = strobe->pulses;
	state->strobes_missed = strobe->missed;
	state->strobes_cut = strobe->cuts;
	state->strobe_on_ns = ktime_to_ns(strobe->on);
	state->strobe_off_ns = ktime_to_ns(strobe->off);
	raw_spin_unlock_irqrestore(&strobe->lock, flags);
}

/* ---- Birth and death ---- */

/**
 * zcdma_strobe_init() - begin to use the strobe line
 * @gpio: with line and block as they are in the device tree
 * @limit_ns: longest pulse
 *
 * Return: 0 or an error.
 */
int zcdma_strobe_init(struct zcdma_gpio *gpio, u64 limit_ns)
{
	struct zcdma_gpio_strobe *strobe = &gpio->strobe;
	int ret;

	raw_spin_lock_init(&strobe->lock);
	if (!strobe->desc)
		return 0;
	strobe->block = gpio->block.base;
	strobe->limit_ns = limit_ns;
	strobe->set.limit_ns = limit_ns;
	strobe->set.duration_ns = min_t(u64, limit_ns, NSEC_PER_MSEC);
	line_set_polarity(gpio);
	hrtimer_setup(&strobe->timer, strobe_timer, CLOCK_MONOTONIC,
		      strobe->block ? HRTIMER_MODE_ABS_HARD : HRTIMER_MODE_ABS);
	strobe->panic.notifier_call = strobe_panic;
	strobe->reboot.notifier_call = strobe_reboot;
	ret = atomic_notifier_chain_register(&panic_notifier_list, &strobe->panic);
	if (ret)
		return ret;
	ret = register_reboot_notifier(&strobe->reboot);
	if (ret)
		atomic_notifier_chain_unregister(&panic_notifier_list, &strobe->panic);
	return ret;
}

void zcdma_strobe_exit(struct zcdma_gpio *gpio)
{
	struct zcdma_gpio_strobe *strobe = &gpio->strobe;

	if (!strobe->desc)
		return;
	unregister_reboot_notifier(&strobe->reboot);
	set_blocked(strobe, true);
	hrtimer_cancel(&strobe->timer);
	atomic_notifier_chain_unregister(&panic_notifier_list, &strobe->panic);
}
