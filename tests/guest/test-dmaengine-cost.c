// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-dmaengine-cost - instructions that a frame costs all processors together, by size
 *
 * QEMU counts instructions here as time, and its DMA controller works in none. Everything is
 * counted, interrupts and the idle task too: were there a copy anywhere, it would show.
 *
 * vm: --machine raspi3b --qemu '-icount shift=0,sleep=off'
 * kernel: stock
 * timeout: 120
 */
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "zcv.h"

#define PROCESSORS	4
#define WARM_UP		8
#define FRAMES		32
#define ROUNDS		3

static struct zcv node;
static int counter[PROCESSORS];

static void open_counters(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.disabled = 1,
	};

	for (int cpu = 0; cpu < PROCESSORS; cpu++) {
		counter[cpu] = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, 0);
		if (counter[cpu] < 0)
			zcv_fail("perf_event_open");
	}
}

static uint64_t close_counters(void)
{
	uint64_t count, sum = 0;

	for (int cpu = 0; cpu < PROCESSORS; cpu++) {
		zcv_ioctl(counter[cpu], PERF_EVENT_IOC_DISABLE, 0);
		assert_int_equal(read(counter[cpu], &count, sizeof(count)), sizeof(count));
		close(counter[cpu]);
		sum += count;
	}
	return sum;
}

static uint64_t measure_once(unsigned int width, unsigned int height)
{
	struct v4l2_buffer b;
	uint64_t cost;

	zcv_open_raw(&node, "timer", 0);
	zcv_format(&node, V4L2_PIX_FMT_GREY, width, height);
	assert_int_equal(node.pix.sizeimage, width * height);
	open_counters();
	zcv_start(&node, 4);
	for (int i = 0; i < WARM_UP + FRAMES; i++) {
		for (int cpu = 0; i == WARM_UP && cpu < PROCESSORS; cpu++)
			zcv_ioctl(counter[cpu], PERF_EVENT_IOC_ENABLE, 0);
		b = zcv_buffer(&node, 0);
		if (ioctl(node.fd, VIDIOC_DQBUF, &b) || ioctl(node.fd, VIDIOC_QBUF, &b))
			zcv_fail("DQBUF or QBUF");
		assert_false(b.flags & V4L2_BUF_FLAG_ERROR);
	}
	cost = close_counters() / FRAMES;
	zcv_close(&node);
	assert_true(cost > 0);
	return cost;
}

/* What the rest of the guest happens to do comes on top: the least of some is the frames' own. */
static uint64_t measure(unsigned int width, unsigned int height)
{
	uint64_t cost, least = UINT64_MAX;

	for (int i = 0; i < ROUNDS; i++) {
		cost = measure_once(width, height);
		if (cost < least)
			least = cost;
	}
	return least;
}

static void test_frame_costs_the_same_from_4k_to_4m(void **state)
{
	uint64_t small = measure(4096, 1);
	uint64_t medium = measure(4096, 64);
	uint64_t large = measure(4096, 1024);

	printf("# instructions for a frame: 4 KiB %llu, 256 KiB %llu, 4 MiB %llu\n",
	       (unsigned long long)small, (unsigned long long)medium,
	       (unsigned long long)large);
	assert_in_range(medium, small * 95 / 100, small * 105 / 100);
	assert_in_range(large, small * 95 / 100, small * 105 / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ZCV_TEST(test_frame_costs_the_same_from_4k_to_4m),
	};

	zcv_device = "rpi3";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
