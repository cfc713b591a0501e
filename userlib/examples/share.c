/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two processes share frames: share [NAME]
 *
 * The first captures. It sends each buffer's dma-buf once, over a unix socket, and from then on
 * only the number of the buffer that holds the next frame. The second maps them, adds up what it sees,
 * and says when it is through. No byte of a frame is sent or copied.
 */
#include <errno.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zcdma.h>

#define FRAMES		50
#define MAX_BUFFERS	32

struct message {
	uint32_t index;
	uint32_t sum;
	uint64_t length;
};

/* Send a message, with a descriptor where @fd is one. */
static int send_message(int socket, const struct message *m, int fd)
{
	struct iovec iov = { .iov_base = (void *)m, .iov_len = sizeof(*m) };
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.space;
		msg.msg_controllen = sizeof(control.space);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	return sendmsg(socket, &msg, MSG_NOSIGNAL) == sizeof(*m) ? 0 : -1;
}

/* Receive a message; *@fd is the descriptor that came with it, or -1. 0: the other side is through. */
static int receive_message(int socket, struct message *m, int *fd)
{
	struct iovec iov = { .iov_base = m, .iov_len = sizeof(*m) };
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *cmsg = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	*fd = -1;
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(cmsg), sizeof(*fd));
	return n == sizeof(*m);
}

static uint32_t add_up(const void *data, size_t length)
{
	const unsigned char *p = data;
	uint32_t sum = 0;

	while (length--)
		sum = sum * 31 + *p++;
	return sum;
}

/* The second process. */
static int look(int socket)
{
	struct { int fd; void *map; size_t size; } seen[MAX_BUFFERS] = { 0 };
	struct message m;
	int fd;

	while (receive_message(socket, &m, &fd)) {
		struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ };

		if (fd >= 0) {
			seen[m.index].fd = fd;
			seen[m.index].size = (size_t)lseek(fd, 0, SEEK_END);
			seen[m.index].map = mmap(NULL, seen[m.index].size, PROT_READ, MAP_SHARED, fd, 0);
			if (seen[m.index].map == MAP_FAILED)
				return 1;
		}
		/* What the device wrote must reach this process's view, too. */
		ioctl(seen[m.index].fd, DMA_BUF_IOCTL_SYNC, &sync);
		m.sum = add_up(seen[m.index].map, m.length);
		sync.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ;
		ioctl(seen[m.index].fd, DMA_BUF_IOCTL_SYNC, &sync);
		if (send_message(socket, &m, -1))
			return 1;
	}
	return 0;
}

/* The first one. */
static int share(struct zcdma_stream *s, int socket)
{
	int sent[MAX_BUFFERS] = { 0 };
	struct zcdma_buffer *b;
	int ret = zcdma_start(s);

	for (int n = 0; n < FRAMES && !ret && !(ret = zcdma_acquire(s, &b, 5000)); n++) {
		struct message m = { .index = b->index, .length = b->length };
		uint32_t sum = add_up(b->data, b->length);
		int fd = -1;

		if (!sent[b->index]++) {
			fd = zcdma_export(s, b->index);
			if (fd < 0)
				return fd;
		}
		ret = send_message(socket, &m, fd);
		if (fd >= 0)
			close(fd);
		/* The frame is the other one's until it says so. */
		if (ret || !receive_message(socket, &m, &fd))
			return -EPIPE;
		if (m.sum != sum) {
			fprintf(stderr, "share: frame %d is not the same there\n", n);
			return -EIO;
		}
		ret = zcdma_release(s, b);
	}
	return ret;
}

int main(int argc, char **argv)
{
	struct zcdma_stream *s;
	int sockets[2], status, ret;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets) || (pid = fork()) < 0) {
		perror("share");
		return 1;
	}
	if (!pid) {
		close(sockets[0]);
		return look(sockets[1]);
	}
	close(sockets[1]);
	ret = zcdma_open(&s, argv[1], NULL);
	if (!ret) {
		ret = share(s, sockets[0]);
		zcdma_close(s);
	}
	close(sockets[0]);
	waitpid(pid, &status, 0);
	if (ret || status) {
		fprintf(stderr, "share: %s\n", ret ? strerror(-ret) : "the other process failed");
		return 1;
	}
	printf("%d frames seen by two processes\n", FRAMES);
	return 0;
}
