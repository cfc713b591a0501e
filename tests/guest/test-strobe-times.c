// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-strobe-times - the strobe's edges are where they are to be, to within what a timer takes
 *
 * With icount, where time is instructions, and an idle guest's goes straight to the next event.
 *
 * vm: --smp 1 --qemu '-icount shift=0,sleep=off'
 * kernel: stock
 */
#define _GNU_SOURCE
#include "zcg.h"

#define FRAMES	10

static struct zcv v;

/* Delay and duration are as set, but for the way from the timer to the line. */
static void test_delay_and_duration_are_exact(void **state)
{
	struct zcdma_strobe set = zcg_strobing(ZCDMA_STROBE_FIXED);
	struct zcdma_gpio_state got;
	struct zcdma_frame frame;

	set.delay_ns = 3333333;
	set.duration_ns = 7777777;
	zcg_set_strobe(set);
	zcg_set_trigger(zcg_triggered_by(ZCDMA_TRIGGER_SOFTWARE));
	zcg_open(&v, 100, 90);
	zcv_start(&v, 2);
	for (unsigned int i = 0; i < FRAMES; i++) {
		assert_int_equal(zcg_software_trigger(), 0);
		frame = zcg_frame(&v);
		got = zcg_state();
		assert_in_range(got.strobe_on_ns, frame.exposure_start_ns + set.delay_ns,
				frame.exposure_start_ns + set.delay_ns + 20000);
		assert_in_range(got.strobe_off_ns, got.strobe_on_ns + set.duration_ns,
				got.strobe_on_ns + set.duration_ns + 20000);
	}

	/* And in exposure mode it is off as soon as the exposure is over. */
	zcg_set_strobe(zcg_strobing(ZCDMA_STROBE_EXPOSURE));
	for (unsigned int i = 0; i < FRAMES; i++) {
		assert_int_equal(zcg_software_trigger(), 0);
		frame = zcg_frame(&v);
		got = zcg_state();
		assert_in_range(got.strobe_on_ns, frame.exposure_start_ns,
				frame.exposure_start_ns + 20000);
		assert_in_range(got.strobe_off_ns, frame.exposure_end_ns,
				frame.exposure_end_ns + 20000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ZCG_TEST(test_delay_and_duration_are_exact),
	};

	return cmocka_run_group_tests_name("strobe-times", tests, NULL, NULL);
}
