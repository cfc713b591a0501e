// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-video-stream - what a program sees of a stream: numbers, times, records, events, controls,
 * read() and poll()
 *
 * Frames may be lost when this machine is busy, so no test counts on consecutive ones: what is
 * asserted holds for any gap, and a gap must be what sequence numbers and flags say.
 *
 * timeout: 120
 */
#define _GNU_SOURCE
#include <sys/select.h>

#include "zcv.h"

static struct zcv cam, other;

/* ---- Numbers and times ---- */

static void test_sequence_starts_at_zero_after_every_start(void **state)
{
	zcv_open(&cam, "cam0");
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 4, 0);
	for (int run = 0; run < 2; run++) {
		__u32 next = 0;

		zcv_queue_all(&cam);
		zcv_on(&cam);
		for (int i = 0; i < 6; i++) {
			struct v4l2_buffer b = zcv_dequeue(&cam);

			if (i == 0)
				assert_int_equal(b.sequence, 0);
			assert_true(b.sequence >= next);
			next = b.sequence + 1;
			zcv_queue(&cam, b.index);
		}
		zcv_off(&cam);
	}
}

static void test_buffer_is_described(void **state)
{
	uint64_t started, time;
	struct v4l2_buffer b;

	zcv_open(&cam, "cam0");
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 2, 0);
	zcv_queue_all(&cam);
	started = zcv_now() / 1000;
	zcv_on(&cam);
	b = zcv_dequeue(&cam);
	time = zcv_time_us(&b);
	assert_int_equal(b.bytesused, cam.pix.sizeimage);
	assert_int_equal(b.field, V4L2_FIELD_NONE);
	assert_false(b.flags & V4L2_BUF_FLAG_ERROR);
	assert_int_equal(b.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK,
			 V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC);
	assert_int_equal(b.flags & V4L2_BUF_FLAG_TSTAMP_SRC_MASK, V4L2_BUF_FLAG_TSTAMP_SRC_SOE);
	assert_in_range(time, started, zcv_now() / 1000);
}

/* The record has ns; the buffer's timestamp is its exposure start, cut to us. */
static void check_interval(__u32 numerator, __u32 denominator, uint64_t interval_ns)
{
	struct zcdma_frame first = {}, record;

	zcv_open(&cam, "cam0");
	zcv_format(&cam, V4L2_PIX_FMT_GREY, 64, 64);
	zcv_interval(&cam, numerator, denominator);
	zcv_subscribe(&cam, ZCDMA_V4L2_EVENT_FRAME, 0);
	zcv_start(&cam, 4);
	for (int i = 0; i < 5; i++) {
		struct v4l2_buffer b = zcv_dequeue(&cam);

		record = zcv_record(&cam);
		if (i == 0)
			first = record;
		assert_int_equal(record.exposure_start_ns - first.exposure_start_ns,
				 (record.sequence - first.sequence) * interval_ns);
		assert_int_equal(zcv_time_us(&b), record.exposure_start_ns / 1000);
		assert_int_equal(b.sequence, record.sequence);
		zcv_queue(&cam, b.index);
	}
	assert_true(record.sequence >= 4);
	zcv_close(&cam);
}

static void test_timestamps_are_whole_intervals_apart(void **state)
{
	check_interval(1, 1000, 1000000);
	check_interval(1, 60, 16666667);
	check_interval(1001, 30000, 33366667);
	check_interval(1, 7, 142857143);
}

static void check_parm(__u32 numerator, __u32 denominator, __u32 want_num, __u32 want_den)
{
	struct v4l2_streamparm parm = { .type = cam.type };

	parm.parm.capture.timeperframe = (struct v4l2_fract) { numerator, denominator };
	zcv_ioctl(cam.fd, VIDIOC_S_PARM, &parm);
	assert_true(parm.parm.capture.capability & V4L2_CAP_TIMEPERFRAME);
	/* As fractions: 1/1000 and 1000/1000000 are the same. */
	assert_int_equal((uint64_t)parm.parm.capture.timeperframe.numerator * want_den,
			 (uint64_t)parm.parm.capture.timeperframe.denominator * want_num);
	zcv_ioctl(cam.fd, VIDIOC_G_PARM, &parm);
	assert_int_equal((uint64_t)parm.parm.capture.timeperframe.numerator * want_den,
			 (uint64_t)parm.parm.capture.timeperframe.denominator * want_num);
}

static void test_interval_is_clamped_to_1_to_1000_fps(void **state)
{
	zcv_open(&cam, "cam0");
	zcv_format(&cam, V4L2_PIX_FMT_GREY, 16, 16);
	check_parm(1, 1000, 1, 1000);
	check_parm(1, 2000, 1, 1000);
	check_parm(1, 1, 1, 1);
	check_parm(5, 1, 1, 1);
	check_parm(0xffffffff, 1, 1, 1);
	check_parm(1, 0xffffffff, 1, 1000);
	check_parm(1001, 30000, 1001, 30000);
}

static void test_interval_cannot_change_while_streaming(void **state)
{
	struct v4l2_streamparm parm = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

	zcv_open(&cam, "cam0");
	zcv_start(&cam, 2);
	parm.parm.capture.timeperframe = (struct v4l2_fract) { 1, 5 };
	zcv_ioctl_fails(cam.fd, VIDIOC_S_PARM, &parm, EBUSY);
	zcv_ioctl(cam.fd, VIDIOC_G_PARM, &parm);
	assert_int_equal(parm.parm.capture.timeperframe.denominator, 100);
}

/* Without a buffer frames go on, and the next one that has a buffer tells. */
static void test_lost_frames_are_counted(void **state)
{
	struct zcdma_frame record;
	struct v4l2_event event;
	struct v4l2_buffer b;

	zcv_open(&cam, "cam0");
	zcv_format(&cam, V4L2_PIX_FMT_GREY, 64, 64);
	zcv_start(&cam, 2);
	zcv_dequeue(&cam);
	b = zcv_dequeue(&cam);
	zcv_subscribe(&cam, V4L2_EVENT_FRAME_SYNC, 0);
	do {
		event = zcv_event(&cam);
	} while (event.u.frame_sync.frame_sequence < 10);
	zcv_subscribe(&cam, ZCDMA_V4L2_EVENT_FRAME, 0);
	zcv_queue(&cam, b.index);
	b = zcv_dequeue(&cam);
	assert_true(b.sequence > 10);
	do {
		event = zcv_event(&cam);
	} while (event.type != ZCDMA_V4L2_EVENT_FRAME);
	memcpy(&record, event.u.data, sizeof(record));
	assert_int_equal(record.sequence, b.sequence);
	assert_true(record.flags & ZCDMA_FRAME_LOST);
}

/* ---- Frame record ---- */

static void test_frame_record_describes_the_frame(void **state)
{
	zcv_open(&cam, "cam0");
	zcv_control(&cam, V4L2_CID_EXPOSURE_ABSOLUTE, 30);
	zcv_subscribe(&cam, ZCDMA_V4L2_EVENT_FRAME, 0);
	zcv_start(&cam, 4);
	for (__u64 i = 0, next = 0; i < 6; i++) {
		struct v4l2_buffer b = zcv_dequeue(&cam);
		struct zcdma_frame record = zcv_record(&cam);

		assert_int_equal(record.sequence, b.sequence);
		assert_int_equal(record.bytesused, b.bytesused);
		assert_int_equal(record.flags & ~ZCDMA_FRAME_LOST, ZCDMA_FRAME_EXPOSURE_TIME);
		assert_int_equal(!!(record.flags & ZCDMA_FRAME_LOST), record.sequence != next);
		assert_int_equal(record.exposure_end_ns - record.exposure_start_ns,
				 3 * NSEC_PER_MSEC);
		assert_in_range(record.done_ns, record.exposure_end_ns, zcv_now());
		assert_int_equal(record.trigger_ns, 0);
		assert_int_equal(record.pcm_position, 0);
		assert_int_equal(record.reserved[0], 0);
		assert_int_equal(record.reserved[1], 0);
		next = record.sequence + 1;
		zcv_queue(&cam, b.index);
	}
}

static void check_exposure(int value, uint64_t ns)
{
	struct zcdma_frame record;

	zcv_open(&cam, "cam0");
	zcv_control(&cam, V4L2_CID_EXPOSURE_ABSOLUTE, value);
	zcv_subscribe(&cam, ZCDMA_V4L2_EVENT_FRAME, 0);
	zcv_start(&cam, 2);
	record = zcv_record(&cam);
	assert_int_equal(record.exposure_end_ns - record.exposure_start_ns, ns);
	zcv_close(&cam);
}

/* In units of 100 us; a frame's exposure ends with the frame, of 10 ms here. */
static void test_exposure_control_sets_the_exposure(void **state)
{
	check_exposure(1, 100000);
	check_exposure(73, 7300000);
	check_exposure(100, 10000000);
	check_exposure(5000, 10000000);
}

/* ---- Stamps and patterns ---- */

static void test_stamps_are_of_their_frame(void **state)
{
	uint64_t last = 0;

	zcv_open(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	zcv_subscribe(&cam, ZCDMA_V4L2_EVENT_FRAME, 0);
	zcv_start(&cam, 3);
	for (int i = 0; i < 9; i++) {
		struct v4l2_buffer b = zcv_dequeue(&cam);
		struct zcdma_frame record = zcv_record(&cam);

		zcv_check_stamps(cam.map[b.index], b.bytesused, record.sequence);
		assert_int_equal(zcv_stamp(cam.map[b.index], 0).exposure_start_ns,
				 record.exposure_start_ns);
		assert_true(i == 0 || record.sequence > last);
		last = record.sequence;
		zcv_queue(&cam, b.index);
	}
}

static void test_stamps_are_off_by_default(void **state)
{
	struct v4l2_queryctrl query = { .id = ZCDMA_V4L2_CID_STAMPS };
	struct v4l2_buffer b;

	zcv_open(&cam, "cam0");
	zcv_ioctl(cam.fd, VIDIOC_QUERYCTRL, &query);
	assert_int_equal(query.type, V4L2_CTRL_TYPE_BOOLEAN);
	assert_int_equal(query.default_value, 0);
	zcv_start(&cam, 2);
	b = zcv_dequeue(&cam);
	assert_int_not_equal(zcv_stamp(cam.map[b.index], 0).magic, ZCDMA_STAMP_MAGIC);
}

/* The last line of a frame, which the counter and the time do not reach, as a sum. */
static unsigned long last_line(const char *pattern)
{
	unsigned long sum = 0;
	struct v4l2_buffer b;
	uint8_t *line;

	zcv_open(&cam, "cam0");
	zcv_format(&cam, V4L2_PIX_FMT_GREY, 320, 240);
	zcv_control(&cam, V4L2_CID_TEST_PATTERN, zcv_pattern(&cam, pattern));
	zcv_start(&cam, 2);
	b = zcv_dequeue(&cam);
	line = cam.map[b.index] + 239 * cam.pix.bytesperline;
	for (int x = 0; x < 320; x++)
		sum += line[x];
	zcv_close(&cam);
	return sum;
}

static void test_test_pattern_is_selected(void **state)
{
	unsigned long black = last_line("100% Black");
	unsigned long white = last_line("100% White");

	assert_true(black <= 320 * 0x10);
	assert_true(white >= 320 * 0xeb);
}

/* Counter and time change from frame to frame, in the upper left corner. */
static void test_counter_is_burned_in(void **state)
{
	static uint8_t text[32 * 320];
	struct v4l2_buffer b;

	zcv_open(&cam, "cam0");
	zcv_format(&cam, V4L2_PIX_FMT_GREY, 320, 240);
	zcv_start(&cam, 3);
	b = zcv_dequeue(&cam);
	memcpy(text, cam.map[b.index] + 16 * 320, sizeof(text));
	b = zcv_dequeue(&cam);
	assert_memory_not_equal(text, cam.map[b.index] + 16 * 320, sizeof(text));
	assert_memory_equal(cam.map[0] + 100 * 320, cam.map[1] + 100 * 320, 140 * 320);
}

static void check_null_pattern(__u8 flags)
{
	zcv_open(&cam, "cam0");
	zcv_control(&cam, V4L2_CID_TEST_PATTERN, zcv_pattern(&cam, "Null"));
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 2, flags);
	for (int i = 0; i < 2; i++)
		memset(cam.map[i], 0xa5, cam.length[i]);
	zcv_queue_all(&cam);
	zcv_on(&cam);
	for (int i = 0; i < 4; i++) {
		struct v4l2_buffer b = zcv_dequeue(&cam);
		const uint8_t *frame = cam.map[b.index];

		zcv_check_stamps(frame, b.bytesused, b.sequence);
		for (size_t at = sizeof(struct zcdma_stamp);
		     at < b.bytesused - sizeof(struct zcdma_stamp); at++)
			if (frame[at] != 0xa5)
				fail_msg("byte %zu of frame %u is %#x", at, b.sequence, frame[at]);
		zcv_queue(&cam, b.index);
	}
	zcv_close(&cam);
}

static void test_null_pattern_leaves_the_buffer_alone(void **state)
{
	check_null_pattern(0);
	check_null_pattern(V4L2_MEMORY_FLAG_NON_COHERENT);
}

/* ---- Events ---- */

static void test_frame_sync_comes_for_every_frame(void **state)
{
	__u32 next = 0;

	zcv_open(&cam, "cam0");
	zcv_format(&cam, V4L2_PIX_FMT_GREY, 64, 64);
	zcv_subscribe(&cam, V4L2_EVENT_FRAME_SYNC, 0);
	zcv_start(&cam, 2);
	/* Nothing is dequeued: from the third one on they have no buffer. */
	for (int i = 0; i < 8; i++) {
		struct v4l2_event event = zcv_event(&cam);

		assert_int_equal(event.type, V4L2_EVENT_FRAME_SYNC);
		assert_int_equal(event.u.frame_sync.frame_sequence, next++);
	}
}

static void test_control_event_reaches_the_other_program(void **state)
{
	struct v4l2_event event;

	zcv_open(&cam, "cam0");
	zcv_open_raw(&other, "cam0", 0);
	zcv_subscribe(&cam, V4L2_EVENT_CTRL, V4L2_CID_EXPOSURE_ABSOLUTE);
	zcv_control(&other, V4L2_CID_EXPOSURE_ABSOLUTE, 42);
	event = zcv_event(&cam);
	assert_int_equal(event.type, V4L2_EVENT_CTRL);
	assert_int_equal(event.id, V4L2_CID_EXPOSURE_ABSOLUTE);
	assert_int_equal(event.u.ctrl.changes, V4L2_EVENT_CTRL_CH_VALUE);
	assert_int_equal(event.u.ctrl.value, 42);
}

static void test_unknown_events_are_refused(void **state)
{
	struct v4l2_event_subscription sub = { .type = ZCDMA_V4L2_EVENT_FRAME + 1 };
	struct v4l2_event event;

	zcv_open_raw(&cam, "cam0", O_NONBLOCK);
	zcv_ioctl_fails(cam.fd, VIDIOC_SUBSCRIBE_EVENT, &sub, EINVAL);
	sub = (struct v4l2_event_subscription) { .type = ZCDMA_V4L2_EVENT_FRAME, .id = 1 };
	zcv_ioctl_fails(cam.fd, VIDIOC_SUBSCRIBE_EVENT, &sub, EINVAL);
	zcv_subscribe(&cam, ZCDMA_V4L2_EVENT_FRAME, 0);
	zcv_ioctl_fails(cam.fd, VIDIOC_DQEVENT, &event, ENOENT);
}

/* ---- Waiting ---- */

static void test_select_waits_for_frames_and_events(void **state)
{
	struct timeval deadline = { .tv_sec = ZCV_DEADLINE_MS / 1000 };
	fd_set readable, exceptional;
	struct v4l2_buffer b;

	zcv_open(&cam, "cam0");
	zcv_subscribe(&cam, V4L2_EVENT_FRAME_SYNC, 0);
	zcv_start(&cam, 2);
	zcv_event(&cam);
	b = zcv_buffer(&cam, 0);
	do {
		FD_ZERO(&readable);
		FD_ZERO(&exceptional);
		FD_SET(cam.fd, &readable);
		FD_SET(cam.fd, &exceptional);
		assert_true(select(cam.fd + 1, &readable, NULL, &exceptional, &deadline) > 0);
		if (FD_ISSET(cam.fd, &exceptional))
			zcv_event(&cam);
	} while (!FD_ISSET(cam.fd, &readable));
	zcv_ioctl(cam.fd, VIDIOC_DQBUF, &b);
	assert_int_equal(b.sequence, 0);
}

static void test_poll_without_a_stream_is_an_error(void **state)
{
	zcv_open(&cam, "cam0");
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 2, 0);
	assert_true(zcv_poll(cam.fd, POLLIN) & POLLERR);
}

static void test_nonblocking_dqbuf_gives_eagain(void **state)
{
	struct v4l2_buffer b;

	zcv_open_raw(&cam, "cam0", O_NONBLOCK);
	zcv_defaults(&cam);
	zcv_interval(&cam, 1, 1);
	zcv_start(&cam, 2);
	b = zcv_buffer(&cam, 0);
	zcv_ioctl_fails(cam.fd, VIDIOC_DQBUF, &b, EAGAIN);
}

/* ---- read() ---- */

static void read_frame(uint8_t *frame)
{
	size_t got = 0;

	/* In three pieces, which end where they like. */
	while (got < cam.pix.sizeimage) {
		size_t piece = cam.pix.sizeimage / 3 + 1;
		ssize_t n;

		if (piece > cam.pix.sizeimage - got)
			piece = cam.pix.sizeimage - got;
		n = read(cam.fd, frame + got, piece);
		if (n <= 0)
			zcv_fail("read");
		got += n;
	}
}

static void test_read_gives_whole_frames(void **state)
{
	static uint8_t frame[640 * 480 * 2];
	uint64_t last = 0;

	zcv_open(&cam, "cam0");
	assert_int_equal(cam.pix.sizeimage, sizeof(frame));
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	for (int i = 0; i < 5; i++) {
		uint64_t sequence;

		read_frame(frame);
		sequence = zcv_stamp(frame, 0).sequence;
		zcv_check_stamps(frame, sizeof(frame), sequence);
		assert_true(i ? sequence > last : sequence == 0);
		last = sequence;
	}
}

/* There are more buffers for a short interval than vb2's read() can have. */
static void test_read_at_a_short_interval(void **state)
{
	static uint8_t frame[64 * 64];

	zcv_open(&cam, "cam0");
	zcv_format(&cam, V4L2_PIX_FMT_GREY, 64, 64);
	zcv_interval(&cam, 1, 1000);
	for (int i = 0; i < 5; i++)
		assert_int_equal(read(cam.fd, frame, sizeof(frame)), sizeof(frame));
}

static void test_read_and_streaming_exclude_each_other(void **state)
{
	struct v4l2_requestbuffers req = {
		.count = 2,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};
	char byte;

	zcv_open(&cam, "cam0");
	assert_int_equal(read(cam.fd, &byte, 1), 1);
	zcv_assert_owner("cam0", "video");
	zcv_ioctl_fails(cam.fd, VIDIOC_REQBUFS, &req, EBUSY);
	zcv_close(&cam);
	zcv_assert_owner("cam0", "none");

	zcv_open(&cam, "cam0");
	zcv_start(&cam, 2);
	assert_int_equal(read(cam.fd, &byte, 1), -1);
	assert_int_equal(errno, EBUSY);
	zcv_dequeue(&cam);
}

static void test_nonblocking_read_waits_in_poll(void **state)
{
	static uint8_t frame[640 * 480 * 2];

	zcv_open_raw(&cam, "cam0", O_NONBLOCK);
	zcv_defaults(&cam);
	zcv_interval(&cam, 1, 5);
	assert_int_equal(read(cam.fd, frame, sizeof(frame)), -1);
	assert_int_equal(errno, EAGAIN);
	assert_true(zcv_poll(cam.fd, POLLIN) & POLLIN);
	assert_int_equal(read(cam.fd, frame, sizeof(frame)), sizeof(frame));
}

/* ---- write() ---- */

static void test_write_takes_whole_frames(void **state)
{
	static uint8_t frame[640 * 480 * 2];
	size_t half = sizeof(frame) / 2;

	zcv_open(&other, "out0");
	assert_int_equal(other.pix.sizeimage, sizeof(frame));
	for (int i = 0; i < 4; i++) {
		assert_int_equal(write(other.fd, frame, half), half);
		assert_int_equal(write(other.fd, frame + half, half), half);
	}
	zcv_assert_owner("out0", "video");
	zcv_close(&other);
	zcv_assert_owner("out0", "none");
}

/* ---- Output ---- */

static void test_output_counts_and_stamps_time(void **state)
{
	uint64_t last = 0, time;
	__u32 next = 0;

	zcv_open(&other, "out0");
	zcv_start(&other, 4);
	for (int i = 0; i < 8; i++) {
		struct v4l2_buffer b = zcv_dequeue(&other);

		assert_int_equal(b.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK,
				 V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC);
		assert_false(b.flags & V4L2_BUF_FLAG_ERROR);
		time = zcv_time_us(&b);
		assert_in_range(time, last, zcv_now() / 1000);
		last = time;
		assert_true(i ? b.sequence >= next : b.sequence == 0);
		next = b.sequence + 1;
		zcv_queue(&other, b.index);
	}
}

static void test_output_refuses_short_frames(void **state)
{
	struct v4l2_buffer b;

	zcv_open(&other, "out0");
	zcv_alloc(&other, V4L2_MEMORY_MMAP, 2, 0);
	b = zcv_buffer(&other, 0);
	b.bytesused = other.pix.sizeimage - 1;
	zcv_ioctl_fails(other.fd, VIDIOC_QBUF, &b, EINVAL);
	zcv_ioctl(other.fd, VIDIOC_QUERYBUF, &b);
	assert_false(b.flags & V4L2_BUF_FLAG_QUEUED);
	zcv_queue(&other, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ZCV_TEST(test_sequence_starts_at_zero_after_every_start),
		ZCV_TEST(test_buffer_is_described),
		ZCV_TEST(test_timestamps_are_whole_intervals_apart),
		ZCV_TEST(test_interval_is_clamped_to_1_to_1000_fps),
		ZCV_TEST(test_interval_cannot_change_while_streaming),
		ZCV_TEST(test_lost_frames_are_counted),
		ZCV_TEST(test_frame_record_describes_the_frame),
		ZCV_TEST(test_exposure_control_sets_the_exposure),
		ZCV_TEST(test_stamps_are_of_their_frame),
		ZCV_TEST(test_stamps_are_off_by_default),
		ZCV_TEST(test_test_pattern_is_selected),
		ZCV_TEST(test_counter_is_burned_in),
		ZCV_TEST(test_null_pattern_leaves_the_buffer_alone),
		ZCV_TEST(test_frame_sync_comes_for_every_frame),
		ZCV_TEST(test_control_event_reaches_the_other_program),
		ZCV_TEST(test_unknown_events_are_refused),
		ZCV_TEST(test_select_waits_for_frames_and_events),
		ZCV_TEST(test_poll_without_a_stream_is_an_error),
		ZCV_TEST(test_nonblocking_dqbuf_gives_eagain),
		ZCV_TEST(test_read_gives_whole_frames),
		ZCV_TEST(test_read_at_a_short_interval),
		ZCV_TEST(test_read_and_streaming_exclude_each_other),
		ZCV_TEST(test_nonblocking_read_waits_in_poll),
		ZCV_TEST(test_write_takes_whole_frames),
		ZCV_TEST(test_output_counts_and_stamps_time),
		ZCV_TEST(test_output_refuses_short_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
