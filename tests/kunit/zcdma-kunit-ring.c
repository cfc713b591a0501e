// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the kernel's side of a stream's rings (zcdma_ring.h): indices that wrap, and words
 * that a program has no business to write.
 *
 * What the two sides do to each other at the same time is not tested here but in
 * tests/host/test-ring.sh.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/module.h>

#include "../../driver/zcdma_ring.h"

#define NUM	4

static struct zcdma_ring *new_ring(struct kunit *test)
{
	struct zcdma_ring *ring = kunit_kzalloc(test, sizeof(*ring), GFP_KERNEL);
	void *area = kunit_kzalloc(test, zcdma_ring_size(NUM), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ring);
	KUNIT_ASSERT_NOT_NULL(test, area);
	zcdma_ring_init(ring, area, NUM);
	return ring;
}

/* As after so many entries in either direction, all of them consumed. */
static void set_indices(struct zcdma_ring *ring, u32 index)
{
	ring->fill_head = index;
	ring->done_tail = index;
	ring->words->fill_head = index;
	ring->words->fill_tail = index;
	ring->words->done_head = index;
	ring->words->done_tail = index;
}

/* What a program does. */
static void fill(struct zcdma_ring *ring, u32 index)
{
	u32 tail = ring->words->fill_tail;

	ring->fill[tail % NUM] = (struct zcdma_fill) {
		.index = index, .offset = index + 1, .length = index + 2, .flags = index + 3,
	};
	ring->words->fill_tail = tail + 1;
}

static void expect_taken(struct kunit *test, struct zcdma_ring *ring, u32 index)
{
	struct zcdma_fill entry = {};

	KUNIT_EXPECT_TRUE(test, zcdma_ring_take(ring, &entry));
	KUNIT_EXPECT_EQ(test, entry.index, index);
	KUNIT_EXPECT_EQ(test, entry.offset, index + 1);
	KUNIT_EXPECT_EQ(test, entry.length, index + 2);
	KUNIT_EXPECT_EQ(test, entry.flags, index + 3);
}

static void test_nothing_overlaps(struct kunit *test)
{
	struct zcdma_ring *ring = new_ring(test);
	struct zcdma_ring_info infos[2];
	u32 words[4], invalid;

	zcdma_ring_describe(ring, &infos[0], &infos[1], &invalid);
	for (unsigned int i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, infos[i].num_entries, NUM);
		words[2 * i] = infos[i].head;
		words[2 * i + 1] = infos[i].tail;
	}
	KUNIT_EXPECT_EQ(test, infos[0].entry_size, sizeof(struct zcdma_fill));
	KUNIT_EXPECT_EQ(test, infos[1].entry_size, sizeof(struct zcdma_done));

	/* What different sides write is never on the same line. */
	for (unsigned int i = 0; i < 4; i++)
		for (unsigned int j = 0; j < i; j++)
			KUNIT_EXPECT_NE(test, words[i] / 64, words[j] / 64);

	/* Words, fill entries, done entries, the end. */
	for (unsigned int i = 0; i < 4; i++)
		KUNIT_EXPECT_LE(test, words[i] + 4, infos[0].entries);
	KUNIT_EXPECT_LE(test, infos[0].flags + 4, infos[0].entries);
	KUNIT_EXPECT_LE(test, infos[1].flags + 4, infos[0].entries);
	KUNIT_EXPECT_LE(test, invalid + 4, infos[0].entries);
	KUNIT_EXPECT_LE(test, infos[0].entries + NUM * infos[0].entry_size, infos[1].entries);
	KUNIT_EXPECT_LE(test, infos[1].entries + NUM * infos[1].entry_size, zcdma_ring_size(NUM));
}

/* Before, while and after the indices pass the largest number. */
static void test_entries_are_taken_in_order(struct kunit *test)
{
	struct zcdma_ring *ring = new_ring(test);
	struct zcdma_fill entry;

	set_indices(ring, U32_MAX - NUM - 1);
	for (u32 round = 0; round < 3; round++) {
		for (u32 i = 0; i < NUM; i++)
			fill(ring, 10 * round + i);
		for (u32 i = 0; i < NUM; i++) {
			expect_taken(test, ring, 10 * round + i);
			KUNIT_EXPECT_EQ(test, ring->words->fill_head, ring->fill_head);
		}
		KUNIT_EXPECT_FALSE(test, zcdma_ring_take(ring, &entry));
	}
	KUNIT_EXPECT_EQ(test, ring->words->fill_head, 3 * NUM - NUM - 2);
	KUNIT_EXPECT_EQ(test, ring->words->invalid, 0);
}

static void test_impossible_tails_are_skipped(struct kunit *test)
{
	static const u32 starts[] = { 0, 1, U32_MAX - 2, U32_MAX };
	static const u32 jumps[] = { NUM + 1, 2 * NUM, S32_MAX, U32_MAX - 1, U32_MAX };
	struct zcdma_ring *ring = new_ring(test);
	struct zcdma_fill entry;
	u32 refused = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(starts) * ARRAY_SIZE(jumps); i++) {
		u32 tail = starts[i % ARRAY_SIZE(starts)] + jumps[i / ARRAY_SIZE(starts)];

		set_indices(ring, starts[i % ARRAY_SIZE(starts)]);
		ring->words->fill_tail = tail;
		KUNIT_EXPECT_FALSE(test, zcdma_ring_take(ring, &entry));
		KUNIT_EXPECT_EQ(test, ring->words->invalid, ++refused);
		KUNIT_EXPECT_EQ(test, ring->words->fill_head, tail);
		/* And on it goes. */
		fill(ring, 5);
		expect_taken(test, ring, 5);
		KUNIT_EXPECT_EQ(test, ring->words->invalid, refused);
	}
}

static void test_done_entries_are_put_in_order(struct kunit *test)
{
	struct zcdma_ring *ring = new_ring(test);
	u32 start = U32_MAX - NUM - 1;

	set_indices(ring, start);
	for (u32 i = 0; i < 3 * NUM; i++) {
		struct zcdma_frame frame = { .sequence = 100 + i, .bytesused = i };
		struct zcdma_done *entry = &ring->done[(start + i) % NUM];

		/* Whatever the program has left there. */
		memset(entry, 0xff, sizeof(*entry));
		zcdma_ring_put(ring, i, &frame);
		KUNIT_EXPECT_EQ(test, ring->words->done_tail, start + i + 1);
		KUNIT_EXPECT_EQ(test, entry->index, i);
		KUNIT_EXPECT_EQ(test, entry->reserved, 0);
		KUNIT_EXPECT_MEMEQ(test, &entry->frame, &frame, sizeof(frame));
	}
}

/* A program scribbles over what is the kernel's: nothing that the kernel does follows from it. */
static void test_own_words_are_not_read_back(struct kunit *test)
{
	struct zcdma_ring *ring = new_ring(test);
	struct zcdma_frame frame = { .sequence = 1 };
	struct zcdma_fill entry;

	fill(ring, 7);
	ring->words->fill_head = 1234;
	ring->words->done_tail = 1234;
	ring->words->invalid = 1234;
	ring->words->fill_flags = U32_MAX;

	expect_taken(test, ring, 7);
	KUNIT_EXPECT_EQ(test, ring->words->fill_head, 1);
	KUNIT_EXPECT_FALSE(test, zcdma_ring_take(ring, &entry));
	zcdma_ring_put(ring, 3, &frame);
	KUNIT_EXPECT_EQ(test, ring->words->done_tail, 1);
	KUNIT_EXPECT_EQ(test, ring->done[0].index, 3);
	zcdma_ring_refuse(ring, 2);
	KUNIT_EXPECT_EQ(test, ring->words->invalid, 2);
	KUNIT_EXPECT_FALSE(test, zcdma_ring_set_need_kick(ring, false));
	KUNIT_EXPECT_EQ(test, ring->words->fill_flags, 0);
}

static void test_kick_is_asked_for_once_empty(struct kunit *test)
{
	struct zcdma_ring *ring = new_ring(test);

	KUNIT_EXPECT_FALSE(test, zcdma_ring_set_need_kick(ring, true));
	KUNIT_EXPECT_EQ(test, ring->words->fill_flags, ZCDMA_RING_NEED_KICK);
	/* It came before the program could see the flag: the caller is to go on. */
	fill(ring, 1);
	KUNIT_EXPECT_TRUE(test, zcdma_ring_set_need_kick(ring, true));
	KUNIT_EXPECT_FALSE(test, zcdma_ring_set_need_kick(ring, false));
	KUNIT_EXPECT_EQ(test, ring->words->fill_flags, 0);
}

static void test_pending_until_consumed(struct kunit *test)
{
	struct zcdma_ring *ring = new_ring(test);
	struct zcdma_frame frame = {};

	set_indices(ring, U32_MAX);
	KUNIT_EXPECT_EQ(test, zcdma_ring_pending(ring), 0);
	zcdma_ring_put(ring, 0, &frame);
	KUNIT_EXPECT_EQ(test, zcdma_ring_pending(ring), 1);
	ring->words->done_head = 0;
	KUNIT_EXPECT_EQ(test, zcdma_ring_pending(ring), 0);
}

static struct kunit_case zcdma_ring_cases[] = {
	KUNIT_CASE(test_nothing_overlaps),
	KUNIT_CASE(test_entries_are_taken_in_order),
	KUNIT_CASE(test_impossible_tails_are_skipped),
	KUNIT_CASE(test_done_entries_are_put_in_order),
	KUNIT_CASE(test_own_words_are_not_read_back),
	KUNIT_CASE(test_kick_is_asked_for_once_empty),
	KUNIT_CASE(test_pending_until_consumed),
	{}
};

static struct kunit_suite zcdma_ring_suite = {
	.name = "zcdma_ring",
	.test_cases = zcdma_ring_cases,
};

kunit_test_suite(zcdma_ring_suite);

MODULE_DESCRIPTION("KUnit tests of zcdma's rings");
MODULE_LICENSE("GPL");
