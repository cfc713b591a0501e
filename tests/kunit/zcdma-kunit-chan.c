// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of a channel and its transfers (zcdma_chan.c): an engine and a front end that do
 * nothing but remember what the core says to them.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include "../../driver/zcdma.h"

#define DEPTH	2
#define NUM	4

/**
 * struct fixture - a device of one channel
 * @pdev: parent of the device
 * @zdev: registered, or NULL
 * @chan: its channel, referenced
 * @buf: what all transfers move
 * @xfers: the front end's
 * @client: the front end
 * @submitted: transfers that the engine was given, in order
 * @num_submitted: entries of @submitted
 * @refuse: ops->submit() fails this many times
 * @start_error: what ops->start() returns
 * @started: between start and stop
 * @done: transfers that came back, in order
 * @num_done: entries of @done
 * @requeue: the done callback queues what comes back
 * @gone: the gone callback was called
 * @exposures: sequence number of the last exposure that was told of, plus one
 */
struct fixture {
	struct platform_device *pdev;
	struct zcdma_device *zdev;
	struct zcdma_chan *chan;
	struct zcdma_buf *buf;
	struct zcdma_xfer xfers[NUM];
	struct zcdma_client client;
	struct zcdma_xfer *submitted[4 * NUM];
	unsigned int num_submitted;
	unsigned int refuse;
	int start_error;
	bool started;
	struct zcdma_xfer *done[4 * NUM];
	unsigned int num_done;
	bool requeue;
	bool gone;
	u64 exposures;
};

static int engine_start(struct zcdma_chan *chan)
{
	struct fixture *f = zcdma_chan_priv(chan);

	f->started = !f->start_error;
	return f->start_error;
}

static void engine_stop(struct zcdma_chan *chan)
{
	struct fixture *f = zcdma_chan_priv(chan);

	f->started = false;
}

static int engine_submit(struct zcdma_chan *chan, struct zcdma_xfer *xfer)
{
	struct fixture *f = zcdma_chan_priv(chan);

	if (f->refuse) {
		f->refuse--;
		return -EIO;
	}
	f->submitted[f->num_submitted++ % ARRAY_SIZE(f->submitted)] = xfer;
	return 0;
}

static const struct zcdma_chan_ops engine_ops = {
	.start = engine_start,
	.stop = engine_stop,
	.submit = engine_submit,
};

static void client_done(struct zcdma_chan *chan, void *priv, struct zcdma_xfer *xfer)
{
	struct fixture *f = priv;

	f->done[f->num_done++ % ARRAY_SIZE(f->done)] = xfer;
	if (f->requeue)
		zcdma_xfer_queue(chan, xfer);
}

static void client_exposure(struct zcdma_chan *chan, void *priv, u64 sequence, ktime_t time)
{
	struct fixture *f = priv;

	f->exposures = sequence + 1;
}

static void client_gone(struct zcdma_chan *chan, void *priv)
{
	struct fixture *f = priv;

	f->gone = true;
}

static int set_up(struct kunit *test)
{
	const struct zcdma_buf_req req = { .size = PAGE_SIZE, .dir = DMA_FROM_DEVICE };
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct zcdma_device_desc desc = { .name = "kunit", .num_chans = 1 };
	struct zcdma_chan_desc chan = {
		.name = "raw",
		.kind = ZCDMA_KIND_RAW,
		.direction = ZCDMA_CAPTURE,
		.depth = DEPTH,
		.ops = &engine_ops,
		.priv = f,
	};

	if (!f)
		return -ENOMEM;
	test->priv = f;
	f->pdev = platform_device_register_simple("zcdma-kunit", PLATFORM_DEVID_AUTO, NULL, 0);
	if (IS_ERR(f->pdev)) {
		test->priv = NULL;
		return PTR_ERR(f->pdev);
	}
	desc.parent = &f->pdev->dev;
	desc.chans = &chan;
	f->zdev = zcdma_device_register(&desc);
	if (IS_ERR(f->zdev)) {
		int ret = PTR_ERR(f->zdev);

		f->zdev = NULL;
		return ret;
	}
	f->chan = zcdma_chan_get(zcdma_device_chan(f->zdev, 0));
	f->buf = zcdma_buf_alloc(f->zdev, &req);
	if (IS_ERR(f->buf)) {
		int ret = PTR_ERR(f->buf);

		f->buf = NULL;
		return ret;
	}
	for (unsigned int i = 0; i < NUM; i++) {
		f->xfers[i].buf = f->buf;
		f->xfers[i].len = PAGE_SIZE;
	}
	f->client = (struct zcdma_client) {
		.owner = ZCDMA_OWNER_STREAM,
		.done = client_done,
		.exposure = client_exposure,
		.gone = client_gone,
		.priv = f,
	};
	return zcdma_chan_claim(f->chan, &f->client);
}

static void take_down(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	f->requeue = false;
	if (f->chan) {
		zcdma_chan_stop(f->chan);
		zcdma_chan_release(f->chan);
	}
	if (f->zdev)
		zcdma_device_unregister(f->zdev);
	if (f->buf)
		zcdma_buf_put(f->buf);
	if (f->chan)
		zcdma_chan_put(f->chan);
	platform_device_unregister(f->pdev);
}

static void queue_all(struct kunit *test)
{
	struct fixture *f = test->priv;

	for (unsigned int i = 0; i < NUM; i++)
		KUNIT_ASSERT_EQ(test, zcdma_xfer_queue(f->chan, &f->xfers[i]), 0);
}

static void expect_states(struct kunit *test, const enum zcdma_xfer_state *states)
{
	struct fixture *f = test->priv;

	for (unsigned int i = 0; i < NUM; i++)
		KUNIT_EXPECT_EQ_MSG(test, f->xfers[i].state, states[i], "of transfer %u", i);
}

static void test_transfers_collect_until_start(struct kunit *test)
{
	static const enum zcdma_xfer_state before[] = {
		ZCDMA_XFER_QUEUED, ZCDMA_XFER_QUEUED, ZCDMA_XFER_QUEUED, ZCDMA_XFER_QUEUED,
	};
	static const enum zcdma_xfer_state after[] = {
		ZCDMA_XFER_ACTIVE, ZCDMA_XFER_ACTIVE, ZCDMA_XFER_QUEUED, ZCDMA_XFER_QUEUED,
	};
	struct fixture *f = test->priv;

	queue_all(test);
	expect_states(test, before);
	KUNIT_EXPECT_EQ(test, f->num_submitted, 0);

	KUNIT_EXPECT_EQ(test, zcdma_chan_start(f->chan), 0);
	expect_states(test, after);
	KUNIT_EXPECT_EQ(test, f->num_submitted, DEPTH);
	KUNIT_EXPECT_PTR_EQ(test, f->submitted[0], &f->xfers[0]);
	KUNIT_EXPECT_PTR_EQ(test, f->submitted[1], &f->xfers[1]);
	KUNIT_EXPECT_EQ(test, zcdma_chan_start(f->chan), -EBUSY);
}

static void test_each_completion_makes_room_for_the_next(struct kunit *test)
{
	struct fixture *f = test->priv;

	queue_all(test);
	KUNIT_ASSERT_EQ(test, zcdma_chan_start(f->chan), 0);
	for (unsigned int i = 0; i < NUM; i++) {
		struct zcdma_xfer *xfer = &f->xfers[i];

		zcdma_xfer_done(f->chan, xfer, 100 + i, i == 2 ? ZCDMA_FRAME_ERROR : 0);
		KUNIT_ASSERT_EQ(test, f->num_done, i + 1);
		KUNIT_EXPECT_PTR_EQ(test, f->done[i], xfer);
		KUNIT_EXPECT_EQ(test, xfer->state, ZCDMA_XFER_DONE);
		KUNIT_EXPECT_EQ(test, xfer->frame.sequence, i);
		KUNIT_EXPECT_EQ(test, xfer->frame.bytesused, 100 + i);
		KUNIT_EXPECT_EQ(test, xfer->frame.flags, i == 2 ? ZCDMA_FRAME_ERROR : 0);
		KUNIT_EXPECT_EQ(test, f->num_submitted, min(i + 1 + DEPTH, NUM));
	}
	for (unsigned int i = 0; i < NUM; i++)
		KUNIT_EXPECT_PTR_EQ(test, f->submitted[i], &f->xfers[i]);
}

static void test_done_may_queue_again(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->requeue = true;
	queue_all(test);
	KUNIT_ASSERT_EQ(test, zcdma_chan_start(f->chan), 0);
	for (unsigned int i = 0; i < 2 * NUM; i++)
		zcdma_xfer_done(f->chan, &f->xfers[i % NUM], 1, 0);
	KUNIT_EXPECT_EQ(test, f->num_done, 2 * NUM);
	KUNIT_ASSERT_EQ(test, f->num_submitted, 2 * NUM + DEPTH);
	for (unsigned int i = 0; i < 2 * NUM + DEPTH; i++)
		KUNIT_EXPECT_PTR_EQ(test, f->submitted[i], &f->xfers[i % NUM]);
	f->requeue = false;
}

static void test_stop_returns_all_with_an_error(struct kunit *test)
{
	struct fixture *f = test->priv;

	queue_all(test);
	KUNIT_ASSERT_EQ(test, zcdma_chan_start(f->chan), 0);
	zcdma_xfer_done(f->chan, &f->xfers[0], 1, 0);
	zcdma_chan_stop(f->chan);
	KUNIT_EXPECT_FALSE(test, f->started);
	KUNIT_ASSERT_EQ(test, f->num_done, NUM);
	for (unsigned int i = 0; i < NUM; i++) {
		KUNIT_EXPECT_PTR_EQ(test, f->done[i], &f->xfers[i]);
		KUNIT_EXPECT_EQ(test, f->xfers[i].state, ZCDMA_XFER_DONE);
		KUNIT_EXPECT_EQ(test, f->xfers[i].frame.flags, i ? ZCDMA_FRAME_ERROR : 0);
	}
	/* And again from the beginning. */
	queue_all(test);
	KUNIT_EXPECT_EQ(test, zcdma_chan_start(f->chan), 0);
	zcdma_xfer_done(f->chan, &f->xfers[0], 1, 0);
	KUNIT_EXPECT_EQ(test, f->xfers[0].frame.sequence, 0);
	KUNIT_EXPECT_EQ(test, f->xfers[0].frame.flags, 0);
}

static void test_stop_before_start_returns_all(struct kunit *test)
{
	struct fixture *f = test->priv;

	queue_all(test);
	zcdma_chan_stop(f->chan);
	KUNIT_EXPECT_EQ(test, f->num_done, NUM);
	for (unsigned int i = 0; i < NUM; i++)
		KUNIT_EXPECT_EQ(test, f->xfers[i].frame.flags, ZCDMA_FRAME_ERROR);
}

static void test_failed_start_keeps_what_is_queued(struct kunit *test)
{
	static const enum zcdma_xfer_state queued[] = {
		ZCDMA_XFER_QUEUED, ZCDMA_XFER_QUEUED, ZCDMA_XFER_QUEUED, ZCDMA_XFER_QUEUED,
	};
	struct fixture *f = test->priv;

	f->start_error = -EIO;
	queue_all(test);
	KUNIT_EXPECT_EQ(test, zcdma_chan_start(f->chan), -EIO);
	KUNIT_EXPECT_EQ(test, f->num_done, 0);
	expect_states(test, queued);

	f->start_error = 0;
	f->num_submitted = 0;
	KUNIT_EXPECT_EQ(test, zcdma_chan_start(f->chan), 0);
	for (unsigned int i = 0; i < NUM; i++) {
		KUNIT_EXPECT_PTR_EQ(test, f->submitted[i], &f->xfers[i]);
		zcdma_xfer_done(f->chan, &f->xfers[i], 1, 0);
	}
	KUNIT_EXPECT_EQ(test, f->num_done, NUM);
}

/* Refused before the start, accepted after it: that one first all the same. */
static void test_refusal_before_start_keeps_the_order(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->refuse = 1;
	f->start_error = -EIO;
	queue_all(test);
	KUNIT_EXPECT_EQ(test, zcdma_chan_start(f->chan), -EIO);
	KUNIT_EXPECT_EQ(test, f->num_done, 0);

	f->refuse = 1;
	f->start_error = 0;
	KUNIT_ASSERT_EQ(test, zcdma_chan_start(f->chan), 0);
	for (unsigned int i = 0; i < NUM; i++) {
		KUNIT_EXPECT_PTR_EQ(test, f->submitted[i], &f->xfers[i]);
		KUNIT_EXPECT_EQ(test, f->xfers[i].frame.flags, 0);
		zcdma_xfer_done(f->chan, &f->xfers[i], 1, 0);
	}
	KUNIT_EXPECT_EQ(test, f->num_done, NUM);
}

/* A refused transfer comes back with an error, from whichever call handed it over. */
static void test_refused_transfers_come_back(struct kunit *test)
{
	struct fixture *f = test->priv;

	/* Before the engine is started, and when it is offered the transfer once more. */
	f->refuse = 2;
	queue_all(test);
	KUNIT_ASSERT_EQ(test, zcdma_chan_start(f->chan), 0);
	KUNIT_ASSERT_EQ(test, f->num_done, 1);
	KUNIT_EXPECT_PTR_EQ(test, f->done[0], &f->xfers[0]);
	KUNIT_EXPECT_EQ(test, f->xfers[0].frame.flags, ZCDMA_FRAME_ERROR);

	/* 1 and 2 are with the engine, 3 waits for room, and is refused then. */
	f->refuse = 1;
	zcdma_xfer_done(f->chan, &f->xfers[1], 1, 0);
	KUNIT_ASSERT_EQ(test, f->num_done, 3);
	KUNIT_EXPECT_PTR_EQ(test, f->done[1], &f->xfers[1]);
	KUNIT_EXPECT_PTR_EQ(test, f->done[2], &f->xfers[3]);
	KUNIT_EXPECT_EQ(test, f->xfers[3].frame.flags, ZCDMA_FRAME_ERROR);

	f->refuse = 1;
	KUNIT_EXPECT_EQ(test, zcdma_xfer_queue(f->chan, &f->xfers[0]), 0);
	KUNIT_ASSERT_EQ(test, f->num_done, 4);
	KUNIT_EXPECT_PTR_EQ(test, f->done[3], &f->xfers[0]);
	KUNIT_EXPECT_EQ(test, f->xfers[0].state, ZCDMA_XFER_DONE);
}

static void test_lost_frames_are_counted_and_told(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, zcdma_chan_start(f->chan), 0);
	zcdma_exposure_start(f->chan, NULL, ns_to_ktime(1000));
	zcdma_exposure_end(f->chan, NULL, ns_to_ktime(1500));
	zcdma_exposure_start(f->chan, NULL, ns_to_ktime(2000));
	KUNIT_EXPECT_EQ(test, f->exposures, 2);

	queue_all(test);
	for (unsigned int i = 0; i < 2; i++) {
		const struct zcdma_frame *frame = &f->xfers[i].frame;

		zcdma_exposure_start(f->chan, &f->xfers[i], ns_to_ktime(3000 + i));
		zcdma_exposure_end(f->chan, &f->xfers[i], ns_to_ktime(3500 + i));
		KUNIT_EXPECT_EQ(test, f->exposures, 3 + i);
		zcdma_xfer_done(f->chan, &f->xfers[i], 1, 0);
		KUNIT_EXPECT_EQ(test, frame->sequence, 2 + i);
		KUNIT_EXPECT_EQ(test, frame->exposure_start_ns, 3000 + i);
		KUNIT_EXPECT_EQ(test, frame->exposure_end_ns, 3500 + i);
		KUNIT_EXPECT_EQ(test, frame->flags, ZCDMA_FRAME_EXPOSURE_TIME |
				(i ? 0 : ZCDMA_FRAME_LOST));
	}
	/* Once more: that it was exposed before is forgotten, and it has a number all the same. */
	KUNIT_ASSERT_EQ(test, zcdma_xfer_queue(f->chan, &f->xfers[0]), 0);
	for (unsigned int i = 0; i < 3; i++) {
		struct zcdma_xfer *xfer = &f->xfers[(2 + i) % NUM];

		zcdma_xfer_done(f->chan, xfer, 1, 0);
		KUNIT_EXPECT_EQ(test, xfer->frame.sequence, 4 + i);
	}
}

static void test_one_owner_at_a_time(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct zcdma_client other = f->client;

	KUNIT_EXPECT_EQ(test, zcdma_chan_claim(f->chan, &other), -EBUSY);
	zcdma_chan_release(f->chan);
	KUNIT_EXPECT_EQ(test, zcdma_chan_claim(f->chan, &other), 0);
	zcdma_chan_release(f->chan);
	KUNIT_EXPECT_EQ(test, zcdma_chan_claim(f->chan, &f->client), 0);
}

static void test_what_the_engine_cannot_is_refused(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct zcdma_strobe strobe;
	struct zcdma_trigger trigger;

	KUNIT_EXPECT_EQ(test, zcdma_chan_pause(f->chan, true), -EOPNOTSUPP);
	KUNIT_EXPECT_FALSE(test, zcdma_chan_has_strobe(f->chan));
	KUNIT_EXPECT_FALSE(test, zcdma_chan_has_trigger(f->chan));
	KUNIT_EXPECT_EQ(test, zcdma_chan_get_strobe(f->chan, &strobe), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, zcdma_chan_get_trigger(f->chan, &trigger), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, zcdma_chan_software_trigger(f->chan), -EOPNOTSUPP);
}

static void test_a_gone_device_returns_all_and_takes_nothing(struct kunit *test)
{
	struct fixture *f = test->priv;

	queue_all(test);
	KUNIT_ASSERT_EQ(test, zcdma_chan_start(f->chan), 0);
	KUNIT_EXPECT_FALSE(test, zcdma_chan_gone(f->chan));
	zcdma_device_unregister(f->zdev);
	f->zdev = NULL;

	KUNIT_EXPECT_TRUE(test, zcdma_chan_gone(f->chan));
	KUNIT_EXPECT_TRUE(test, f->gone);
	KUNIT_EXPECT_FALSE(test, f->started);
	KUNIT_EXPECT_EQ(test, f->num_done, NUM);
	KUNIT_EXPECT_EQ(test, zcdma_xfer_queue(f->chan, &f->xfers[0]), -ENODEV);
	KUNIT_EXPECT_EQ(test, zcdma_chan_start(f->chan), -ENODEV);
	KUNIT_EXPECT_EQ(test, zcdma_chan_pause(f->chan, true), -ENODEV);
	zcdma_chan_stop(f->chan);
	KUNIT_EXPECT_EQ(test, f->num_done, NUM);
	zcdma_chan_release(f->chan);
	KUNIT_EXPECT_EQ(test, zcdma_chan_claim(f->chan, &f->client), -ENODEV);
}

static struct kunit_case zcdma_chan_cases[] = {
	KUNIT_CASE(test_transfers_collect_until_start),
	KUNIT_CASE(test_each_completion_makes_room_for_the_next),
	KUNIT_CASE(test_done_may_queue_again),
	KUNIT_CASE(test_stop_returns_all_with_an_error),
	KUNIT_CASE(test_stop_before_start_returns_all),
	KUNIT_CASE(test_failed_start_keeps_what_is_queued),
	KUNIT_CASE(test_refusal_before_start_keeps_the_order),
	KUNIT_CASE(test_refused_transfers_come_back),
	KUNIT_CASE(test_lost_frames_are_counted_and_told),
	KUNIT_CASE(test_one_owner_at_a_time),
	KUNIT_CASE(test_what_the_engine_cannot_is_refused),
	KUNIT_CASE(test_a_gone_device_returns_all_and_takes_nothing),
	{}
};

static struct kunit_suite zcdma_chan_suite = {
	.name = "zcdma_chan",
	.init = set_up,
	.exit = take_down,
	.test_cases = zcdma_chan_cases,
};

kunit_test_suite(zcdma_chan_suite);

MODULE_DESCRIPTION("KUnit tests of zcdma's channels");
MODULE_LICENSE("GPL");
