// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_trigger.c - the trigger: edges, calls and ticks on their way to the engine
 *
 *      interrupt --.
 *      software ----+--> seen --> divider --> delay --> ops->trigger() --> exposure starts
 *      timer ------'                   \         \          \
 *                                       `---------`----------`--> missed
 *
 * All of it happens in the context of the source, with the trigger's lock held, up to the strobe
 * where there is no delay. On PREEMPT_RT that is a thread's context, as engines have locks that
 * sleep there.
 *
 * What is here never queues: a trigger starts its frame, or it is missed, and counted.
 */
#include <linux/gpio/consumer.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/math64.h>
#include <linux/poll.h>
#include <linux/timekeeping.h>

#include "zcdma_gpio.h"

static struct zcdma_gpio_trigger *chan_trigger(struct zcdma_chan *chan)
{
	return chan->gpio && chan->gpio->trigger.present ? &chan->gpio->trigger : NULL;
}

/* ---- From the source to the engine ---- */

static void miss(struct zcdma_gpio *gpio, u64 triggers)
{
	struct zcdma_chan *chan = gpio->chan;

	lockdep_assert_held(&gpio->trigger.lock);

	gpio->trigger.missed += triggers;
	spin_lock(&chan->lock);
	chan->trigger_missed = true;
	spin_unlock(&chan->lock);
}

/* Have the engine expose a frame, at @time, because of a trigger at @trigger_time. */
static int fire(struct zcdma_gpio *gpio, ktime_t trigger_time, ktime_t time)
{
	struct zcdma_gpio_trigger *trigger = &gpio->trigger;
	struct zcdma_chan *chan = gpio->chan;
	int ret = -EBUSY;

	lockdep_assert_held(&trigger->lock);

	/* One that has not begun to expose for the last one is not asked. */
	if (!atomic64_read(&trigger->pending)) {
		/* Before, for the engine may begin to expose at once. */
		atomic64_set(&trigger->pending, ktime_to_ns(trigger_time));
		ret = chan->desc.ops->trigger(chan, time);
		if (!ret)
			return 0;
		atomic64_set(&trigger->pending, 0);
	}
	miss(gpio, 1);
	return ret;
}

/* An edge, call or tick at @time. */
static int trigger_seen(struct zcdma_gpio *gpio, ktime_t time)
{
	struct zcdma_gpio_trigger *trigger = &gpio->trigger;

	lockdep_assert_held(&trigger->lock);

	trigger->seen++;
	trigger->last = time;
	if (!trigger->running || trigger->blocked)
		return -EAGAIN;
	if (++trigger->divided < trigger->set.divider)
		return 0;
	trigger->divided = 0;
	if (trigger->delayed) {
		miss(gpio, 1);
		return -EBUSY;
	}
	if (!trigger->set.delay_ns)
		return fire(gpio, time, time);
	trigger->delayed = true;
	trigger->delayed_time = time;
	hrtimer_start(&trigger->delay, ktime_add_ns(time, trigger->set.delay_ns),
		      HRTIMER_MODE_ABS);
	return 0;
}

/* Ticks until @last that were over before anybody could look. */
static void ticks_missed(struct zcdma_gpio *gpio, u64 ticks, ktime_t last)
{
	struct zcdma_gpio_trigger *trigger = &gpio->trigger;
	u64 missed;

	lockdep_assert_held(&trigger->lock);

	trigger->seen += ticks;
	trigger->last = last;
	if (trigger->blocked)
		return;
	missed = div_u64_rem(trigger->divided + ticks, trigger->set.divider, &trigger->divided);
	if (missed)
		miss(gpio, missed);
}

/* The delay that lasts comes to nothing. */
static void drop_delayed(struct zcdma_gpio *gpio)
{
	lockdep_assert_held(&gpio->trigger.lock);

	if (gpio->trigger.delayed)
		miss(gpio, 1);
	gpio->trigger.delayed = false;
}

static void wake_pollers(struct zcdma_gpio *gpio)
{
	if (wq_has_sleeper(&gpio->wait))
		wake_up_interruptible_poll(&gpio->wait, EPOLLIN | EPOLLRDNORM);
}

static irqreturn_t trigger_edge(int irq, void *data)
{
	struct zcdma_gpio *gpio = data;
	ktime_t now = ktime_get();
	unsigned long flags;

	spin_lock_irqsave(&gpio->trigger.lock, flags);
	if (gpio->trigger.listening)
		trigger_seen(gpio, now);
	spin_unlock_irqrestore(&gpio->trigger.lock, flags);
	wake_pollers(gpio);
	return IRQ_HANDLED;
}

static enum hrtimer_restart trigger_delay(struct hrtimer *timer)
{
	struct zcdma_gpio *gpio = container_of(timer, struct zcdma_gpio, trigger.delay);
	struct zcdma_gpio_trigger *trigger = &gpio->trigger;
	unsigned long flags;

	spin_lock_irqsave(&trigger->lock, flags);
	/* Stop and suspend take back what they cannot wait for. */
	if (trigger->delayed) {
		trigger->delayed = false;
		fire(gpio, trigger->delayed_time, hrtimer_get_expires(timer));
	}
	spin_unlock_irqrestore(&trigger->lock, flags);
	return HRTIMER_NORESTART;
}

static enum hrtimer_restart trigger_tick(struct hrtimer *timer)
{
	struct zcdma_gpio *gpio = container_of(timer, struct zcdma_gpio, trigger.tick);
	struct zcdma_gpio_trigger *trigger = &gpio->trigger;
	unsigned long flags;
	u64 ticks;

	spin_lock_irqsave(&trigger->lock, flags);
	if (!trigger->listening || !trigger->running) {
		spin_unlock_irqrestore(&trigger->lock, flags);
		return HRTIMER_NORESTART;
	}
	trigger_seen(gpio, hrtimer_get_expires(timer));
	ticks = hrtimer_forward_now(timer, ns_to_ktime(trigger->set.period_ns));
	if (ticks > 1)
		ticks_missed(gpio, ticks - 1, ktime_sub_ns(hrtimer_get_expires(timer),
							   trigger->set.period_ns));
	spin_unlock_irqrestore(&trigger->lock, flags);
	wake_pollers(gpio);
	return HRTIMER_RESTART;
}

/**
 * zcdma_chan_software_trigger() - a trigger by software
 * @chan: channel
 *
 * Any context but interrupts that PREEMPT_RT does not put into a thread.
 *
 * Return: 0, or an error as documented with %ZCDMA_IOC_TRIGGER_SOFTWARE.
 */
int zcdma_chan_software_trigger(struct zcdma_chan *chan)
{
	struct zcdma_gpio_trigger *trigger = chan_trigger(chan);
	unsigned long flags;
	int ret = -EINVAL;

	if (!trigger)
		return -EOPNOTSUPP;
	spin_lock_irqsave(&trigger->lock, flags);
	if (trigger->set.mode == ZCDMA_TRIGGER_ON && trigger->set.source == ZCDMA_TRIGGER_SOFTWARE)
		ret = trigger_seen(chan->gpio, ktime_get());
	spin_unlock_irqrestore(&trigger->lock, flags);
	wake_pollers(chan->gpio);
	return ret;
}
EXPORT_SYMBOL_GPL(zcdma_chan_software_trigger);

/**
 * zcdma_trigger_take() - the time of the trigger that an exposure starts for
 * @gpio: strobe and trigger of the channel
 *
 * Any context.
 *
 * Return: ns, or 0 where it was no trigger.
 */
u64 zcdma_trigger_take(struct zcdma_gpio *gpio)
{
	if (!atomic64_read(&gpio->trigger.pending))
		return 0;
	return atomic64_xchg(&gpio->trigger.pending, 0);
}

/* ---- Start and stop ---- */

static bool is_on(const struct zcdma_gpio_trigger *trigger, enum zcdma_trigger_source source)
{
	return trigger->set.mode == ZCDMA_TRIGGER_ON && trigger->set.source == source;
}

static void set_running(struct zcdma_gpio *gpio, bool running)
{
	struct zcdma_gpio_trigger *trigger = &gpio->trigger;

	lockdep_assert_held(&gpio->chan->mutex);

	spin_lock_irq(&trigger->lock);
	trigger->running = running && trigger->set.mode == ZCDMA_TRIGGER_ON;
	trigger->divided = 0;
	drop_delayed(gpio);
	atomic64_set(&trigger->pending, 0);
	spin_unlock_irq(&trigger->lock);
	if (!running) {
		hrtimer_cancel(&trigger->tick);
		hrtimer_cancel(&trigger->delay);
	} else if (is_on(trigger, ZCDMA_TRIGGER_TIMER)) {
		hrtimer_start(&trigger->tick, ktime_add_ns(ktime_get(), trigger->set.period_ns),
			      HRTIMER_MODE_ABS);
	}
}

/* On return no ops->trigger() is under way. */
static void pause(struct zcdma_gpio_trigger *trigger)
{
	spin_lock_irq(&trigger->lock);
	trigger->running = false;
	spin_unlock_irq(&trigger->lock);
	hrtimer_cancel(&trigger->tick);
	hrtimer_cancel(&trigger->delay);
}

/* As if there had been no pause: what has become due meanwhile comes now. */
static void resume(struct zcdma_gpio_trigger *trigger)
{
	spin_lock_irq(&trigger->lock);
	trigger->running = trigger->set.mode == ZCDMA_TRIGGER_ON;
	if (trigger->delayed)
		hrtimer_start_expires(&trigger->delay, HRTIMER_MODE_ABS);
	if (is_on(trigger, ZCDMA_TRIGGER_TIMER))
		hrtimer_start_expires(&trigger->tick, HRTIMER_MODE_ABS);
	spin_unlock_irq(&trigger->lock);
}

/* The channel runs. */
void zcdma_trigger_start(struct zcdma_gpio *gpio)
{
	if (gpio->trigger.present)
		set_running(gpio, true);
}

/* The channel is about to stop: on return no ops->trigger() is under way. */
void zcdma_trigger_stop(struct zcdma_gpio *gpio)
{
	if (gpio->trigger.present)
		set_running(gpio, false);
}

/* Suspend and resume. */
void zcdma_trigger_block(struct zcdma_gpio *gpio, bool blocked)
{
	if (!gpio->trigger.present)
		return;
	spin_lock_irq(&gpio->trigger.lock);
	gpio->trigger.blocked = blocked;
	drop_delayed(gpio);
	spin_unlock_irq(&gpio->trigger.lock);
}

/* ---- Settings ---- */

static unsigned int edge_type(const struct zcdma_gpio_trigger *trigger,
			      const struct zcdma_trigger *set)
{
	bool rising = set->activation == ZCDMA_TRIGGER_RISING;

	if (set->activation == ZCDMA_TRIGGER_BOTH)
		return IRQ_TYPE_EDGE_BOTH;
	return rising != !!gpiod_is_active_low(trigger->desc) ? IRQ_TYPE_EDGE_RISING :
								IRQ_TYPE_EDGE_FALLING;
}

static void listen(struct zcdma_gpio_trigger *trigger, bool on)
{
	spin_lock_irq(&trigger->lock);
	trigger->listening = on;
	spin_unlock_irq(&trigger->lock);
}

/* The edges that it listens for, IRQ_TYPE_NONE where for none. */
static unsigned int edges(const struct zcdma_gpio_trigger *trigger)
{
	return is_on(trigger, ZCDMA_TRIGGER_LINE) ? edge_type(trigger, &trigger->set) :
						    IRQ_TYPE_NONE;
}

/* Begin to listen to the source that is set; @before: to which edges it did. */
static void source_open(struct zcdma_gpio *gpio, unsigned int before)
{
	struct zcdma_gpio_trigger *trigger = &gpio->trigger;

	if (trigger->set.mode == ZCDMA_TRIGGER_OFF)
		return;
	if (trigger->set.source == ZCDMA_TRIGGER_LINE)
		enable_irq(trigger->irq);
	if (trigger->set.source == ZCDMA_TRIGGER_LINE && edges(trigger) != before) {
		/*
		 * An edge that the controller has kept from before comes now, to whichever CPU, and
		 * does not count. A CPU that has yet to take it, because its interrupts are off,
		 * holds up the grace period, unless it is just waking up, which takes much less;
		 * the other call waits for one that has taken it.
		 */
		synchronize_rcu();
		synchronize_irq(trigger->irq);
	}
	listen(trigger, true);
}

static void source_close(struct zcdma_gpio *gpio)
{
	struct zcdma_gpio_trigger *trigger = &gpio->trigger;

	if (trigger->set.mode == ZCDMA_TRIGGER_OFF)
		return;
	listen(trigger, false);
	if (trigger->set.source == ZCDMA_TRIGGER_LINE)
		disable_irq(trigger->irq);
}

static int check_settings(const struct zcdma_gpio_trigger *trigger, const struct zcdma_trigger *set)
{
	if (set->mode > ZCDMA_TRIGGER_ON || set->source > ZCDMA_TRIGGER_TIMER ||
	    set->activation > ZCDMA_TRIGGER_BOTH ||
	    memchr_inv(set->reserved, 0, sizeof(set->reserved)))
		return -EINVAL;
	if (!set->divider || set->divider > ZCDMA_TRIGGER_DIVIDER_MAX ||
	    set->delay_ns > ZCDMA_TRIGGER_DELAY_MAX_NS ||
	    set->period_ns < ZCDMA_TRIGGER_PERIOD_MIN_NS ||
	    set->period_ns > ZCDMA_TRIGGER_PERIOD_MAX_NS)
		return -ERANGE;
	if (set->source == ZCDMA_TRIGGER_LINE && !trigger->desc)
		return -EOPNOTSUPP;
	return 0;
}

/* What may be refused; then nothing has changed. */
static int apply(struct zcdma_gpio *gpio, const struct zcdma_trigger *set)
{
	struct zcdma_gpio_trigger *trigger = &gpio->trigger;
	struct zcdma_chan *chan = gpio->chan;
	int ret;

	if (set->source == ZCDMA_TRIGGER_LINE) {
		ret = irq_set_irq_type(trigger->irq, edge_type(trigger, set));
		if (ret)
			return ret;
	}
	if (set->mode != trigger->set.mode) {
		ret = chan->desc.ops->set_triggered(chan, set->mode == ZCDMA_TRIGGER_ON);
		if (ret) {
			if (set->source == ZCDMA_TRIGGER_LINE)
				irq_set_irq_type(trigger->irq, edge_type(trigger, &trigger->set));
			return ret;
		}
	}
	spin_lock_irq(&trigger->lock);
	trigger->set = *set;
	spin_unlock_irq(&trigger->lock);
	return 0;
}

/**
 * zcdma_chan_has_trigger() - whether frames of a channel can be triggered
 * @chan: channel
 */
bool zcdma_chan_has_trigger(struct zcdma_chan *chan)
{
	return chan_trigger(chan);
}
EXPORT_SYMBOL_GPL(zcdma_chan_has_trigger);

/**
 * zcdma_chan_has_trigger_line() - whether frames of a channel can be triggered by a line
 * @chan: channel
 */
bool zcdma_chan_has_trigger_line(struct zcdma_chan *chan)
{
	struct zcdma_gpio_trigger *trigger = chan_trigger(chan);

	return trigger && trigger->desc;
}
EXPORT_SYMBOL_GPL(zcdma_chan_has_trigger_line);

void zcdma_trigger_settings(struct zcdma_gpio *gpio, struct zcdma_trigger *set)
{
	spin_lock_irq(&gpio->trigger.lock);
	*set = gpio->trigger.set;
	spin_unlock_irq(&gpio->trigger.lock);
}

/**
 * zcdma_chan_get_trigger() - the trigger's settings
 * @chan: channel
 * @set: result
 *
 * Process context.
 *
 * Return: 0, or -EOPNOTSUPP where its frames cannot be triggered.
 */
int zcdma_chan_get_trigger(struct zcdma_chan *chan, struct zcdma_trigger *set)
{
	if (!chan_trigger(chan))
		return -EOPNOTSUPP;
	zcdma_trigger_settings(chan->gpio, set);
	return 0;
}
EXPORT_SYMBOL_GPL(zcdma_chan_get_trigger);

static int set_settings(struct zcdma_chan *chan, const struct zcdma_trigger *set)
{
	struct zcdma_gpio_trigger *trigger = &chan->gpio->trigger;
	unsigned int before = edges(trigger);
	int ret;

	lockdep_assert_held(&chan->mutex);

	ret = check_settings(trigger, set);
	if (ret)
		return ret;
	if (chan->gone)
		return -ENODEV;
	source_close(chan->gpio);
	pause(trigger);
	ret = apply(chan->gpio, set);
	source_open(chan->gpio, before);
	if (chan->running && ret)
		resume(trigger);
	else if (chan->running)
		zcdma_trigger_start(chan->gpio);
	return ret;
}

/**
 * zcdma_chan_set_trigger() - change the trigger's settings
 * @chan: channel
 * @set: new settings
 *
 * Process context.
 *
 * Return: 0, or an error as documented with struct zcdma_trigger, or -ENODEV where the device is
 * gone, or the engine's error.
 */
int zcdma_chan_set_trigger(struct zcdma_chan *chan, const struct zcdma_trigger *set)
{
	int ret;

	if (!chan_trigger(chan))
		return -EOPNOTSUPP;
	mutex_lock(&chan->mutex);
	ret = set_settings(chan, set);
	mutex_unlock(&chan->mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(zcdma_chan_set_trigger);

/**
 * zcdma_chan_change_trigger() - change some of the trigger's settings, whatever others do
 * @chan: channel
 * @change: makes the new settings of the present ones; must not call the core
 * @arg: for @change
 *
 * Process context. Between what @change sees and what it makes of it nobody sets anything else.
 *
 * Return: as zcdma_chan_set_trigger().
 */
int zcdma_chan_change_trigger(struct zcdma_chan *chan,
			      void (*change)(struct zcdma_trigger *set, const void *arg),
			      const void *arg)
{
	struct zcdma_trigger set;
	int ret;

	if (!chan_trigger(chan))
		return -EOPNOTSUPP;
	mutex_lock(&chan->mutex);
	zcdma_trigger_settings(chan->gpio, &set);
	change(&set, arg);
	ret = set_settings(chan, &set);
	mutex_unlock(&chan->mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(zcdma_chan_change_trigger);

void zcdma_trigger_state(struct zcdma_gpio *gpio, struct zcdma_gpio_state *state)
{
	struct zcdma_gpio_trigger *trigger = &gpio->trigger;

	if (trigger->desc && gpiod_get_value_cansleep(trigger->desc) > 0)
		state->flags |= ZCDMA_GPIO_TRIGGER_ACTIVE;
	spin_lock_irq(&trigger->lock);
	state->triggers = trigger->seen;
	state->triggers_missed = trigger->missed;
	state->trigger_ns = ktime_to_ns(trigger->last);
	spin_unlock_irq(&trigger->lock);
}

/* ---- Birth and death ---- */

/**
 * zcdma_trigger_init() - get the interrupt of the trigger line
 * @gpio: with the line as it is in the device tree
 *
 * Return: 0, or an error that has been reported as probe's.
 */
int zcdma_trigger_init(struct zcdma_gpio *gpio)
{
	struct zcdma_gpio_trigger *trigger = &gpio->trigger;
	struct device *dev = gpio->zdev->parent;
	int ret;

	spin_lock_init(&trigger->lock);
	trigger->set.divider = 1;
	trigger->set.period_ns = NSEC_PER_SEC / 10;
	hrtimer_setup(&trigger->delay, trigger_delay, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	hrtimer_setup(&trigger->tick, trigger_tick, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	if (!trigger->desc)
		return 0;

	trigger->irq = gpiod_to_irq(trigger->desc);
	if (trigger->irq < 0)
		return dev_err_probe(dev, trigger->irq,
				     "trigger-gpios: this line has no interrupt: use one that has\n");
	ret = request_any_context_irq(trigger->irq, trigger_edge,
				      IRQF_NO_AUTOEN | edge_type(trigger, &trigger->set),
				      gpio->zdev->name, gpio);
	if (ret < 0)
		return dev_err_probe(dev, ret, "trigger-gpios: cannot get the line's interrupt\n");
	/* While disabled it is masked: or the kernel keeps an edge, and gives it much later. */
	irq_set_status_flags(trigger->irq, IRQ_DISABLE_UNLAZY);
	return 0;
}

/* The channel is gone. */
void zcdma_trigger_exit(struct zcdma_gpio *gpio)
{
	struct zcdma_gpio_trigger *trigger = &gpio->trigger;

	if (trigger->desc)
		free_irq(trigger->irq, gpio);
	hrtimer_cancel(&trigger->tick);
	hrtimer_cancel(&trigger->delay);
}
