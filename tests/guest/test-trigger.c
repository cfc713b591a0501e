// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-trigger - software, line and timer start frames, and nothing else does while they are set to
 *
 * Pulses on the line come from outside, through QEMU's monitor. With icount, so that no edge comes
 * too early because the machine was busy while a frame was being exposed; not with sleep=off, which
 * would have the time leap while the guest waits for the monitor.
 *
 * vm: --smp 1 --qemu '-icount shift=0'
 * timeout: 120
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "zcg.h"

static struct zcv v;

static struct zcdma_trigger settings(void)
{
	struct zcdma_trigger set;

	memset(&set, 0xff, sizeof(set));
	zcv_ioctl(zcg_dev, ZCDMA_IOC_TRIGGER_GET, &set);
	return set;
}

static void set_refused(struct zcdma_trigger set, int error)
{
	struct zcdma_trigger before = settings(), after;

	zcv_ioctl_fails(zcg_dev, ZCDMA_IOC_TRIGGER_SET, &set, error);
	after = settings();
	assert_memory_equal(&before, &after, sizeof(before));
}

static void test_settings_are_kept(void **state)
{
	struct zcdma_trigger set = {
		.mode = ZCDMA_TRIGGER_ON,
		.source = ZCDMA_TRIGGER_LINE,
		.activation = ZCDMA_TRIGGER_BOTH,
		.divider = ZCDMA_TRIGGER_DIVIDER_MAX,
		.delay_ns = ZCDMA_TRIGGER_DELAY_MAX_NS,
		.period_ns = ZCDMA_TRIGGER_PERIOD_MAX_NS,
	}, got;

	zcg_set_trigger(set);
	got = settings();
	assert_memory_equal(&got, &set, sizeof(set));
	set.period_ns = ZCDMA_TRIGGER_PERIOD_MIN_NS;
	set.source = ZCDMA_TRIGGER_TIMER;
	zcg_set_trigger(set);
	got = settings();
	assert_memory_equal(&got, &set, sizeof(set));
}

static void test_absurd_settings_are_refused(void **state)
{
	const struct zcdma_trigger good = zcg_triggered_by(ZCDMA_TRIGGER_TIMER);
	struct zcdma_trigger set;

#define REFUSED(field, value, error) \
	do { \
		set = good; \
		set.field = value; \
		set_refused(set, error); \
	} while (0)
	REFUSED(mode, 2, EINVAL);
	REFUSED(source, 3, EINVAL);
	REFUSED(activation, 3, EINVAL);
	REFUSED(divider, 0, ERANGE);
	REFUSED(divider, ZCDMA_TRIGGER_DIVIDER_MAX + 1, ERANGE);
	REFUSED(delay_ns, ZCDMA_TRIGGER_DELAY_MAX_NS + 1, ERANGE);
	REFUSED(delay_ns, UINT64_MAX, ERANGE);
	REFUSED(period_ns, ZCDMA_TRIGGER_PERIOD_MIN_NS - 1, ERANGE);
	REFUSED(period_ns, ZCDMA_TRIGGER_PERIOD_MAX_NS + 1, ERANGE);
	for (int i = 0; i < 4; i++)
		REFUSED(reserved[i], 1, EINVAL);
	zcv_ioctl_fails(zcg_dev, ZCDMA_IOC_TRIGGER_SET, NULL, EFAULT);
	zcv_ioctl_fails(zcg_dev, ZCDMA_IOC_TRIGGER_GET, NULL, EFAULT);
}

/* virt1 has no lines, but its camera can be triggered. */
static void test_no_line_is_no_source(void **state)
{
	struct zcdma_trigger set = zcg_triggered_by(ZCDMA_TRIGGER_LINE);
	struct zcdma_device_info info;

	close(zcg_dev);
	zcv_device = "virt1";
	zcg_dev = zcv_open_device();
	zcv_device = "virt0";
	zcv_ioctl(zcg_dev, ZCDMA_IOC_DEVICE_INFO, &info);
	assert_true(info.features & ZCDMA_FEATURE_TRIGGER);
	assert_false(info.features & (ZCDMA_FEATURE_TRIGGER_LINE | ZCDMA_FEATURE_STROBE));
	set_refused(set, EOPNOTSUPP);
	assert_int_equal(zcg_pulse_strobe(NSEC_PER_MSEC), -EOPNOTSUPP);
	zcv_ioctl_fails(zcg_dev, ZCDMA_IOC_STROBE_SET, (void *)&zcg_strobe_default, EOPNOTSUPP);
}

static void test_software_trigger_needs_its_source(void **state)
{
	assert_int_equal(zcg_software_trigger(), -EINVAL);
	zcg_set_trigger(zcg_triggered_by(ZCDMA_TRIGGER_TIMER));
	assert_int_equal(zcg_software_trigger(), -EINVAL);
	zcg_set_trigger(zcg_triggered_by(ZCDMA_TRIGGER_SOFTWARE));
	assert_int_equal(zcg_software_trigger(), -EAGAIN);
}

/* A trigger a frame, a frame a trigger, and the record has its time. */
static void test_software_triggers_start_frames(void **state)
{
	uint64_t triggers = zcg_state().triggers, last = 0;

	zcg_set_trigger(zcg_triggered_by(ZCDMA_TRIGGER_SOFTWARE));
	zcg_open(&v, 10, 5);
	zcv_start(&v, 4);
	zcg_no_frame(&v, 200);
	for (unsigned int i = 0; i < 20; i++) {
		uint64_t before = zcv_now(), after;
		struct zcdma_frame frame;

		assert_int_equal(zcg_software_trigger(), 0);
		after = zcv_now();
		frame = zcg_frame(&v);
		assert_int_equal(frame.sequence, i);
		assert_true(frame.flags & ZCDMA_FRAME_TRIGGER_TIME);
		assert_false(frame.flags & ZCDMA_FRAME_TRIGGER_MISSED);
		assert_in_range(frame.trigger_ns, before, after);
		assert_true(frame.trigger_ns > last);
		assert_int_equal(frame.exposure_start_ns, frame.trigger_ns);
		assert_int_equal(frame.exposure_end_ns, frame.trigger_ns + 5 * NSEC_PER_MSEC);
		assert_int_equal(zcg_state().trigger_ns, frame.trigger_ns);
		last = frame.trigger_ns;
	}
	zcg_no_frame(&v, 100);
	assert_int_equal(zcg_state().triggers, triggers + 20);
}

static void test_exposure_starts_after_the_delay(void **state)
{
	struct zcdma_trigger set = zcg_triggered_by(ZCDMA_TRIGGER_SOFTWARE);

	zcg_set_trigger(set);
	zcg_open(&v, 10, 5);
	zcv_start(&v, 4);
	for (set.delay_ns = 1; set.delay_ns < 500 * NSEC_PER_MSEC; set.delay_ns *= 9) {
		struct zcdma_frame frame;

		zcg_set_trigger(set);
		assert_int_equal(zcg_software_trigger(), 0);
		frame = zcg_frame(&v);
		assert_int_equal(frame.exposure_start_ns, frame.trigger_ns + set.delay_ns);
	}
}

/* Missed: during the delay, and during the exposure. The next frame tells. */
static void test_triggers_that_come_too_early_are_missed(void **state)
{
	struct zcdma_trigger set = zcg_triggered_by(ZCDMA_TRIGGER_SOFTWARE);
	uint64_t missed = zcg_state().triggers_missed;
	struct zcdma_frame frame;

	zcg_set_trigger(set);
	zcg_open(&v, 1000, 900);
	zcv_start(&v, 4);
	assert_int_equal(zcg_software_trigger(), 0);
	assert_int_equal(zcg_software_trigger(), -EBUSY);
	assert_int_equal(zcg_software_trigger(), -EBUSY);
	assert_int_equal(zcg_state().triggers_missed, missed + 2);
	/* They came after it had begun, so it is not this one that tells. */
	frame = zcg_frame(&v);
	assert_false(frame.flags & ZCDMA_FRAME_TRIGGER_MISSED);

	assert_int_equal(zcg_software_trigger(), 0);
	frame = zcg_frame(&v);
	assert_int_equal(frame.sequence, 1);
	assert_true(frame.flags & ZCDMA_FRAME_TRIGGER_MISSED);
	assert_int_equal(zcg_software_trigger(), 0);
	frame = zcg_frame(&v);
	assert_false(frame.flags & ZCDMA_FRAME_TRIGGER_MISSED);

	set.delay_ns = 800 * NSEC_PER_MSEC;
	zcg_set_trigger(set);
	assert_int_equal(zcg_software_trigger(), 0);
	assert_int_equal(zcg_software_trigger(), -EBUSY);
	assert_int_equal(zcg_state().triggers_missed, missed + 3);
	frame = zcg_frame(&v);
	assert_true(frame.flags & ZCDMA_FRAME_TRIGGER_MISSED);
}

/* A delay that new settings end has started no frame, and the next one tells. */
static void test_trigger_whose_delay_ends_early_is_missed(void **state)
{
	struct zcdma_trigger set = zcg_triggered_by(ZCDMA_TRIGGER_SOFTWARE);
	struct zcdma_gpio_state before = zcg_state(), after;
	struct zcdma_frame frame;

	set.delay_ns = 500 * NSEC_PER_MSEC;
	zcg_set_trigger(set);
	zcg_open(&v, 10, 5);
	zcv_start(&v, 4);
	assert_int_equal(zcg_software_trigger(), 0);
	zcg_set_trigger(zcg_triggered_by(ZCDMA_TRIGGER_SOFTWARE));
	after = zcg_state();
	assert_int_equal(after.triggers, before.triggers + 1);
	assert_int_equal(after.triggers_missed, before.triggers_missed + 1);
	zcg_no_frame(&v, 600);
	assert_int_equal(zcg_software_trigger(), 0);
	frame = zcg_frame(&v);
	assert_true(frame.flags & ZCDMA_FRAME_TRIGGER_MISSED);

	zcg_set_trigger(set);
	assert_int_equal(zcg_software_trigger(), 0);
	zcv_off(&v);
	assert_int_equal(zcg_state().triggers_missed, before.triggers_missed + 2);
}

static void test_divider_takes_every_nth(void **state)
{
	struct zcdma_trigger set = zcg_triggered_by(ZCDMA_TRIGGER_SOFTWARE);
	uint64_t missed = zcg_state().triggers_missed;

	set.divider = 3;
	zcg_set_trigger(set);
	zcg_open(&v, 10, 5);
	zcv_start(&v, 4);
	for (unsigned int i = 0; i < 4; i++) {
		struct zcdma_frame frame;
		uint64_t before;

		assert_int_equal(zcg_software_trigger(), 0);
		assert_int_equal(zcg_software_trigger(), 0);
		zcg_no_frame(&v, 50);
		before = zcv_now();
		assert_int_equal(zcg_software_trigger(), 0);
		frame = zcg_frame(&v);
		assert_int_equal(frame.sequence, i);
		assert_true(frame.trigger_ns >= before);
	}
	assert_int_equal(zcg_state().triggers_missed, missed);
}

/* The timer's ticks are as even as a clock's, whenever the machine gets to them. */
static void test_timer_ticks_evenly(void **state)
{
	struct zcdma_trigger set = zcg_triggered_by(ZCDMA_TRIGGER_TIMER);
	struct zcdma_frame first, frame;

	set.period_ns = 70 * NSEC_PER_MSEC + 1;
	zcg_set_trigger(set);
	zcg_open(&v, 10, 5);
	zcv_start(&v, 8);
	first = zcg_frame(&v);
	assert_true(first.flags & ZCDMA_FRAME_TRIGGER_TIME);
	for (unsigned int i = 1; i < 10; i++) {
		frame = zcg_frame(&v);
		assert_int_equal((frame.trigger_ns - first.trigger_ns) % set.period_ns, 0);
		assert_true(frame.trigger_ns >= first.trigger_ns + i * set.period_ns);
		assert_int_equal(frame.exposure_start_ns, frame.trigger_ns);
	}
	zcv_off(&v);
	/* It stands still while the channel does. */
	first.sequence = zcg_state().triggers;
	usleep(300000);
	assert_int_equal(zcg_state().triggers, first.sequence);
}

/* Off and on while streaming: the camera's own pace, and none. */
static void test_mode_can_change_while_streaming(void **state)
{
	struct zcdma_frame frame;

	zcg_open(&v, 20, 5);
	zcv_start(&v, 4);
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < 3; i++) {
			frame = zcg_frame(&v);
			assert_false(frame.flags & ZCDMA_FRAME_TRIGGER_TIME);
			assert_int_equal(frame.trigger_ns, 0);
		}
		zcg_set_trigger(zcg_triggered_by(ZCDMA_TRIGGER_SOFTWARE));
		frame = zcg_own_frame(&v);
		assert_true(frame.flags & ZCDMA_FRAME_TRIGGER_TIME);
		zcg_no_frame(&v, 100);
		zcg_set_trigger(zcg_trigger_default);
	}
}

/*
 * While the guest has nothing to do, its time goes by the host's clock: a host that is late by the
 * length of a pulse would have both edges at once. So it has something to do.
 */
static pid_t busy;

static void keep_busy(void)
{
	busy = fork();
	assert_true(busy >= 0);
	if (busy)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (nice(19);;)
		;
}

static int stop_busy(void **state)
{
	if (busy > 0) {
		kill(busy, SIGKILL);
		waitpid(busy, NULL, 0);
	}
	busy = 0;
	return zcg_teardown(state);
}

/* N pulses from outside are N frames, of each kind of edge. */
static void pulses_are_frames(uint32_t activation, unsigned int per_pulse)
{
	struct zcdma_trigger set = zcg_triggered_by(ZCDMA_TRIGGER_LINE);
	struct zcdma_gpio_state before, after;
	unsigned int sequence = 0;
	uint64_t last = 0;

	set.activation = activation;
	set.delay_ns = 7 * NSEC_PER_MSEC;
	zcg_set_trigger(set);
	zcg_open(&v, 10, 5);
	zcv_start(&v, 4);
	keep_busy();
	zcg_no_frame(&v, 100);
	before = zcg_state();
	for (unsigned int pulse = 0; pulse < 10; pulse++) {
		uint64_t begin = zcv_now();

		zcg_pulse_line();
		for (unsigned int i = 0; i < per_pulse; i++) {
			struct zcdma_frame frame = zcg_frame(&v);

			assert_int_equal(frame.sequence, sequence++);
			assert_true(frame.flags & ZCDMA_FRAME_TRIGGER_TIME);
			assert_true(frame.trigger_ns > begin && frame.trigger_ns > last);
			assert_int_equal(frame.exposure_start_ns, frame.trigger_ns + set.delay_ns);
			last = frame.trigger_ns;
		}
		/* The next pulse has to begin after the end of this one. */
		while (zcg_state().flags & ZCDMA_GPIO_TRIGGER_ACTIVE)
			usleep(1000);
	}
	zcg_no_frame(&v, 300);
	after = zcg_state();
	assert_int_equal(after.triggers, before.triggers + 10 * per_pulse);
	assert_int_equal(after.triggers_missed, before.triggers_missed);
}

static void test_rising_edges_of_the_line_start_frames(void **state)
{
	pulses_are_frames(ZCDMA_TRIGGER_RISING, 1);
}

static void test_falling_edges_of_the_line_start_frames(void **state)
{
	pulses_are_frames(ZCDMA_TRIGGER_FALLING, 1);
}

static void test_both_edges_of_the_line_start_frames(void **state)
{
	pulses_are_frames(ZCDMA_TRIGGER_BOTH, 2);
}

/* Nothing remembers an edge of the time when nobody wanted to know of them. */
static void test_edges_while_off_are_forgotten(void **state)
{
	struct zcdma_gpio_state before, after;

	/* Once on, for what has never been on is off in another way. */
	zcg_set_trigger(zcg_triggered_by(ZCDMA_TRIGGER_LINE));
	zcg_set_trigger(zcg_triggered_by(ZCDMA_TRIGGER_SOFTWARE));
	zcg_open(&v, 10, 5);
	zcv_start(&v, 4);
	before = zcg_state();
	zcg_pulse_line();
	while (zcg_state().flags & ZCDMA_GPIO_TRIGGER_ACTIVE)
		usleep(1000);
	zcg_set_trigger(zcg_triggered_by(ZCDMA_TRIGGER_LINE));
	zcg_no_frame(&v, 200);
	after = zcg_state();
	assert_int_equal(after.triggers, before.triggers);
	assert_int_equal(after.triggers_missed, before.triggers_missed);
}

static int open_gpio(void)
{
	struct zcdma_gpio_open arg = { .fd_flags = O_CLOEXEC };

	zcv_ioctl(zcg_dev, ZCDMA_IOC_GPIO_OPEN, &arg);
	return arg.fd;
}

/* The GPIO descriptor tells of triggers, once for each look, even without a stream. */
static void test_gpio_descriptor_polls_triggers(void **state)
{
	struct zcdma_gpio_state first, second;
	struct pollfd p = { .events = POLLIN };

	p.fd = open_gpio();
	zcg_set_trigger(zcg_triggered_by(ZCDMA_TRIGGER_LINE));
	assert_int_equal(poll(&p, 1, 0), 0);
	zcv_ioctl(p.fd, ZCDMA_IOC_GPIO_STATE, &first);
	zcg_pulse_line();
	assert_int_equal(zcv_poll(p.fd, POLLIN), POLLIN);
	assert_int_equal(poll(&p, 1, 0), 1);
	zcv_ioctl(p.fd, ZCDMA_IOC_GPIO_STATE, &second);
	assert_int_equal(second.triggers, first.triggers + 1);
	assert_int_equal(poll(&p, 1, 0), 0);
	zcv_ioctl_fails(p.fd, ZCDMA_IOC_TRIGGER_SOFTWARE, NULL, ENOTTY);
	zcv_ioctl_fails(p.fd, ZCDMA_IOC_GPIO_STATE, NULL, EFAULT);
	close(p.fd);
}

#define PULSE_TEST(test) cmocka_unit_test_setup_teardown(test, zcg_setup, stop_busy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ZCG_TEST(test_settings_are_kept),
		ZCG_TEST(test_absurd_settings_are_refused),
		ZCG_TEST(test_no_line_is_no_source),
		ZCG_TEST(test_software_trigger_needs_its_source),
		ZCG_TEST(test_software_triggers_start_frames),
		ZCG_TEST(test_exposure_starts_after_the_delay),
		ZCG_TEST(test_triggers_that_come_too_early_are_missed),
		ZCG_TEST(test_trigger_whose_delay_ends_early_is_missed),
		ZCG_TEST(test_divider_takes_every_nth),
		ZCG_TEST(test_timer_ticks_evenly),
		ZCG_TEST(test_mode_can_change_while_streaming),
		PULSE_TEST(test_rising_edges_of_the_line_start_frames),
		PULSE_TEST(test_falling_edges_of_the_line_start_frames),
		PULSE_TEST(test_both_edges_of_the_line_start_frames),
		ZCG_TEST(test_edges_while_off_are_forgotten),
		ZCG_TEST(test_gpio_descriptor_polls_triggers),
	};

	return cmocka_run_group_tests_name("trigger", tests, NULL, NULL);
}
