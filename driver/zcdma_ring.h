/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zcdma_ring.h - the kernel's side of a stream's two rings
 *
 * The memory is mapped by a program, which may write anything anywhere at any time. So: whatever
 * the program writes is read once, into a local, and checked there; whatever the kernel writes
 * for the program is never read back, the kernel's own copies are in struct zcdma_ring.
 *
 * The barriers A to D are drawn in <linux/zcdma.h>; each is named where it is used. In
 * tests/litmus they are tried on the kernel's memory model: A and C in zcdma-ring-entry, D in
 * zcdma-ring-kick, and in zcdma-ring-reuse that done entries need none.
 *
 * Needs nothing but the memory model and the fixed-width types, so that tests/host compiles it
 * against userlib's side and runs the two under ThreadSanitizer.
 */
#ifndef ZCDMA_RING_H
#define ZCDMA_RING_H

#include "../uapi/linux/zcdma.h"

/* Words that different sides write are a cache line apart. */
#define ZCDMA_RING_LINE		64

/**
 * struct zcdma_ring_words - the start of the ring area; the entries follow
 * @fill_tail: the program's
 * @done_head: the program's
 * @done_tail: the kernel's, on a line of its own: the program spins on it
 * @fill_head: the kernel's, as all below
 * @fill_flags: ZCDMA_RING_*
 * @done_flags: 0
 * @invalid: fill entries ignored
 */
struct zcdma_ring_words {
	u32 fill_tail __aligned(ZCDMA_RING_LINE);
	u32 done_head __aligned(ZCDMA_RING_LINE);
	u32 done_tail __aligned(ZCDMA_RING_LINE);
	u32 fill_head __aligned(ZCDMA_RING_LINE);
	u32 fill_flags;
	u32 done_flags;
	u32 invalid;
};

/**
 * struct zcdma_ring - both rings, as the kernel knows them
 * @words: shared
 * @fill: shared
 * @done: shared
 * @mask: number of entries, of either, less one
 * @fill_head: entries taken from the fill ring
 * @done_tail: entries put into the done ring
 * @invalid: fill entries ignored
 *
 * The caller serializes all calls but zcdma_ring_pending().
 */
struct zcdma_ring {
	struct zcdma_ring_words *words;
	struct zcdma_fill *fill;
	struct zcdma_done *done;
	u32 mask;
	u32 fill_head;
	u32 done_tail;
	u32 invalid;
};

/* Bytes of memory for two rings of @num entries, a power of two. */
static inline size_t zcdma_ring_size(u32 num)
{
	return sizeof(struct zcdma_ring_words) +
	       num * (sizeof(struct zcdma_fill) + sizeof(struct zcdma_done));
}

/* @area: zcdma_ring_size() zeroed bytes. */
static inline void zcdma_ring_init(struct zcdma_ring *ring, void *area, u32 num)
{
	ring->words = area;
	ring->fill = (void *)(ring->words + 1);
	ring->done = (void *)(ring->fill + num);
	ring->mask = num - 1;
}

/* Where all that is, for the program. */
static inline void zcdma_ring_describe(const struct zcdma_ring *ring, struct zcdma_ring_info *fill,
				       struct zcdma_ring_info *done, u32 *invalid)
{
	*fill = (struct zcdma_ring_info) {
		.head = offsetof(struct zcdma_ring_words, fill_head),
		.tail = offsetof(struct zcdma_ring_words, fill_tail),
		.flags = offsetof(struct zcdma_ring_words, fill_flags),
		.entries = (void *)ring->fill - (void *)ring->words,
		.num_entries = ring->mask + 1,
		.entry_size = sizeof(struct zcdma_fill),
	};
	*done = (struct zcdma_ring_info) {
		.head = offsetof(struct zcdma_ring_words, done_head),
		.tail = offsetof(struct zcdma_ring_words, done_tail),
		.flags = offsetof(struct zcdma_ring_words, done_flags),
		.entries = (void *)ring->done - (void *)ring->words,
		.num_entries = ring->mask + 1,
		.entry_size = sizeof(struct zcdma_done),
	};
	*invalid = offsetof(struct zcdma_ring_words, invalid);
}

/* Tell the program that @num of its fill entries made no sense. */
static inline void zcdma_ring_refuse(struct zcdma_ring *ring, u32 num)
{
	ring->invalid += num;
	WRITE_ONCE(ring->words->invalid, ring->invalid);
}

/* Take the oldest fill entry; false: there is none. */
static inline bool zcdma_ring_take(struct zcdma_ring *ring, struct zcdma_fill *entry)
{
	/* A: the entries before the tail are written. */
	u32 num = smp_load_acquire(&ring->words->fill_tail) - ring->fill_head;
	const struct zcdma_fill *from = &ring->fill[ring->fill_head & ring->mask];

	if (!num)
		return false;
	if (num > ring->mask + 1) {
		/* No ring can be so full: all of it is rubbish. Go on where the program is. */
		ring->fill_head += num;
		zcdma_ring_refuse(ring, 1);
		WRITE_ONCE(ring->words->fill_head, ring->fill_head);
		return false;
	}
	entry->index = READ_ONCE(from->index);
	entry->offset = READ_ONCE(from->offset);
	entry->length = READ_ONCE(from->length);
	entry->flags = READ_ONCE(from->flags);
	/* B: the entry is read, and may be written again. */
	smp_store_release(&ring->words->fill_head, ++ring->fill_head);
	return true;
}

/* Put an entry into the done ring. */
static inline void zcdma_ring_put(struct zcdma_ring *ring, u32 index,
				  const struct zcdma_frame *frame)
{
	struct zcdma_done *entry = &ring->done[ring->done_tail & ring->mask];
	u32 tail = ring->done_tail + 1;

	entry->index = index;
	entry->reserved = 0;
	entry->frame = *frame;
	/* C: the entry is written. */
	smp_store_release(&ring->words->done_tail, tail);
	/* zcdma_ring_pending() looks at any time: not before the program can see it. */
	smp_store_release(&ring->done_tail, tail);
}

/*
 * Ask for a kick, or no longer. Call with an empty fill ring; true: it is not any more, and as the
 * program may not have seen the flag, it is the caller who must go on.
 */
static inline bool zcdma_ring_set_need_kick(struct zcdma_ring *ring, bool need)
{
	WRITE_ONCE(ring->words->fill_flags, need ? ZCDMA_RING_NEED_KICK : 0);
	if (!need)
		return false;
	/* D: the flag is stored before the tail is read. */
	smp_mb();
	return READ_ONCE(ring->words->fill_tail) != ring->fill_head;
}

/*
 * How many done entries the program has yet to consume. It may lie: it is the one to be woken in
 * vain. Any context, not serialized.
 */
static inline u32 zcdma_ring_pending(const struct zcdma_ring *ring)
{
	/* What it tells of is in the shared tail. */
	u32 tail = smp_load_acquire(&ring->done_tail);

	return tail - READ_ONCE(ring->words->done_head);
}

#endif /* ZCDMA_RING_H */
