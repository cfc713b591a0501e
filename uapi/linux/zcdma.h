/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * zcdma - user interface of the zero-copy DMA core, /dev/zcdmaN
 *
 * Objects are file descriptors: /dev/zcdmaN is a device, a stream is a channel taken by
 * a program, and buffers are dma-bufs. Every structure has the same layout for 32- and 64-bit
 * programs, a size that is a multiple of 8, and explicit padding.
 *
 * Rules that hold for every call:
 *  - a reserved field that is not zero, or a flag that is not defined here, gives
 *    EINVAL and changes nothing;
 *  - a command that is not defined here gives ENOTTY;
 *  - once the device is gone (unbound, unplugged), every call gives ENODEV and
 *    poll() reports EPOLLHUP | EPOLLERR. Buffers already obtained stay valid
 *    memory until their last user closes or unmaps them;
 *  - all calls may be made from several threads at once.
 *
 * Times are CLOCK_MONOTONIC in ns. Sizes are in bytes.
 */
#ifndef _UAPI_LINUX_ZCDMA_H
#define _UAPI_LINUX_ZCDMA_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Length of a name, including the terminating NUL. */
#define ZCDMA_NAME_LEN		32

/* Version of this interface: only raised, when calls or fields are added. */
#define ZCDMA_ABI_VERSION	1

/* Largest size of one buffer. */
#define ZCDMA_BUFFER_SIZE_MAX	0x40000000ULL

/**
 * enum zcdma_kind - what a channel carries
 * @ZCDMA_KIND_VIDEO: frames of pictures
 * @ZCDMA_KIND_PCM: periods of audio samples
 * @ZCDMA_KIND_RAW: records of bytes without a meaning to the driver
 */
enum zcdma_kind {
	ZCDMA_KIND_VIDEO = 0,
	ZCDMA_KIND_PCM = 1,
	ZCDMA_KIND_RAW = 2,
};

/**
 * enum zcdma_direction - which way a channel moves data
 * @ZCDMA_CAPTURE: from the device to memory
 * @ZCDMA_PLAYBACK: from memory to the device
 */
enum zcdma_direction {
	ZCDMA_CAPTURE = 0,
	ZCDMA_PLAYBACK = 1,
};

/**
 * enum zcdma_owner - who holds a channel at the moment
 * @ZCDMA_OWNER_NONE: nobody
 * @ZCDMA_OWNER_VIDEO: its V4L2 node, as long as that has buffers
 * @ZCDMA_OWNER_PCM: its ALSA PCM, from hw_params to hw_free
 * @ZCDMA_OWNER_STREAM: a stream file descriptor
 */
enum zcdma_owner {
	ZCDMA_OWNER_NONE = 0,
	ZCDMA_OWNER_VIDEO = 1,
	ZCDMA_OWNER_PCM = 2,
	ZCDMA_OWNER_STREAM = 3,
};

/*
 * struct zcdma_frame::flags
 *
 * ERROR: the transfer failed or was cut short; the content of the buffer is
 * undefined. LOST: one or more frames between this one and the one before it had
 * no buffer to go to (their sequence numbers are missing). On a PCM channel that is an
 * xrun: one sequence number is missing for the whole gap, and @pcm_position says how long
 * it was. The *_TIME and PCM bits say which of the fields are known; a field without its bit
 * is 0.
 */
#define ZCDMA_FRAME_ERROR		0x00000001
#define ZCDMA_FRAME_LOST		0x00000002
#define ZCDMA_FRAME_TRIGGER_MISSED	0x00000004
#define ZCDMA_FRAME_TRIGGER_TIME	0x00000008
#define ZCDMA_FRAME_EXPOSURE_TIME	0x00000010
#define ZCDMA_FRAME_PCM_POSITION	0x00000020

/**
 * struct zcdma_frame - the frame record: what is known of one finished transfer
 * @sequence: number of the frame since streaming started, from 0; counts frames
 *	that were lost, too
 * @trigger_ns: time of the trigger that started the frame
 * @exposure_start_ns: start of the exposure; where the hardware has none, the time
 *	from which on the transfer was the next: it was handed to the hardware, and
 *	the one before it was done
 * @exposure_end_ns: end of the exposure
 * @done_ns: time at which the DMA engine reported the transfer complete
 * @pcm_position: PCM frames that the device's audio clock had counted at
 *	@exposure_start_ns. On a PCM channel that is its own clock, which counts from 0 since
 *	the channel was started, so this is the number of the transfer's first frame, gaps
 *	included. On the others it is the clock of a PCM channel of the device that runs: the
 *	first one that captures, or else the first one that plays
 * @bytesused: bytes that the transfer moved
 * @flags: ZCDMA_FRAME_*
 * @reserved: 0
 *
 * Also the payload of the V4L2 event %ZCDMA_V4L2_EVENT_FRAME.
 */
struct zcdma_frame {
	__u64 sequence;
	__u64 trigger_ns;
	__u64 exposure_start_ns;
	__u64 exposure_end_ns;
	__u64 done_ns;
	__u64 pcm_position;
	__u32 bytesused;
	__u32 flags;
	__u32 reserved[2];
};

/*
 * Head and tail stamps: with the stamps control on, a capture engine that supports
 * them writes one struct zcdma_stamp over the first bytes of a frame before, and
 * one over the last bytes after, everything else in it. Both of one frame are equal;
 * a reader that sees them differ holds a torn frame, one that sees the same @sequence
 * twice a stale one.
 */
#define ZCDMA_STAMP_MAGIC	0x706d74736d64637aULL	/* "zcdmstmp" in memory */

/**
 * struct zcdma_stamp - head and tail stamp of a frame (little endian)
 * @magic: %ZCDMA_STAMP_MAGIC
 * @sequence: the frame record's sequence
 * @exposure_start_ns: the frame record's exposure start
 * @reserved: 0
 */
struct zcdma_stamp {
	__le64 magic;
	__le64 sequence;
	__le64 exposure_start_ns;
	__le64 reserved;
};

/*
 * struct zcdma_device_info::features
 *
 * STREAM: %ZCDMA_IOC_STREAM_OPEN and %ZCDMA_IOC_FORMAT_INFO exist. PCM: so do
 * %ZCDMA_IOC_PCM_INFO, zcdma_stream_open::pcm, and the stream's POSITION, PAUSE and RESUME.
 */
#define ZCDMA_FEATURE_STREAM		0x0000000000000001ULL
#define ZCDMA_FEATURE_PCM		0x0000000000000002ULL

/**
 * struct zcdma_device_info - what a device is (%ZCDMA_IOC_DEVICE_INFO)
 * @abi_version: %ZCDMA_ABI_VERSION of the kernel
 * @num_channels: channels, numbered from 0
 * @features: ZCDMA_FEATURE_*; bits are added as features are
 * @pool_size: size of the node's memory-region, or 0 where memory comes from the system
 * @pool_used: bytes of buffers of this device that are alive at the moment
 * @name: the device's name, unique on this system: the node's label property, or its
 *	node name
 * @driver: the engine's driver
 * @reserved: 0
 */
struct zcdma_device_info {
	__u32 abi_version;
	__u32 num_channels;
	__u64 features;
	__u64 pool_size;
	__u64 pool_used;
	char name[ZCDMA_NAME_LEN];
	char driver[ZCDMA_NAME_LEN];
	__u64 reserved[4];
};

/**
 * struct zcdma_channel_info - what a channel is (%ZCDMA_IOC_CHANNEL_INFO)
 * @index: the channel asked for, from the program
 * @kind: enum zcdma_kind
 * @direction: enum zcdma_direction
 * @owner: enum zcdma_owner; may have changed by the time the program reads it
 * @max_segments: physically contiguous pieces that one transfer may consist of
 * @alignment: alignment of a transfer's address and length in bytes
 * @max_transfer: longest transfer in bytes
 * @name: the channel's name, unique within the device
 * @reserved: 0
 *
 * EINVAL: there is no channel @index.
 */
struct zcdma_channel_info {
	__u32 index;
	__u32 kind;
	__u32 direction;
	__u32 owner;
	__u32 max_segments;
	__u32 alignment;
	__u64 max_transfer;
	char name[ZCDMA_NAME_LEN];
	__u64 reserved[4];
};

/*
 * struct zcdma_buffer_alloc::flags
 *
 * CACHED: the CPU reads and writes the buffer through its caches. Bracket every CPU
 * access with DMA_BUF_IOCTL_SYNC. Without it the buffer is coherent: no bracket is
 * needed, but on hardware without coherent DMA every CPU access goes to memory.
 */
#define ZCDMA_BUFFER_CACHED		0x00000001

/**
 * struct zcdma_buffer_alloc - get a zeroed buffer as a dma-buf (%ZCDMA_IOC_BUFFER_ALLOC)
 * @size: bytes, 1 to %ZCDMA_BUFFER_SIZE_MAX, from the program; rounded up to whole pages
 *	by the kernel, which writes the result back
 * @flags: ZCDMA_BUFFER_*, from the program
 * @fd_flags: O_CLOEXEC and one of O_RDONLY, O_WRONLY, O_RDWR for the new descriptor,
 *	from the program
 * @fd: the dma-buf, from the kernel; the program owns it and closes it. It outlives
 *	the /dev/zcdmaN descriptor and the device
 * @reserved: 0
 *
 * ENOMEM: the pool or the system has no room (the kernel log says how much was asked and
 * what is free). EOPNOTSUPP: the device's pool cannot be mapped cached.
 */
struct zcdma_buffer_alloc {
	__u64 size;
	__u32 flags;
	__u32 fd_flags;
	__s32 fd;
	__u32 reserved[3];
};

/* ---- Streams ---- */

/**
 * struct zcdma_format_desc - one pixel format of a video channel (%ZCDMA_IOC_FORMAT_INFO)
 * @channel: the channel asked for, from the program
 * @index: the format asked for, from 0, from the program; 0 is the channel's default
 * @fourcc: V4L2 pixel format
 * @min_width: pixels; @max_width, @step_width likewise
 * @max_width: see @min_width
 * @step_width: see @min_width
 * @min_height: lines; @max_height, @step_height likewise
 * @max_height: see @min_height
 * @step_height: see @min_height
 * @reserved0: 0
 * @min_interval_ns: shortest time between two frames, at the smallest size
 * @max_interval_ns: longest time between two frames
 * @reserved: 0
 *
 * EINVAL: there is no such channel, it is not a video channel, or it has fewer formats.
 */
struct zcdma_format_desc {
	__u32 channel;
	__u32 index;
	__u32 fourcc;
	__u32 min_width;
	__u32 max_width;
	__u32 step_width;
	__u32 min_height;
	__u32 max_height;
	__u32 step_height;
	__u32 reserved0;
	__u64 min_interval_ns;
	__u64 max_interval_ns;
	__u64 reserved[4];
};

/**
 * struct zcdma_video_config - geometry and pace of a video stream
 * @fourcc: V4L2 pixel format; 0: the channel's default
 * @width: pixels; 0: the channel's default
 * @height: lines; 0: the channel's default
 * @bytesperline: distance of two lines of the first plane in bytes; 0: the smallest
 * @sizeimage: bytes of one frame, from the kernel
 * @reserved: 0
 * @interval_ns: time between two frames; 0: the channel's default
 *
 * What the channel cannot do is changed to the nearest that it can, as V4L2 does.
 */
struct zcdma_video_config {
	__u32 fourcc;
	__u32 width;
	__u32 height;
	__u32 bytesperline;
	__u32 sizeimage;
	__u32 reserved;
	__u64 interval_ns;
};

/*
 * PCM sample formats: bits of zcdma_pcm_info::formats, and values of zcdma_pcm_config::format.
 * Little endian; the samples of a PCM frame follow each other, one for each channel of sound, and
 * PCM frames follow each other without a gap.
 *
 * S16_LE: 2 bytes. S24_LE: 4 bytes, of which the upper 8 bits do not count. S32_LE: 4 bytes.
 * FLOAT_LE: 4 bytes, IEEE 754 single precision, -1.0 to 1.0.
 */
#define ZCDMA_PCM_S16_LE		0x00000001
#define ZCDMA_PCM_S24_LE		0x00000002
#define ZCDMA_PCM_S32_LE		0x00000004
#define ZCDMA_PCM_FLOAT_LE		0x00000008

/* struct zcdma_pcm_info::flags. PAUSE: the stream can be paused. RESIDUE: its position is exact. */
#define ZCDMA_PCM_PAUSE			0x00000001
#define ZCDMA_PCM_RESIDUE		0x00000002

/**
 * struct zcdma_pcm_info - what a PCM channel can do (%ZCDMA_IOC_PCM_INFO)
 * @channel: the channel asked for, from the program
 * @flags: ZCDMA_PCM_PAUSE, ZCDMA_PCM_RESIDUE
 * @formats: ZCDMA_PCM_*_LE
 * @min_rate: PCM frames per second; everything from @min_rate to @max_rate is possible
 * @max_rate: see @min_rate
 * @min_channels: channels of sound; everything from @min_channels to @max_channels is possible
 * @max_channels: see @min_channels
 * @reserved0: 0
 * @reserved: 0
 *
 * EINVAL: there is no such channel, or it is not a PCM channel.
 */
struct zcdma_pcm_info {
	__u32 channel;
	__u32 flags;
	__u32 formats;
	__u32 min_rate;
	__u32 max_rate;
	__u32 min_channels;
	__u32 max_channels;
	__u32 reserved0;
	__u64 reserved[4];
};

/**
 * struct zcdma_pcm_config - what a PCM channel is set to
 * @format: one of ZCDMA_PCM_*_LE; 0: the channel's default
 * @channels: channels of sound; 0: the channel's default
 * @rate: PCM frames per second; 0: the channel's default
 * @frame_bytes: bytes of one PCM frame, from the kernel
 *
 * Unlike a picture's, none of these is changed to what is near: EINVAL.
 */
struct zcdma_pcm_config {
	__u32 format;
	__u32 channels;
	__u32 rate;
	__u32 frame_bytes;
};

/**
 * struct zcdma_ring_info - where one ring is in the ring area, from the kernel
 * @head: offset of the consumer's __u32 index, in bytes as all offsets
 * @tail: offset of the producer's __u32 index
 * @flags: offset of a __u32 with ZCDMA_RING_*, written by the kernel
 * @entries: offset of the first entry
 * @num_entries: entries, a power of two
 * @entry_size: distance of two entries in bytes; later kernels may have longer entries
 * @reserved: 0
 *
 * Indices count entries without end and wrap at 2^32: entry i is at
 * @entries + (i & (@num_entries - 1)) * @entry_size; the ring is empty when head == tail.
 */
struct zcdma_ring_info {
	__u32 head;
	__u32 tail;
	__u32 flags;
	__u32 entries;
	__u32 num_entries;
	__u32 entry_size;
	__u32 reserved[2];
};

/**
 * struct zcdma_fill - fill ring entry: the program hands a buffer over
 * @index: the buffer
 * @offset: first byte of the transfer, a multiple of the channel's alignment
 * @length: bytes to move, a multiple of the channel's alignment; 0: up to the end of what
 *	the stream was opened with (video: one frame, which is the only length). PCM: a
 *	multiple of frame_bytes, as @offset is
 * @flags: 0
 *
 * Capture: an empty buffer, for the device to fill. Playback: a full one, to be played.
 */
struct zcdma_fill {
	__u32 index;
	__u32 offset;
	__u32 length;
	__u32 flags;
};

/**
 * struct zcdma_done - done ring entry: the kernel hands a buffer back
 * @index: the buffer
 * @reserved: 0
 * @frame: its frame record
 */
struct zcdma_done {
	__u32 index;
	__u32 reserved;
	struct zcdma_frame frame;
};

/*
 * The rings of a stream
 *
 * Both have one producer and one consumer. Every entry has room: a stream of n buffers has at
 * least n entries in each ring, and a buffer is in one place at a time. The program
 *
 *  - hands a buffer over only while it has it: at first all, later those whose done entry it
 *    has consumed. A buffer that the kernel has already, or that does not exist, is counted in
 *    the word at zcdma_stream_open::invalid and ignored; an entry with an impossible range
 *    comes back through the done ring with %ZCDMA_FRAME_ERROR;
 *  - uses one thread at a time for each ring;
 *  - finds only rubbish of its own there if it writes rubbish: the kernel keeps copies of all
 *    that it relies on.
 *
 *       program                                     kernel
 *       -------                                     ------
 *       write fill entry                            load tail, acquire            (A)
 *       store fill tail, release        -- A -->    read fill entry
 *
 *       load fill head, acquire         <-- B --    store fill head, release
 *       (room in the ring: write an entry again)    (after reading the entry)
 *
 *       load done tail, acquire         <-- C --    write done entry
 *       read done entry                             store done tail, release
 *       store done head, release
 *
 *       store fill tail                 -- D --     store flags = NEED_KICK
 *       full barrier                                full barrier
 *       load flags; KICK if set                     load fill tail; go on if it moved
 *
 * The kernel looks at the fill ring by itself whenever a transfer completes. It asks for a kick,
 * by %ZCDMA_RING_NEED_KICK in the flags of the fill ring, only while no completion would come
 * in time: while fewer than two transfers are with the engine. In D at least one of the two sees
 * what the other has stored, so no buffer is forgotten. A kick too many does no harm.
 *
 * There is no barrier for the reuse of done entries, nor does the kernel look for room: a buffer
 * comes back only after it was handed over (A), which was after its last done entry, and all
 * those before, were consumed.
 */
#define ZCDMA_RING_NEED_KICK		0x00000001

/* Most buffers that a stream can have. */
#define ZCDMA_STREAM_MAX_BUFFERS	1024

/*
 * struct zcdma_stream_open::flags
 *
 * CACHED: buffers are cached. The kernel syncs them, for the device when it takes them from the
 * fill ring and for the CPU before it puts them into the done ring; the program does nothing.
 * IMPORT: allocate nothing; %ZCDMA_IOC_STREAM_ATTACH brings each buffer.
 */
#define ZCDMA_STREAM_CACHED		0x00000001
#define ZCDMA_STREAM_IMPORT		0x00000002

/**
 * struct zcdma_stream_open - take a channel (%ZCDMA_IOC_STREAM_OPEN)
 * @channel: its index
 * @flags: ZCDMA_STREAM_*
 * @fd_flags: O_CLOEXEC, O_NONBLOCK for the new descriptor
 * @num_buffers: 1 to %ZCDMA_STREAM_MAX_BUFFERS
 * @buffer_size: bytes of one transfer, at most %ZCDMA_BUFFER_SIZE_MAX. Raw and PCM channels: a
 *	multiple of the alignment; PCM: of frame_bytes, too. Video: 0, for one frame; or more, to
 *	have room for something behind it
 * @video: video channels: what is wanted. The kernel writes back what there is. Others: all 0
 * @pcm: PCM channels: what is wanted. The kernel fills in the defaults. Others: all 0
 * @fd: the stream, from the kernel as everything below. The program owns it. The channel is
 *	free again when it is closed and nothing of it is mapped any more
 * @ring_size: bytes to map, shared, at offset 0 of @fd for both rings
 * @fill: the fill ring
 * @done: the done ring; its flags are 0
 * @invalid: offset in the ring area of a __u32, the count of fill entries ignored
 * @reserved0: 0
 * @buffers_offset: offset in @fd at which buffer 0 is mapped. Not for imported buffers
 * @buffers_stride: buffer i is mapped at @buffers_offset + i * @buffers_stride. Also
 *	the most that can be mapped of each
 * @features: 0
 * @reserved: 0
 *
 * The device is stopped and the program has all buffers. poll() on @fd reports EPOLLIN while
 * the done ring is not empty, and EPOLLHUP | EPOLLERR once the device is gone. All calls can be
 * made from any thread.
 *
 * EBUSY: the channel has an owner. EINVAL: a value is out of its range. ENOMEM: no memory for the
 * buffers; the kernel log says more. EOPNOTSUPP: the device's pool cannot be mapped cached.
 */
struct zcdma_stream_open {
	__u32 channel;
	__u32 flags;
	__u32 fd_flags;
	__u32 num_buffers;
	__u64 buffer_size;
	struct zcdma_video_config video;
	struct zcdma_pcm_config pcm;
	__s32 fd;
	__u32 ring_size;
	struct zcdma_ring_info fill;
	struct zcdma_ring_info done;
	__u32 invalid;
	__u32 reserved0;
	__u64 buffers_offset;
	__u64 buffers_stride;
	__u64 features;
	__u64 reserved[4];
};

/**
 * struct zcdma_stream_buffer - a buffer of a stream as a dma-buf
 * @index: the buffer
 * @fd_flags: %ZCDMA_IOC_STREAM_EXPORT: as in struct zcdma_buffer_alloc. ATTACH: 0
 * @fd: EXPORT: the dma-buf, from the kernel; the program owns it and closes it. ATTACH: the
 *	dma-buf to use as this buffer from now on, at least @buffer_size long; the program
 *	keeps its descriptor, and may close it
 * @reserved: 0
 *
 * ATTACH: EBUSY: the kernel has the buffer. EINVAL: the stream was not opened for import, or the
 * dma-buf is too small. E2BIG: it is in more pieces than the channel takes. EBADF: no dma-buf.
 * EXPORT: ENOENT: nothing is attached.
 */
struct zcdma_stream_buffer {
	__u32 index;
	__u32 fd_flags;
	__s32 fd;
	__u32 reserved;
};

/*
 * Controls of a channel, for struct zcdma_control. The same knobs as the controls of a V4L2
 * node: whichever was set last holds, and holds after the stream is closed.
 *
 * TEST_PATTERN: index of the pattern; the order is the engine's. STAMPS: 0 or 1, see struct
 * zcdma_stamp. EXPOSURE: ns.
 * Sound: VOLUME: hundredths of a dB. MUTE: 0 or 1. LOOPBACK: 0 or 1, capture what the device
 * plays. XRUN: as much sound as that many transfers hold is lost from now on, as by an xrun.
 * DRIFT: by how much the audio clock is fast, in billionths.
 */
#define ZCDMA_CONTROL_TEST_PATTERN	0
#define ZCDMA_CONTROL_STAMPS		1
#define ZCDMA_CONTROL_EXPOSURE		2
#define ZCDMA_CONTROL_VOLUME		3
#define ZCDMA_CONTROL_MUTE		4
#define ZCDMA_CONTROL_LOOPBACK		5
#define ZCDMA_CONTROL_XRUN		6
#define ZCDMA_CONTROL_DRIFT		7

/**
 * struct zcdma_control - a control of the stream's channel (%ZCDMA_IOC_STREAM_CONTROL)
 * @id: ZCDMA_CONTROL_*
 * @reserved0: 0
 * @value: what to set
 * @min: smallest value, from the kernel, as all below
 * @max: largest value
 * @step: distance of two values
 * @def: value after probe
 * @reserved: 0
 *
 * EINVAL: the channel has no such control. ERANGE: @value is none that it takes; @min to @def
 * are written all the same.
 */
struct zcdma_control {
	__u32 id;
	__u32 reserved0;
	__s64 value;
	__s64 min;
	__s64 max;
	__s64 step;
	__s64 def;
	__u64 reserved[2];
};

/**
 * struct zcdma_position - how far a stream is (%ZCDMA_IOC_STREAM_POSITION)
 * @bytes: bytes that the device has moved since start: those of all finished transfers, also of
 *	such whose done entry is not yet consumed, and of the one under way
 * @time_ns: when that was so
 * @clock: PCM: PCM frames that the channel's audio clock had counted then. It runs on where
 *	there is nothing to move; what it has counted more than was moved is what xruns have
 *	cost. 0 on other channels
 * @reserved: 0
 *
 * As exact as the engine knows: to the sample where zcdma_pcm_info::flags has
 * %ZCDMA_PCM_RESIDUE, else to the transfer. EINVAL: the stream is stopped.
 */
struct zcdma_position {
	__u64 bytes;
	__u64 time_ns;
	__u64 clock;
	__u64 reserved;
};

#define ZCDMA_IOC_MAGIC			'z'
#define ZCDMA_IOC_DEVICE_INFO		_IOR(ZCDMA_IOC_MAGIC, 0x00, struct zcdma_device_info)
#define ZCDMA_IOC_CHANNEL_INFO		_IOWR(ZCDMA_IOC_MAGIC, 0x01, struct zcdma_channel_info)
#define ZCDMA_IOC_BUFFER_ALLOC		_IOWR(ZCDMA_IOC_MAGIC, 0x02, struct zcdma_buffer_alloc)

/* On /dev/zcdmaN */
#define ZCDMA_IOC_FORMAT_INFO		_IOWR(ZCDMA_IOC_MAGIC, 0x10, struct zcdma_format_desc)
#define ZCDMA_IOC_STREAM_OPEN		_IOWR(ZCDMA_IOC_MAGIC, 0x11, struct zcdma_stream_open)
#define ZCDMA_IOC_PCM_INFO		_IOWR(ZCDMA_IOC_MAGIC, 0x12, struct zcdma_pcm_info)

/*
 * On a stream
 *
 * START: let the channel run, with what is in the fill ring. EBUSY: it runs. On failure buffers
 *	that were handed over stay so; STOP brings them back.
 * STOP: end all activity. What the kernel had comes back through the done ring, flagged
 *	%ZCDMA_FRAME_ERROR where the transfer was not complete; what it had not yet taken from
 *	the fill ring stays there for the next start. Harmless when stopped.
 * DRAIN: wait until everything that was handed over is done. EINVAL: stopped, now or before that
 *	happened. EAGAIN: O_NONBLOCK, and not done yet. EINTR: a signal.
 * KICK: look at the fill ring, see above.
 * POSITION: see struct zcdma_position.
 * PAUSE: PCM: stop the clock where it is, and RESUME: go on from there. What was handed over
 *	stays so, and more can be. Harmless when there is nothing to do. EINVAL: stopped.
 *	EOPNOTSUPP: the channel cannot.
 */
#define ZCDMA_IOC_STREAM_START		_IO(ZCDMA_IOC_MAGIC, 0x20)
#define ZCDMA_IOC_STREAM_STOP		_IO(ZCDMA_IOC_MAGIC, 0x21)
#define ZCDMA_IOC_STREAM_DRAIN		_IO(ZCDMA_IOC_MAGIC, 0x22)
#define ZCDMA_IOC_STREAM_KICK		_IO(ZCDMA_IOC_MAGIC, 0x23)
#define ZCDMA_IOC_STREAM_ATTACH		_IOW(ZCDMA_IOC_MAGIC, 0x24, struct zcdma_stream_buffer)
#define ZCDMA_IOC_STREAM_EXPORT		_IOWR(ZCDMA_IOC_MAGIC, 0x25, struct zcdma_stream_buffer)
#define ZCDMA_IOC_STREAM_CONTROL	_IOWR(ZCDMA_IOC_MAGIC, 0x26, struct zcdma_control)
#define ZCDMA_IOC_STREAM_POSITION	_IOR(ZCDMA_IOC_MAGIC, 0x27, struct zcdma_position)
#define ZCDMA_IOC_STREAM_PAUSE		_IO(ZCDMA_IOC_MAGIC, 0x28)
#define ZCDMA_IOC_STREAM_RESUME		_IO(ZCDMA_IOC_MAGIC, 0x29)

/*
 * What V4L2 programs need beyond videodev2.h. Both numbers are offsets that V4L2 sets
 * aside for drivers: add V4L2_EVENT_PRIVATE_START, and V4L2_CID_USER_BASE.
 */

/* Event with a struct zcdma_frame in v4l2_event.u.data, one for every finished frame. */
#define ZCDMA_V4L2_EVENT_FRAME		(0x08000000 + 0x7a00)

/* Boolean control: head and tail stamps, see struct zcdma_stamp. */
#define ZCDMA_V4L2_CID_STAMPS		(0x00980900 + 0x7a00)

#endif /* _UAPI_LINUX_ZCDMA_H */
