/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qxld-pointer: what a desktop does for a screen, for a guest that has only a console.
 *
 * It moves a hardware cursor with the pointing devices (absolute and relative), and
 * lets the console follow a new mode: the kernel switches the CRTC when the connector's
 * preferred mode changes but leaves the console's text at its old size, so the size is
 * set anew through FBIOPUT_VSCREENINFO.
 *
 * The console is the kernel's own DRM client and loses its rights while anybody is DRM
 * master, so this program is master only around a cursor ioctl.
 *
 * A card that is unplugged makes it start anew and wait for the next one.
 *
 * Files: /run/screen "width,height"; /run/pointer "x y buttons".
 * qxld-pointer --dump writes the screen as PPM to standard output and ends.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <drm/drm.h>
#include <drm/drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <linux/input.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CARDS 8
#define MAX_INPUTS 16
#define CURSOR_SIDE 64
#define HOT_X 3
#define HOT_Y 2

struct input {
    int fd, number;
    int min_x, max_x, min_y, max_y; /* max 0: relative */
};

static int card = -1;
static uint32_t crtc_id;
static int screen_width, screen_height;
static int pointer_x, pointer_y;
static unsigned buttons;
static struct input inputs[MAX_INPUTS];
static int num_inputs;

/* -- the card ----------------------------------------------------------------------- */

static bool open_card_number(int number)
{
    struct drm_mode_card_res resources = {0};
    uint32_t crtcs[8];
    char path[32];

    snprintf(path, sizeof(path), "/dev/dri/card%d", number);
    card = open(path, O_RDWR | O_CLOEXEC);
    if (card < 0)
        return false;
    ioctl(card, DRM_IOCTL_DROP_MASTER, 0); /* the first opener becomes master */
    resources.crtc_id_ptr = (uintptr_t)crtcs;
    resources.count_crtcs = 8;
    if (ioctl(card, DRM_IOCTL_MODE_GETRESOURCES, &resources) < 0 || !resources.count_crtcs) {
        close(card);
        return false;
    }
    crtc_id = crtcs[0];
    return true;
}

/* The first card; after a hot-plug it need not be number 0. */
static bool open_card(void)
{
    for (int number = 0; number < MAX_CARDS; number++)
        if (open_card_number(number))
            return true;
    return false;
}

static bool get_mode(int *width, int *height)
{
    struct drm_mode_crtc crtc = {.crtc_id = crtc_id};

    errno = 0;
    if (ioctl(card, DRM_IOCTL_MODE_GETCRTC, &crtc) < 0 || !crtc.mode_valid)
        return false;
    *width = crtc.mode.hdisplay;
    *height = crtc.mode.vdisplay;
    return true;
}

static void cursor_ioctl(struct drm_mode_cursor2 *cursor)
{
    if (ioctl(card, DRM_IOCTL_SET_MASTER, 0) < 0)
        return;
    cursor->crtc_id = crtc_id;
    ioctl(card, DRM_IOCTL_MODE_CURSOR2, cursor);
    ioctl(card, DRM_IOCTL_DROP_MASTER, 0);
}

static void cursor_origin(struct drm_mode_cursor2 *cursor)
{
    cursor->x = pointer_x - HOT_X;
    cursor->y = pointer_y - HOT_Y;
}

/* An arrow: white, with a black border, its point at (HOT_X, HOT_Y). */
static void paint_arrow(uint32_t *pixels, uint32_t stride)
{
    for (uint32_t row = 0; row < 18; row++)
        for (uint32_t column = 0; column <= row * 2 / 3; column++) {
            bool border = column == 0 || column >= row * 2 / 3 || row >= 17;

            pixels[(HOT_Y + row) * stride + HOT_X + column] =
                border ? 0xff000000u : 0xffffffffu;
        }
}

static uint32_t make_cursor(void)
{
    struct drm_mode_create_dumb dumb = {.width = CURSOR_SIDE, .height = CURSOR_SIDE, .bpp = 32};
    struct drm_mode_map_dumb map = {0};
    void *pixels;

    if (ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &dumb) < 0)
        return 0;
    map.handle = dumb.handle;
    if (ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &map) < 0)
        return 0;
    pixels = mmap(NULL, dumb.size, PROT_READ | PROT_WRITE, MAP_SHARED, card, (off_t)map.offset);
    if (pixels == MAP_FAILED)
        return 0;
    memset(pixels, 0, dumb.size);
    paint_arrow(pixels, dumb.pitch / 4);
    munmap(pixels, dumb.size);
    return dumb.handle;
}

static void show_cursor(void)
{
    static uint32_t handle;
    struct drm_mode_cursor2 cursor = {
        .flags = DRM_MODE_CURSOR_BO | DRM_MODE_CURSOR_MOVE,
        .width = CURSOR_SIDE,
        .height = CURSOR_SIDE,
        .hot_x = HOT_X,
        .hot_y = HOT_Y,
    };

    if (!handle)
        handle = make_cursor();
    cursor.handle = handle;
    cursor_origin(&cursor);
    cursor_ioctl(&cursor);
}

static void move_cursor(void)
{
    struct drm_mode_cursor2 cursor = {.flags = DRM_MODE_CURSOR_MOVE};

    cursor_origin(&cursor);
    cursor_ioctl(&cursor);
}

/* -- the console -------------------------------------------------------------------- */

static void write_line(const char *path, const char *line)
{
    FILE *file = fopen(path, "w");

    if (file) {
        fputs(line, file);
        fclose(file);
    }
}

static void fit_console(void)
{
    struct fb_var_screeninfo var;
    int fb = open("/dev/fb0", O_RDWR | O_CLOEXEC);

    if (fb < 0)
        return;
    if (ioctl(fb, FBIOGET_VSCREENINFO, &var) == 0) {
        var.xres = (uint32_t)screen_width;
        var.yres = (uint32_t)screen_height;
        var.activate = FB_ACTIVATE_NOW | FB_ACTIVATE_FORCE;
        if (ioctl(fb, FBIOPUT_VSCREENINFO, &var) < 0)
            fprintf(stderr, "console stays: %s\n", strerror(errno));
    }
    close(fb);
}

static void follow_mode(void)
{
    int width, height;
    char line[64];

    if (!get_mode(&width, &height))
        return;
    if (width != screen_width || height != screen_height) {
        screen_width = width;
        screen_height = height;
        fit_console();
        snprintf(line, sizeof(line), "%d,%d\n", width, height);
        write_line("/run/screen", line);
        fprintf(stderr, "screen %dx%d\n", width, height);
    }
    show_cursor(); /* a mode set of the console's client takes cursor planes away */
}

/* -- pointing devices --------------------------------------------------------------- */

static bool has_bit(const unsigned long *bits, unsigned bit)
{
    return bits[bit / (8 * sizeof(long))] >> bit % (8 * sizeof(long)) & 1;
}

static void add_input(int number)
{
    unsigned long relative[1 + REL_MAX / (8 * sizeof(long))] = {0};
    unsigned long absolute[1 + ABS_MAX / (8 * sizeof(long))] = {0};
    struct input input = {.number = number};
    struct input_absinfo x, y;
    char path[32];

    snprintf(path, sizeof(path), "/dev/input/event%d", number);
    input.fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (input.fd < 0)
        return;
    ioctl(input.fd, EVIOCGBIT(EV_REL, sizeof(relative)), relative);
    ioctl(input.fd, EVIOCGBIT(EV_ABS, sizeof(absolute)), absolute);
    if (has_bit(absolute, ABS_X) && ioctl(input.fd, EVIOCGABS(ABS_X), &x) == 0 &&
        ioctl(input.fd, EVIOCGABS(ABS_Y), &y) == 0 && x.maximum > x.minimum) {
        input.min_x = x.minimum;
        input.max_x = x.maximum;
        input.min_y = y.minimum;
        input.max_y = y.maximum;
    } else if (!has_bit(relative, REL_X)) {
        close(input.fd);
        return;
    }
    inputs[num_inputs++] = input;
    fprintf(stderr, "%s %s\n", path, input.max_x ? "absolute" : "relative");
}

static bool known_input(int number)
{
    for (int i = 0; i < num_inputs; i++)
        if (inputs[i].number == number)
            return true;
    return false;
}

static void find_inputs(void)
{
    DIR *directory = opendir("/dev/input");
    struct dirent *entry;
    int number;

    if (!directory)
        return;
    while ((entry = readdir(directory)))
        if (sscanf(entry->d_name, "event%d", &number) == 1 && !known_input(number) &&
            num_inputs < MAX_INPUTS)
            add_input(number);
    closedir(directory);
}

static int clamp(int value, int limit)
{
    return value < 0 ? 0 : value >= limit ? limit - 1 : value;
}

static int scale(int value, int min, int max, int size)
{
    return (int)((int64_t)(value - min) * size / (max - min + 1));
}

static unsigned button_bit(int code)
{
    return code >= BTN_LEFT && code < BTN_LEFT + 8 ? 1u << (code - BTN_LEFT) : 0;
}

static void take_event(const struct input *input, const struct input_event *event)
{
    if (event->type == EV_ABS && input->max_x && event->code == ABS_X)
        pointer_x = scale(event->value, input->min_x, input->max_x, screen_width);
    else if (event->type == EV_ABS && input->max_x && event->code == ABS_Y)
        pointer_y = scale(event->value, input->min_y, input->max_y, screen_height);
    else if (event->type == EV_REL && event->code == REL_X)
        pointer_x += event->value;
    else if (event->type == EV_REL && event->code == REL_Y)
        pointer_y += event->value;
    else if (event->type == EV_REL && event->code == REL_WHEEL)
        fprintf(stderr, "wheel %d\n", event->value);
    else if (event->type == EV_KEY && button_bit(event->code)) {
        buttons &= ~button_bit(event->code);
        if (event->value)
            buttons |= button_bit(event->code);
        fprintf(stderr, "buttons %#x at %d %d\n", buttons, pointer_x, pointer_y);
    }
}

static bool read_input(struct input *input)
{
    struct input_event events[64];
    ssize_t size = read(input->fd, events, sizeof(events));

    if (size < 0 && errno == ENODEV) {
        close(input->fd);
        *input = inputs[--num_inputs];
        return false;
    }
    for (ssize_t i = 0; i < size / (ssize_t)sizeof(events[0]); i++)
        take_event(input, &events[i]);
    pointer_x = clamp(pointer_x, screen_width);
    pointer_y = clamp(pointer_y, screen_height);
    return size > 0;
}

/* -- the loop ----------------------------------------------------------------------- */

static int open_uevents(void)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    NETLINK_KOBJECT_UEVENT);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void drain(int fd)
{
    char message[8192];

    while (recv(fd, message, sizeof(message), 0) > 0)
        ;
}

static void report_pointer(void)
{
    char line[64];

    snprintf(line, sizeof(line), "%d %d %#x\n", pointer_x, pointer_y, buttons);
    write_line("/run/pointer", line);
}

static void serve(int uevents)
{
    struct pollfd polls[MAX_INPUTS + 1];
    bool moved = false;
    int count = num_inputs;

    polls[0] = (struct pollfd){.fd = uevents, .events = POLLIN};
    for (int i = 0; i < count; i++)
        polls[i + 1] = (struct pollfd){.fd = inputs[i].fd, .events = POLLIN};
    /* Modes can change without an event that we see: look now and then. */
    if (poll(polls, (nfds_t)count + 1, 1000) < 0)
        return;
    for (int i = count - 1; i >= 0; i--)
        if (polls[i + 1].revents)
            moved |= read_input(&inputs[i]);
    if (moved) {
        move_cursor();
        report_pointer();
    }
    if (polls[0].revents) {
        drain(uevents);
        find_inputs();
        follow_mode();
    } else if (!moved) {
        int width, height;

        if (get_mode(&width, &height) && (width != screen_width || height != screen_height))
            follow_mode();
    }
}

static bool unplugged(void)
{
    int width, height;

    return !get_mode(&width, &height) && errno == ENODEV;
}

/* -- --dump ------------------------------------------------------------------------- */

static int dump(void)
{
    struct fb_fix_screeninfo fix;
    struct fb_var_screeninfo var;
    int fb = open("/dev/fb0", O_RDONLY);
    uint8_t *row;

    if (fb < 0 || ioctl(fb, FBIOGET_FSCREENINFO, &fix) < 0 ||
        ioctl(fb, FBIOGET_VSCREENINFO, &var) < 0 || !(row = malloc(fix.line_length)))
        return 1;
    printf("P6\n%u %u\n255\n", var.xres, var.yres);
    for (uint32_t y = 0; y < var.yres; y++) {
        if (pread(fb, row, fix.line_length, (off_t)y * fix.line_length) < 0)
            return 1;
        for (uint32_t x = 0; x < var.xres; x++) {
            putchar_unlocked(row[x * 4 + 2]);
            putchar_unlocked(row[x * 4 + 1]);
            putchar_unlocked(row[x * 4]);
        }
    }
    return fflush(stdout) ? 1 : 0;
}

int main(int argc, char **argv)
{
    int uevents;

    if (argc > 1 && !strcmp(argv[1], "--dump"))
        return dump();
    setvbuf(stderr, NULL, _IOLBF, 0);
    uevents = open_uevents();
    while (!open_card())
        usleep(200000);
    find_inputs();
    follow_mode();
    pointer_x = screen_width / 2;
    pointer_y = screen_height / 2;
    show_cursor();
    while (!unplugged())
        serve(uevents);
    fprintf(stderr, "the card was unplugged\n");
    unlink("/run/screen");
    execv("/proc/self/exe", argv);
    return 1;
}
