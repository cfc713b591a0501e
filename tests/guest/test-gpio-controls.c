// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-gpio-controls - strobe and trigger have one set of settings: as ioctls on /dev/zcdmaN, as
 * controls of the V4L2 node, and to read in sysfs
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>

#include "zcg.h"

static struct zcv v;

static int64_t control(__u32 id)
{
	struct v4l2_ext_control c = { .id = id };
	struct v4l2_ext_controls all = { .which = V4L2_CTRL_WHICH_CUR_VAL, .count = 1,
					 .controls = &c };
	struct v4l2_query_ext_ctrl query = { .id = id };

	zcv_ioctl(v.fd, VIDIOC_QUERY_EXT_CTRL, &query);
	zcv_ioctl(v.fd, VIDIOC_G_EXT_CTRLS, &all);
	return query.type == V4L2_CTRL_TYPE_INTEGER64 ? c.value64 : c.value;
}

static void set_control64(__u32 id, int64_t value)
{
	struct v4l2_ext_control c = { .id = id, .value64 = value };
	struct v4l2_ext_controls all = { .which = V4L2_CTRL_WHICH_CUR_VAL, .count = 1,
					 .controls = &c };

	zcv_ioctl(v.fd, VIDIOC_S_EXT_CTRLS, &all);
}

static void assert_sysfs(const char *file, const char *expected)
{
	char path[PATH_MAX], text[ZCV_TEXT], entry[ZCV_TEXT];

	assert_true(zcv_find("zcdma", "name", zcv_device, entry));
	snprintf(path, sizeof(path), "/sys/class/zcdma/%s/%s", entry, file);
	assert_true(zcv_read_text(path, text));
	assert_string_equal(text, expected);
}

static void test_trigger_ioctl_shows_in_controls_and_sysfs(void **state)
{
	zcg_set_trigger((struct zcdma_trigger) {
		.mode = ZCDMA_TRIGGER_ON,
		.source = ZCDMA_TRIGGER_LINE,
		.activation = ZCDMA_TRIGGER_FALLING,
		.divider = 17,
		.delay_ns = 123456789,
		.period_ns = 98765432109,
	});
	zcv_open_raw(&v, "cam0", 0);
	assert_int_equal(control(ZCDMA_V4L2_CID_TRIGGER_MODE), 1);
	assert_int_equal(control(ZCDMA_V4L2_CID_TRIGGER_SOURCE), ZCDMA_TRIGGER_LINE);
	assert_int_equal(control(ZCDMA_V4L2_CID_TRIGGER_ACTIVATION), ZCDMA_TRIGGER_FALLING);
	assert_int_equal(control(ZCDMA_V4L2_CID_TRIGGER_DIVIDER), 17);
	assert_int_equal(control(ZCDMA_V4L2_CID_TRIGGER_DELAY), 123456789);
	assert_int_equal(control(ZCDMA_V4L2_CID_TRIGGER_PERIOD), 98765432109);
	assert_sysfs("trigger/mode", "on");
	assert_sysfs("trigger/source", "line");
	assert_sysfs("trigger/activation", "falling");
	assert_sysfs("trigger/divider", "17");
	assert_sysfs("trigger/delay_ns", "123456789");
	assert_sysfs("trigger/period_ns", "98765432109");
}

static void test_trigger_controls_show_in_ioctl(void **state)
{
	struct zcdma_trigger got;

	zcv_open_raw(&v, "cam0", 0);
	zcv_control(&v, ZCDMA_V4L2_CID_TRIGGER_MODE, 1);
	zcv_control(&v, ZCDMA_V4L2_CID_TRIGGER_SOURCE, ZCDMA_TRIGGER_TIMER);
	zcv_control(&v, ZCDMA_V4L2_CID_TRIGGER_ACTIVATION, ZCDMA_TRIGGER_BOTH);
	zcv_control(&v, ZCDMA_V4L2_CID_TRIGGER_DIVIDER, 3);
	set_control64(ZCDMA_V4L2_CID_TRIGGER_DELAY, 999999999);
	set_control64(ZCDMA_V4L2_CID_TRIGGER_PERIOD, 5000000000);
	zcv_ioctl(zcg_dev, ZCDMA_IOC_TRIGGER_GET, &got);
	assert_int_equal(got.mode, ZCDMA_TRIGGER_ON);
	assert_int_equal(got.source, ZCDMA_TRIGGER_TIMER);
	assert_int_equal(got.activation, ZCDMA_TRIGGER_BOTH);
	assert_int_equal(got.divider, 3);
	assert_int_equal(got.delay_ns, 999999999);
	assert_int_equal(got.period_ns, 5000000000);

	/* The same value again is written, too: somebody else has changed it in between. */
	zcg_set_trigger(zcg_trigger_default);
	zcv_control(&v, ZCDMA_V4L2_CID_TRIGGER_MODE, 1);
	zcv_ioctl(zcg_dev, ZCDMA_IOC_TRIGGER_GET, &got);
	assert_int_equal(got.mode, ZCDMA_TRIGGER_ON);
}

static void test_strobe_ioctl_shows_in_controls_and_sysfs(void **state)
{
	zcg_set_strobe((struct zcdma_strobe) {
		.mode = ZCDMA_STROBE_FIXED,
		.inverted = 1,
		.delay_ns = 1001,
		.duration_ns = 1500000999,
	});
	zcv_open_raw(&v, "cam0", 0);
	assert_int_equal(control(ZCDMA_V4L2_CID_STROBE_MODE), ZCDMA_STROBE_FIXED);
	assert_int_equal(control(ZCDMA_V4L2_CID_STROBE_INVERTED), 1);
	assert_int_equal(control(ZCDMA_V4L2_CID_STROBE_DELAY), 1001);
	assert_int_equal(control(V4L2_CID_FLASH_TIMEOUT), 1500000);
	assert_sysfs("strobe/mode", "fixed");
	assert_sysfs("strobe/inverted", "1");
	assert_sysfs("strobe/delay_ns", "1001");
	assert_sysfs("strobe/duration_ns", "1500000999");
	assert_sysfs("strobe/limit_ns", "5000000000");
	assert_sysfs("strobe/mapped", "1");
}

static void test_strobe_controls_show_in_ioctl(void **state)
{
	struct zcdma_strobe got;

	zcv_open_raw(&v, "cam0", 0);
	zcv_control(&v, ZCDMA_V4L2_CID_STROBE_MODE, ZCDMA_STROBE_EXPOSURE);
	zcv_control(&v, ZCDMA_V4L2_CID_STROBE_INVERTED, 1);
	set_control64(ZCDMA_V4L2_CID_STROBE_DELAY, 1000000000);
	zcv_control(&v, V4L2_CID_FLASH_TIMEOUT, 1);
	zcv_ioctl(zcg_dev, ZCDMA_IOC_STROBE_GET, &got);
	assert_int_equal(got.mode, ZCDMA_STROBE_EXPOSURE);
	assert_int_equal(got.inverted, 1);
	assert_int_equal(got.delay_ns, 1000000000);
	assert_int_equal(got.duration_ns, 1000);
}

/* Another program, which sets one thing again and again by its control. */
static atomic_bool stop_setting;

static void *set_delays(void *arg)
{
	struct v4l2_ext_control c = { .id = *(__u32 *)arg };
	struct v4l2_ext_controls all = { .which = V4L2_CTRL_WHICH_CUR_VAL, .count = 1,
					 .controls = &c };

	while (!stop_setting) {
		c.value64 = !c.value64;
		if (ioctl(v.fd, VIDIOC_S_EXT_CTRLS, &all))
			return "S_EXT_CTRLS failed";
	}
	return NULL;
}

static void test_a_control_leaves_alone_what_others_set(void **state)
{
	__u32 ids[] = { ZCDMA_V4L2_CID_TRIGGER_DELAY, ZCDMA_V4L2_CID_STROBE_DELAY };
	struct zcdma_trigger trigger = zcg_trigger_default;
	struct zcdma_strobe strobe = zcg_strobe_default;
	unsigned int undone = 0;
	pthread_t thread;
	void *said;

	zcv_open_raw(&v, "cam0", 0);
	for (unsigned int i = 0; i < 2; i++) {
		stop_setting = false;
		assert_int_equal(pthread_create(&thread, NULL, set_delays, &ids[i]), 0);
		for (unsigned int n = 1; n <= 20000 && !undone; n++) {
			if (i == 0) {
				trigger.divider = n;
				zcg_set_trigger(trigger);
				zcv_ioctl(zcg_dev, ZCDMA_IOC_TRIGGER_GET, &trigger);
				undone = trigger.divider != n;
			} else {
				strobe.duration_ns = NSEC_PER_MSEC + n;
				zcg_set_strobe(strobe);
				zcv_ioctl(zcg_dev, ZCDMA_IOC_STROBE_GET, &strobe);
				undone = strobe.duration_ns != NSEC_PER_MSEC + n;
			}
		}
		stop_setting = true;
		assert_int_equal(pthread_join(thread, &said), 0);
		assert_null(said);
		if (undone)
			fail_msg("control %#x has undone what another program set", ids[i]);
	}
}

/* FLASH_STROBE, its end, and its status; with nothing to do, a button does nothing. */
static void test_flash_controls_make_test_pulses(void **state)
{
	uint64_t pulses = zcg_state().strobes;

	zcv_open_raw(&v, "cam0", 0);
	zcv_control(&v, V4L2_CID_FLASH_TIMEOUT, 5000000);
	assert_int_equal(control(V4L2_CID_FLASH_STROBE_STATUS), 0);
	zcv_control(&v, V4L2_CID_FLASH_STROBE, 1);
	assert_int_equal(control(V4L2_CID_FLASH_STROBE_STATUS), 1);
	assert_sysfs("strobe/active", "1");
	assert_true(zcg_pin());
	zcv_control(&v, V4L2_CID_FLASH_STROBE, 1);
	assert_int_equal(zcg_state().strobes, pulses + 1);
	zcv_control(&v, V4L2_CID_FLASH_STROBE_STOP, 1);
	assert_int_equal(control(V4L2_CID_FLASH_STROBE_STATUS), 0);
	assert_false(zcg_pin());
	zcv_control(&v, V4L2_CID_FLASH_STROBE_STOP, 1);
}

/* A frame by the button, and the event of its exposure while that lasts. */
static void test_trigger_button_exposes_a_frame(void **state)
{
	struct v4l2_event event;
	struct zcdma_frame frame;

	zcg_open(&v, 1000, 1000);
	zcv_subscribe(&v, V4L2_EVENT_FRAME_SYNC, 0);
	zcv_control(&v, ZCDMA_V4L2_CID_TRIGGER_SOURCE, ZCDMA_TRIGGER_SOFTWARE);
	zcv_control(&v, ZCDMA_V4L2_CID_TRIGGER_MODE, 1);
	zcv_start(&v, 2);
	zcv_control(&v, ZCDMA_V4L2_CID_TRIGGER_SOFTWARE, 1);
	zcg_hold(true);
	event = zcv_event(&v);
	assert_int_equal(event.type, V4L2_EVENT_FRAME_SYNC);
	assert_int_equal(event.u.frame_sync.frame_sequence, 0);
	assert_true(zcv_now() >= zcg_state().trigger_ns);
	zcg_no_frame(&v, 0);
	/* During the exposure it is missed, and the button does not say so. */
	zcv_control(&v, ZCDMA_V4L2_CID_TRIGGER_SOFTWARE, 1);
	zcg_hold(false);
	frame = zcg_frame(&v);
	assert_true(frame.flags & ZCDMA_FRAME_TRIGGER_TIME);
	zcv_control(&v, ZCDMA_V4L2_CID_TRIGGER_SOFTWARE, 1);
	event = zcv_event(&v);
	assert_int_equal(event.type, V4L2_EVENT_FRAME_SYNC);
	assert_int_equal(event.u.frame_sync.frame_sequence, 1);
	frame = zcg_frame(&v);
	assert_true(frame.flags & ZCDMA_FRAME_TRIGGER_MISSED);
}

/* virt1 has no lines: no strobe, and no line among the trigger's sources. */
static void test_no_control_without_a_line(void **state)
{
	struct v4l2_queryctrl query = { .id = ZCDMA_V4L2_CID_STROBE_MODE };
	struct v4l2_querymenu menu = { .id = ZCDMA_V4L2_CID_TRIGGER_SOURCE };

	zcv_device = "virt1";
	zcv_open_raw(&v, "cam0", 0);
	zcv_device = "virt0";
	zcv_ioctl_fails(v.fd, VIDIOC_QUERYCTRL, &query, EINVAL);
	query.id = ZCDMA_V4L2_CID_TRIGGER_ACTIVATION;
	zcv_ioctl_fails(v.fd, VIDIOC_QUERYCTRL, &query, EINVAL);
	query.id = ZCDMA_V4L2_CID_TRIGGER_MODE;
	zcv_ioctl(v.fd, VIDIOC_QUERYCTRL, &query);
	menu.index = ZCDMA_TRIGGER_TIMER;
	zcv_ioctl(v.fd, VIDIOC_QUERYMENU, &menu);
	menu.index = ZCDMA_TRIGGER_LINE;
	zcv_ioctl_fails(v.fd, VIDIOC_QUERYMENU, &menu, EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ZCG_TEST(test_trigger_ioctl_shows_in_controls_and_sysfs),
		ZCG_TEST(test_trigger_controls_show_in_ioctl),
		ZCG_TEST(test_strobe_ioctl_shows_in_controls_and_sysfs),
		ZCG_TEST(test_strobe_controls_show_in_ioctl),
		ZCG_TEST(test_a_control_leaves_alone_what_others_set),
		ZCG_TEST(test_flash_controls_make_test_pulses),
		ZCG_TEST(test_trigger_button_exposes_a_frame),
		ZCG_TEST(test_no_control_without_a_line),
	};

	return cmocka_run_group_tests_name("gpio-controls", tests, NULL, NULL);
}
