// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module with bugs, to show that the tests' guests report them. Loading it
 * with bug=NAME commits one; it never stays loaded.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/refcount.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *bug = "";
module_param(bug, charp, 0);
MODULE_PARM_DESC(bug, "what to do wrong; the list is at the end of this file");

static int number = 40;

static void warn(void)
{
	WARN(1, "zcdma-bug: a deliberate warning\n");
}

static void do_panic(void)
{
	panic("zcdma-bug: a deliberate panic");
}

/* Cannot be killed, unlike a hung program. */
static void hang(void)
{
	for (;;)
		msleep(1000);
}

static void use_after_free(void)
{
	int *p = kmalloc(64, GFP_KERNEL);

	kfree(p);
	OPTIMIZER_HIDE_VAR(p);
	WRITE_ONCE(number, READ_ONCE(*p));
}

static void out_of_bounds(void)
{
	char *p = kmalloc(64, GFP_KERNEL);
	char *end = p;

	OPTIMIZER_HIDE_VAR(end);
	if (p)
		WRITE_ONCE(end[64], 1);
	kfree(p);
}

static void leak(void)
{
	int *p = kmalloc(4242, GFP_KERNEL);

	if (p)
		WRITE_ONCE(number, READ_ONCE(*p));
}

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

static void lock_inversion(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void sleep_in_atomic(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	kfree(kmalloc(64, GFP_KERNEL));
	spin_unlock(&lock);
}

static void undefined_shift(void)
{
	OPTIMIZER_HIDE_VAR(number);
	WRITE_ONCE(number, 1 << number);
}

static void refcount_underflow(void)
{
	refcount_t count = REFCOUNT_INIT(1);

	refcount_dec(&count);
	WARN_ON(refcount_dec_and_test(&count));
}

static void corrupt_list(void)
{
	LIST_HEAD(list);
	struct list_head entry;

	list_add(&entry, &list);
	entry.next = &entry;
	list_del(&entry);
}

static void expire(struct timer_list *timer)
{
}

static void free_active_timer(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, expire, 0);
	mod_timer(timer, jiffies + HZ * 1000);
	kfree(timer);
}

static void unmapped_sync(void)
{
	struct platform_device *pdev = platform_device_register_simple("zcdma-bug", -1, NULL, 0);

	if (IS_ERR(pdev))
		return;
	if (!dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32)))
		dma_sync_single_for_cpu(&pdev->dev, 0x40000000, PAGE_SIZE, DMA_FROM_DEVICE);
	platform_device_unregister(pdev);
}

static int shared;

static int count(void *unused)
{
	unsigned long end = jiffies + 2 * HZ;

	while (time_before(jiffies, end)) {
		shared++;
		cond_resched();
	}
	return 0;
}

static void race_on_data(void)
{
	struct task_struct *task = kthread_create(count, NULL, "zcdma-bug");

	if (IS_ERR(task))
		return;
	get_task_struct(task);
	wake_up_process(task);
	count(NULL);
	kthread_stop_put(task);
}

static const struct {
	const char *name;
	void (*commit)(void);
} bugs[] = {
	{ "warn", warn },
	{ "panic", do_panic },
	{ "hang", hang },
	{ "use-after-free", use_after_free },
	{ "out-of-bounds", out_of_bounds },
	{ "leak", leak },
	{ "lock-inversion", lock_inversion },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "undefined-shift", undefined_shift },
	{ "refcount-underflow", refcount_underflow },
	{ "corrupt-list", corrupt_list },
	{ "free-active-timer", free_active_timer },
	{ "unmapped-sync", unmapped_sync },
	{ "data-race", race_on_data },
};

static int __init zcdma_bug_init(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (!strcmp(bug, bugs[i].name)) {
			bugs[i].commit();
			return -ECANCELED;
		}
	}
	pr_info("unknown bug '%s'\n", bug);
	return -EINVAL;
}
module_init(zcdma_bug_init);

MODULE_DESCRIPTION("Deliberate bugs for the tests of zcdma");
MODULE_LICENSE("GPL");
