// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-faults - what a program sees when the hardware fails: lost and failed frames, lost
 * interrupts, stalls, a clock that is off
 *
 * The four frames after a start have their descriptors already, so what happens to them does not
 * depend on how busy this machine is.
 *
 * timeout: 60
 */
#define _GNU_SOURCE
#include "zcv.h"

static struct zcv cam, out;

static const char * const faults[] = {
	"drop", "error", "lost_irq", "stall", "drift_ppb", "jitter_ns",
};

static int teardown(void **state)
{
	zcv_teardown(state);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		zcv_set_fault("cam0", faults[i], "0");
		zcv_set_fault("out0", faults[i], "0");
	}
	return 0;
}

/* Small frames, records, and stamps. */
static void open_camera(void)
{
	zcv_open(&cam, "cam0");
	zcv_format(&cam, V4L2_PIX_FMT_GREY, 64, 64);
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	zcv_subscribe(&cam, ZCDMA_V4L2_EVENT_FRAME, 0);
}

static void test_dropped_frames_leave_a_gap(void **state)
{
	struct zcdma_frame record;
	struct v4l2_buffer b;

	open_camera();
	zcv_set_fault("cam0", "drop", "3");
	zcv_start(&cam, 4);
	b = zcv_dequeue(&cam);
	record = zcv_record(&cam);
	assert_int_equal(b.sequence, 3);
	assert_int_equal(record.sequence, 3);
	assert_int_equal(record.flags, ZCDMA_FRAME_LOST | ZCDMA_FRAME_EXPOSURE_TIME);
	assert_false(b.flags & V4L2_BUF_FLAG_ERROR);
	zcv_check_stamps(cam.map[b.index], b.bytesused, 3);
	/* The next one has none before it. */
	assert_int_equal(zcv_dequeue(&cam).sequence, 4);
	assert_int_equal(zcv_record(&cam).flags, ZCDMA_FRAME_EXPOSURE_TIME);
	assert_int_equal(zcv_fault("cam0", "drop"), 0);
}

static void test_failed_transfers_have_the_error_flag(void **state)
{
	open_camera();
	zcv_set_fault("cam0", "error", "2");
	zcv_start(&cam, 4);
	for (__u32 i = 0; i < 4; i++) {
		struct v4l2_buffer b = zcv_dequeue(&cam);
		struct zcdma_frame record = zcv_record(&cam);
		bool error = i < 2;

		assert_int_equal(b.sequence, i);
		assert_int_equal(!!(b.flags & V4L2_BUF_FLAG_ERROR), error);
		assert_int_equal(!!(record.flags & ZCDMA_FRAME_ERROR), error);
		assert_int_equal(record.bytesused, error ? 0 : cam.pix.sizeimage);
		assert_int_equal(b.bytesused, record.bytesused);
		if (!error)
			zcv_check_stamps(cam.map[b.index], b.bytesused, i);
	}
	assert_int_equal(zcv_fault("cam0", "error"), 0);
}

/* 0 would be the end of the file, to every program. */
static void test_read_skips_failed_frames(void **state)
{
	static uint8_t frame[64 * 64];

	open_camera();
	zcv_set_fault("cam0", "error", "1");
	assert_int_equal(read(cam.fd, frame, sizeof(frame)), sizeof(frame));
	zcv_check_stamps(frame, sizeof(frame), 1);
}

static void test_failed_output_has_the_error_flag(void **state)
{
	zcv_open(&out, "out0");
	zcv_set_fault("out0", "error", "1");
	zcv_start(&out, 3);
	assert_true(zcv_dequeue(&out).flags & V4L2_BUF_FLAG_ERROR);
	assert_false(zcv_dequeue(&out).flags & V4L2_BUF_FLAG_ERROR);
}

/* Frame 0 is there in time, but nobody says so before frame 1 is. */
static void test_lost_interrupt_delays_a_frame(void **state)
{
	struct zcdma_frame first, second;

	open_camera();
	zcv_set_fault("cam0", "lost_irq", "1");
	zcv_start(&cam, 4);
	first = zcv_record(&cam);
	second = zcv_record(&cam);
	assert_int_equal(first.sequence, 0);
	assert_int_equal(second.sequence, 1);
	assert_true(first.done_ns >= second.exposure_end_ns);
	for (__u32 i = 0; i < 2; i++) {
		struct v4l2_buffer b = zcv_dequeue(&cam);

		assert_int_equal(b.sequence, i);
		assert_false(b.flags & V4L2_BUF_FLAG_ERROR);
		zcv_check_stamps(cam.map[b.index], b.bytesused, i);
	}
}

/* All interrupts are lost and nothing moves any more; the program can still stop and start. */
static void test_stuck_hardware_can_be_stopped_and_started(void **state)
{
	open_camera();
	zcv_set_fault("cam0", "lost_irq", "4");
	zcv_start(&cam, 4);
	/* All four are used up. */
	for (uint64_t end = zcv_now() + ZCV_DEADLINE_MS * NSEC_PER_MSEC;
	     zcv_fault("cam0", "lost_irq");)
		assert_true(zcv_now() < end);
	assert_int_equal(poll(&(struct pollfd) { .fd = cam.fd, .events = POLLIN }, 1, 100), 0);
	zcv_off(&cam);
	zcv_queue_all(&cam);
	zcv_on(&cam);
	assert_int_equal(zcv_dequeue(&cam).sequence, 0);
}

static void test_stalled_hardware_gives_no_frame_and_goes_on_where_it_was(void **state)
{
	struct zcdma_frame before, after;
	uint64_t stalled, went_on;

	open_camera();
	zcv_start(&cam, 4);
	zcv_queue(&cam, zcv_dequeue(&cam).index);
	zcv_set_fault("cam0", "stall", "1");
	stalled = zcv_now();
	/* At most what was under way is completed now. */
	while (poll(&(struct pollfd) { .fd = cam.fd, .events = POLLIN }, 1, 100) == 1)
		zcv_queue(&cam, zcv_dequeue(&cam).index);
	do {
		before = zcv_record(&cam);
	} while (poll(&(struct pollfd) { .fd = cam.fd, .events = POLLPRI }, 1, 0) == 1);
	went_on = zcv_now();
	zcv_set_fault("cam0", "stall", "0");
	after = zcv_record(&cam);
	while (after.exposure_start_ns < stalled)
		after = zcv_record(&cam);
	/* The frame clock stood still, and no frame was missed for that. */
	assert_true(after.exposure_start_ns - before.exposure_start_ns >=
		    (after.sequence - before.sequence) * 10 * NSEC_PER_MSEC +
		    went_on - stalled - 10 * NSEC_PER_MSEC);
}

static void test_stalled_hardware_can_be_stopped(void **state)
{
	struct v4l2_buffer b;

	open_camera();
	zcv_set_fault("cam0", "stall", "1");
	zcv_start(&cam, 4);
	zcv_off(&cam);
	b = zcv_buffer(&cam, 0);
	zcv_ioctl(cam.fd, VIDIOC_QUERYBUF, &b);
	assert_false(b.flags & (V4L2_BUF_FLAG_QUEUED | V4L2_BUF_FLAG_DONE));
	zcv_set_fault("cam0", "stall", "0");
	zcv_queue_all(&cam);
	zcv_on(&cam);
	assert_int_equal(zcv_dequeue(&cam).sequence, 0);
}

/* The clock is @ppb fast: frame n starts n intervals, divided by that, after frame 0. */
static void check_drift(int ppb)
{
	const uint64_t second = NSEC_PER_SEC;
	struct zcdma_frame first = {}, record;
	char text[16];

	snprintf(text, sizeof(text), "%d", ppb);
	open_camera();
	zcv_set_fault("cam0", "drift_ppb", text);
	zcv_start(&cam, 4);
	for (int i = 0; i < 12; i++) {
		uint64_t n, expected;

		zcv_queue(&cam, zcv_dequeue(&cam).index);
		record = zcv_record(&cam);
		if (!i)
			first = record;
		n = record.sequence - first.sequence;
		expected = n * 10 * NSEC_PER_MSEC * second / (second + ppb);
		assert_in_range(record.exposure_start_ns - first.exposure_start_ns,
				expected ? expected - 1 : 0, expected + 1);
	}
	zcv_close(&cam);
}

static void test_drift_changes_the_frame_clock(void **state)
{
	check_drift(100000);
	check_drift(-100000);
	check_drift(37000001);
	check_drift(0);
}

static void test_absurd_faults_are_refused(void **state)
{
	static const struct {
		const char *fault, *value;
	} absurd[] = {
		{ "drop", "4294967296" }, { "error", "-1" }, { "lost_irq", "many" },
		{ "stall", "2" }, { "drift_ppb", "100000001" }, { "drift_ppb", "-100000001" },
		{ "jitter_ns", "1000000001" },
	};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(absurd) / sizeof(absurd[0]); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/zcdma/%s/cam0/fault/%s",
			 zcv_device, absurd[i].fault);
		assert_int_equal(zcv_write_text(path, absurd[i].value), -EINVAL);
		assert_int_equal(zcv_fault("cam0", absurd[i].fault), 0);
	}
}

static void test_faults_are_read_back(void **state)
{
	zcv_set_fault("cam0", "jitter_ns", "12345");
	assert_int_equal(zcv_fault("cam0", "jitter_ns"), 12345);
	zcv_set_fault("cam0", "drift_ppb", "-12345");
	assert_int_equal(zcv_fault("cam0", "drift_ppb"), -12345);
}

#define FAULT_TEST(test) cmocka_unit_test_teardown(test, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_TEST(test_dropped_frames_leave_a_gap),
		FAULT_TEST(test_failed_transfers_have_the_error_flag),
		FAULT_TEST(test_read_skips_failed_frames),
		FAULT_TEST(test_failed_output_has_the_error_flag),
		FAULT_TEST(test_lost_interrupt_delays_a_frame),
		FAULT_TEST(test_stuck_hardware_can_be_stopped_and_started),
		FAULT_TEST(test_stalled_hardware_gives_no_frame_and_goes_on_where_it_was),
		FAULT_TEST(test_stalled_hardware_can_be_stopped),
		FAULT_TEST(test_drift_changes_the_frame_clock),
		FAULT_TEST(test_absurd_faults_are_refused),
		FAULT_TEST(test_faults_are_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
