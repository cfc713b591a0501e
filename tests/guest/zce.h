/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zce.h - an engine's thread that behaves like hardware, for what measures
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

#endif /* ZCE_H */
