// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-strobe-suspend - the strobe is inactive while the system sleeps, and works after it
 *
 * The kernel's own test of suspend (Documentation/power/basic-pm-debugging.rst) suspends all devices,
 * waits, and resumes them.
 *
 * boot: own
 * timeout: 60
 */
#define _GNU_SOURCE
#include "zcg.h"

static struct zcv v;

static void suspend(void)
{
	assert_int_equal(zcv_write_text("/sys/module/suspend/parameters/pm_test_delay", "1"), 0);
	assert_int_equal(zcv_write_text("/sys/power/pm_test", "devices"), 0);
	assert_int_equal(zcv_write_text("/sys/power/state", "freeze"), 0);
}

/* Of the five seconds that it was to last, one is slept. */
static void test_suspend_ends_the_pulse(void **state)
{
	struct zcdma_gpio_state got;

	assert_int_equal(zcg_pulse_strobe(ZCG_LIMIT_NS), 0);
	assert_true(zcg_pin());
	suspend();
	assert_false(zcg_pin());
	got = zcg_state();
	assert_true(got.strobe_off_ns > got.strobe_on_ns);
	assert_true(got.strobe_off_ns < got.strobe_on_ns + ZCG_LIMIT_NS);
	/* And not just before now, when everything was resumed. */
	assert_true(zcv_now() >= got.strobe_off_ns + NSEC_PER_SEC / 2);
}

/* What was exposed meanwhile had no light, and triggers did nothing; now all is as before. */
static void test_strobe_works_after_suspend(void **state)
{
	struct zcdma_trigger set = zcg_triggered_by(ZCDMA_TRIGGER_TIMER);
	uint64_t pulses;

	set.period_ns = 50 * NSEC_PER_MSEC;
	zcg_set_strobe(zcg_strobing(ZCDMA_STROBE_EXPOSURE));
	zcg_set_trigger(set);
	zcg_open(&v, 40, 10);
	zcv_start(&v, 4);
	zcg_frame(&v);
	suspend();
	zcg_set_trigger(zcg_triggered_by(ZCDMA_TRIGGER_SOFTWARE));
	zcg_own_frame(&v);
	pulses = zcg_state().strobes;
	for (unsigned int i = 1; i <= 3; i++) {
		assert_int_equal(zcg_software_trigger(), 0);
		zcg_frame(&v);
		assert_int_equal(zcg_state().strobes, pulses + i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ZCG_TEST(test_suspend_ends_the_pulse),
		ZCG_TEST(test_strobe_works_after_suspend),
	};

	return cmocka_run_group_tests_name("strobe-suspend", tests, NULL, NULL);
}
