/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * zcdma.h - libzcdma: frames and samples straight out of, and into, DMA memory
 *
 *	struct zcdma_stream *s;
 *	struct zcdma_buffer *b;
 *
 *	zcdma_open(&s, NULL, NULL);
 *	zcdma_start(s);
 *	while (zcdma_acquire(s, &b, -1) == 0) {
 *		... b->length bytes at b->data ...
 *		zcdma_release(s, b);
 *	}
 *	zcdma_close(s);
 *
 * Errors. Every function that returns int returns 0 (or what its comment says) on success and
 * -errno on failure, which has then changed nothing. -ENODEV: the device is gone; the only
 * useful call left is zcdma_close(). Data that was mapped stays readable until then.
 *
 * Threads. Handles of different streams and devices are independent. On one stream, one thread
 * may be in zcdma_acquire(), another one in zcdma_release(), and any in zcdma_get_position(),
 * zcdma_export() and zcdma_set_control(), all at the same time; all else needs the stream for itself.
 *
 * Processes. A child of fork() inherits descriptors and mappings, and so keeps the channel taken
 * until it ends or calls exec().
 *
 * Times are CLOCK_MONOTONIC in ns, sizes are bytes unless a comment says otherwise. Link with
 * `pkg-config --libs libzcdma`.
 */
#ifndef ZCDMA_H
#define ZCDMA_H

#include <stddef.h>
#include <stdint.h>

#include <linux/zcdma.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Devices ---- */

/** struct zcdma_device - an open /dev/zcdmaN. Opaque. */
struct zcdma_device;

/**
 * zcdma_device_open() - open a device
 * @device: where the handle goes; the caller ends it with zcdma_device_close()
 * @name: path ("/dev/zcdma0"), name of the node ("zcdma0"), name of the device ("virt0"), or NULL
 *	for the first one there is
 *
 * Return: 0, -ENODEV where there is no such device, -EACCES where this user must not open it, -ENOMEM,
 * -EMFILE.
 */
int zcdma_device_open(struct zcdma_device **device, const char *name);

/** zcdma_device_close() - end a handle. @device may be NULL. Streams opened stay open. */
void zcdma_device_close(struct zcdma_device *device);

/**
 * zcdma_device_number() - the N of /dev/zcdmaN
 */
unsigned int zcdma_device_number(const struct zcdma_device *device);

/** zcdma_device_fd() - the descriptor, for poll() and ioctls. The library's: do not close. */
int zcdma_device_fd(const struct zcdma_device *device);

/** zcdma_device_get_info() - see struct zcdma_device_info. Return: 0 or -ENODEV. */
int zcdma_device_get_info(struct zcdma_device *device, struct zcdma_device_info *info);

/**
 * zcdma_device_get_channel() - see struct zcdma_channel_info
 * @device: device
 * @index: channel, from 0
 * @info: result
 *
 * Return: 0, -EINVAL where there is no channel @index, -ENODEV.
 */
int zcdma_device_get_channel(struct zcdma_device *device, unsigned int index,
			     struct zcdma_channel_info *info);

/**
 * zcdma_device_get_format() - see struct zcdma_format_desc
 * @device: device
 * @channel: video channel, from 0
 * @index: format, from 0
 * @format: result
 *
 * Return: 0, -EINVAL where there is no such channel or format, -ENODEV.
 */
int zcdma_device_get_format(struct zcdma_device *device, unsigned int channel, unsigned int index,
			    struct zcdma_format_desc *format);

/**
 * zcdma_device_get_pcm() - what a PCM channel can do, see struct zcdma_pcm_info
 * @device: device
 * @channel: PCM channel, from 0
 * @info: result
 *
 * Return: 0, -EINVAL where there is no such channel or it is not a PCM channel, -ENODEV.
 */
int zcdma_device_get_pcm(struct zcdma_device *device, unsigned int channel,
			 struct zcdma_pcm_info *info);

/**
 * zcdma_device_alloc() - a zeroed buffer that belongs to no stream
 * @device: device whose memory it is
 * @size: bytes, up to %ZCDMA_BUFFER_SIZE_MAX; rounded up to whole pages
 * @flags: 0 or %ZCDMA_BUFFER_CACHED
 *
 * Return: a dma-buf descriptor (O_RDWR, close-on-exec) that the caller closes, or -ENOMEM, -EINVAL,
 * -EOPNOTSUPP, -ENODEV. Bracket CPU access with DMA_BUF_IOCTL_SYNC.
 */
int zcdma_device_alloc(struct zcdma_device *device, uint64_t size, unsigned int flags);

/* ---- Strobe and trigger ---- */

/*
 * A device has at most one strobe and one trigger, which belong to its first video capture channel,
 * or else its first capture channel. zcdma_get_device() gives the device of a stream.
 *
 * Settings hold until they are changed, by whichever program, and outlive it: get them, change the
 * fields that matter, set them. They can be changed at any time, while a stream runs, too. All of
 * this may be called from several threads at once.
 */

/**
 * zcdma_device_get_strobe() - settings of the strobe, see struct zcdma_strobe
 * @device: device
 * @strobe: result
 *
 * Return: 0, -ENOTSUP where the device has no strobe line, -ENODEV.
 */
int zcdma_device_get_strobe(struct zcdma_device *device, struct zcdma_strobe *strobe);

/**
 * zcdma_device_set_strobe() - change the settings of the strobe
 * @device: device
 * @strobe: settings, times in ns; limit_ns is ignored
 *
 * Ends a pulse that is under way.
 *
 * Return: 0, -ENOTSUP where the device has no strobe line, -ERANGE where a time is outside of its
 * range, -EINVAL, -ENODEV.
 */
int zcdma_device_set_strobe(struct zcdma_device *device, const struct zcdma_strobe *strobe);

/**
 * zcdma_device_pulse_strobe() - a test pulse, now
 * @device: device
 * @duration_ns: %ZCDMA_STROBE_DURATION_MIN_NS to zcdma_strobe::limit_ns; 0 ends a pulse that is
 *	under way
 *
 * Does not wait for its end.
 *
 * Return: 0, -EBUSY where a pulse is under way, or frames have strobes at the moment, -ENOTSUP where
 * the device has no strobe line, -ERANGE, -ENODEV.
 */
int zcdma_device_pulse_strobe(struct zcdma_device *device, uint64_t duration_ns);

/**
 * zcdma_device_get_trigger() - settings of the trigger, see struct zcdma_trigger
 * @device: device
 * @trigger: result
 *
 * Return: 0, -ENOTSUP where its frames cannot be triggered, -ENODEV.
 */
int zcdma_device_get_trigger(struct zcdma_device *device, struct zcdma_trigger *trigger);

/**
 * zcdma_device_set_trigger() - change the settings of the trigger
 * @device: device
 * @trigger: settings, times in ns
 *
 * Return: 0, -ENOTSUP where its frames cannot be triggered, or not by a line, -ERANGE where a number
 * is outside of its range, -EINVAL, -ENODEV.
 */
int zcdma_device_set_trigger(struct zcdma_device *device, const struct zcdma_trigger *trigger);

/**
 * zcdma_device_software_trigger() - start a frame
 * @device: its trigger's mode is ZCDMA_TRIGGER_ON, and the source ZCDMA_TRIGGER_SOFTWARE
 *
 * Does not wait for the frame.
 *
 * Return: 0, -EINVAL where mode or source is another, -EAGAIN where the channel does not run, -EBUSY
 * where a frame is still being exposed (the trigger is missed, and counted), -ENOTSUP where its frames
 * cannot be triggered, -ENODEV.
 */
int zcdma_device_software_trigger(struct zcdma_device *device);

/**
 * zcdma_device_get_gpio_state() - what strobe and trigger have done, see struct zcdma_gpio_state
 * @device: device
 * @state: result
 *
 * Return: 0, -ENOTSUP where the device has neither, -ENODEV.
 */
int zcdma_device_get_gpio_state(struct zcdma_device *device, struct zcdma_gpio_state *state);

/** struct zcdma_gpio - strobe and trigger of a device, to wait for, and its GPIO block. Opaque. */
struct zcdma_gpio;

/**
 * zcdma_device_open_gpio() - wait for triggers, or map the GPIO block
 * @device: device; may be closed before the handle
 * @gpio: where the handle goes; the caller ends it with zcdma_gpio_close()
 *
 * Return: 0, -ENOTSUP where the device has neither strobe nor trigger, -ENOMEM, -EMFILE, -ENODEV.
 */
int zcdma_device_open_gpio(struct zcdma_device *device, struct zcdma_gpio **gpio);

/** zcdma_gpio_close() - unmap, end the handle. @gpio may be NULL. */
void zcdma_gpio_close(struct zcdma_gpio *gpio);

/**
 * zcdma_gpio_fd() - readable while there have been triggers since the last zcdma_gpio_get_state()
 *
 * For poll() and epoll. The handle's: do not close.
 */
int zcdma_gpio_fd(const struct zcdma_gpio *gpio);

/**
 * zcdma_gpio_get_state() - as zcdma_device_get_gpio_state(); zcdma_gpio_fd() is not readable then
 * @gpio: handle
 * @state: result
 *
 * Return: 0 or -ENODEV.
 */
int zcdma_gpio_get_state(struct zcdma_gpio *gpio, struct zcdma_gpio_state *state);

/**
 * struct zcdma_gpio_block - the mapped registers of the strobe line's GPIO controller
 * @registers: the first of them
 * @size: bytes at @registers: all that the controller has, in whole pages
 * @set: write @set_value there to make the strobe line high, whatever is active
 * @clear: write @clear_value there to make it low
 * @level: read it and look at @level_mask for what the line is at
 * @set_value: see @set
 * @clear_value: see @clear
 * @level_mask: see @level
 * @layout: enum zcdma_gpio_layout, the kind of controller, whose manual has the other registers
 *
 * The registers are 32 bits wide, little endian, and must be read and written as such. Writing to
 * others than these is between the program and the GPIO controller's driver. The library allocates
 * this; later versions may have more at its end.
 */
struct zcdma_gpio_block {
	volatile void *registers;
	size_t size;
	volatile uint32_t *set;
	volatile uint32_t *clear;
	const volatile uint32_t *level;
	uint32_t set_value;
	uint32_t clear_value;
	uint32_t level_mask;
	uint32_t layout;
};

/**
 * zcdma_gpio_map() - map the GPIO block, without /dev/mem
 * @gpio: handle, which no other thread uses meanwhile
 * @block: where the description goes; the handle's, until zcdma_gpio_unmap() or zcdma_gpio_close()
 *
 * Leads to every line of the controller, and so takes CAP_SYS_RAWIO. Gives the same again where it
 * is mapped. The strobe does not need it: that is the kernel's, and switched off in time. A line that
 * the program has written itself stays as it is when the device goes, or the program.
 *
 * Return: 0; -EPERM: without CAP_SYS_RAWIO; -EACCES: the device tree does not allow it
 * (zcdma,gpio-user-mapping), or the block shares a page with another device (the kernel log says
 * which); -ENOTSUP: the device tree names no block (zcdma,gpio-block); -ENOMEM; -ENODEV.
 */
int zcdma_gpio_map(struct zcdma_gpio *gpio, const struct zcdma_gpio_block **block);

/** zcdma_gpio_unmap() - end that. Harmless when not mapped. */
void zcdma_gpio_unmap(struct zcdma_gpio *gpio);

/* ---- Streams ---- */

/** struct zcdma_stream - a channel, or a V4L2 node, taken by this program. Opaque. */
struct zcdma_stream;

/*
 * struct zcdma_config::flags
 *
 * PLAYBACK: where the name names no channel, take the first one that plays, not captures.
 * COHERENT: buffers that neither side needs to sync, but which are slow to read on hardware without
 * coherent DMA. By default buffers are cached where that is possible; either way the CPU
 * sees what the device wrote, and the other way round, without any call of the program's.
 * IMPORT: no buffers but those that zcdma_import() brings.
 */
#define ZCDMA_CONFIG_PLAYBACK		0x00000001u
#define ZCDMA_CONFIG_COHERENT		0x00000002u
#define ZCDMA_CONFIG_IMPORT		0x00000004u

/**
 * struct zcdma_config - what a stream shall be; all 0 is a good choice
 * @flags: ZCDMA_CONFIG_*
 * @num_buffers: 1 to %ZCDMA_STREAM_MAX_BUFFERS; 0 stands for 4
 * @buffer_size: bytes of one transfer. Video: 0, for one frame. Raw and PCM: a multiple of
 *	zcdma_channel_info::alignment. PCM: whole PCM frames, too; 0 stands for 10 ms of sound, or
 *	as little more as is both. Raw: 0 stands for 65536
 * @fourcc: video, as all up to @interval_ns: V4L2 pixel format; 0: the default
 * @width: pixels; 0: the default
 * @height: lines; 0: the default
 * @bytesperline: distance of two lines in bytes; 0: the smallest
 * @interval_ns: time between two frames; 0: the default
 * @sample_format: PCM, as all below: one of ZCDMA_PCM_*_LE; 0: S16_LE, or what else there is
 * @channels: channels of sound; 0: 2, or the nearest that there is
 * @rate: PCM frames per second; 0: 48000, or the nearest that there is
 * @reserved0: 0
 * @reserved: 0
 *
 * A video channel goes as near to this as it can: see zcdma_get_video() for where it got. A PCM
 * channel does what it was asked for, or nothing.
 */
struct zcdma_config {
	uint32_t flags;
	uint32_t num_buffers;
	uint64_t buffer_size;
	uint32_t fourcc;
	uint32_t width;
	uint32_t height;
	uint32_t bytesperline;
	uint64_t interval_ns;
	uint32_t sample_format;
	uint32_t channels;
	uint32_t rate;
	uint32_t reserved0;
	uint64_t reserved[6];
};

/**
 * struct zcdma_buffer - one buffer of a stream, owned by the stream until it is closed
 * @data: its memory, mapped readable and writable; NULL where nothing is attached, or where an
 *	imported buffer cannot be mapped
 * @size: bytes at @data
 * @length: capture: bytes that the device wrote. Playback: bytes to play, set by the program
 *	before zcdma_release(), a multiple of what zcdma_config::buffer_size is one of, and of
 *	video a whole frame; zcdma_acquire() sets it to the most there is room for
 * @index: its number, from 0
 * @held: the program has it; the library's
 * @frame: frame record of the last transfer
 * @reserved: the library's
 *
 * Valid while held, between zcdma_acquire() and zcdma_release(). Where frame.flags has
 * %ZCDMA_FRAME_ERROR, what is at @data is undefined.
 */
struct zcdma_buffer {
	void *data;
	size_t size;
	size_t length;
	uint32_t index;
	uint32_t held;
	struct zcdma_frame frame;
	uint64_t reserved[4];
};

/**
 * zcdma_open() - take a channel, and have buffers
 * @stream: where the handle goes; the caller ends it with zcdma_close()
 * @name: "virt0/cam0" (device and channel; also "zcdma0/cam0", "/dev/zcdma0/cam0"), a device, for its
 *	first free channel, or NULL, for the first free channel of the first device. The path of
 *	a V4L2 capture node ("/dev/video0") that has the single-planar API gives a stream that
 *	works in the same way, on top of V4L2's calls
 * @config: what it shall be, or NULL for the defaults
 *
 * The stream is stopped.
 *
 * Return: 0; -ENODEV, -ENOENT: no such device, or channel; -EBUSY: somebody else has the channel;
 * -EINVAL: a value of @config is out of range; -ENOMEM: no memory for the buffers (the kernel
 * log says more); -EACCES; -ENOTSUP: this V4L2 node cannot do that, or has only the multiplanar API.
 */
int zcdma_open(struct zcdma_stream **stream, const char *name, const struct zcdma_config *config);

/** zcdma_close() - stop, unmap, give the channel back. @stream may be NULL. */
void zcdma_close(struct zcdma_stream *stream);

/**
 * zcdma_start() - let the channel run
 *
 * Capture: hands over all buffers that the program does not hold. Playback: begins with what has
 * been released so far.
 *
 * Return: 0, -EBUSY where it runs, -ENODEV, or the hardware's error.
 */
int zcdma_start(struct zcdma_stream *stream);

/**
 * zcdma_stop() - end all activity
 *
 * Frames that were not acquired yet are lost, and so is what was released and not played yet.
 * Harmless when stopped.
 *
 * Return: 0 or -ENODEV.
 */
int zcdma_stop(struct zcdma_stream *stream);

/**
 * zcdma_drain() - wait until all that was released is played
 *
 * Return: 0, -EINVAL when stopped, -EINTR, -ENODEV, -ENOTSUP on a V4L2 node.
 */
int zcdma_drain(struct zcdma_stream *stream);

/**
 * zcdma_fd() - readable while there are transfers done, or frames, that were not acquired yet
 *
 * For poll() and epoll. Playback: buffers that are free without having been played do not make it
 * readable, which are all of them at first and after zcdma_stop(). So, zcdma_acquire() until -EAGAIN,
 * and wait then. POLLHUP: the device is gone. POLLERR alone: a V4L2 node that is not started. The
 * library's: do not close, nor make it non-blocking.
 */
int zcdma_fd(const struct zcdma_stream *stream);

/** zcdma_get_video() - what a video stream is set to. Return: 0, or -EINVAL for other kinds. */
int zcdma_get_video(const struct zcdma_stream *stream, struct zcdma_video_config *video);

/** zcdma_get_pcm() - what a PCM stream is set to. Return: 0, or -EINVAL for other kinds. */
int zcdma_get_pcm(const struct zcdma_stream *stream, struct zcdma_pcm_config *pcm);

/**
 * zcdma_get_position() - how far a stream is, see struct zcdma_position
 * @stream: stream
 * @position: result
 *
 * Return: 0, -EINVAL when stopped, -ENODEV, -ENOTSUP on a V4L2 node.
 */
int zcdma_get_position(const struct zcdma_stream *stream, struct zcdma_position *position);

/**
 * zcdma_pause() - stop the clock of a PCM stream where it is
 *
 * What was released stays so, and more can be. Harmless when paused.
 *
 * Return: 0, -EINVAL when stopped, -ENODEV, -ENOTSUP where the channel cannot, see
 * zcdma_pcm_info::flags.
 */
int zcdma_pause(struct zcdma_stream *stream);

/** zcdma_resume() - go on after zcdma_pause(), from there. Return: as zcdma_pause(). */
int zcdma_resume(struct zcdma_stream *stream);

/**
 * zcdma_get_device() - the device whose channel a stream is
 * @stream: stream
 * @device: where the handle goes; the stream's, until that is closed: do not close
 *
 * Its strobe and trigger, for one, are there.
 *
 * Return: 0; on a V4L2 node -ENOTSUP where it is not of a zcdma device, -EACCES where this user must
 * not open that.
 */
int zcdma_get_device(struct zcdma_stream *stream, struct zcdma_device **device);

/** zcdma_get_direction() - ZCDMA_CAPTURE or ZCDMA_PLAYBACK */
enum zcdma_direction zcdma_get_direction(const struct zcdma_stream *stream);

/** zcdma_num_buffers() - buffers of the stream, which can be more than was asked for on V4L2 */
unsigned int zcdma_num_buffers(const struct zcdma_stream *stream);

/** zcdma_get_buffer() - buffer @index, held or not; NULL: there is none. The stream's. */
struct zcdma_buffer *zcdma_get_buffer(const struct zcdma_stream *stream, unsigned int index);

/**
 * zcdma_num_refused() - times that a buffer was released that the kernel already had
 *
 * Always 0, unless the memory of this process got damaged.
 */
unsigned int zcdma_num_refused(const struct zcdma_stream *stream);

/**
 * zcdma_set_control() - set a control of the channel
 * @stream: stream
 * @id: ZCDMA_CONTROL_*
 * @value: in the control's unit
 *
 * Return: 0, -EINVAL where the channel has no such control, -ERANGE where it does not take @value,
 * -ENODEV.
 */
int zcdma_set_control(struct zcdma_stream *stream, unsigned int id, int64_t value);

/**
 * zcdma_export() - share a buffer
 * @stream: stream
 * @index: buffer
 *
 * Return: a dma-buf descriptor (O_RDWR, close-on-exec) that the caller closes, and that outlives the
 * stream; -EINVAL where there is no such buffer, -ENOENT where nothing is attached, -ENODEV.
 */
int zcdma_export(struct zcdma_stream *stream, unsigned int index);

/**
 * zcdma_import() - use somebody's dma-buf as a buffer
 * @stream: opened with %ZCDMA_CONFIG_IMPORT
 * @index: buffer, which takes the place of what was attached before
 * @fd: dma-buf, at least as long as one transfer; the caller keeps it and may close it
 *
 * While the stream is stopped, or while the program holds the buffer. The CPU's access to the memory
 * of before ends then, and one to the new memory begins.
 *
 * Return: 0, -EBUSY otherwise, -EINVAL, -E2BIG where the dma-buf is in more
 * pieces than the hardware takes, -EBADF, -ENOMEM, -EMFILE, -ENODEV, or what its exporter says to
 * DMA_BUF_IOCTL_SYNC.
 */
int zcdma_import(struct zcdma_stream *stream, unsigned int index, int fd);

/* ---- The fast path ---- */

/*
 * What the inline functions need of a stream. Not for programs: use the functions. The protocol,
 * and what the letters A to D stand for, is in <linux/zcdma.h>.
 */
struct zcdma_fast {
	const uint32_t *done_tail;
	uint32_t *done_head;
	const char *done_entries;
	uint32_t done_next;
	uint32_t done_mask;
	uint32_t done_size;
	uint32_t transfer; /* bytes of a whole transfer for playback; 0: capture */
	uint32_t *fill_tail;
	const uint32_t *fill_flags;
	char *fill_entries;
	uint32_t fill_next;
	uint32_t fill_mask;
	uint32_t fill_size;
	uint32_t num_buffers;
	struct zcdma_buffer *buffers;
	uint64_t reserved[4];
};

int zcdma_acquire_slow(struct zcdma_stream *stream, struct zcdma_buffer **buffer, int timeout_ms);
int zcdma_release_slow(struct zcdma_stream *stream, struct zcdma_buffer *buffer);
int zcdma_kick(struct zcdma_stream *stream);

static inline uint32_t zcdma_fast_num_done(const struct zcdma_fast *f)
{
	/* C: entries before the tail are written. */
	return __atomic_load_n(f->done_tail, __ATOMIC_ACQUIRE) - f->done_next;
}

/* The oldest done entry, which there is. */
static inline const struct zcdma_done *zcdma_fast_oldest(const struct zcdma_fast *f)
{
	return (const struct zcdma_done *)(const void *)
		(f->done_entries + (size_t)(f->done_next & f->done_mask) * f->done_size);
}

/* Take that; 0: there is none. */
static inline int zcdma_fast_take(struct zcdma_fast *f, struct zcdma_buffer **buffer)
{
	const struct zcdma_done *done;
	struct zcdma_buffer *b;

	if (!zcdma_fast_num_done(f))
		return 0;
	done = zcdma_fast_oldest(f);
	/* Of the kernel, which counts no buffers that we do not have. */
	b = &f->buffers[done->index];
	b->frame = done->frame;
	b->length = f->transfer ? f->transfer : b->frame.bytesused;
	b->held = 1;
	f->done_next++;
	__atomic_store_n(f->done_head, f->done_next, __ATOMIC_RELEASE);
	*buffer = b;
	return 1;
}

/* Put a buffer into the fill ring; non-zero: the kernel needs a kick. */
static inline int zcdma_fast_put(struct zcdma_fast *f, struct zcdma_buffer *b)
{
	struct zcdma_fill *fill = (struct zcdma_fill *)(void *)
		(f->fill_entries + (size_t)(f->fill_next & f->fill_mask) * f->fill_size);

	/*
	 * B, without looking: there is room for all buffers, and this one's last entry was read
	 * before it came back through the done ring.
	 */
	b->held = 0;
	fill->index = b->index;
	fill->offset = 0;
	fill->length = f->transfer ? (uint32_t)b->length : 0;
	fill->flags = 0;
	f->fill_next++;
	/* A: the entry is written. */
	__atomic_store_n(f->fill_tail, f->fill_next, __ATOMIC_RELEASE);
	/* D: the tail is stored before the flag is read. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return (int)(__atomic_load_n(f->fill_flags, __ATOMIC_RELAXED) & ZCDMA_RING_NEED_KICK);
}

static inline int zcdma_acquire_inline(struct zcdma_stream *stream, struct zcdma_buffer **buffer,
				       int timeout_ms)
{
	/* The first member of every stream. */
	struct zcdma_fast *f = (struct zcdma_fast *)(void *)stream;

	if (f->done_tail && zcdma_fast_take(f, buffer))
		return 0;
	return zcdma_acquire_slow(stream, buffer, timeout_ms);
}

static inline unsigned int zcdma_num_done_inline(const struct zcdma_stream *stream)
{
	const struct zcdma_fast *f = (const struct zcdma_fast *)(const void *)stream;

	return f->done_tail ? zcdma_fast_num_done(f) : 0;
}

static inline int zcdma_release_inline(struct zcdma_stream *stream, struct zcdma_buffer *buffer)
{
	struct zcdma_fast *f = (struct zcdma_fast *)(void *)stream;

	/* A length of 0 is as impossible as one that is too long. */
	if (!f->fill_tail || !buffer->held || (f->transfer && buffer->length - 1 >= buffer->size))
		return zcdma_release_slow(stream, buffer);
	return zcdma_fast_put(f, buffer) ? zcdma_kick(stream) : 0;
}

/**
 * zcdma_acquire() - get the next frame (capture), or an empty buffer (playback)
 * @stream: stream
 * @buffer: where it goes; the program holds it until zcdma_release()
 * @timeout_ms: longest wait in ms; 0: do not wait; negative: for ever
 *
 * Frames come in order, those that failed too, with %ZCDMA_FRAME_ERROR. Makes no system call where
 * one is there.
 *
 * Return: 0; -EAGAIN: none there, and @timeout_ms is 0; -ETIMEDOUT; -EINTR: a signal; -EINVAL: none
 * there, and none will be, for the stream is stopped (a V4L2 node: with any @timeout_ms); -ENODEV; for an
 * imported buffer what its exporter says to DMA_BUF_IOCTL_SYNC, and the next call tries it again.
 */
int zcdma_acquire(struct zcdma_stream *stream, struct zcdma_buffer **buffer, int timeout_ms);

/**
 * zcdma_release() - give a buffer back to be filled (capture), or to be played (playback)
 * @stream: stream
 * @buffer: held by the program, which must not touch its data any more
 *
 * In any order. Makes a system call only where the hardware is about to run out of buffers. A length
 * that is no multiple of what it has to be one of comes back from zcdma_acquire() with
 * %ZCDMA_FRAME_ERROR, and is not played.
 *
 * Return: 0; -EINVAL: the program does not hold it, its length is 0 or more than its size, or nothing
 * was imported that could be played; -ENODEV; for an imported buffer what its exporter says to
 * DMA_BUF_IOCTL_SYNC. Unless it is 0 or -ENODEV, the program still holds the buffer.
 */
int zcdma_release(struct zcdma_stream *stream, struct zcdma_buffer *buffer);

/**
 * zcdma_num_done() - transfers that are done, and whose buffers were not acquired yet
 *
 * So many times zcdma_acquire() succeeds at once. Makes no system call, and is always 0 for imported
 * buffers and on a V4L2 node. The thread that acquires may call it.
 */
unsigned int zcdma_num_done(const struct zcdma_stream *stream);

#ifndef ZCDMA_NO_INLINE
#define zcdma_num_done zcdma_num_done_inline
#define zcdma_acquire zcdma_acquire_inline
#define zcdma_release zcdma_release_inline
#endif

#ifdef __cplusplus
}
#endif

#endif /* ZCDMA_H */
