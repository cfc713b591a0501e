// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-strobe-rpi3 - the strobe on GPIO17 of a Raspberry Pi 3, dts/zcdma-rpi3-strobe-raspi3b.dtso
 *
 * The pin is read from outside, at the address of GPLEV0 (BCM2835 ARM Peripherals, 6.1).
 *
 * vm: --machine raspi3b
 * timeout: 120
 */
#define _GNU_SOURCE
#define ZCG_LEVELS	0x3f200034ULL
#define ZCG_STROBE_BIT	(1U << 17)
#include "zcg.h"

static struct zcv v;

/* Every other line of the bank stays as it was. */
static uint32_t other_lines(void)
{
	return zcg_read_outside(ZCG_LEVELS) & ~ZCG_STROBE_BIT;
}

static void test_pulse_is_seen_outside(void **state)
{
	uint32_t others = other_lines();

	assert_true(zcg_state().flags & ZCDMA_GPIO_STROBE_MAPPED);
	assert_false(zcg_pin());
	assert_int_equal(zcg_pulse_strobe(ZCG_LIMIT_NS), 0);
	assert_true(zcg_pin());
	assert_int_equal(other_lines(), others);
	zcg_wait_active(false);
	assert_false(zcg_pin());
	assert_int_equal(other_lines(), others);
}

static void test_exposure_is_seen_outside(void **state)
{
	zcg_exposure_is_seen_outside(&v, false);
}

static void test_inverted_exposure_is_seen_outside(void **state)
{
	zcg_exposure_is_seen_outside(&v, true);
}

/* Program and monitor see the same levels, whichever of program and driver has set the pin. */
static void test_mapping_leads_to_the_pin(void **state)
{
	struct zcdma_gpio_open arg = { .fd_flags = O_CLOEXEC };
	volatile uint32_t *regs;

	zcv_ioctl(zcg_dev, ZCDMA_IOC_GPIO_OPEN, &arg);
	assert_int_equal(arg.layout, ZCDMA_GPIO_BCM2835);
	assert_int_equal(arg.map_size, 4096);
	assert_int_equal(arg.level_offset, ZCG_LEVELS & 0xfff);
	assert_int_equal(arg.level_mask, ZCG_STROBE_BIT);
	regs = mmap(NULL, arg.map_size, PROT_READ | PROT_WRITE, MAP_SHARED, arg.fd, 0);
	assert_ptr_not_equal(regs, MAP_FAILED);

	assert_int_equal(regs[arg.level_offset / 4], zcg_read_outside(ZCG_LEVELS));
	assert_false(zcg_pin());
	assert_int_equal(zcg_pulse_strobe(ZCG_LIMIT_NS), 0);
	assert_true(zcg_pin());
	assert_true(regs[arg.level_offset / 4] & arg.level_mask);
	assert_int_equal(zcg_pulse_strobe(0), 0);

	regs[arg.set_offset / 4] = arg.set_value;
	assert_true(zcg_pin());
	assert_int_equal(regs[arg.level_offset / 4], zcg_read_outside(ZCG_LEVELS));
	regs[arg.clear_offset / 4] = arg.clear_value;
	assert_false(zcg_pin());
	assert_int_equal(regs[arg.level_offset / 4], zcg_read_outside(ZCG_LEVELS));
	munmap((void *)regs, arg.map_size);
	close(arg.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ZCG_TEST(test_pulse_is_seen_outside),
		ZCG_TEST(test_exposure_is_seen_outside),
		ZCG_TEST(test_inverted_exposure_is_seen_outside),
		ZCG_TEST(test_mapping_leads_to_the_pin),
	};

	zcv_device = "cam";
	return cmocka_run_group_tests_name("strobe-rpi3", tests, NULL, NULL);
}
