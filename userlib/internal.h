/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * internal.h - what the files of libzcdma share with each other
 *
 *   device.c   devices, and which channel a name means
 *   gpio.c     strobe and trigger, and the GPIO block
 *   stream.c   the calls of zcdma.h, and what both kinds of streams have in common
 *   native.c   streams on /dev/zcdmaN
 *   pcm.c      what only streams of sound have
 *   v4l2.c     streams on V4L2 capture nodes
 */
#ifndef ZCDMA_INTERNAL_H
#define ZCDMA_INTERNAL_H

#define ZCDMA_NO_INLINE
#include "include/zcdma.h"

#define DEFAULT_BUFFERS		4
#define DEFAULT_RAW_SIZE	65536

/**
 * struct zcdma_device - an open device
 * @fd: descriptor; negative: there is none, and why
 * @number: of /dev/zcdmaN
 */
struct zcdma_device {
	int fd;
	unsigned int number;
};

/**
 * struct zcdma_ops - what the two kinds of streams do differently
 * @acquire: without waiting; -EAGAIN: nothing there. Native streams: beyond the fast path
 * @release: @buffer is held, and not any more before another thread can acquire it again
 * @wait: until @acquire may have something, without a time limit; -ENODEV: for the last time.
 *	NULL: by poll()
 * @other: see the functions of zcdma.h
 */
struct zcdma_ops {
	int (*start)(struct zcdma_stream *stream);
	int (*stop)(struct zcdma_stream *stream);
	int (*drain)(struct zcdma_stream *stream);
	int (*acquire)(struct zcdma_stream *stream, struct zcdma_buffer **buffer);
	int (*release)(struct zcdma_stream *stream, struct zcdma_buffer *buffer);
	int (*wait)(struct zcdma_stream *stream);
	int (*set_control)(struct zcdma_stream *stream, unsigned int id, int64_t value);
	int (*export_buffer)(struct zcdma_stream *stream, unsigned int index);
	int (*import_buffer)(struct zcdma_stream *stream, unsigned int index, int fd);
	void (*close)(struct zcdma_stream *stream);
};

/**
 * struct zcdma_stream - a stream
 * @fast: must be the first: the inline functions of programs find it there. The ring pointers
 *	are NULL where programs must call the library
 * @ops: which kind
 * @fd: stream or node
 * @device: whose channel it is
 * @direction: capture or playback
 * @is_video: @video is valid
 * @is_pcm: @pcm is valid
 * @video: format
 * @pcm: format
 * @started: between start and stop
 * @num_free: entries of @free
 * @free: indices of the buffers that neither the program nor the kernel has
 * @native: native.c's
 * @v4l2: v4l2.c's
 */
struct zcdma_stream {
	struct zcdma_fast fast;
	const struct zcdma_ops *ops;
	int fd;
	struct zcdma_device device;
	enum zcdma_direction direction;
	int is_video;
	int is_pcm;
	struct zcdma_video_config video;
	struct zcdma_pcm_config pcm;
	int started;
	unsigned int num_free;
	uint32_t *free;
	union {
		struct {
			struct zcdma_fast ring;
			void *area;
			size_t area_size;
			size_t transfer;
			const uint32_t *invalid;
			int import;
			int *dmabufs;
		} native;
		struct {
			uint64_t next_sequence;
		} v4l2;
	};
};

int zcdma_xioctl(int fd, unsigned long request, void *arg);
int zcdma_alloc_buffers(struct zcdma_stream *stream, unsigned int num);
int zcdma_open_native(struct zcdma_stream *stream, uint32_t channel, const struct zcdma_config *config);
int zcdma_ask_for_pcm(int fd, const struct zcdma_config *config, uint32_t alignment,
		      struct zcdma_stream_open *arg);
int zcdma_open_v4l2(struct zcdma_stream *stream, int fd, const struct zcdma_config *config);

/* Open the device of a name or path, NULL: the first one. */
int zcdma_find_device(struct zcdma_device *device, const char *name);
/*
 * What a name means: an open device and its *channel (>= 0), or, with *channel < 0, the descriptor of
 * a V4L2 node, in @device.
 */
int zcdma_resolve(const char *name, enum zcdma_direction direction, struct zcdma_device *device,
		  int *channel);

#endif /* ZCDMA_INTERNAL_H */
