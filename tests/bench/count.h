/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * count.h - the processor's instruction counter for this task, and its system calls
 *
 * Works in a guest under QEMU's icount only.
 */
#ifndef COUNT_H
#define COUNT_H

#include <err.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of each counter; the median counts. */
#define ROUNDS		15

/*
 * One counter is open at a time: each costs instructions at every change of tasks, and that of the
 * system calls at each of those, which the others would count. So what is measured is done
 * ALL_ROUNDS times, ROUNDS for each counter, and before that as often as it takes to warm up
 * (rounds with a negative number).
 */
enum { USER, KERNEL, CALLS, COUNTERS };

#define ALL_ROUNDS	(COUNTERS * ROUNDS)

static int count_fd = -1;
static int counting = -1;
static uint64_t count_overhead;

static inline int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static inline uint64_t median(uint64_t *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

/* The tracepoint of each system call; its number is the kernel's choice. */
static inline uint64_t sys_enter(void)
{
	FILE *f = fopen("/sys/kernel/tracing/events/raw_syscalls/sys_enter/id", "r");
	unsigned long long id;

	if (!f || fscanf(f, "%llu", &id) != 1)
		errx(1, "cannot count system calls (is tracefs mounted?)");
	fclose(f);
	return id;
}

static inline void count_start(void)
{
	ioctl(count_fd, PERF_EVENT_IOC_RESET);
	ioctl(count_fd, PERF_EVENT_IOC_ENABLE);
}

static inline uint64_t count_stop(void)
{
	uint64_t value;

	ioctl(count_fd, PERF_EVENT_IOC_DISABLE);
	if (read(count_fd, &value, sizeof(value)) != sizeof(value))
		err(1, "cannot read a counter");
	return value > count_overhead ? value - count_overhead : 0;
}

static inline void count_open(int which)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = which == CALLS ? PERF_TYPE_TRACEPOINT : PERF_TYPE_HARDWARE,
		.config = which == CALLS ? sys_enter() : PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_kernel = which == USER,
		.exclude_user = which == KERNEL,
		.disabled = 1,
	};
	uint64_t values[ROUNDS];

	if (count_fd >= 0)
		close(count_fd);
	count_fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	if (count_fd < 0)
		err(1, "cannot count instructions (is this QEMU with -icount?)");
	counting = which;
	count_overhead = 0;
	for (int i = 0; i < ROUNDS; i++) {
		count_start();
		values[i] = count_stop();
	}
	count_overhead = median(values, ROUNDS);
}

static inline void count_begin(int round)
{
	int which = round < 0 ? USER : round / ROUNDS;

	if (which != counting)
		count_open(which);
	count_start();
}

static inline void count_end(int round, uint64_t sets[COUNTERS][ROUNDS])
{
	uint64_t value = count_stop();

	if (round >= 0)
		sets[round / ROUNDS][round % ROUNDS] = value;
}

#endif /* COUNT_H */
