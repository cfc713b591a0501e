// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmguest - the guest's side of tests/vm/run, with the links "host" and
 * "vmguest":
 *
 *   vmguest DIR    as process 1: run the command of DIR/argv (words, each ended
 *                  by a NUL), report its status, wait for the end
 *   host REQUEST   ask the host for something (see usage below)
 *
 * Statically linked, so that no library of the guest can break it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* PL061's data register on QEMU's virt machine; its line 3 is the one pulsed. */
#define PL061_DATA	0x090303fc
#define PULSED_LINE	(1u << 3)

static const char usage[] =
"usage: host pulse [N]             N pulses on line 3 of the GPIO block (virt)\n"
"       host readreg ADDR          a 32-bit register at a physical address\n"
"       host pmem ADDR LEN         physical memory, raw, to standard output\n"
"       host xp-file ADDR LEN FILE the same, to a file\n"
"       host hmp 'COMMAND'         a command of QEMU's human monitor\n"
"       host qmp 'JSON'            a command of QEMU's machine protocol\n"
"       host deadline SECONDS      from now on the run may take this long\n";

static void fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fprintf(stderr, "host: ");
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static void write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			fail("write: %s", strerror(errno));
		p += n;
		len -= n;
	}
}

/* Open the virtio port that QEMU calls NAME, or -1. No need of udev's links. */
static int open_port(const char *name)
{
	char path[PATH_MAX], found[64];
	DIR *ports = opendir("/sys/class/virtio-ports");
	struct dirent *entry;
	bool same = false;
	FILE *f;

	while (!same && ports && (entry = readdir(ports))) {
		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		same = fgets(found, sizeof(found), f) && !strncmp(found, name, strlen(name));
		fclose(f);
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
	}
	if (ports)
		closedir(ports);
	return same ? open(path, O_RDWR | O_CLOEXEC) : -1;
}

/*
 * A board without virtio: Arm semihosting (ARM IHI 0067), by which QEMU works on
 * files of the host. Here these are FIFOs and files in the run's scratch folder,
 * whose name is in /run/zcdma/semihost.
 */
enum { SH_OPEN = 1, SH_CLOSE, SH_WRITE = 5, SH_READ, SH_FLEN = 12, SH_REMOVE = 14 };
enum { SH_RB = 1, SH_WB = 5 };

static char sh_buf[65536];	/* what is passed must be in memory: see sh_call() */

static long sh_call(long operation, long a, long b, long c)
{
#ifdef __aarch64__
	static long args[3];
	register long x0 asm("x0") = operation;
	register long *x1 asm("x1") = args;

	args[0] = a;
	args[1] = b;
	args[2] = c;
	/* QEMU finds a page only once it has been touched. */
	asm volatile("hlt #0xf000" : "+r" (x0) : "r" (x1) : "memory");
	return x0;
#else
	return -1;
#endif
}

static long sh_open(const char *name, int mode)
{
	static char path[PATH_MAX];
	FILE *f = fopen("/run/zcdma/semihost", "re");

	if (!f || !fgets(path, sizeof(path) - 32, f))
		fail("this machine has no way to reach the host");
	fclose(f);
	path[strcspn(path, "\n")] = '\0';
	strcat(strcat(path, "/"), name);
	if (!mode)
		return sh_call(SH_REMOVE, (long)path, strlen(path), 0);
	return sh_call(SH_OPEN, (long)path, mode, strlen(path));
}

static void sh_write(long handle, const char *data, size_t len)
{
	while (len) {
		size_t n = len < sizeof(sh_buf) ? len : sizeof(sh_buf);

		memcpy(sh_buf, data, n);
		if (sh_call(SH_WRITE, handle, (long)sh_buf, n))
			fail("the host takes no more");
		data += n;
		len -= n;
	}
}

/* The reply to a request comes as a file, which is there once it is whole. */
static char *sh_request(const char *line, size_t *size)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	long handle = sh_open("ctl", SH_WB), left;
	size_t got = 0, n;
	char *data;

	if (handle < 0)
		fail("no way to reach the host");
	sh_write(handle, line, strlen(line));
	sh_call(SH_CLOSE, handle, 0, 0);
	while ((handle = sh_open("reply", SH_RB)) < 0)
		nanosleep(&pause, NULL);
	*size = sh_call(SH_FLEN, handle, 0, 0);
	data = malloc(*size + 1);
	if (!data)
		fail("out of memory");
	while (got < *size) {
		n = *size - got < sizeof(sh_buf) ? *size - got : sizeof(sh_buf);
		memset(sh_buf, 0, n);
		left = sh_call(SH_READ, handle, (long)sh_buf, n);
		if (left < 0 || (size_t)left >= n)
			fail("the host's answer broke off");
		memcpy(data + got, sh_buf, n - left);
		got += n - left;
	}
	data[got] = '\0';
	sh_call(SH_CLOSE, handle, 0, 0);
	sh_open("reply", 0);
	return data;
}

static char *port_request(int fd, const char *line, size_t *size)
{
	size_t len, n = 0, got = 0;
	char head[512], *data;

	write_all(fd, line, strlen(line));
	while (n + 1 < sizeof(head)) {
		if (read(fd, head + n, 1) != 1)
			fail("the host does not answer: %s", strerror(errno));
		if (head[n++] == '\n')
			break;
	}
	head[n] = '\0';
	if (sscanf(head, "ok %zu", &len) != 1)
		len = 0;
	data = malloc(n + len + 1);
	if (!data)
		fail("out of memory");
	memcpy(data, head, n);
	while (got < len) {
		ssize_t r = read(fd, data + n + got, len - got);

		if (r <= 0 && errno != EINTR)
			fail("the host's answer broke off: %s", strerror(errno));
		if (r > 0)
			got += r;
	}
	data[n + len] = '\0';
	*size = n + len;
	return data;
}

/* Send one request; the reply's bytes, its length in *LEN. */
static char *request(size_t *len, const char *format, ...)
{
	int lock = open("/run/zcdma-host.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	char *line = NULL, *data, *body;
	va_list ap;
	size_t size;
	int fd;

	/* The port takes one process at a time, and a reply has one owner. */
	if (lock < 0 || flock(lock, LOCK_EX))
		fail("cannot lock /run/zcdma-host.lock: %s", strerror(errno));
	va_start(ap, format);
	if (vasprintf(&line, format, ap) < 0)
		fail("out of memory");
	va_end(ap);
	if (strchr(line, '\n'))
		fail("a request is one line");
	if (asprintf(&body, "%s\n", line) < 0)
		fail("out of memory");
	fd = open_port("zcdma.ctl");
	data = fd >= 0 ? port_request(fd, body, &size) : sh_request(body, &size);
	free(line);
	free(body);
	close(fd);
	close(lock);

	body = strchr(data, '\n');
	if (!body || sscanf(data, "ok %zu", len) != 1) {
		data[strcspn(data, "\n")] = '\0';
		fail("%s", data);
	}
	body++;
	if (size - (body - data) != *len)
		fail("the host's answer is not whole");
	memmove(data, body, *len + 1);
	return data;
}

static uint64_t number(const char *s)
{
	char *end;
	uint64_t v;

	errno = 0;
	v = strtoull(s, &end, 0);
	if (errno || end == s || *end)
		fail("'%s' is not a number", s);
	return v;
}

static uint32_t readreg(uint64_t addr)
{
	size_t len;
	char *text = request(&len, "readreg 0x%llx", (unsigned long long)addr);
	uint32_t value = strtoul(text, NULL, 0);

	free(text);
	return value;
}

/*
 * QEMU holds the line up for 100 ms of virtual time and swallows a pulse that
 * comes meanwhile, so wait for the line to fall, as seen from outside.
 */
static void pulse(uint64_t n)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	size_t len;

	while (n--) {
		free(request(&len, "pulse"));
		while (readreg(PL061_DATA) & PULSED_LINE)
			nanosleep(&pause, NULL);
	}
}

static int host(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	size_t len = 0;
	char *data;
	FILE *out = stdout;

	if (!strcmp(what, "pulse") && argc <= 3) {
		pulse(argc == 3 ? number(argv[2]) : 1);
		return 0;
	}
	if (!strcmp(what, "readreg") && argc == 3) {
		printf("0x%08x\n", readreg(number(argv[2])));
		return 0;
	}
	if (!strcmp(what, "deadline") && argc == 3) {
		free(request(&len, "deadline %llu", (unsigned long long)number(argv[2])));
		return 0;
	}
	if (!strcmp(what, "hmp") && argc == 3) {
		data = request(&len, "hmp %s", argv[2]);
	} else if (!strcmp(what, "qmp") && argc == 3) {
		data = request(&len, "qmp %s", argv[2]);
		puts(data);
		return 0;
	} else if ((!strcmp(what, "pmem") && argc == 4) || (!strcmp(what, "xp-file") && argc == 5)) {
		data = request(&len, "pmem 0x%llx %llu", (unsigned long long)number(argv[2]),
			       (unsigned long long)number(argv[3]));
		if (argc == 5)
			out = fopen(argv[4], "we");
		if (!out)
			fail("%s: %s", argv[4], strerror(errno));
	} else {
		fputs(usage, stderr);
		return 2;
	}
	if (fwrite(data, 1, len, out) != len || fclose(out))
		fail("cannot write: %s", strerror(errno));
	return 0;
}

/* The words of a file, each ended by a NUL, as an argument list. */
static char **read_words(const char *dir, const char *name)
{
	char path[PATH_MAX], **words = NULL, *word = NULL;
	size_t n = 0, size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (!f)
		fail("%s: %s", path, strerror(errno));
	while (getdelim(&word, &size, '\0', f) > 0) {
		words = realloc(words, (n + 2) * sizeof(*words));
		if (!words)
			fail("out of memory");
		words[n++] = word;
		words[n] = NULL;
		word = NULL;
	}
	fclose(f);
	if (!n)
		fail("%s is empty", path);
	return words;
}

static int status_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Process 1 takes in orphans, too; CHILD's status ends the wait. */
static int wait_for(pid_t child)
{
	int status;
	pid_t pid;

	do {
		pid = wait(&status);
		if (pid < 0 && errno == ECHILD)
			return 127;
	} while (pid != child);
	return status_code(status);
}

static pid_t start(char **words, int out)
{
	pid_t child = fork();

	if (!child) {
		int in = open("/dev/null", O_RDONLY);

		setsid();
		dup2(in, 0);
		dup2(out, 1);
		dup2(out, 2);
		execvp(words[0], words);
		fprintf(stderr, "%s: %s\n", words[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	return child;
}

/* Pass what is in a pipe on to a file of the host: all of it, or all for now. */
static void sh_relay(int from, long handle)
{
	static char data[sizeof(sh_buf)];
	ssize_t n;

	while ((n = read(from, data, sizeof(data))) > 0)
		sh_write(handle, data, n);
}

/* Run a command whose output goes to a file of the host; its status. */
static int sh_run(char **words, long handle)
{
	int pipe_fd[2], status, code = -1;
	struct signalfd_siginfo info;
	struct pollfd p[2];
	sigset_t set;
	pid_t child, pid;

	if (pipe2(pipe_fd, O_CLOEXEC | O_NONBLOCK))
		fail("pipe: %s", strerror(errno));
	/* The command's end must block, as a program expects of its output. */
	fcntl(pipe_fd[1], F_SETFL, 0);
	child = start(words, pipe_fd[1]);
	close(pipe_fd[1]);

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	p[0] = (struct pollfd){ .fd = pipe_fd[0], .events = POLLIN };
	p[1] = (struct pollfd){ .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .events = POLLIN };
	/* It may have ended before the signal was blocked. */
	do {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (pid == child)
				code = status_code(status);
		/* A process left behind may hold the pipe, so its end is no sign. */
		sh_relay(pipe_fd[0], handle);
		if (code < 0) {
			poll(p, 2, -1);
			while (read(p[1].fd, &info, sizeof(info)) > 0)
				;
			if (p[0].revents == POLLHUP)
				p[0].fd = -1;
		}
	} while (code < 0);
	close(p[1].fd);
	close(pipe_fd[0]);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return code;
}

/*
 * Run the command of DIR and report its end to the host: in the output itself,
 * behind a NUL and a word that no command knows, so that the one who reads it
 * has all the output before it.
 */
static void run(const char *dir)
{
	static char *tar[] = { "tar", "-C", "/mnt/share", "-cf", "-", ".", NULL };
	char **words = read_words(dir, "argv");
	char **nonce = read_words(dir, "nonce");
	int port = open_port("zcdma.out"), code;
	char end[128], share[PATH_MAX];
	long out = 0, file;

	if (port >= 0) {
		/* Straight to the port: a crash of the guest loses none of it. */
		code = wait_for(start(words, port));
		sync();
	} else {
		out = sh_open("out", SH_WB);
		code = sh_run(words, out);
		snprintf(share, sizeof(share), "%s/share", dir);
		if (!access(share, F_OK)) {
			file = sh_open("share.tar", SH_WB);
			sh_run(tar, file);
			sh_call(SH_CLOSE, file, 0, 0);
		}
	}
	end[0] = '\0';
	snprintf(end + 1, sizeof(end) - 1, "zcdma %s %d\n", nonce[0], code);
	if (port >= 0)
		write_all(port, end, strlen(end + 1) + 1);
	else
		sh_write(out, end, strlen(end + 1) + 1);
	/* The host ends the machine; it must not panic for want of process 1. */
	for (;;)
		if (wait(NULL) < 0)
			pause();
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');

	name = name ? name + 1 : argv[0];
	if (!strcmp(name, "host"))
		return host(argc, argv);
	if (argc != 2) {
		fputs("usage: vmguest DIR\n", stderr);
		return 2;
	}
	run(argv[1]);
	return 1;
}
