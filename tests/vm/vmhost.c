// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmhost - the host's side of a guest: runs QEMU, and is what tests/vm/run
 * turns into.
 *
 * usage: vmhost [OPTIONS] -- QEMU ARGS...
 *   --machine virt|raspi3b   how the guest reaches us
 *   --timeout SECONDS        exit 124 when the guest takes longer
 *   --log FILE               where the console goes; FILE.complaints: see con_line()
 *   --keep FILE              what the log is renamed to at the end
 *   --nonce WORD             marks the end of the output (see out_data())
 *   --dir DIR                scratch; deleted at the end
 *   --share DIR              take a copy of it back from a machine without 9p
 *   --shell                  the terminal is the guest's console
 *
 * Four channels, each a socket pair that QEMU inherits, so that nothing is left
 * behind whatever happens (a Raspberry Pi has no virtio, and reaches us by
 * semihosting, through FIFOs in the scratch folder):
 *   con  the console: logged, and searched for complaints of the kernel
 *   out  output of the command, passed on as it is
 *   ctl  requests of the guest: pulse a line, read physical memory (ctl_line())
 *   qmp  our requests to QEMU
 *
 * Exits with the command's status; 124 on the deadline, 125 if the guest ended
 * on its own or its kernel complained, 126 if QEMU could not be run.
 *
 * QEMU never outlives this process: it dies with it, by a signal of the kernel.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { CON, OUT, CTL, QMP, CHANNELS };

#define STATUS_DEADLINE	124
#define STATUS_GUEST	125
#define STATUS_QEMU	126

static const char *const names[CHANNELS] = { "con", "out", "ctl", "qmp" };

static struct {
	int fd;
	char *buf;		/* received and not yet used */
	size_t len;
} ch[CHANNELS];

static bool raspi, shell;
static int fifo_fd[CHANNELS] = { -1, -1, -1, -1 };
static const char *dir, *log_name, *keep_name, *share;
static int log_fd = -1, complaints_fd = -1, signal_fd;
static char marker[80];
static pid_t qemu;
static bool qemu_gone, ended, interrupted;
static int status = -1;
static char complaint[256];
static struct timespec deadline;
static struct termios saved_termios;

/*
 * What the kernel prints when something is wrong. Each is the stable part of a
 * headline. A "Call trace:" follows most of them, but also what was asked for, as
 * where processors are (SysRq), and is none by itself. The slab allocator's headline is
 * "BUG", the cache's name, and what is wrong with it.
 */
static const char *const complaints[] = {
	"WARNING: ", "BUG: ", "kernel BUG at", "Internal error: ", "Oops",
	"Kernel panic", "Unable to handle kernel", "UBSAN: ", "refcount_t: ",
	"DMA-API: ", "list_add corruption", "list_del corruption",
	"unreferenced object", "new suspected memory leaks", "INFO: task ",
	"INFO: trying to register non-static key", "INFO: possible",
	"rcu: INFO: ", "ODEBUG: ", "Bad mode in", "SError Interrupt",
	"soft lockup", "hard LOCKUP", "general protection fault",
	"scheduling while atomic", "sleeping function called from invalid",
	"page allocation failure", "nobody cared", "cgroup: fork rejected",
	"] BUG ", "cannot create duplicate filename", "something is seriously wrong",
};

/* Harmless lines that contain one of the above. */
static const char *const harmless[] = {
	"DMA-API: preallocated", "DMA-API: debugging enabled", "DMA-API: debugging disabled on",
	"KernelAddressSanitizer initialized",
};

static void die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("vmhost: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	if (qemu > 0)
		kill(qemu, SIGKILL);
	exit(STATUS_QEMU);
}

static void write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			poll(&p, 1, -1);
			continue;
		}
		if (n < 0)
			return;	/* whoever reads has gone; the guest goes on */
		data += n;
		len -= n;
	}
}

static void set_deadline(long seconds)
{
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += seconds;
}

static long ms_left(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (deadline.tv_sec - now.tv_sec) * 1000 +
	       (deadline.tv_nsec - now.tv_nsec) / 1000000;
}

static void consume(int i, size_t n)
{
	ch[i].len -= n;
	memmove(ch[i].buf, ch[i].buf + n, ch[i].len);
}

/* Take one line out of a channel; NULL if there is no whole one. */
static char *take_line(int i)
{
	char *nl = ch[i].len ? memchr(ch[i].buf, '\n', ch[i].len) : NULL;
	char *line;
	size_t n;

	if (!nl)
		return NULL;
	n = nl - ch[i].buf;
	line = strndup(ch[i].buf, n);
	if (!line)
		die("out of memory");
	consume(i, n + 1);
	line[strcspn(line, "\r")] = '\0';
	return line;
}

/*
 * Complaints go to a file of their own too, among the lines by which a test
 * suite marks its progress, so that each can be laid at the right door.
 */
static void con_line(const char *line)
{
	size_t i;

	if (strstr(line, "zcdma-test: "))
		dprintf(complaints_fd, "%s\n", line);
	for (i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		if (strstr(line, harmless[i]))
			return;
	for (i = 0; i < sizeof(complaints) / sizeof(*complaints); i++) {
		if (strstr(line, complaints[i])) {
			dprintf(complaints_fd, "complaint: %s\n", line);
			if (!complaint[0])
				snprintf(complaint, sizeof(complaint), "%s", line);
			return;
		}
	}
}

/*
 * Pass output on, up to the marker with which the guest ends it. The marker is
 * in the output's own channel so that all output has arrived before the end has.
 */
static void out_data(void)
{
	size_t size = strlen(marker + 1) + 1;	/* it begins with a NUL */
	size_t keep = size - 1 < ch[OUT].len ? size - 1 : ch[OUT].len;
	char *at = ch[OUT].len ? memmem(ch[OUT].buf, ch[OUT].len, marker, size) : NULL;
	char *nl;

	if (at) {
		size_t before = at - ch[OUT].buf;

		write_all(STDOUT_FILENO, ch[OUT].buf, before);
		consume(OUT, before);
		nl = memchr(ch[OUT].buf, '\n', ch[OUT].len);
		if (nl && !ended) {
			status = atoi(ch[OUT].buf + size);
			ended = true;
		}
		return;
	}
	/* Hold back only what could be the beginning of the marker. */
	while (keep && memcmp(ch[OUT].buf + ch[OUT].len - keep, marker, keep))
		keep--;
	write_all(STDOUT_FILENO, ch[OUT].buf, ch[OUT].len - keep);
	consume(OUT, ch[OUT].len - keep);
}

static void con_data(const char *data, size_t n)
{
	char *line;

	write_all(log_fd, data, n);
	if (shell)
		write_all(STDOUT_FILENO, data, n);
	while ((line = take_line(CON))) {
		con_line(line);
		free(line);
	}
}

static void receive(int i)
{
	char data[65536];
	ssize_t n = read(ch[i].fd, data, sizeof(data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close(ch[i].fd);
		ch[i].fd = -1;
		return;
	}
	ch[i].buf = realloc(ch[i].buf, ch[i].len + n);
	if (!ch[i].buf)
		die("out of memory");
	memcpy(ch[i].buf + ch[i].len, data, n);
	ch[i].len += n;
	if (i == CON)
		con_data(data, n);
	else if (i == OUT)
		out_data();
}

/* A key pressed in --shell: Ctrl-] ends the guest, all else goes to it. */
static void typed(void)
{
	char data[256];
	ssize_t n = read(STDIN_FILENO, data, sizeof(data));

	if (n <= 0 || memchr(data, 0x1d, n))
		interrupted = true;
	else
		write_all(ch[CON].fd, data, n);
}

static void signalled(void)
{
	struct signalfd_siginfo info;

	if (read(signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD) {
		int s;

		if (waitpid(qemu, &s, WNOHANG) == qemu) {
			qemu_gone = true;
			if (WIFEXITED(s) && WEXITSTATUS(s) && status < 0)
				status = STATUS_QEMU;
		}
	} else {
		interrupted = true;
		status = 128 + info.ssi_signo;
	}
}

/* Wait for something to happen and take it in; false when time was up first. */
static bool pump(long ms)
{
	struct pollfd p[CHANNELS + 2];
	int i, n;

	for (i = 0; i < CHANNELS; i++)
		p[i] = (struct pollfd){ .fd = ch[i].fd, .events = POLLIN };
	p[i++] = (struct pollfd){ .fd = signal_fd, .events = POLLIN };
	p[i++] = (struct pollfd){ .fd = shell ? STDIN_FILENO : -1, .events = POLLIN };
	n = poll(p, i, ms < 0 ? 0 : ms);
	if (n <= 0)
		return n < 0 && errno == EINTR;
	for (i = 0; i < CHANNELS; i++)
		if (p[i].revents)
			receive(i);
	if (p[CHANNELS].revents)
		signalled();
	if (p[CHANNELS + 1].revents)
		typed();
	return true;
}

static bool running(void)
{
	return !qemu_gone && !interrupted;
}

/* Send QEMU a command in JSON; its reply, to be freed, or NULL when it is gone. */
static char *qmp(const char *json)
{
	char *line;

	if (ch[QMP].fd < 0)
		return NULL;
	write_all(ch[QMP].fd, json, strlen(json));
	write_all(ch[QMP].fd, "\n", 1);
	for (;;) {
		while ((line = take_line(QMP))) {
			if (!strncmp(line, "{\"return\"", 9) || !strncmp(line, "{\"error\"", 8))
				return line;
			free(line);	/* the greeting, or an event */
		}
		if (ch[QMP].fd < 0 || !running() || (!pump(ms_left()) && ms_left() <= 0))
			return NULL;
	}
}

/* Undo JSON's escapes in a string that starts after its quote, in place. */
static char *unescape(char *s)
{
	char *out = s, *start = s;

	while (*s && *s != '"') {
		if (*s != '\\') {
			*out++ = *s++;
			continue;
		}
		s++;
		switch (*s) {
		case 'n': *out++ = '\n'; break;
		case 'r': break;
		case 't': *out++ = '\t'; break;
		case 'u': *out++ = '?'; s += strnlen(s, 4); break;
		case '\0': continue;
		default: *out++ = *s;
		}
		s++;
	}
	*out = '\0';
	return start;
}

/* A command of QEMU's human monitor; its text, to be freed, or NULL. */
static char *hmp(const char *command)
{
	char *json, *reply, *text = NULL;
	size_t n;
	FILE *f = open_memstream(&json, &n);

	fputs("{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"", f);
	for (; *command; command++) {
		if (*command == '"' || *command == '\\')
			fputc('\\', f);
		if ((unsigned char)*command >= ' ')
			fputc(*command, f);
	}
	fputs("\"}}", f);
	fclose(f);
	reply = qmp(json);
	free(json);
	if (reply && !strncmp(reply, "{\"return\": \"", 12))
		text = strdup(unescape(reply + 12));
	free(reply);
	return text;
}

/* Reply in two parts: through the channel, or by a file that appears whole. */
static void send_reply(const char *head, const char *data, size_t len)
{
	char path[4096], whole[4096];
	int fd = ch[CTL].fd;

	if (raspi) {
		snprintf(path, sizeof(path), "%s/reply.new", dir);
		snprintf(whole, sizeof(whole), "%s/reply", dir);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	}
	if (fd < 0)
		return;
	write_all(fd, head, strlen(head));
	write_all(fd, data, len);
	if (raspi) {
		close(fd);
		rename(path, whole);
	}
}

static void ctl_reply(const char *data, size_t len)
{
	char head[32];

	snprintf(head, sizeof(head), "ok %zu\n", len);
	send_reply(head, data, len);
}

static void ctl_error(const char *format, ...)
{
	char line[512] = "error ";
	va_list ap;

	va_start(ap, format);
	vsnprintf(line + 6, sizeof(line) - 7, format, ap);
	va_end(ap);
	line[6 + strcspn(line + 6, "\r\n")] = '\0';
	strcat(line, "\n");
	send_reply(line, "", 0);
}

static void ctl_pmem(uint64_t addr, uint64_t len)
{
	char *json, *reply, *data = NULL, path[4096];
	int fd = -1;

	snprintf(path, sizeof(path), "%s/pmem", dir);
	if (asprintf(&json, "{\"execute\":\"pmemsave\",\"arguments\":{\"val\":%llu,\"size\":%llu,\"filename\":\"%s\"}}",
		     (unsigned long long)addr, (unsigned long long)len, path) < 0)
		die("out of memory");
	reply = qmp(json);
	free(json);
	if (!reply || strncmp(reply, "{\"return\"", 9)) {
		ctl_error("%s", reply ? reply : "no answer");
		goto out;
	}
	data = malloc(len);
	fd = open(path, O_RDONLY);
	if (!data || fd < 0 || read(fd, data, len) != (ssize_t)len) {
		ctl_error("cannot read back %llu bytes: %s", (unsigned long long)len, strerror(errno));
		goto out;
	}
	ctl_reply(data, len);
out:
	if (fd >= 0)
		close(fd);
	unlink(path);
	free(data);
	free(reply);
}

/*
 * A request of the guest. Answered by "ok LENGTH\n" and that many bytes, or by
 * "error WHY\n".
 */
static void ctl_line(char *line)
{
	unsigned long long a, b;
	char *reply = NULL, *text;
	char command[64];

	if (sscanf(line, "deadline %llu", &a) == 1) {
		set_deadline(a);
		ctl_reply("", 0);
	} else if (!strcmp(line, "pulse")) {
		reply = qmp("{\"execute\":\"system_powerdown\"}");
		ctl_reply("", 0);
	} else if (sscanf(line, "readreg %llx", &a) == 1) {
		snprintf(command, sizeof(command), "xp /1wx 0x%llx", a);
		reply = hmp(command);
		text = reply ? strstr(reply, ": 0x") : NULL;
		if (text) {
			text += 2;
			text[strcspn(text, "\r\n")] = '\0';
			ctl_reply(text, strlen(text));
		} else {
			ctl_error("%s", reply ? reply : "no answer");
		}
	} else if (sscanf(line, "pmem %llx %llu", &a, &b) == 2) {
		if (b > 1u << 30)
			ctl_error("%llu bytes are more than the 1 GiB that one request may read", b);
		else
			ctl_pmem(a, b);
	} else if (!strncmp(line, "hmp ", 4)) {
		reply = hmp(line + 4);
		if (reply)
			ctl_reply(reply, strlen(reply));
		else
			ctl_error("no answer");
	} else if (!strncmp(line, "qmp ", 4)) {
		reply = qmp(line + 4);
		if (reply)
			ctl_reply(reply, strlen(reply));
		else
			ctl_error("no answer");
	} else {
		ctl_error("unknown request '%.100s'", line);
	}
	free(reply);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void clean_up(void)
{
	if (keep_name)
		rename(log_name, keep_name);
	if (shell)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved_termios);
	if (dir)
		nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The guest hangs: let its kernel say where. Break, then a SysRq key. */
static void ask_where_it_hangs(void)
{
	static const char keys[] = "wl";
	char *reply;
	const char *k;

	for (k = keys; *k && running(); k++) {
		set_deadline(2);
		reply = qmp("{\"execute\":\"chardev-send-break\",\"arguments\":{\"id\":\"con\"}}");
		free(reply);
		write_all(ch[CON].fd, k, 1);
		while (running() && ms_left() > 0)
			pump(ms_left());
	}
}

/* A FIFO that a guest opens by semihosting; our own end keeps it from closing. */
static void make_fifo(int i)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
	if (mkfifo(path, 0666))
		die("%s: %s", path, strerror(errno));
	ch[i].fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	fifo_fd[i] = open(path, O_WRONLY | O_CLOEXEC);
}

static char *format_arg(const char *format, ...)
{
	va_list ap;
	char *s;

	va_start(ap, format);
	if (vasprintf(&s, format, ap) < 0)
		die("out of memory");
	va_end(ap);
	return s;
}

static void start_qemu(char **argv, int argc)
{
	char **args = calloc(argc + 32, sizeof(*args));
	int i, n = 0, pair[2], qemu_fd[CHANNELS];
	sigset_t set;

	if (!args)
		die("out of memory");
	/* Ours come first, so that a -serial of the user's is the second one. */
	args[n++] = argv[0];
	args[n++] = "-serial";
	args[n++] = "chardev:con";
	args[n++] = "-mon";
	args[n++] = "chardev=qmp,mode=control";
	if (raspi) {
		args[n++] = "-semihosting-config";
		args[n++] = "enable=on,target=native,userspace=on";
	} else {
		args[n++] = "-device";
		args[n++] = "virtio-serial-pci";
	}
	for (i = 0; i < CHANNELS; i++) {
		bool guest = i == OUT || i == CTL;

		qemu_fd[i] = -1;
		if (raspi && guest) {
			make_fifo(i);
			continue;
		}
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
			die("socketpair: %s", strerror(errno));
		ch[i].fd = pair[0];
		qemu_fd[i] = pair[1];
		args[n++] = "-chardev";
		args[n++] = format_arg("socket,id=%s,fd=%d", names[i], pair[1]);
		if (guest) {
			args[n++] = "-device";
			args[n++] = format_arg("virtserialport,chardev=%s,name=zcdma.%s", names[i], names[i]);
		}
	}
	for (i = 1; i < argc; i++)
		args[n++] = argv[i];

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC);

	qemu = fork();
	if (qemu < 0)
		die("fork: %s", strerror(errno));
	if (!qemu) {
		/* A group of its own: Ctrl-C is for us, and we end it in order. */
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		signal(SIGPIPE, SIG_DFL);
		for (i = 0; i < CHANNELS; i++)
			if (qemu_fd[i] >= 0)
				fcntl(qemu_fd[i], F_SETFD, 0);
		i = open("/dev/null", O_RDONLY);
		dup2(i, STDIN_FILENO);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(args[0], args);
		warn("%s", args[0]);
		_exit(STATUS_QEMU);
	}
	for (i = 0; i < CHANNELS; i++)
		if (qemu_fd[i] >= 0)
			close(qemu_fd[i]);
	free(args);
}

/* Where the guest had a copy of the shared folder: put back what it now has. */
static void take_share_back(void)
{
	char path[4096];
	pid_t tar;

	snprintf(path, sizeof(path), "%s/share.tar", dir);
	if (!share || access(path, F_OK))
		return;
	tar = fork();
	if (!tar) {
		execlp("tar", "tar", "-xf", path, "-C", share, NULL);
		_exit(127);
	}
	waitpid(tar, NULL, 0);
}

static void show_log(void)
{
	char command[4200];
	bool crash = complaint[0];

	fflush(stdout);
	fprintf(stderr, "---- the guest's console%s (all of it: %s)\n",
		crash ? ", from 20 lines before" : ", the last 60 lines",
		keep_name ? keep_name : log_name);
	if (crash)
		snprintf(command, sizeof(command),
			 "n=$(grep -nF -m1 -- \"$C\" \"$L\" | cut -d: -f1); [ \"$n\" -gt 20 ] || n=21; tail -n +$((n-20)) \"$L\" | head -n 150 | tr -d '\\r' >&2");
	else
		snprintf(command, sizeof(command), "tail -n 60 \"$L\" | tr -d '\\r' >&2");
	setenv("C", complaint, 1);
	setenv("L", log_name, 1);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (system(command))
		fprintf(stderr, "(cannot show it)\n");
	fprintf(stderr, "---- end of the guest's console\n");
}

int main(int argc, char **argv)
{
	bool late = false;
	long timeout = 300;
	char *line;
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		const char *value = argv[i + 1];

		if (!strcmp(argv[i], "--shell")) {
			shell = true;
			continue;
		}
		if (i + 1 >= argc)
			die("%s lacks a value", argv[i]);
		if (!strcmp(argv[i], "--machine"))
			raspi = !strcmp(value, "raspi3b");
		else if (!strcmp(argv[i], "--timeout"))
			timeout = atol(value);
		else if (!strcmp(argv[i], "--log"))
			log_name = value;
		else if (!strcmp(argv[i], "--keep"))
			keep_name = value;
		else if (!strcmp(argv[i], "--nonce"))
			snprintf(marker + 1, sizeof(marker) - 1, "zcdma %s ", value);
		else if (!strcmp(argv[i], "--dir"))
			dir = value;
		else if (!strcmp(argv[i], "--share"))
			share = value;
		else
			die("unknown option %s", argv[i]);
		i++;
	}
	if (++i >= argc || !log_name || !dir || !marker[1])
		die("wrong usage; tests/vm/run knows the right one");

	log_fd = open(log_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (log_fd < 0)
		die("%s: %s", log_name, strerror(errno));
	complaints_fd = open(format_arg("%s.complaints", log_name),
			     O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (complaints_fd < 0)
		die("%s.complaints: %s", log_name, strerror(errno));
	if (shell) {
		struct termios raw;

		if (tcgetattr(STDIN_FILENO, &saved_termios))
			die("a shell needs a terminal");
		raw = saved_termios;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	atexit(clean_up);
	start_qemu(argv + i, argc - i);

	set_deadline(timeout);
	free(qmp("{\"execute\":\"qmp_capabilities\"}"));
	while (running() && !ended) {
		while ((line = take_line(CTL))) {
			ctl_line(line);
			free(line);
		}
		if (!shell && ms_left() <= 0) {
			late = true;
			ask_where_it_hangs();
			break;
		}
		pump(shell ? 3600000 : ms_left());
	}

	/* Let QEMU end in order, and if it will not, not. */
	if (!qemu_gone) {
		set_deadline(5);
		if (ch[QMP].fd >= 0)
			write_all(ch[QMP].fd, "{\"execute\":\"quit\"}\n", 19);
		while (!qemu_gone && ms_left() > 0)
			pump(ms_left());
		if (!qemu_gone)
			kill(qemu, SIGKILL);
	}
	/* What it had written before. */
	for (i = 0; i < CHANNELS; i++)
		if (fifo_fd[i] >= 0)
			close(fifo_fd[i]);
	while (ch[CON].fd >= 0)
		receive(CON);
	while (ch[OUT].fd >= 0)
		receive(OUT);
	if (!ended && ch[OUT].len)
		write_all(STDOUT_FILENO, ch[OUT].buf, ch[OUT].len);

	take_share_back();
	if (shell)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved_termios);
	if (interrupted)
		return shell ? 0 : status;
	if (late)
		fprintf(stderr, "vmhost: the guest took longer than its time limit\n");
	else if (complaint[0])
		fprintf(stderr, "vmhost: the guest's kernel complained: %s\n", complaint);
	else if (!ended && status == STATUS_QEMU)
		return STATUS_QEMU;
	else if (!ended && !shell)
		fprintf(stderr, "vmhost: the guest ended before its command did\n");
	else
		return ended ? status : 0;
	show_log();
	return late ? STATUS_DEADLINE : STATUS_GUEST;
}
