/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zce.h - a guest that behaves the same each time, for what measures
 */
#ifndef ZCE_H
#define ZCE_H

#include <stdio.h>
#include <stdlib.h>

/*
 * A thread that stands for the hardware must not compete with the program for the processor, which
 * hardware does not do either. @thread: its name, a pattern. Returns 0 if there is one and it is done.
 */
static inline int zce_like_hardware(const char *thread)
{
	char command[96];

	snprintf(command, sizeof(command), "pid=$(pgrep -x '%s') && chrt -f -p 1 $pid", thread);
	return system(command);
}

/*
 * What the scheduler does, or leaves for later, when a task goes to sleep depends on what was before:
 * its server for ordinary tasks has a timer, and it may keep a sleeping task queued. Figures jumped
 * by 6 % with that. One processor; needs root, and debugfs. Returns 0 when done, until the next boot.
 */
static inline int zce_steady_scheduler(void)
{
	return system("cd /sys/kernel/debug/sched && echo NO_DELAY_DEQUEUE >features && "
		      "echo 0 >fair_server/cpu0/runtime");
}

#endif /* ZCE_H */
