/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libspice-server plays a recorded stream: the judge of what a client must show.
 *
 *   spice_server_replay FILE PORT COMPRESSION CLIENTS
 *
 * FILE ("-": standard input) is played once CLIENTS display clients are there.
 * COMPRESSION is an image compression, or what slow networks get: "jpeg" (and quic) or
 * "zlib_glz".  Lines on standard output: "ready" when clients can connect, "played
 * COMMANDS" when the server took the last command.  It serves until a signal ends it.
 */
#include <glib-unix.h>
#include <glib.h>
#include <signal.h>
#include <spice.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_SIZE 256 /* commands read ahead, as a guest's ring would hold them */
#define MAX_SURFACES 1024

/* -- a main loop for the server ------------------------------------------------------ */

struct SpiceTimer {
    SpiceTimerFunc func;
    void *opaque;
    guint source;
};

static gboolean
timer_fired(gpointer opaque)
{
    SpiceTimer *timer = opaque;

    timer->source = 0;
    timer->func(timer->opaque);
    return G_SOURCE_REMOVE;
}

static SpiceTimer *
timer_add(SpiceTimerFunc func, void *opaque)
{
    SpiceTimer *timer = g_new0(SpiceTimer, 1);

    timer->func = func;
    timer->opaque = opaque;
    return timer;
}

static void
timer_cancel(SpiceTimer *timer)
{
    if (timer->source)
        g_source_remove(timer->source);
    timer->source = 0;
}

static void
timer_start(SpiceTimer *timer, uint32_t ms)
{
    timer_cancel(timer);
    timer->source = g_timeout_add(ms, timer_fired, timer);
}

static void
timer_remove(SpiceTimer *timer)
{
    timer_cancel(timer);
    g_free(timer);
}

struct SpiceWatch {
    SpiceWatchFunc func;
    void *opaque;
    int fd;
    guint source;
};

static gboolean
watch_ready(gint fd, GIOCondition ready, gpointer opaque)
{
    SpiceWatch *watch = opaque;
    int events = 0;

    if (ready & (G_IO_IN | G_IO_HUP | G_IO_ERR))
        events |= SPICE_WATCH_EVENT_READ;
    if (ready & G_IO_OUT)
        events |= SPICE_WATCH_EVENT_WRITE;
    watch->func(fd, events, watch->opaque);
    return G_SOURCE_CONTINUE;
}

static void
watch_update_mask(SpiceWatch *watch, int events)
{
    GIOCondition wanted = 0;

    if (watch->source)
        g_source_remove(watch->source);
    watch->source = 0;
    if (events & SPICE_WATCH_EVENT_READ)
        wanted |= G_IO_IN | G_IO_HUP | G_IO_ERR;
    if (events & SPICE_WATCH_EVENT_WRITE)
        wanted |= G_IO_OUT;
    if (wanted)
        watch->source = g_unix_fd_add(watch->fd, wanted, watch_ready, watch);
}

static SpiceWatch *
watch_add(int fd, int events, SpiceWatchFunc func, void *opaque)
{
    SpiceWatch *watch = g_new0(SpiceWatch, 1);

    watch->fd = fd;
    watch->func = func;
    watch->opaque = opaque;
    watch_update_mask(watch, events);
    return watch;
}

static void
watch_remove(SpiceWatch *watch)
{
    watch_update_mask(watch, 0);
    g_free(watch);
}

static void
channel_event(int event, SpiceChannelEventInfo *info)
{
    (void)event;
    (void)info;
}

static SpiceCoreInterface core = {
    .base = {.type = SPICE_INTERFACE_CORE,
             .description = "replay",
             .major_version = SPICE_INTERFACE_CORE_MAJOR,
             .minor_version = SPICE_INTERFACE_CORE_MINOR},
    .timer_add = timer_add,
    .timer_start = timer_start,
    .timer_cancel = timer_cancel,
    .timer_remove = timer_remove,
    .watch_add = watch_add,
    .watch_update_mask = watch_update_mask,
    .watch_remove = watch_remove,
    .channel_event = channel_event,
};

/* -- a device whose rings are filled from the file ----------------------------------- */

struct queue {
    QXLCommandExt *commands[QUEUE_SIZE];
    unsigned head, tail;
};

static GMutex lock;      /* of all that follows: the worker is another thread */
static GCond moved;      /* a command was taken, or a client came */
static struct queue drawing, cursor;
static int clients;
static SpiceReplay *replay;
static QXLInstance qxl;

static int
take(struct queue *queue, QXLCommandExt *out)
{
    int taken = 0;

    g_mutex_lock(&lock);
    if (queue->head != queue->tail) {
        *out = *queue->commands[queue->head++ % QUEUE_SIZE];
        g_cond_signal(&moved);
        taken = 1;
    }
    g_mutex_unlock(&lock);
    return taken;
}

static int
is_empty(struct queue *queue)
{
    int empty;

    g_mutex_lock(&lock);
    empty = queue->head == queue->tail;
    g_mutex_unlock(&lock);
    return empty;
}

static void
put(struct queue *queue, QXLCommandExt *command)
{
    g_mutex_lock(&lock);
    while (queue->tail - queue->head == QUEUE_SIZE)
        g_cond_wait(&moved, &lock);
    queue->commands[queue->tail++ % QUEUE_SIZE] = command;
    g_mutex_unlock(&lock);
    spice_qxl_wakeup(&qxl);
}

static int
get_command(QXLInstance *instance, QXLCommandExt *command)
{
    (void)instance;
    return take(&drawing, command);
}

static int
get_cursor_command(QXLInstance *instance, QXLCommandExt *command)
{
    (void)instance;
    return take(&cursor, command);
}

static int
req_cmd_notification(QXLInstance *instance)
{
    (void)instance;
    return is_empty(&drawing);
}

static int
req_cursor_notification(QXLInstance *instance)
{
    (void)instance;
    return is_empty(&cursor);
}

static void
release_resource(QXLInstance *instance, QXLReleaseInfoExt release)
{
    (void)instance;
    /* spice_replay_next_cmd() leaves the command's own address there. */
    spice_replay_free_cmd(replay, (QXLCommandExt *)(uintptr_t)release.info->id);
}

static void
set_client_capabilities(QXLInstance *instance, uint8_t present, uint8_t *capabilities)
{
    (void)instance;
    (void)capabilities;
    if (!present)
        return;
    g_mutex_lock(&lock);
    clients++;
    g_cond_signal(&moved);
    g_mutex_unlock(&lock);
}

static void
get_init_info(QXLInstance *instance, QXLDevInitInfo *info)
{
    (void)instance;
    *info = (QXLDevInitInfo){
        .num_memslots_groups = 1,
        .num_memslots = 1,
        .memslot_gen_bits = 1,
        .memslot_id_bits = 1,
        .n_surfaces = MAX_SURFACES,
    };
}

static void
attached_worker(QXLInstance *instance)
{
    (void)instance;
}

static void
set_compression_level(QXLInstance *instance, int level)
{
    (void)instance;
    (void)level;
}

static void
notify_update(QXLInstance *instance, uint32_t id)
{
    (void)instance;
    (void)id;
}

static int
flush_resources(QXLInstance *instance)
{
    (void)instance;
    return 0;
}

static const QXLInterface device = {
    .base = {.type = SPICE_INTERFACE_QXL,
             .description = "replay",
             .major_version = SPICE_INTERFACE_QXL_MAJOR,
             .minor_version = SPICE_INTERFACE_QXL_MINOR},
    .attached_worker = attached_worker,
    .set_compression_level = set_compression_level,
    .get_init_info = get_init_info,
    .get_command = get_command,
    .req_cmd_notification = req_cmd_notification,
    .release_resource = release_resource,
    .get_cursor_command = get_cursor_command,
    .req_cursor_notification = req_cursor_notification,
    .notify_update = notify_update,
    .flush_resources = flush_resources,
    .set_client_capabilities = set_client_capabilities,
};

/* -- playing --------------------------------------------------------------------------- */

static FILE *stream;
static int awaited;

static void
await_clients(void)
{
    g_mutex_lock(&lock);
    while (clients < awaited)
        g_cond_wait(&moved, &lock);
    g_mutex_unlock(&lock);
}

static void
await_taken(void)
{
    g_mutex_lock(&lock);
    while (drawing.head != drawing.tail || cursor.head != cursor.tail)
        g_cond_wait(&moved, &lock);
    g_mutex_unlock(&lock);
}

static gpointer
play(gpointer opaque)
{
    unsigned long count = 0;
    QXLCommandExt *command;

    (void)opaque;
    await_clients();
    replay = spice_replay_new(stream, MAX_SURFACES);
    if (!replay)
        g_error("not a recorded stream");
    for (; (command = spice_replay_next_cmd(replay, &qxl)); count++)
        put(command->cmd.type == QXL_CMD_CURSOR ? &cursor : &drawing, command);
    await_taken();
    printf("played %lu\n", count);
    fflush(stdout);
    return NULL;
}

static SpiceImageCompression
compression_of(const char *name)
{
    static const char *const names[] = {
        [SPICE_IMAGE_COMPRESSION_OFF] = "off",
        [SPICE_IMAGE_COMPRESSION_AUTO_GLZ] = "auto_glz",
        [SPICE_IMAGE_COMPRESSION_AUTO_LZ] = "auto_lz",
        [SPICE_IMAGE_COMPRESSION_QUIC] = "quic",
        [SPICE_IMAGE_COMPRESSION_GLZ] = "glz",
        [SPICE_IMAGE_COMPRESSION_LZ] = "lz",
        [SPICE_IMAGE_COMPRESSION_LZ4] = "lz4",
    };

    for (unsigned n = 0; n < G_N_ELEMENTS(names); n++)
        if (names[n] && !strcmp(names[n], name))
            return n;
    g_error("no compression %s", name);
}

/* What a client far away would get. */
static SpiceImageCompression
wide_area(SpiceServer *server, const char *name)
{
    int jpeg = !strcmp(name, "jpeg"), zlib = !strcmp(name, "zlib_glz");

    spice_server_set_jpeg_compression(server, jpeg ? SPICE_WAN_COMPRESSION_ALWAYS
                                                   : SPICE_WAN_COMPRESSION_NEVER);
    spice_server_set_zlib_glz_compression(server, zlib ? SPICE_WAN_COMPRESSION_ALWAYS
                                                       : SPICE_WAN_COMPRESSION_NEVER);
    return compression_of(jpeg ? "quic" : zlib ? "glz" : name);
}

static void
serve(int port, const char *compression)
{
    static QXLDevMemSlot memory = {.virt_end = UINTPTR_MAX, .qxl_ram_size = UINT32_MAX};
    SpiceServer *server = spice_server_new();

    spice_server_set_addr(server, "127.0.0.1", SPICE_ADDR_FLAG_IPV4_ONLY);
    spice_server_set_port(server, port);
    spice_server_set_noauth(server);
    spice_server_set_image_compression(server, wide_area(server, compression));
    /* What is compared is every pixel of the last picture. */
    spice_server_set_streaming_video(server, SPICE_STREAM_VIDEO_OFF);
    if (spice_server_init(server, &core))
        g_error("libspice-server does not start");
    qxl.base.sif = &device.base;
    if (spice_server_add_interface(server, &qxl.base))
        g_error("libspice-server takes no device");
    spice_qxl_add_memslot(&qxl, &memory);
    spice_server_vm_start(server);
}

int
main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: %s FILE PORT COMPRESSION CLIENTS\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    stream = strcmp(argv[1], "-") ? fopen(argv[1], "rb") : stdin;
    if (!stream)
        g_error("%s cannot be opened", argv[1]);
    awaited = atoi(argv[4]);
    serve(atoi(argv[2]), argv[3]);
    puts("ready");
    fflush(stdout);
    g_thread_new("play", play, NULL);
    g_main_loop_run(g_main_loop_new(NULL, FALSE));
    return 0;
}
