/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port_probe FILE STEP...: what a character device answers, a line per step.
 *
 *	open, open-nonblock, open-twice, close
 *	read:N		N bytes at most, and what they were, if they are few
 *	write:TEXT	once
 *	fill		write until it does not go on
 *	poll:in|out	what is ready now
 *	wait:in|out	what is ready as soon as something is
 *	say:TEXT	a line for who looks on
 *	stop		wait for SIGCONT
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char buffer[1 << 20];
static int fd = -1;

static void show(const char *step, long result)
{
	if (result < 0)
		printf("%s %s\n", step, strerrorname_np(errno));
	else
		printf("%s %ld\n", step, result);
}

static void do_read(const char *step, long size)
{
	ssize_t count = read(fd, buffer, size);

	if (count > 0 && count < 80)
		printf("%s %zd %.*s\n", step, count, (int)count, buffer);
	else
		show(step, count);
}

static void do_fill(const char *step)
{
	long total = 0;
	ssize_t count;

	while ((count = write(fd, buffer, sizeof(buffer))) > 0)
		total += count;
	printf("%s %ld %s\n", step, total, strerrorname_np(errno));
}

static void do_poll(const char *step, const char *event, int timeout)
{
	struct pollfd ready = { fd, strcmp(event, "in") ? POLLOUT : POLLIN, 0 };

	poll(&ready, 1, timeout);
	printf("%s%s%s%s%s\n", step, ready.revents & POLLIN ? " IN" : "",
	       ready.revents & POLLOUT ? " OUT" : "", ready.revents & POLLHUP ? " HUP" : "",
	       ready.revents & POLLERR ? " ERR" : "");
}

static void do_step(const char *file, const char *step)
{
	const char *rest = strchr(step, ':');

	rest = rest ? rest + 1 : "";
	if (!strcmp(step, "open"))
		show(step, (fd = open(file, O_RDWR)) < 0 ? -1 : 0);
	else if (!strcmp(step, "open-nonblock"))
		show(step, (fd = open(file, O_RDWR | O_NONBLOCK)) < 0 ? -1 : 0);
	else if (!strcmp(step, "open-twice"))
		show(step, open(file, O_RDWR) < 0 ? -1 : 0);
	else if (!strcmp(step, "close"))
		show(step, close(fd));
	else if (!strncmp(step, "read:", 5))
		do_read(step, atol(rest));
	else if (!strncmp(step, "write:", 6))
		show(step, write(fd, rest, strlen(rest)));
	else if (!strcmp(step, "fill"))
		do_fill(step);
	else if (!strncmp(step, "poll:", 5))
		do_poll(step, rest, 0);
	else if (!strncmp(step, "wait:", 5))
		do_poll(step, rest, -1);
	else if (!strcmp(step, "stop"))
		raise(SIGSTOP);
	else
		printf("%s\n", rest);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		do_step(argv[1], argv[i]);
	return 0;
}
