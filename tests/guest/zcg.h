/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zcg.h - what the tests of strobe and trigger share: the device's calls, the camera set up to be
 * looked at, and the lines as they are seen from outside, by QEMU's monitor.
 *
 * On QEMU's virt, virt0 has its trigger on line 3 of the PL061 and its strobe on line 5:
 * dts/zcdma-qemu-virt.dtso. A test for another machine defines ZCG_LEVELS, the register with the
 * levels, and ZCG_STROBE_BIT before it includes this.
 */
#ifndef ZCG_H
#define ZCG_H

#include "zcv.h"

/* The PL061's data register, through the address that masks no line. */
#ifndef ZCG_LEVELS
#define ZCG_LEVELS	0x090303fcULL
#define ZCG_STROBE_BIT	(1U << 5)
#endif

/* /dev/zcdmaN of the device under test, opened by zcg_setup(). */
static int zcg_dev = -1;

static inline uint32_t zcg_read_outside(uint64_t address)
{
	char command[64], line[64] = "";
	FILE *f;

	snprintf(command, sizeof(command), "host readreg 0x%llx", (unsigned long long)address);
	f = popen(command, "re");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	assert_int_equal(pclose(f), 0);
	assert_memory_equal(line, "0x", 2);
	return strtoul(line, NULL, 16);
}

/* The strobe pin, as a lamp would see it. */
static inline bool zcg_pin(void)
{
	return zcg_read_outside(ZCG_LEVELS) & ZCG_STROBE_BIT;
}

/* A pulse of about 100 ms on the trigger line, from outside. */
static inline void zcg_pulse_line(void)
{
	assert_int_equal(system("host pulse"), 0);
}

static inline struct zcdma_gpio_state zcg_state(void)
{
	struct zcdma_gpio_state state;

	memset(&state, 0xff, sizeof(state));
	zcv_ioctl(zcg_dev, ZCDMA_IOC_GPIO_STATE, &state);
	return state;
}

static inline bool zcg_active(void)
{
	return zcg_state().flags & ZCDMA_GPIO_STROBE_ACTIVE;
}

/* Until the strobe is active, or not; a deadline turns a hang into a failure. */
static inline void zcg_wait_active(bool active)
{
	uint64_t end = zcv_now() + ZCV_DEADLINE_MS * NSEC_PER_MSEC;

	while (zcg_active() != active) {
		if (zcv_now() > end)
			fail_msg("the strobe did not get %sactive", active ? "" : "in");
		usleep(1000);
	}
}

/* Until there have been so many pulses of the strobe, and the last one is over. */
static inline struct zcdma_gpio_state zcg_wait_pulses(uint64_t pulses)
{
	uint64_t end = zcv_now() + ZCV_DEADLINE_MS * NSEC_PER_MSEC;
	struct zcdma_gpio_state state;

	for (;;) {
		state = zcg_state();
		if (state.strobes >= pulses && !(state.flags & ZCDMA_GPIO_STROBE_ACTIVE))
			return state;
		if (zcv_now() > end)
			fail_msg("%llu pulses of the strobe instead of %llu",
				 (unsigned long long)state.strobes, (unsigned long long)pulses);
		usleep(1000);
	}
}

/* dts/: zcdma,strobe-max-us */
#define ZCG_LIMIT_NS	(5 * NSEC_PER_SEC)

static const struct zcdma_trigger zcg_trigger_default = {
	.divider = 1,
	.period_ns = 100 * NSEC_PER_MSEC,
};

static const struct zcdma_strobe zcg_strobe_default = { .duration_ns = NSEC_PER_MSEC };

static inline void zcg_set_trigger(struct zcdma_trigger set)
{
	zcv_ioctl(zcg_dev, ZCDMA_IOC_TRIGGER_SET, &set);
}

static inline void zcg_set_strobe(struct zcdma_strobe set)
{
	zcv_ioctl(zcg_dev, ZCDMA_IOC_STROBE_SET, &set);
}

/* Mode on, with this source, and all else as it is by default. */
static inline struct zcdma_trigger zcg_triggered_by(uint32_t source)
{
	struct zcdma_trigger set = zcg_trigger_default;

	set.mode = ZCDMA_TRIGGER_ON;
	set.source = source;
	return set;
}

static inline struct zcdma_strobe zcg_strobing(uint32_t mode)
{
	struct zcdma_strobe set = zcg_strobe_default;

	set.mode = mode;
	return set;
}

static inline int zcg_software_trigger(void)
{
	return ioctl(zcg_dev, ZCDMA_IOC_TRIGGER_SOFTWARE) ? -errno : 0;
}

static inline int zcg_pulse_strobe(uint64_t duration_ns)
{
	struct zcdma_strobe_pulse pulse = { .duration_ns = duration_ns };

	return ioctl(zcg_dev, ZCDMA_IOC_STROBE_PULSE, &pulse) ? -errno : 0;
}

/* A camera with small pictures, which are exposed for as long as is said, and frame records. */
static inline void zcg_open(struct zcv *v, unsigned int interval_ms, unsigned int exposure_ms)
{
	zcv_open(v, "cam0");
	zcv_format(v, V4L2_PIX_FMT_GREY, 64, 64);
	zcv_interval(v, interval_ms, 1000);
	zcv_control(v, V4L2_CID_EXPOSURE_ABSOLUTE, exposure_ms * 10);
	zcv_subscribe(v, ZCDMA_V4L2_EVENT_FRAME, 0);
}

/*
 * An exposure holds as long as its engine is stalled, however long a look from outside takes, but
 * for the strobe's limit. When the stall is over it has its time again.
 */
static inline void zcg_hold(bool hold)
{
	zcv_set_fault("cam0", "stall", hold ? "1" : "0");
}

/* The next frame: its record, and its buffer goes back. */
static inline struct zcdma_frame zcg_frame(struct zcv *v)
{
	struct v4l2_buffer b = zcv_dequeue(v);
	struct zcdma_frame frame = zcv_record(v);

	assert_int_equal(frame.sequence, b.sequence);
	assert_false(b.flags & V4L2_BUF_FLAG_ERROR);
	zcv_queue(v, b.index);
	return frame;
}

/*
 * A frame by a software trigger, as soon as the exposure under way is over. Frames of before, which
 * may be as late as the machine is busy, come first, and are of no interest.
 */
static inline struct zcdma_frame zcg_own_frame(struct zcv *v)
{
	uint64_t begin, end = zcv_now() + ZCV_DEADLINE_MS * NSEC_PER_MSEC;
	struct zcdma_frame frame;
	int ret;

	do {
		usleep(1000);
		begin = zcv_now();
		assert_true(begin < end);
		ret = zcg_software_trigger();
	} while (ret == -EBUSY);
	assert_int_equal(ret, 0);
	do {
		frame = zcg_frame(v);
	} while (frame.trigger_ns < begin);
	return frame;
}

/* That no frame comes for a while. */
static inline void zcg_no_frame(struct zcv *v, int ms)
{
	struct pollfd p = { .fd = v->fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, ms), 0);
}

/* Up while the frame is exposed, down when it is not; the times are the record's. */
static inline void zcg_exposure_is_seen_outside(struct zcv *v, bool inverted)
{
	struct zcdma_strobe set = zcg_strobing(ZCDMA_STROBE_EXPOSURE);
	struct zcdma_gpio_state before = zcg_state();

	set.inverted = inverted;
	zcg_set_strobe(set);
	zcg_set_trigger(zcg_triggered_by(ZCDMA_TRIGGER_SOFTWARE));
	zcg_open(v, 1000, 1000);
	zcv_start(v, 2);
	for (unsigned int i = 0; i < 3; i++) {
		struct zcdma_gpio_state after;
		struct zcdma_frame frame;

		assert_int_equal(zcg_pin(), inverted);
		assert_int_equal(zcg_software_trigger(), 0);
		zcg_hold(true);
		assert_int_equal(zcg_pin(), !inverted);
		assert_int_equal(zcg_pulse_strobe(NSEC_PER_MSEC), -EBUSY);
		zcg_hold(false);
		frame = zcg_frame(v);
		assert_int_equal(zcg_pin(), inverted);
		assert_true(frame.flags & ZCDMA_FRAME_TRIGGER_TIME);
		after = zcg_state();
		assert_int_equal(after.strobes, before.strobes + i + 1);
		/* The pin has moved before anybody could have looked at the frame. */
		assert_in_range(after.strobe_on_ns, frame.exposure_start_ns,
				frame.exposure_end_ns - 1);
		assert_in_range(after.strobe_off_ns, frame.exposure_end_ns, frame.done_ns);
	}
	assert_int_equal(zcg_state().strobes_cut, before.strobes_cut);
}

static inline int zcg_setup(void **state)
{
	zcg_dev = zcv_open_device();
	return 0;
}

static inline int zcg_teardown(void **state)
{
	zcv_teardown(state);
	zcg_hold(false);
	ioctl(zcg_dev, ZCDMA_IOC_TRIGGER_SET, &zcg_trigger_default);
	ioctl(zcg_dev, ZCDMA_IOC_STROBE_SET, &zcg_strobe_default);
	close(zcg_dev);
	zcg_dev = -1;
	return 0;
}

#define ZCG_TEST(test)	cmocka_unit_test_setup_teardown(test, zcg_setup, zcg_teardown)

#endif /* ZCG_H */
