// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-lib-gpio - libzcdma: strobe, trigger, and the GPIO block
 *
 * The pin is read, and the line pulsed, from outside by QEMU's monitor: see dts/zcdma-qemu-virt.dtso.
 *
 * build: armhf
 * build: asan
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>

#include "zcl.h"

#define LEVELS		"0x090303fc"
#define STROBE_BIT	(1U << 5)
/* dts/: zcdma,strobe-max-us */
#define LIMIT_NS	5000000000ULL
#define NSEC_PER_MSEC	1000000ULL

static const struct zcdma_strobe strobe_default = { .duration_ns = NSEC_PER_MSEC };
static const struct zcdma_trigger trigger_default = {
	.divider = 1,
	.period_ns = 100 * NSEC_PER_MSEC,
};

/* The strobe pin, as a lamp would see it; -1: nobody can tell. */
static int pin(void)
{
	char line[64] = "";
	FILE *f = popen("host readreg " LEVELS, "re");

	if (!f || !fgets(line, sizeof(line), f) || pclose(f))
		return -1;
	return !!(strtoul(line, NULL, 16) & STROBE_BIT);
}

static struct zcdma_device *open_device(const char *name)
{
	struct zcdma_device *d = NULL;

	if (zcdma_device_open(&d, name))
		printf("# no %s\n", name);
	return d;
}

/* ---- Settings ---- */

static void test_strobe_settings(void)
{
	struct zcdma_strobe set = {
		.mode = ZCDMA_STROBE_FIXED,
		.inverted = 1,
		.delay_ns = 7,
		.duration_ns = LIMIT_NS,
	}, got;
	struct zcdma_device *d = open_device("virt0");

	CHECK(d);
	CHECK_INT(zcdma_device_set_strobe(d, &set), 0);
	CHECK_INT(zcdma_device_get_strobe(d, &got), 0);
	set.limit_ns = LIMIT_NS;
	CHECK(!memcmp(&set, &got, sizeof(set)));
	/* What has been got can be set. */
	CHECK_INT(zcdma_device_set_strobe(d, &got), 0);
	set.duration_ns = LIMIT_NS + 1;
	CHECK_INT(zcdma_device_set_strobe(d, &set), -ERANGE);
	set = strobe_default;
	set.reserved[3] = 1;
	CHECK_INT(zcdma_device_set_strobe(d, &set), -EINVAL);
	CHECK_INT(zcdma_device_get_strobe(d, &set), 0);
	CHECK(!memcmp(&set, &got, sizeof(set)));
	CHECK_INT(zcdma_device_set_strobe(d, &strobe_default), 0);
	zcdma_device_close(d);
}

static void test_trigger_settings(void)
{
	struct zcdma_trigger set = {
		.mode = ZCDMA_TRIGGER_ON,
		.source = ZCDMA_TRIGGER_LINE,
		.activation = ZCDMA_TRIGGER_BOTH,
		.divider = 3,
		.delay_ns = 4,
		.period_ns = ZCDMA_TRIGGER_PERIOD_MAX_NS,
	}, got;
	struct zcdma_device *d = open_device("virt0");

	CHECK(d);
	CHECK_INT(zcdma_device_set_trigger(d, &set), 0);
	CHECK_INT(zcdma_device_get_trigger(d, &got), 0);
	CHECK(!memcmp(&set, &got, sizeof(set)));
	set.divider = 0;
	CHECK_INT(zcdma_device_set_trigger(d, &set), -ERANGE);
	CHECK_INT(zcdma_device_set_trigger(d, &trigger_default), 0);
	zcdma_device_close(d);
}

/* virt1 has no lines, but its camera can be triggered. */
static void test_what_a_device_has_not(void)
{
	struct zcdma_trigger line = trigger_default;
	const struct zcdma_gpio_block *block;
	struct zcdma_gpio_state state;
	struct zcdma_strobe strobe;
	struct zcdma_gpio *gpio;
	struct zcdma_device *d = open_device("virt1");

	CHECK(d);
	CHECK_INT(zcdma_device_get_strobe(d, &strobe), -ENOTSUP);
	CHECK_INT(zcdma_device_set_strobe(d, &strobe_default), -ENOTSUP);
	CHECK_INT(zcdma_device_pulse_strobe(d, NSEC_PER_MSEC), -ENOTSUP);
	line.source = ZCDMA_TRIGGER_LINE;
	CHECK_INT(zcdma_device_set_trigger(d, &line), -ENOTSUP);
	CHECK_INT(zcdma_device_get_gpio_state(d, &state), 0);
	CHECK_INT(zcdma_device_open_gpio(d, &gpio), 0);
	CHECK_INT(zcdma_gpio_map(gpio, &block), -ENOTSUP);
	zcdma_gpio_unmap(gpio);
	zcdma_gpio_close(gpio);
	zcdma_gpio_close(NULL);
	zcdma_device_close(d);
}

/* ---- Of a stream ---- */

static void test_stream_has_a_device(void)
{
	static const struct { const char *name, *device; } streams[] = {
		{ "virt0/cam0", "virt0" }, { "virt1/cam0", "virt1" }, { "virt0/raw-out", "virt0" },
		{ "/dev/zcdma/virt0/cam0", "virt0" }, { "/dev/zcdma/virt1/cam0", "virt1" },
	};
	struct zcdma_device_info info;
	struct zcdma_device *d;
	struct zcdma_stream *s;

	for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
		printf("# %s\n", streams[i].name);
		CHECK_INT(zcdma_open(&s, streams[i].name, NULL), 0);
		CHECK_INT(zcdma_get_device(s, &d), 0);
		CHECK_INT(zcdma_device_number(d), zcl_number(streams[i].device));
		CHECK_INT(zcdma_device_get_info(d, &info), 0);
		CHECK(!strcmp(info.name, streams[i].device));
		zcdma_close(s);
	}
}

/* A frame for each trigger, of a channel or its V4L2 node. */
static void trigger_frames_of(const char *name)
{
	const struct zcdma_config config = { .width = 64, .height = 64, .interval_ns = 10000000 };
	struct zcdma_trigger trigger = trigger_default;
	struct zcdma_gpio_state before, after;
	struct zcdma_device *d;
	struct zcdma_stream *s;
	struct zcdma_buffer *b;

	CHECK_INT(zcdma_open(&s, name, &config), 0);
	CHECK_INT(zcdma_get_device(s, &d), 0);
	CHECK_INT(zcdma_set_control(s, ZCDMA_CONTROL_EXPOSURE, 5 * NSEC_PER_MSEC), 0);
	CHECK_INT(zcdma_device_software_trigger(d), -EINVAL);
	trigger.mode = ZCDMA_TRIGGER_ON;
	CHECK_INT(zcdma_device_set_trigger(d, &trigger), 0);
	CHECK_INT(zcdma_device_software_trigger(d), -EAGAIN);
	CHECK_INT(zcdma_device_get_gpio_state(d, &before), 0);
	CHECK_INT(zcdma_start(s), 0);
	CHECK_INT(zcdma_acquire(s, &b, 100), -ETIMEDOUT);
	for (unsigned int n = 0; n < 10; n++) {
		CHECK_INT(zcdma_device_software_trigger(d), 0);
		CHECK_INT(zcdma_acquire(s, &b, TIMEOUT_MS), 0);
		CHECK_INT(b->frame.sequence, n);
		CHECK_INT(zcdma_device_get_gpio_state(d, &after), 0);
		/* The camera exposes as soon as it is triggered. */
		CHECK_INT(b->frame.exposure_start_ns / 1000, after.trigger_ns / 1000);
		CHECK_INT(zcdma_release(s, b), 0);
	}
	CHECK_INT(after.triggers, before.triggers + 10);
	CHECK_INT(after.triggers_missed, before.triggers_missed);
	CHECK_INT(zcdma_device_set_trigger(d, &trigger_default), 0);
	zcdma_close(s);
}

static void test_software_triggers_start_frames(void)
{
	trigger_frames_of("virt0/cam0");
	trigger_frames_of("/dev/zcdma/virt0/cam0");
	trigger_frames_of("virt1/cam0");
}

static void test_trigger_amid_an_exposure_is_missed(void)
{
	const struct zcdma_config config = { .width = 64, .height = 64, .interval_ns = 1000000000 };
	struct zcdma_trigger trigger = trigger_default;
	struct zcdma_gpio_state before, after;
	struct zcdma_device *d;
	struct zcdma_stream *s;

	CHECK_INT(zcdma_open(&s, "virt0/cam0", &config), 0);
	CHECK_INT(zcdma_get_device(s, &d), 0);
	CHECK_INT(zcdma_set_control(s, ZCDMA_CONTROL_EXPOSURE, 900 * NSEC_PER_MSEC), 0);
	trigger.mode = ZCDMA_TRIGGER_ON;
	CHECK_INT(zcdma_device_set_trigger(d, &trigger), 0);
	CHECK_INT(zcdma_start(s), 0);
	CHECK_INT(zcdma_device_get_gpio_state(d, &before), 0);
	CHECK_INT(zcdma_device_software_trigger(d), 0);
	CHECK_INT(zcdma_device_software_trigger(d), -EBUSY);
	CHECK_INT(zcdma_device_get_gpio_state(d, &after), 0);
	CHECK_INT(after.triggers_missed, before.triggers_missed + 1);
	CHECK_INT(zcdma_device_set_trigger(d, &trigger_default), 0);
	zcdma_close(s);
}

/* ---- The lines, from outside ---- */

static void test_pulse_is_seen_outside(void)
{
	struct zcdma_gpio_state state;
	struct zcdma_device *d = open_device("virt0");

	CHECK(d);
	CHECK_INT(pin(), 0);
	CHECK_INT(zcdma_device_pulse_strobe(d, LIMIT_NS + 1), -ERANGE);
	CHECK_INT(zcdma_device_pulse_strobe(d, LIMIT_NS), 0);
	CHECK_INT(zcdma_device_pulse_strobe(d, LIMIT_NS), -EBUSY);
	CHECK_INT(pin(), 1);
	CHECK_INT(zcdma_device_get_gpio_state(d, &state), 0);
	CHECK(state.flags & ZCDMA_GPIO_STROBE_ACTIVE);
	CHECK_INT(zcdma_device_pulse_strobe(d, 0), 0);
	CHECK_INT(pin(), 0);
	zcdma_device_close(d);
}

static void test_descriptor_tells_of_triggers(void)
{
	struct zcdma_trigger trigger = trigger_default;
	struct zcdma_gpio_state before, after;
	struct pollfd p = { .events = POLLIN };
	struct zcdma_gpio *gpio;
	struct zcdma_device *d = open_device("virt0");

	CHECK(d);
	trigger.mode = ZCDMA_TRIGGER_ON;
	trigger.source = ZCDMA_TRIGGER_LINE;
	CHECK_INT(zcdma_device_set_trigger(d, &trigger), 0);
	CHECK_INT(zcdma_device_open_gpio(d, &gpio), 0);
	p.fd = zcdma_gpio_fd(gpio);
	CHECK(fcntl(p.fd, F_GETFD) & FD_CLOEXEC);
	CHECK_INT(poll(&p, 1, 0), 0);
	CHECK_INT(zcdma_gpio_get_state(gpio, &before), 0);
	CHECK_INT(system("host pulse"), 0);
	CHECK_INT(poll(&p, 1, TIMEOUT_MS), 1);
	CHECK_INT(p.revents, POLLIN);
	/* That of the device does not count as having seen them. */
	CHECK_INT(zcdma_device_get_gpio_state(d, &after), 0);
	CHECK_INT(after.triggers, before.triggers + 1);
	CHECK_INT(poll(&p, 1, 0), 1);
	CHECK_INT(zcdma_gpio_get_state(gpio, &after), 0);
	CHECK_INT(after.triggers, before.triggers + 1);
	CHECK_INT(poll(&p, 1, 0), 0);
	CHECK_INT(zcdma_device_set_trigger(d, &trigger_default), 0);
	zcdma_device_close(d);
	zcdma_gpio_close(gpio);
}

static void test_mapping_leads_to_the_pin(void)
{
	const struct zcdma_gpio_block *block, *again;
	struct zcdma_gpio *gpio;
	struct zcdma_device *d = open_device("virt0");

	CHECK(d);
	CHECK_INT(zcdma_device_open_gpio(d, &gpio), 0);
	zcdma_device_close(d);
	CHECK_INT(zcdma_gpio_map(gpio, &block), 0);
	CHECK_INT(block->layout, ZCDMA_GPIO_PL061);
	CHECK_INT(block->size, 4096);
	CHECK_INT(block->level_mask, STROBE_BIT);
	CHECK_INT(pin(), 0);
	CHECK(!(*block->level & block->level_mask));
	*block->set = block->set_value;
	CHECK_INT(pin(), 1);
	CHECK(*block->level & block->level_mask);
	*block->clear = block->clear_value;
	CHECK_INT(pin(), 0);
	CHECK(!(*block->level & block->level_mask));
	CHECK_INT(zcdma_gpio_map(gpio, &again), 0);
	CHECK(block == again);
	zcdma_gpio_unmap(gpio);
	zcdma_gpio_unmap(gpio);
	CHECK_INT(zcdma_gpio_map(gpio, &block), 0);
	CHECK(!(*block->level & block->level_mask));
	zcdma_gpio_close(gpio);
}

static void test_mapping_needs_rawio(void)
{
	const struct zcdma_gpio_block *block;
	struct zcdma_gpio *gpio;
	int status = 0;
	pid_t child;
	struct zcdma_device *d = open_device("virt0");

	CHECK(d);
	CHECK_INT(zcdma_device_open_gpio(d, &gpio), 0);
	child = fork();
	if (!child) {
		struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
		struct __user_cap_data_struct data[2];

		if (syscall(SYS_capget, &header, data))
			_exit(99);
		data[0].effective &= ~(1U << CAP_SYS_RAWIO);
		if (syscall(SYS_capset, &header, data))
			_exit(99);
		_exit(-zcdma_gpio_map(gpio, &block));
	}
	CHECK_INT(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), EPERM);
	zcdma_gpio_close(gpio);
	zcdma_device_close(d);
}

/* ---- The end of a device ---- */

static int bind_driver(const char *file)
{
	char path[64];
	int fd, ok;

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/zcdma-virt/%s", file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ok = write(fd, "dma-board-0", 11) == 11;
	close(fd);
	return ok;
}

static void test_unbind_ends_it(void)
{
	const struct zcdma_gpio_block *block;
	struct pollfd p = { .events = POLLIN };
	struct zcdma_gpio_state state;
	struct zcdma_trigger trigger;
	struct zcdma_strobe strobe;
	struct zcdma_gpio *gpio;
	struct zcdma_device *d = open_device("virt0");

	CHECK(d);
	CHECK_INT(zcdma_device_open_gpio(d, &gpio), 0);
	CHECK_INT(zcdma_gpio_map(gpio, &block), 0);
	CHECK(bind_driver("unbind"));
	p.fd = zcdma_gpio_fd(gpio);
	CHECK_INT(poll(&p, 1, 0), 1);
	CHECK(p.revents & POLLHUP);
	CHECK_INT(zcdma_device_get_strobe(d, &strobe), -ENODEV);
	CHECK_INT(zcdma_device_set_strobe(d, &strobe_default), -ENODEV);
	CHECK_INT(zcdma_device_pulse_strobe(d, NSEC_PER_MSEC), -ENODEV);
	CHECK_INT(zcdma_device_get_trigger(d, &trigger), -ENODEV);
	CHECK_INT(zcdma_device_set_trigger(d, &trigger_default), -ENODEV);
	CHECK_INT(zcdma_device_software_trigger(d), -ENODEV);
	CHECK_INT(zcdma_device_get_gpio_state(d, &state), -ENODEV);
	CHECK_INT(zcdma_gpio_get_state(gpio, &state), -ENODEV);
	/* The registers are the controller's, which is still there. */
	CHECK(!(*block->level & block->level_mask));
	zcdma_gpio_unmap(gpio);
	CHECK_INT(zcdma_gpio_map(gpio, &block), -ENODEV);
	zcdma_gpio_close(gpio);
	zcdma_device_close(d);
	CHECK(bind_driver("bind"));
	CHECK_INT(system("udevadm settle"), 0);
}

static const struct zcl_test tests[] = {
	TEST(test_strobe_settings),
	TEST(test_trigger_settings),
	TEST(test_what_a_device_has_not),
	TEST(test_stream_has_a_device),
	TEST(test_software_triggers_start_frames),
	TEST(test_trigger_amid_an_exposure_is_missed),
	TEST(test_pulse_is_seen_outside),
	TEST(test_descriptor_tells_of_triggers),
	TEST(test_mapping_leads_to_the_pin),
	TEST(test_mapping_needs_rawio),
	TEST(test_unbind_ends_it),
};

int main(void)
{
	return zcl_run(tests, ARRAY_SIZE(tests));
}
