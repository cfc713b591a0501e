/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of zcdma-virt.ko share with each other
 *
 *   zcdma_virt.c        devices: device tree, module parameter, probe
 *   zcdma_virt_chan.c   what all channels have in common: time, descriptors, completion
 *   zcdma_virt_video.c  camera, display, and the wire between them
 *   zcdma_virt_raw.c    counter source and checksum sink
 *   zcdma_virt_pcm.c    microphone, loudspeaker, and the cable between them
 *   zcdma_virt_fault.c  faults on demand
 *
 * Lock order: the core's channel lock -> zvirt_dev::lock. The core is never called with
 * zvirt_dev::lock held. zvirt_dev::wire is taken by workers and in stop, outside both.
 */
#ifndef ZCDMA_VIRT_H
#define ZCDMA_VIRT_H

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <media/tpg/v4l2-tpg.h>

#include "zcdma.h"

/* Descriptors of a channel at most; a power of two. */
#define ZVIRT_RING		32

#define ZVIRT_MAX_CHANS		8

/* A tenth: no crystal is that bad, and intervals stay intervals. */
#define ZVIRT_MAX_DRIFT_PPB	((s32)(NSEC_PER_SEC / 10))

#define ZVIRT_MIN_SIZE		16
#define ZVIRT_MAX_WIDTH		7680
#define ZVIRT_MAX_HEIGHT	4320

struct zvirt_dev;

/**
 * struct zvirt_desc - one descriptor of a channel's DMA
 * @xfer: what it moves
 * @failed: an injected error: moves nothing
 * @bytes: bytes moved, for the completion
 * @flags: ZCDMA_FRAME_*, for the completion
 * @source: capture: the frame on the wire that this one will be a copy of, or NULL
 * @readers: playback: captured frames that have this as @source and are not copied yet
 * @skip: raw: bytes that were lost before this one
 * @at: pcm: the memory, NULL where it could not be mapped
 * @begun_at: pcm: time of the first frame
 * @ended_at: pcm: time at which the last one is over
 * @after_gap: pcm: frames were lost before this one
 */
struct zvirt_desc {
	struct zcdma_xfer *xfer;
	bool failed;
	size_t bytes;
	u32 flags;
	struct zvirt_desc *source;
	unsigned int readers;
	u64 skip;
	void *at;
	ktime_t begun_at;
	ktime_t ended_at;
	bool after_gap;
};

/**
 * struct zvirt_event - what follows from an event of a channel, once the lock is dropped
 * @type: which call of the core
 * @xfer: its transfer, or NULL
 * @time: its time
 * @ready: one more descriptor is ready: the worker gets it after that call, not before, because it
 *	may complete it at once
 */
struct zvirt_event {
	enum {
		ZVIRT_EVENT_NONE,
		ZVIRT_EVENT_EXPOSURE_START,
		ZVIRT_EVENT_EXPOSURE_END,
	} type;
	struct zcdma_xfer *xfer;
	ktime_t time;
	bool ready;
};

struct zvirt_chan;

/**
 * struct zvirt_model - what a channel does
 * @depth: descriptors, ZVIRT_RING at most
 * @start: get what a run needs. Process context, the channel is not running yet. Optional
 * @stop: wait until nobody else uses the transfers, and put down what @start got. Process
 *	context, there is no event and no worker any more. Optional
 * @run: set zvirt_chan::due to the first event. Lock held
 * @submitted: a transfer has come in while running. Lock held. Optional
 * @event: zvirt_chan::due has come: do what is due, and set it to the next. Lock held
 * @accepts: whether the model can do anything with a transfer. Any context
 * @prepare: do what submitted descriptors need and may sleep. In the worker. Optional
 * @move: move the data of a descriptor and fill in its result; false: cannot yet, will be
 *	called again after zvirt_kick(). In the worker
 */
struct zvirt_model {
	unsigned int depth;
	int (*start)(struct zvirt_chan *vc);
	void (*stop)(struct zvirt_chan *vc);
	void (*run)(struct zvirt_chan *vc, ktime_t now);
	void (*submitted)(struct zvirt_chan *vc, ktime_t now);
	void (*event)(struct zvirt_chan *vc, struct zvirt_event *event);
	bool (*accepts)(const struct zvirt_chan *vc, const struct zcdma_xfer *xfer);
	void (*prepare)(struct zvirt_chan *vc);
	bool (*move)(struct zvirt_chan *vc, struct zvirt_desc *desc);
};

/**
 * struct zvirt_faults - faults on demand
 * @drop: frames to lose yet
 * @error: transfers to fail yet
 * @lost_irq: completions to keep quiet about yet
 * @stall: nothing moves
 * @stalled_at: since when
 * @drift_ppb: the frame clock is this much fast
 * @rest: fraction of a ns that the drift has left over so far
 * @jitter_ns: interrupts come late by up to this much
 *
 * All but the counters are protected by zvirt_dev::lock.
 */
struct zvirt_faults {
	atomic_t drop;
	atomic_t error;
	atomic_t lost_irq;
	bool stall;
	ktime_t stalled_at;
	s32 drift_ppb;
	u64 rest;
	u32 jitter_ns;
};

/**
 * struct zvirt_video - a camera or a display
 * @caps: its limits
 * @fmt: set while stopped
 * @pattern: index into the names of the test pattern control
 * @stamps: head and tail stamps
 * @exposure_ns: as set; a frame's is never longer than the frame
 * @exposing: the camera is between start and end of an exposure
 * @triggered: the camera exposes a frame only when it is triggered
 * @ending: the end of an exposure has not been reported yet
 * @frame: the one under exposure, or on display; NULL where there is no transfer for it
 * @frame_end: camera: when the next frame starts
 * @on_wire: display: what a camera looped to it sees: one of the descriptors, @store, or NULL
 * @store: display: readers of @store_mem
 * @store_mem: display: its copy of the last frame, made when no next one came in time
 * @tpg: camera: pattern generator; the worker's alone while running
 *
 * Everything but @caps, @store_mem and @tpg is protected by zvirt_dev::lock.
 */
struct zvirt_video {
	struct zcdma_video_caps caps;
	struct zcdma_video_format fmt;
	u32 pattern;
	bool stamps;
	u64 exposure_ns;
	bool exposing;
	bool triggered;
	bool ending;
	struct zvirt_desc *frame;
	ktime_t frame_end;
	struct zvirt_desc *on_wire;
	struct zvirt_desc store;
	void *store_mem;
	struct tpg_data tpg;
};

/**
 * struct zvirt_raw - a counter source or a checksum sink
 * @pattern: index into the names of the test pattern control
 * @busy: a transfer is on its way
 * @skip: bytes lost since the last transfer
 * @words: source: words produced since start
 * @prbs: source: state of the PRBS31 generator
 *
 * All protected by zvirt_dev::lock, except @words and @prbs, which are the worker's.
 */
struct zvirt_raw {
	u32 pattern;
	bool busy;
	u64 skip;
	u32 words;
	u32 prbs;
};

/**
 * struct zvirt_pcm - a microphone or a loudspeaker
 * @config: set while stopped
 * @pattern: microphone: index into the names of the test pattern control
 * @volume: steps of attenuation
 * @mute: silent
 * @loopback: microphone: hears the loudspeaker
 * @base: a time since which the drift has not changed
 * @base_ns: the channel's own time then
 * @first: line of the grid on which frame 0 starts
 * @paused: the core has said so
 * @frozen: paused or stalled: the clock stands still
 * @frozen_at: since when
 * @pos: frames since start that have been dealt with
 * @end: microphone: frames since start that can be dealt with at the moment
 * @mapped: descriptors whose memory is mapped, of those that came in
 * @desc: the one under way, or NULL
 * @done: its bytes moved
 * @skip: frames to lose yet, on demand
 * @gap: frames were lost since the last descriptor
 * @lost: frames lost since start
 *
 * All protected by zvirt_dev::lock.
 */
struct zvirt_pcm {
	struct zcdma_pcm_config config;
	u32 pattern;
	unsigned int volume;
	bool mute;
	bool loopback;
	ktime_t base;
	u64 base_ns;
	u64 first;
	bool paused;
	bool frozen;
	ktime_t frozen_at;
	u64 pos;
	u64 end;
	u32 mapped;
	struct zvirt_desc *desc;
	size_t done;
	u64 skip;
	bool gap;
	u64 lost;
};

/**
 * struct zvirt_sink - what a raw or PCM playback channel has got since start
 * @bytes: how much
 * @crc: its CRC-32, not yet inverted
 *
 * Protected by zvirt_dev::lock.
 */
struct zvirt_sink {
	u64 bytes;
	u32 crc;
};

/**
 * struct zvirt_chan - one channel
 * @vdev: the device
 * @name: name, for the core's description
 * @kind: video, pcm or raw
 * @direction: capture or playback
 * @max_segments: limit, 0: none
 * @alignment: limit, 0: none
 * @max_transfer: limit, 0: none
 * @model: what it does
 * @peer: the other end of the wire: the camera of a display, the display of a camera, and so
 *	with microphone and loudspeaker
 * @chan: the core's, while running
 * @worker: moves data and reports completions, while running
 * @work: its one work item
 * @running: between start and stop
 * @due: next event, KTIME_MAX: none
 * @begun_at: when the frame or transfer under way began
 * @ring: descriptors; those in use are [@reported, @queued), and on their way they pass
 * @queued: count of descriptors that came in
 * @begun: of those that a frame was begun for
 * @ready: of those whose data the worker may move
 * @moved: of those whose data is moved
 * @reported: of those reported to the core
 * @faults: faults on demand
 * @sink: what a sink has seen
 * @video: a video channel's
 * @raw: a raw channel's
 * @pcm: a PCM channel's
 *
 *	reported <= moved <= ready <= begun <= queued <= reported + depth
 *
 * From @running on everything is protected by zvirt_dev::lock where it does not say otherwise; a
 * descriptor between @moved and @ready belongs to the worker, apart from source and readers.
 */
struct zvirt_chan {
	struct zvirt_dev *vdev;
	char name[ZCDMA_NAME_LEN];
	enum zcdma_kind kind;
	enum zcdma_direction direction;
	unsigned int max_segments;
	unsigned int alignment;
	u32 max_transfer;
	const struct zvirt_model *model;
	struct zvirt_chan *peer;
	struct zcdma_chan *chan;
	struct kthread_worker *worker;
	struct kthread_work work;

	bool running;
	ktime_t due;
	ktime_t begun_at;
	struct zvirt_desc ring[ZVIRT_RING];
	u32 queued;
	u32 begun;
	u32 ready;
	u32 moved;
	u32 reported;
	struct zvirt_faults faults;
	struct zvirt_sink sink;
	union {
		struct zvirt_video video;
		struct zvirt_raw raw;
		struct zvirt_pcm pcm;
	};
};

/**
 * struct zvirt_dev - one device
 * @dev: the platform device
 * @zdev: registered with the core
 * @lock: protects time and descriptors of all channels
 * @wire: held by a camera's worker while it reads from a display's memory
 * @timer: the device's interrupt: fires when the earliest event of any channel is due
 * @num_chans: entries of @chans
 * @chans: the channels
 */
struct zvirt_dev {
	struct device *dev;
	struct zcdma_device *zdev;
	spinlock_t lock;	/* time and descriptors of all channels */
	struct mutex wire;	/* a display's memory, while a camera reads it */
	struct hrtimer timer;
	unsigned int num_chans;
	struct zvirt_chan chans[ZVIRT_MAX_CHANS];
};

/* One less of @counter, if there is any. */
static inline bool zvirt_fault(atomic_t *counter)
{
	return atomic_dec_if_positive(counter) >= 0;
}

/* zcdma_virt_chan.c */
void zvirt_dev_init(struct zvirt_dev *vdev);
void zvirt_arm(struct zvirt_dev *vdev);
void zvirt_kick(struct zvirt_chan *vc);
struct zvirt_desc *zvirt_begin(struct zvirt_chan *vc);
u64 zvirt_clock(struct zvirt_chan *vc, u64 ns);
void *zvirt_memory(struct zvirt_desc *desc);
void zvirt_moved(struct zvirt_desc *desc, size_t bytes);
int zvirt_start(struct zcdma_chan *chan);
void zvirt_stop(struct zcdma_chan *chan);
int zvirt_submit(struct zcdma_chan *chan, struct zcdma_xfer *xfer);

/* zcdma_virt_video.c */
void zvirt_video_module_init(void);
void zvirt_video_init(struct zvirt_chan *vc, u32 max_width, u32 max_height);
void zvirt_video_describe(const struct zvirt_chan *vc, struct zcdma_chan_desc *desc);

/* zcdma_virt_raw.c */
void zvirt_raw_init(struct zvirt_chan *vc);
void zvirt_raw_describe(const struct zvirt_chan *vc, struct zcdma_chan_desc *desc);
void zvirt_sink_debugfs(struct zvirt_chan *vc, struct dentry *dir);

/* zcdma_virt_pcm.c */
void zvirt_pcm_init(struct zvirt_chan *vc);
void zvirt_pcm_describe(const struct zvirt_chan *vc, struct zcdma_chan_desc *desc);
void zvirt_pcm_freeze(struct zvirt_chan *vc);
void zvirt_pcm_thaw(struct zvirt_chan *vc);
void zvirt_pcm_set_drift(struct zvirt_chan *vc, s32 ppb);

/* zcdma_virt_fault.c */
void zvirt_fault_debugfs(struct zvirt_chan *vc, struct dentry *dir);

#endif /* ZCDMA_VIRT_H */
