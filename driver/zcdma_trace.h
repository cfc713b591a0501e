/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zcdma_trace.h - tracepoints: the life of a buffer, and of each transfer
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM zcdma

#if !defined(ZCDMA_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define ZCDMA_TRACE_H

#include <linux/tracepoint.h>

#include "zcdma_core.h"

DECLARE_EVENT_CLASS(zcdma_buf,
	TP_PROTO(const struct zcdma_buf *buf),
	TP_ARGS(buf),
	TP_STRUCT__entry(
		__string(device, buf->zdev->name)
		__field(unsigned int, id)
		__field(size_t, size)
		__field(bool, cached)
		__field(unsigned int, segments)
	),
	TP_fast_assign(
		zcdma_assign_str(device, buf->zdev->name);
		__entry->id = buf->id;
		__entry->size = buf->size;
		__entry->cached = buf->cached;
		__entry->segments = zcdma_buf_sgt(buf)->nents;
	),
	TP_printk("%s buffer %u: %zu bytes, %s, %u segments", __get_str(device), __entry->id,
		  __entry->size, __entry->cached ? "cached" : "coherent", __entry->segments)
);

DEFINE_EVENT(zcdma_buf, zcdma_buf_alloc, TP_PROTO(const struct zcdma_buf *buf), TP_ARGS(buf));
DEFINE_EVENT(zcdma_buf, zcdma_buf_import, TP_PROTO(const struct zcdma_buf *buf), TP_ARGS(buf));
DEFINE_EVENT(zcdma_buf, zcdma_buf_mmap, TP_PROTO(const struct zcdma_buf *buf), TP_ARGS(buf));
DEFINE_EVENT(zcdma_buf, zcdma_buf_export, TP_PROTO(const struct zcdma_buf *buf), TP_ARGS(buf));
DEFINE_EVENT(zcdma_buf, zcdma_buf_free, TP_PROTO(const struct zcdma_buf *buf), TP_ARGS(buf));

DECLARE_EVENT_CLASS(zcdma_xfer,
	TP_PROTO(const struct zcdma_chan *chan, const struct zcdma_xfer *xfer),
	TP_ARGS(chan, xfer),
	TP_STRUCT__entry(
		__string(device, chan->zdev->name)
		__string(channel, chan->name)
		__field(unsigned int, buf)
		__field(size_t, offset)
		__field(size_t, len)
	),
	TP_fast_assign(
		zcdma_assign_str(device, chan->zdev->name);
		zcdma_assign_str(channel, chan->name);
		__entry->buf = xfer->buf->id;
		__entry->offset = xfer->offset;
		__entry->len = xfer->len;
	),
	TP_printk("%s:%s buffer %u [%zu +%zu]", __get_str(device), __get_str(channel),
		  __entry->buf, __entry->offset, __entry->len)
);

DEFINE_EVENT(zcdma_xfer, zcdma_xfer_queue,
	TP_PROTO(const struct zcdma_chan *chan, const struct zcdma_xfer *xfer),
	TP_ARGS(chan, xfer)
);

DEFINE_EVENT(zcdma_xfer, zcdma_xfer_start,
	TP_PROTO(const struct zcdma_chan *chan, const struct zcdma_xfer *xfer),
	TP_ARGS(chan, xfer)
);

TRACE_EVENT(zcdma_xfer_done,
	TP_PROTO(const struct zcdma_chan *chan, const struct zcdma_xfer *xfer),
	TP_ARGS(chan, xfer),
	TP_STRUCT__entry(
		__string(device, chan->zdev->name)
		__string(channel, chan->name)
		__field(unsigned int, buf)
		__field(u64, sequence)
		__field(u64, exposure_start_ns)
		__field(u64, done_ns)
		__field(u32, bytesused)
		__field(u32, flags)
	),
	TP_fast_assign(
		zcdma_assign_str(device, chan->zdev->name);
		zcdma_assign_str(channel, chan->name);
		__entry->buf = xfer->buf->id;
		__entry->sequence = xfer->frame.sequence;
		__entry->exposure_start_ns = xfer->frame.exposure_start_ns;
		__entry->done_ns = xfer->frame.done_ns;
		__entry->bytesused = xfer->frame.bytesused;
		__entry->flags = xfer->frame.flags;
	),
	TP_printk("%s:%s buffer %u sequence %llu exposure %llu done %llu bytes %u flags 0x%x",
		  __get_str(device), __get_str(channel), __entry->buf, __entry->sequence,
		  __entry->exposure_start_ns, __entry->done_ns, __entry->bytesused,
		  __entry->flags)
);

#endif /* ZCDMA_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE zcdma_trace
#include <trace/define_trace.h>
