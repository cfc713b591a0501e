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
 * it was. TRIGGER_MISSED: one or more triggers between this frame and the one before it started
 * none, see struct zcdma_trigger. The *_TIME and PCM bits say which of the fields are known; a
 * field without its bit is 0.
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
 * @trigger_ns: time of the trigger that started the frame: of its edge, call or tick, before
 *	any delay
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
 * STREAM: %ZCDMA_IOC_STREAM_OPEN and %ZCDMA_IOC_FORMAT_INFO exist. STROBE: the device has a strobe
 * line. TRIGGER: frames can be triggered, by software and timer at least. TRIGGER_LINE: and by a
 * line. PCM: %ZCDMA_IOC_PCM_INFO and %ZCDMA_IOC_PCM_EXPORT, zcdma_stream_open::pcm, and the
 * stream's POSITION, PAUSE and RESUME exist. DMA_COHERENT: the device's DMA goes through the CPU's
 * caches, so that cached buffers cost no cache maintenance.
 */
#define ZCDMA_FEATURE_STREAM		0x0000000000000001ULL
#define ZCDMA_FEATURE_STROBE		0x0000000000000002ULL
#define ZCDMA_FEATURE_TRIGGER		0x0000000000000004ULL
#define ZCDMA_FEATURE_TRIGGER_LINE	0x0000000000000008ULL
#define ZCDMA_FEATURE_PCM		0x0000000000000010ULL
#define ZCDMA_FEATURE_DMA_COHERENT	0x0000000000000020ULL

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
 * IMPORT: allocate nothing; %ZCDMA_IOC_STREAM_ATTACH brings each buffer, cached or not. Not with
 * CACHED.
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
 * read() waits until the done ring is not empty, and reads the number of its entries, a __u64; it
 * takes none. For a thread that waits for this stream alone that is cheaper than poll(). EAGAIN:
 * O_NONBLOCK, and empty. EINTR: a signal. ENODEV: empty, and the device is gone. EINVAL: room for
 * fewer than 8 bytes.
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
 * node and of a sound card, which show what was set here: whichever was set last holds, and
 * holds after the stream is closed.
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

/**
 * struct zcdma_pcm_export - the ring of an ALSA PCM as a dma-buf (%ZCDMA_IOC_PCM_EXPORT)
 * @channel: the channel, from the program; its PCM has been opened and set up by somebody, with
 *	aplay for one
 * @fd_flags: from the program, as in struct zcdma_buffer_alloc
 * @fd: the dma-buf, from the kernel as everything below; the program owns it and closes it. It
 *	outlives the PCM's use of it: a PCM that is set up anew has a new ring
 * @period_bytes: bytes of a period
 * @size: bytes of the ring, a multiple of @period_bytes; the dma-buf is whole pages
 * @pcm: what the PCM is set to
 * @reserved: 0
 *
 * Byte n of what is played or captured since the PCM was started is at n modulo @size. EINVAL:
 * there is no such channel, or it is not a PCM channel. ENOENT: no PCM has it set up.
 */
struct zcdma_pcm_export {
	__u32 channel;
	__u32 fd_flags;
	__s32 fd;
	__u32 period_bytes;
	__u64 size;
	struct zcdma_pcm_config pcm;
	__u64 reserved[3];
};

/* ---- Strobe and trigger ---- */

/*
 * A device has at most one trigger and one strobe; they belong to its first video capture channel,
 * or else its first capture channel. The words are GenICam's. Settings hold until they are changed,
 * by whichever program, through /dev/zcdmaN or as controls of the V4L2 node, and outlive both.
 * They can be changed at any time.
 */

/**
 * enum zcdma_trigger_mode - what starts a frame
 * @ZCDMA_TRIGGER_OFF: the device's own clock, one frame after the other
 * @ZCDMA_TRIGGER_ON: a trigger; without one there is no frame
 */
enum zcdma_trigger_mode {
	ZCDMA_TRIGGER_OFF = 0,
	ZCDMA_TRIGGER_ON = 1,
};

/**
 * enum zcdma_trigger_source - what a trigger is
 * @ZCDMA_TRIGGER_SOFTWARE: %ZCDMA_IOC_TRIGGER_SOFTWARE
 * @ZCDMA_TRIGGER_LINE: an edge on the line of the node's trigger-gpios
 * @ZCDMA_TRIGGER_TIMER: a tick of a timer, which runs while the channel does
 */
enum zcdma_trigger_source {
	ZCDMA_TRIGGER_SOFTWARE = 0,
	ZCDMA_TRIGGER_LINE = 1,
	ZCDMA_TRIGGER_TIMER = 2,
};

/**
 * enum zcdma_trigger_activation - which edges of the line are triggers
 * @ZCDMA_TRIGGER_RISING: from inactive to active, as the device tree has it (GPIO_ACTIVE_LOW)
 * @ZCDMA_TRIGGER_FALLING: from active to inactive
 * @ZCDMA_TRIGGER_BOTH: every edge
 */
enum zcdma_trigger_activation {
	ZCDMA_TRIGGER_RISING = 0,
	ZCDMA_TRIGGER_FALLING = 1,
	ZCDMA_TRIGGER_BOTH = 2,
};

#define ZCDMA_TRIGGER_DIVIDER_MAX	1000000U
#define ZCDMA_TRIGGER_DELAY_MAX_NS	1000000000ULL
#define ZCDMA_TRIGGER_PERIOD_MIN_NS	1000000ULL
#define ZCDMA_TRIGGER_PERIOD_MAX_NS	100000000000ULL

/**
 * struct zcdma_trigger - settings of the trigger (%ZCDMA_IOC_TRIGGER_GET, %ZCDMA_IOC_TRIGGER_SET)
 * @mode: enum zcdma_trigger_mode
 * @source: enum zcdma_trigger_source
 * @activation: enum zcdma_trigger_activation
 * @divider: 1 to %ZCDMA_TRIGGER_DIVIDER_MAX: the last of so many triggers starts a frame, the
 *	others are counted and no more
 * @delay_ns: 0 to %ZCDMA_TRIGGER_DELAY_MAX_NS: from the trigger to the start of the exposure
 * @period_ns: %ZCDMA_TRIGGER_PERIOD_MIN_NS to %ZCDMA_TRIGGER_PERIOD_MAX_NS: of the timer
 * @reserved: 0
 *
 * A trigger that comes while the delay of the one before it lasts, or while a frame is still
 * being exposed, starts no frame: it is missed, which zcdma_gpio_state::triggers_missed counts
 * and %ZCDMA_FRAME_TRIGGER_MISSED in the next frame record tells.
 *
 * SET: EOPNOTSUPP: the device's frames cannot be triggered, or not by a line. ERANGE: a number is
 * outside of its range. EINVAL: an enumerator that does not exist.
 */
struct zcdma_trigger {
	__u32 mode;
	__u32 source;
	__u32 activation;
	__u32 divider;
	__u64 delay_ns;
	__u64 period_ns;
	__u64 reserved[4];
};

/**
 * enum zcdma_strobe_mode - when the strobe line is active
 * @ZCDMA_STROBE_OFF: never, but for test pulses
 * @ZCDMA_STROBE_EXPOSURE: from delay_ns after the start of an exposure until its end
 * @ZCDMA_STROBE_FIXED: from delay_ns after the start of an exposure for duration_ns
 */
enum zcdma_strobe_mode {
	ZCDMA_STROBE_OFF = 0,
	ZCDMA_STROBE_EXPOSURE = 1,
	ZCDMA_STROBE_FIXED = 2,
};

#define ZCDMA_STROBE_DELAY_MAX_NS	1000000000ULL
#define ZCDMA_STROBE_DURATION_MIN_NS	1000ULL

/**
 * struct zcdma_strobe - settings of the strobe (%ZCDMA_IOC_STROBE_GET, %ZCDMA_IOC_STROBE_SET)
 * @mode: enum zcdma_strobe_mode
 * @inverted: 1: active and inactive change places with what the device tree says. Test the lamp's
 *	behaviour with care: it also is what the line is at when nothing happens
 * @delay_ns: 0 to %ZCDMA_STROBE_DELAY_MAX_NS
 * @duration_ns: FIXED: %ZCDMA_STROBE_DURATION_MIN_NS to @limit_ns
 * @limit_ns: no pulse is longer; from the kernel, which has it from the node's
 *	zcdma,strobe-max-us. Ignored by SET
 * @reserved: 0
 *
 * Pulses do not overlap: an exposure that starts before the pulse of the one before it is over
 * gets none, which zcdma_gpio_state::strobes_missed counts. In EXPOSURE mode, one that ends before
 * the delay is over gets none either.
 *
 * The line is inactive whenever the channel does not run. SET ends a pulse that is under way.
 *
 * SET: EOPNOTSUPP: the device has no strobe line. ERANGE: a number is outside of its range.
 * EINVAL: an enumerator that does not exist.
 */
struct zcdma_strobe {
	__u32 mode;
	__u32 inverted;
	__u64 delay_ns;
	__u64 duration_ns;
	__u64 limit_ns;
	__u64 reserved[4];
};

/**
 * struct zcdma_strobe_pulse - a test pulse, now (%ZCDMA_IOC_STROBE_PULSE)
 * @duration_ns: %ZCDMA_STROBE_DURATION_MIN_NS to zcdma_strobe::limit_ns; 0 ends a pulse that is
 *	under way
 * @reserved: 0
 *
 * EOPNOTSUPP: the device has no strobe line. ERANGE: @duration_ns is outside of its range.
 * EBUSY: a pulse is under way, or the channel runs with a strobe mode other than OFF.
 */
struct zcdma_strobe_pulse {
	__u64 duration_ns;
	__u64 reserved[3];
};

/*
 * struct zcdma_gpio_state::flags
 *
 * STROBE_ACTIVE: a pulse is under way. TRIGGER_ACTIVE: the trigger line is active. STROBE_MAPPED:
 * edges of the strobe are written straight to the registers of the node's zcdma,gpio-block.
 */
#define ZCDMA_GPIO_STROBE_ACTIVE	0x00000001
#define ZCDMA_GPIO_TRIGGER_ACTIVE	0x00000002
#define ZCDMA_GPIO_STROBE_MAPPED	0x00000004

/**
 * struct zcdma_gpio_state - what strobe and trigger have done (%ZCDMA_IOC_GPIO_STATE)
 * @flags: ZCDMA_GPIO_*
 * @reserved0: 0
 * @triggers: edges, calls and ticks of the source that was set, while the mode was on
 * @triggers_missed: those that should have started a frame and could not
 * @trigger_ns: time of the last of @triggers
 * @strobes: pulses
 * @strobes_missed: exposures that got no pulse because the one before was not over
 * @strobes_cut: pulses that the limit ended
 * @strobe_on_ns: time at which the line last became active: taken right after it was written
 * @strobe_off_ns: time at which it last became inactive
 * @reserved: 0
 *
 * Counts begin with 0 when the device is bound.
 */
struct zcdma_gpio_state {
	__u32 flags;
	__u32 reserved0;
	__u64 triggers;
	__u64 triggers_missed;
	__u64 trigger_ns;
	__u64 strobes;
	__u64 strobes_missed;
	__u64 strobes_cut;
	__u64 strobe_on_ns;
	__u64 strobe_off_ns;
	__u64 reserved[5];
};

/**
 * enum zcdma_gpio_layout - registers of a GPIO block
 * @ZCDMA_GPIO_NO_BLOCK: the node names none
 * @ZCDMA_GPIO_PL061: Arm PrimeCell GPIO (DDI 0190): data register with an address mask
 * @ZCDMA_GPIO_BCM2835: Broadcom BCM2835 and its descendants: GPSET, GPCLR and GPLEV
 * @ZCDMA_GPIO_SET_CLEAR: gpio-mmio with "set" and "clr" registers of 32 bits
 */
enum zcdma_gpio_layout {
	ZCDMA_GPIO_NO_BLOCK = 0,
	ZCDMA_GPIO_PL061 = 1,
	ZCDMA_GPIO_BCM2835 = 2,
	ZCDMA_GPIO_SET_CLEAR = 3,
};

/**
 * struct zcdma_gpio_open - get strobe and trigger as a file descriptor (%ZCDMA_IOC_GPIO_OPEN)
 * @fd_flags: O_CLOEXEC for the new descriptor, from the program
 * @fd: the descriptor, from the kernel as everything below; the program owns it and closes it
 * @layout: enum zcdma_gpio_layout
 * @reserved0: 0
 * @map_size: bytes that can be mapped at offset 0 of @fd: the block's registers, in whole pages.
 *	0: none
 * @set_offset: offset of the register that makes the strobe line high; all are 32 bits wide
 * @set_value: what to write there
 * @clear_offset: offset of the register that makes it low
 * @clear_value: what to write there
 * @level_offset: offset of the register with the line's level
 * @level_mask: its bit in there
 * @reserved: 0
 *
 * On the descriptor:
 *  - %ZCDMA_IOC_GPIO_STATE, as on /dev/zcdmaN;
 *  - poll() reports EPOLLIN while there have been triggers since the last %ZCDMA_IOC_GPIO_STATE
 *    on it (or since it was opened), and EPOLLHUP | EPOLLERR once the device is gone;
 *  - mmap(), shared, of up to @map_size bytes. It needs CAP_SYS_RAWIO, for it leads to every line
 *    of the block (EPERM without), the node's zcdma,gpio-user-mapping, and a block that shares
 *    no page with another device (EACCES without; the kernel log says why). Writing to other
 *    registers than these is between the program and the GPIO controller's driver.
 *
 * EOPNOTSUPP: the device has neither strobe nor trigger.
 */
struct zcdma_gpio_open {
	__u32 fd_flags;
	__s32 fd;
	__u32 layout;
	__u32 reserved0;
	__u64 map_size;
	__u32 set_offset;
	__u32 set_value;
	__u32 clear_offset;
	__u32 clear_value;
	__u32 level_offset;
	__u32 level_mask;
	__u64 reserved[4];
};

#define ZCDMA_IOC_MAGIC			'z'
#define ZCDMA_IOC_DEVICE_INFO		_IOR(ZCDMA_IOC_MAGIC, 0x00, struct zcdma_device_info)
#define ZCDMA_IOC_CHANNEL_INFO		_IOWR(ZCDMA_IOC_MAGIC, 0x01, struct zcdma_channel_info)
#define ZCDMA_IOC_BUFFER_ALLOC		_IOWR(ZCDMA_IOC_MAGIC, 0x02, struct zcdma_buffer_alloc)

/* On /dev/zcdmaN */
#define ZCDMA_IOC_FORMAT_INFO		_IOWR(ZCDMA_IOC_MAGIC, 0x10, struct zcdma_format_desc)
#define ZCDMA_IOC_STREAM_OPEN		_IOWR(ZCDMA_IOC_MAGIC, 0x11, struct zcdma_stream_open)
#define ZCDMA_IOC_PCM_INFO		_IOWR(ZCDMA_IOC_MAGIC, 0x12, struct zcdma_pcm_info)
#define ZCDMA_IOC_PCM_EXPORT		_IOWR(ZCDMA_IOC_MAGIC, 0x13, struct zcdma_pcm_export)

/*
 * On /dev/zcdmaN
 *
 * TRIGGER_SOFTWARE: a trigger. EINVAL: the mode is off, or the source another. EAGAIN: the channel
 *	does not run. EBUSY: missed, see struct zcdma_trigger. EOPNOTSUPP: as for SET.
 */
#define ZCDMA_IOC_TRIGGER_GET		_IOR(ZCDMA_IOC_MAGIC, 0x30, struct zcdma_trigger)
#define ZCDMA_IOC_TRIGGER_SET		_IOW(ZCDMA_IOC_MAGIC, 0x31, struct zcdma_trigger)
#define ZCDMA_IOC_TRIGGER_SOFTWARE	_IO(ZCDMA_IOC_MAGIC, 0x32)
#define ZCDMA_IOC_STROBE_GET		_IOR(ZCDMA_IOC_MAGIC, 0x33, struct zcdma_strobe)
#define ZCDMA_IOC_STROBE_SET		_IOW(ZCDMA_IOC_MAGIC, 0x34, struct zcdma_strobe)
#define ZCDMA_IOC_STROBE_PULSE		_IOW(ZCDMA_IOC_MAGIC, 0x35, struct zcdma_strobe_pulse)
#define ZCDMA_IOC_GPIO_STATE		_IOR(ZCDMA_IOC_MAGIC, 0x36, struct zcdma_gpio_state)
#define ZCDMA_IOC_GPIO_OPEN		_IOWR(ZCDMA_IOC_MAGIC, 0x37, struct zcdma_gpio_open)

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

/*
 * The fields of struct zcdma_trigger and struct zcdma_strobe as controls; times are 64-bit
 * controls, in ns. Also there: V4L2_CID_FLASH_TIMEOUT, zcdma_strobe::duration_ns in us;
 * V4L2_CID_FLASH_STROBE, a test pulse of that length, and _STROBE_STOP, its end;
 * V4L2_CID_FLASH_STROBE_STATUS. TRIGGER_SOFTWARE, too, is a button. Buttons do not fail; where
 * %ZCDMA_IOC_STROBE_PULSE and %ZCDMA_IOC_TRIGGER_SOFTWARE would, they do nothing.
 */
#define ZCDMA_V4L2_CID_TRIGGER_MODE	(0x00980900 + 0x7a01)
#define ZCDMA_V4L2_CID_TRIGGER_SOURCE	(0x00980900 + 0x7a02)
#define ZCDMA_V4L2_CID_TRIGGER_ACTIVATION (0x00980900 + 0x7a03)
#define ZCDMA_V4L2_CID_TRIGGER_DIVIDER	(0x00980900 + 0x7a04)
#define ZCDMA_V4L2_CID_TRIGGER_DELAY	(0x00980900 + 0x7a05)
#define ZCDMA_V4L2_CID_TRIGGER_PERIOD	(0x00980900 + 0x7a06)
#define ZCDMA_V4L2_CID_TRIGGER_SOFTWARE	(0x00980900 + 0x7a07)
#define ZCDMA_V4L2_CID_STROBE_MODE	(0x00980900 + 0x7a08)
#define ZCDMA_V4L2_CID_STROBE_INVERTED	(0x00980900 + 0x7a09)
#define ZCDMA_V4L2_CID_STROBE_DELAY	(0x00980900 + 0x7a0a)

#endif /* _UAPI_LINUX_ZCDMA_H */
