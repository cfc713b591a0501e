/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tool.h - what the files of zcdma(1) share with each other
 *
 *   main.c     the list of subcommands, help, messages
 *   info.c     info
 *   capture.c  capture          picture.c  frames as PNG files; no-picture.c without libpng
 *   play.c     play
 *   gpio.c     strobe, trigger
 *   monitor.c  monitor
 *   timeline.c timeline
 *   doctor.c   doctor
 *   flow.c     flow
 *
 * A subcommand returns the exit status: 0, EXIT_FAILED, or EXIT_USAGE for what the user could have
 * known from the help. Every message of failure says what was asked and what to do about it.
 */
#ifndef ZCDMA_TOOL_H
#define ZCDMA_TOOL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <zcdma.h>

#define EXIT_FAILED	1
#define EXIT_USAGE	2

/* A channel as options describe it; see open_channel(). */
struct channel_options {
	const char *name;
	struct zcdma_config config;
};

#define CHANNEL_OPTIONS		"b:c:f:r:s:"
#define CHANNEL_LONG_OPTIONS \
	{ "buffers", required_argument, NULL, 'b' }, \
	{ "channels", required_argument, NULL, 'c' }, \
	{ "format", required_argument, NULL, 'f' }, \
	{ "rate", required_argument, NULL, 'r' }, \
	{ "size", required_argument, NULL, 's' }, \
	{ "bytes", required_argument, NULL, 256 }, \
	{ "coherent", no_argument, NULL, 257 }, \
	{ "help", no_argument, NULL, 'h' }

int cmd_info(int argc, char **argv);
int cmd_capture(int argc, char **argv);
int cmd_play(int argc, char **argv);
int cmd_strobe(int argc, char **argv);
int cmd_trigger(int argc, char **argv);
int cmd_monitor(int argc, char **argv);
int cmd_timeline(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_flow(int argc, char **argv);

/* "zcdma SUBCOMMAND: ..." on stderr. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);
/* complain(), with what an error number means for a channel and what to do. Return: EXIT_FAILED. */
int complain_channel(const char *what, const char *name, int error);
/* Say how it is used, and what was wrong. Return: EXIT_USAGE. */
__attribute__((format(printf, 1, 2))) int usage(const char *format, ...);
int print_help(void);

/* A number in [@min, @max]; false: it is none, and the user knows. */
bool parse_number(const char *option, const char *text, long long min, long long max,
		  long long *value);
/* Take one of CHANNEL_OPTIONS. Return: 0, or an exit status. */
int channel_option(struct channel_options *options, int option, const char *argument);
/* Return: 0, or an exit status. */
int open_channel(const struct channel_options *options, struct zcdma_stream **stream);

uint64_t now_ns(void);
const char *kind_name(uint32_t kind);
const char *owner_name(uint32_t owner);
/* "YUYV"; in a static buffer. */
const char *fourcc_name(uint32_t fourcc);
/* "S16_LE", or NULL: there is no such sample format. Formats are bits, from 0. */
const char *sample_format_name(unsigned int bit);
/* "1.5 MiB"; in one of several static buffers. */
const char *size_name(uint64_t bytes);

/* Ctrl-C asks for an end; what is under way is finished. */
extern volatile sig_atomic_t interrupted;
void catch_interrupt(void);
/* Wait until there is something to read; false: Ctrl-C came first. */
bool wait_readable(int fd);

/* Save a frame as a PNG file. Return: whether it could be; the user knows why not. */
bool picture_is_possible(const struct zcdma_video_config *video);
bool picture_save(const char *path, const struct zcdma_video_config *video, const void *data,
		  size_t length);

#endif /* ZCDMA_TOOL_H */
