// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-strobe-cost - instructions from a trigger's interrupt to the strobe, and for an edge of it
 *
 * `make bench` prints the figures. Under icount a ns is an instruction, to within the 16 ns that are
 * a tick of the guest's clock. Not with sleep=off: see test-trigger.
 *
 * vm: --smp 1 --qemu '-icount shift=0'
 * kernel: stock
 * timeout: 120
 */
#define _GNU_SOURCE
#include "zcg.h"

#define PULSES	10

static struct zcv v;

static unsigned long parameter(const char *name)
{
	char path[PATH_MAX], text[ZCV_TEXT];

	snprintf(path, sizeof(path), "/sys/module/zcdma_gpio_cost/parameters/%s", name);
	assert_true(zcv_read_text(path, text));
	return strtoul(text, NULL, 0);
}

/* A tenth of gpiolib's, at most. */
static void test_edge_by_the_block_is_cheap(void **state)
{
	unsigned long gpiod, block;

	assert_int_equal(system("modprobe zcdma-gpio-cost"), 0);
	gpiod = parameter("gpiod");
	block = parameter("block");
	assert_int_equal(system("rmmod zcdma-gpio-cost"), 0);
	printf("# an edge of the strobe: %lu.%lu instructions, gpiod_set_value(): %lu.%lu\n",
	       block / 1000, block / 100 % 10, gpiod / 1000, gpiod / 100 % 10);
	assert_true(block > 0 && gpiod > 0);
	assert_true(block * 10 <= gpiod);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* From the first thing that the handler does, to right after the write. */
static void test_interrupt_to_strobe(void **state)
{
	uint64_t ns[PULSES];

	zcg_set_strobe(zcg_strobing(ZCDMA_STROBE_EXPOSURE));
	zcg_set_trigger(zcg_triggered_by(ZCDMA_TRIGGER_LINE));
	zcg_open(&v, 10, 5);
	zcv_start(&v, 4);
	for (unsigned int i = 0; i < PULSES; i++) {
		struct zcdma_gpio_state got;

		zcg_pulse_line();
		zcg_frame(&v);
		got = zcg_state();
		assert_true(got.strobe_on_ns > got.trigger_ns);
		ns[i] = got.strobe_on_ns - got.trigger_ns;
		while (zcg_state().flags & ZCDMA_GPIO_TRIGGER_ACTIVE)
			usleep(1000);
	}
	qsort(ns, PULSES, sizeof(*ns), compare);
	printf("# from the trigger's interrupt handler to the strobe: %llu instructions\n",
	       (unsigned long long)ns[PULSES / 2]);
	/* 1 us of a 1 GHz core: a strobe is not to be late by what can be seen. */
	assert_in_range(ns[PULSES / 2], 1, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ZCG_TEST(test_edge_by_the_block_is_cheap),
		ZCG_TEST(test_interrupt_to_strobe),
	};

	return cmocka_run_group_tests_name("strobe-cost", tests, NULL, NULL);
}
