// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-strobe - the strobe follows the exposure, and nothing leaves it on
 *
 * The pin is read from outside, by QEMU's monitor.
 *
 * timeout: 180
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <linux/prctl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "zcg.h"

static struct zcv v;

static struct zcdma_strobe settings(void)
{
	struct zcdma_strobe set;

	memset(&set, 0xff, sizeof(set));
	zcv_ioctl(zcg_dev, ZCDMA_IOC_STROBE_GET, &set);
	return set;
}

/* ---- Settings ---- */

static void test_settings_are_kept(void **state)
{
	struct zcdma_strobe set = {
		.mode = ZCDMA_STROBE_FIXED,
		.inverted = 1,
		.delay_ns = ZCDMA_STROBE_DELAY_MAX_NS,
		.duration_ns = ZCG_LIMIT_NS,
		.limit_ns = 1,
	}, got;

	zcg_set_strobe(set);
	got = settings();
	set.limit_ns = ZCG_LIMIT_NS;
	assert_memory_equal(&got, &set, sizeof(set));
}

static void test_absurd_settings_are_refused(void **state)
{
	const struct zcdma_strobe before = settings();
	struct zcdma_strobe set, after;

#define REFUSED(field, value, error) \
	do { \
		set = zcg_strobing(ZCDMA_STROBE_FIXED); \
		set.field = value; \
		zcv_ioctl_fails(zcg_dev, ZCDMA_IOC_STROBE_SET, &set, error); \
		after = settings(); \
		assert_memory_equal(&before, &after, sizeof(before)); \
	} while (0)
	REFUSED(mode, 3, EINVAL);
	REFUSED(inverted, 2, EINVAL);
	REFUSED(delay_ns, ZCDMA_STROBE_DELAY_MAX_NS + 1, ERANGE);
	REFUSED(duration_ns, 0, ERANGE);
	REFUSED(duration_ns, ZCDMA_STROBE_DURATION_MIN_NS - 1, ERANGE);
	REFUSED(duration_ns, ZCG_LIMIT_NS + 1, ERANGE);
	REFUSED(duration_ns, UINT64_MAX, ERANGE);
	for (int i = 0; i < 4; i++)
		REFUSED(reserved[i], 1, EINVAL);
	zcv_ioctl_fails(zcg_dev, ZCDMA_IOC_STROBE_SET, NULL, EFAULT);
	zcv_ioctl_fails(zcg_dev, ZCDMA_IOC_STROBE_GET, NULL, EFAULT);
	zcv_ioctl_fails(zcg_dev, ZCDMA_IOC_STROBE_PULSE, NULL, EFAULT);
	assert_int_equal(zcg_pulse_strobe(ZCDMA_STROBE_DURATION_MIN_NS - 1), -ERANGE);
	assert_int_equal(zcg_pulse_strobe(ZCG_LIMIT_NS + 1), -ERANGE);
}

/* Valid settings but for the limit, which is none of a program's business. */
static void *forge_limit(void *stop)
{
	struct zcdma_strobe set = zcg_strobe_default;

	set.limit_ns = UINT64_MAX;
	while (!__atomic_load_n((bool *)stop, __ATOMIC_RELAXED))
		ioctl(zcg_dev, ZCDMA_IOC_STROBE_SET, &set);
	return NULL;
}

/* Nor can two programs at once, one of which is checked while the other one's is stored. */
static void test_limit_cannot_be_raised(void **state)
{
	struct zcdma_strobe set = zcg_strobing(ZCDMA_STROBE_FIXED);
	uint64_t end = zcv_now() + 3 * NSEC_PER_SEC;
	pthread_t forger;
	bool stop = false, raised = false;

	set.duration_ns = ZCG_LIMIT_NS + 1;
	assert_int_equal(pthread_create(&forger, NULL, forge_limit, &stop), 0);
	while (!raised && zcv_now() < end)
		raised = !ioctl(zcg_dev, ZCDMA_IOC_STROBE_SET, &set) ||
			 zcg_pulse_strobe(ZCG_LIMIT_NS + 1) != -ERANGE;
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	assert_int_equal(pthread_join(forger, NULL), 0);
	assert_false(raised);
	assert_int_equal(settings().limit_ns, ZCG_LIMIT_NS);
}

/* ---- Pulses, seen from outside ---- */

static void pulse_is_seen_outside(bool inverted)
{
	struct zcdma_strobe set = zcg_strobe_default;
	struct zcdma_gpio_state before, during, after;

	set.inverted = inverted;
	zcg_set_strobe(set);
	before = zcg_state();
	assert_true(before.flags & ZCDMA_GPIO_STROBE_MAPPED);
	assert_int_equal(zcg_pin(), inverted);
	assert_int_equal(zcg_pulse_strobe(ZCG_LIMIT_NS), 0);
	assert_int_equal(zcg_pulse_strobe(ZCG_LIMIT_NS), -EBUSY);
	assert_int_equal(zcg_pin(), !inverted);
	during = zcg_state();
	assert_true(during.flags & ZCDMA_GPIO_STROBE_ACTIVE);
	zcg_wait_active(false);
	assert_int_equal(zcg_pin(), inverted);
	after = zcg_state();
	assert_int_equal(after.strobes, before.strobes + 1);
	assert_int_equal(after.strobes_cut, before.strobes_cut);
	assert_int_equal(after.strobe_on_ns, during.strobe_on_ns);
	assert_true(after.strobe_off_ns - after.strobe_on_ns >= ZCG_LIMIT_NS);
	assert_true(after.strobe_off_ns <= zcv_now());

	assert_int_equal(zcg_pulse_strobe(ZCG_LIMIT_NS), 0);
	assert_int_equal(zcg_pin(), !inverted);
	assert_int_equal(zcg_pulse_strobe(0), 0);
	assert_int_equal(zcg_pin(), inverted);
}

static void test_test_pulse_is_seen_outside(void **state)
{
	pulse_is_seen_outside(false);
}

static void test_inverted_test_pulse_is_seen_outside(void **state)
{
	pulse_is_seen_outside(true);
}

static void test_exposure_is_seen_outside(void **state)
{
	zcg_exposure_is_seen_outside(&v, false);
}

static void test_inverted_exposure_is_seen_outside(void **state)
{
	zcg_exposure_is_seen_outside(&v, true);
}

static void test_delay_and_duration_are_kept(void **state)
{
	struct zcdma_strobe set = zcg_strobing(ZCDMA_STROBE_FIXED);
	uint64_t pulses = zcg_state().strobes;
	struct zcdma_gpio_state got;
	struct zcdma_frame frame;

	set.delay_ns = 300 * NSEC_PER_MSEC;
	set.duration_ns = 200 * NSEC_PER_MSEC;
	zcg_set_strobe(set);
	zcg_set_trigger(zcg_triggered_by(ZCDMA_TRIGGER_SOFTWARE));
	zcg_open(&v, 100, 10);
	zcv_start(&v, 2);
	assert_int_equal(zcg_software_trigger(), 0);
	frame = zcg_frame(&v);
	got = zcg_wait_pulses(pulses + 1);
	/* How soon after that, test-strobe-times tells. */
	assert_in_range(got.strobe_on_ns, frame.exposure_start_ns + set.delay_ns, zcv_now());
	assert_in_range(got.strobe_off_ns, got.strobe_on_ns + set.duration_ns, zcv_now());

	/* In exposure mode, a delay that outlasts the exposure leaves no pulse. */
	set.mode = ZCDMA_STROBE_EXPOSURE;
	zcg_set_strobe(set);
	assert_int_equal(zcg_software_trigger(), 0);
	zcg_frame(&v);
	usleep(500000);
	assert_int_equal(zcg_state().strobes, got.strobes);
	assert_int_equal(zcg_state().strobe_on_ns, got.strobe_on_ns);
}

static void test_pulses_do_not_overlap(void **state)
{
	struct zcdma_strobe set = zcg_strobing(ZCDMA_STROBE_FIXED);
	struct zcdma_gpio_state before = zcg_state(), after;

	set.duration_ns = ZCG_LIMIT_NS;
	zcg_set_strobe(set);
	zcg_set_trigger(zcg_triggered_by(ZCDMA_TRIGGER_SOFTWARE));
	zcg_open(&v, 10, 1);
	zcv_start(&v, 2);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(zcg_software_trigger(), 0);
		zcg_frame(&v);
	}
	after = zcg_state();
	assert_int_equal(after.strobes, before.strobes + 1);
	assert_int_equal(after.strobes_missed, before.strobes_missed + 2);
}

/* ---- The failsafe ---- */

/* A camera amid an exposure, with the pin up, which only the limit would end. */
static void expose(void)
{
	zcg_set_strobe(zcg_strobing(ZCDMA_STROBE_EXPOSURE));
	zcg_set_trigger(zcg_triggered_by(ZCDMA_TRIGGER_SOFTWARE));
	zcg_open(&v, 1000, 1000);
	zcv_start(&v, 2);
	assert_int_equal(zcg_software_trigger(), 0);
	zcg_hold(true);
	assert_true(zcg_pin());
}

static void test_stream_off_ends_the_pulse(void **state)
{
	expose();
	zcv_off(&v);
	assert_false(zcg_pin());
}

static void test_close_ends_the_pulse(void **state)
{
	expose();
	zcv_close(&v);
	assert_false(zcg_pin());
}

static void test_kill_ends_the_pulse(void **state)
{
	int ready[2], status;
	pid_t child;
	char c;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		expose();
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	assert_true(zcg_active());
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_false(zcg_pin());
}

static void bind_driver(const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/zcdma-virt/%s", file);
	assert_int_equal(zcv_write_text(path, "dma-board-0"), 0);
}

static void test_unbind_ends_the_pulse(void **state)
{
	struct zcdma_gpio_state gpio_state;
	struct zcdma_gpio_open arg = { .fd_flags = O_CLOEXEC };
	struct zcdma_trigger trigger = zcg_trigger_default;
	struct pollfd p = { .events = POLLIN };

	expose();
	zcv_ioctl(zcg_dev, ZCDMA_IOC_GPIO_OPEN, &arg);
	p.fd = arg.fd;
	bind_driver("unbind");
	assert_false(zcg_pin());
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_true((p.revents & (POLLHUP | POLLERR)) == (POLLHUP | POLLERR));
	zcv_ioctl_fails(arg.fd, ZCDMA_IOC_GPIO_STATE, &gpio_state, ENODEV);
	zcv_ioctl_fails(zcg_dev, ZCDMA_IOC_TRIGGER_SET, &trigger, ENODEV);
	zcv_ioctl_fails(zcg_dev, ZCDMA_IOC_TRIGGER_SOFTWARE, NULL, ENODEV);
	assert_int_equal(zcg_pulse_strobe(NSEC_PER_MSEC), -ENODEV);
	assert_ptr_equal(mmap(NULL, arg.map_size, PROT_READ, MAP_SHARED, arg.fd, 0), MAP_FAILED);
	assert_int_equal(errno, ENODEV);
	close(arg.fd);
	zcv_close(&v);
	bind_driver("bind");
	close(zcg_dev);
	zcg_dev = zcv_open_device();
	assert_int_equal(settings().mode, ZCDMA_STROBE_OFF);

	/* A test pulse needs no stream to end. */
	assert_int_equal(zcg_pulse_strobe(ZCG_LIMIT_NS), 0);
	assert_true(zcg_pin());
	bind_driver("unbind");
	assert_false(zcg_pin());
	bind_driver("bind");
}

static void test_limit_ends_the_pulse_of_a_stalled_engine(void **state)
{
	struct zcdma_gpio_state before = zcg_state(), after;

	expose();
	zcg_wait_active(false);
	assert_false(zcg_pin());
	after = zcg_state();
	assert_int_equal(after.strobes_cut, before.strobes_cut + 1);
	assert_true(after.strobe_off_ns - after.strobe_on_ns >= ZCG_LIMIT_NS);
}

static void test_new_settings_end_the_pulse(void **state)
{
	expose();
	zcg_set_strobe(zcg_strobe_default);
	assert_false(zcg_pin());
}

/* ---- The user mapping ---- */

static struct zcdma_gpio_open open_gpio(void)
{
	struct zcdma_gpio_open arg = { .fd_flags = O_CLOEXEC };

	zcv_ioctl(zcg_dev, ZCDMA_IOC_GPIO_OPEN, &arg);
	return arg;
}

/* A program and the monitor see the same pin, whichever of them has moved it. */
static void test_mapping_leads_to_the_pin(void **state)
{
	struct zcdma_gpio_open arg = open_gpio();
	volatile uint32_t *regs;

	assert_int_equal(arg.layout, ZCDMA_GPIO_PL061);
	assert_int_equal(arg.map_size, 4096);
	regs = mmap(NULL, arg.map_size, PROT_READ | PROT_WRITE, MAP_SHARED, arg.fd, 0);
	assert_ptr_not_equal(regs, MAP_FAILED);
	assert_int_equal(arg.level_mask, ZCG_STROBE_BIT);

	assert_false(zcg_pin());
	assert_false(regs[arg.level_offset / 4] & arg.level_mask);
	assert_int_equal(zcg_pulse_strobe(ZCG_LIMIT_NS), 0);
	assert_true(zcg_pin());
	assert_true(regs[arg.level_offset / 4] & arg.level_mask);
	assert_int_equal(zcg_pulse_strobe(0), 0);

	regs[arg.set_offset / 4] = arg.set_value;
	assert_true(zcg_pin());
	assert_true(regs[arg.level_offset / 4] & arg.level_mask);
	regs[arg.clear_offset / 4] = arg.clear_value;
	assert_false(zcg_pin());
	assert_false(regs[arg.level_offset / 4] & arg.level_mask);
	munmap((void *)regs, arg.map_size);
	close(arg.fd);
}

static void test_mapping_is_no_larger_than_the_block(void **state)
{
	struct zcdma_gpio_open arg = open_gpio();

	assert_ptr_equal(mmap(NULL, arg.map_size * 2, PROT_READ, MAP_SHARED, arg.fd, 0),
			 MAP_FAILED);
	assert_int_equal(errno, EINVAL);
	assert_ptr_equal(mmap(NULL, arg.map_size, PROT_READ, MAP_SHARED, arg.fd, arg.map_size),
			 MAP_FAILED);
	assert_int_equal(errno, EINVAL);
	assert_ptr_equal(mmap(NULL, arg.map_size, PROT_READ, MAP_PRIVATE, arg.fd, 0), MAP_FAILED);
	assert_int_equal(errno, EINVAL);
	close(arg.fd);

	arg = (struct zcdma_gpio_open) { .fd_flags = O_NONBLOCK };
	zcv_ioctl_fails(zcg_dev, ZCDMA_IOC_GPIO_OPEN, &arg, EINVAL);
	arg = (struct zcdma_gpio_open) { .reserved0 = 1 };
	zcv_ioctl_fails(zcg_dev, ZCDMA_IOC_GPIO_OPEN, &arg, EINVAL);
	arg = (struct zcdma_gpio_open) { .reserved = { 0, 0, 0, 1 } };
	zcv_ioctl_fails(zcg_dev, ZCDMA_IOC_GPIO_OPEN, &arg, EINVAL);
	zcv_ioctl_fails(zcg_dev, ZCDMA_IOC_GPIO_OPEN, NULL, EFAULT);
}

/* The descriptor may be handed to anybody; the mapping takes a capability. */
static void test_mapping_needs_rawio(void **state)
{
	struct zcdma_gpio_open arg = open_gpio();
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
		struct __user_cap_data_struct data[2];
		void *at;

		if (syscall(SYS_capget, &header, data))
			_exit(1);
		data[0].effective &= ~(1U << CAP_SYS_RAWIO);
		data[0].permitted &= ~(1U << CAP_SYS_RAWIO);
		if (syscall(SYS_capset, &header, data))
			_exit(2);
		at = mmap(NULL, arg.map_size, PROT_READ, MAP_SHARED, arg.fd, 0);
		_exit(at == MAP_FAILED && errno == EPERM ? 0 : 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(arg.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ZCG_TEST(test_settings_are_kept),
		ZCG_TEST(test_absurd_settings_are_refused),
		ZCG_TEST(test_limit_cannot_be_raised),
		ZCG_TEST(test_test_pulse_is_seen_outside),
		ZCG_TEST(test_inverted_test_pulse_is_seen_outside),
		ZCG_TEST(test_exposure_is_seen_outside),
		ZCG_TEST(test_inverted_exposure_is_seen_outside),
		ZCG_TEST(test_delay_and_duration_are_kept),
		ZCG_TEST(test_pulses_do_not_overlap),
		ZCG_TEST(test_stream_off_ends_the_pulse),
		ZCG_TEST(test_close_ends_the_pulse),
		ZCG_TEST(test_kill_ends_the_pulse),
		ZCG_TEST(test_unbind_ends_the_pulse),
		ZCG_TEST(test_limit_ends_the_pulse_of_a_stalled_engine),
		ZCG_TEST(test_new_settings_end_the_pulse),
		ZCG_TEST(test_mapping_leads_to_the_pin),
		ZCG_TEST(test_mapping_is_no_larger_than_the_block),
		ZCG_TEST(test_mapping_needs_rawio),
	};

	return cmocka_run_group_tests_name("strobe", tests, NULL, NULL);
}
